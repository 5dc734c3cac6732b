"""A loaded pyannote.audio pipeline as a diarizer: mono samples in, the stretches of every voice out.

The pipeline holds scores of the whole recording and a distance between every two of its voices' embeddings, which grow
with the length and with its square. A long recording is therefore cut in windows, and its people are linked by the
embeddings that the pipeline gives for each window.
"""

from __future__ import annotations

import itertools
import logging
import math
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from pipeline.errors import ListeningError
from pipeline.listen.linking import Linker
from pipeline.listen.media import RATE, Samples
from pipeline.listen.speech import Stretch
from pipeline.records import SpeechSegment

_log = logging.getLogger(__name__)
WINDOW = 2400.0
"""Seconds that the pipeline is given at once; most calls are shorter. See benchmarks/diarization_long.py."""
_SLACK = 60.0  # seconds in which a pause is looked for to cut in
_STARTUP_SECONDS = 600.0
_SECONDS_A_SECOND = 4.0  # allowed for each second of the recording: a slow CPU takes one or two
_SEGMENTATION_SHARE = 0.2  # of a window's computing; the rest goes into embeddings
_QUICKER = (
    "Use a machine with a GPU, a recording with a channel a party, an RTTM file or a transcript with speakers, or "
    "allow more time with the setting diarization_seconds."
)

_Progress = Callable[[int, int], None]


class PyannoteDiarizer:
    """A loaded pyannote pipeline. Speakers are labelled `speaker-1`, `speaker-2`, … in the order they first speak.

    `seconds` is the time that one recording may take, None for ten minutes and four times its length. `window` is the
    most seconds that the pipeline is given at once.
    """

    trust: Literal["high", "low"] = "high"
    warnings = (
        "Voices share a channel and were told apart by their sound, so some words may stand with the wrong speaker.",
    )

    def __init__(
        self,
        pipeline: Any,
        *,
        model_name: str,
        revision: str,
        seconds: float | None = None,
        window: float = WINDOW,
    ) -> None:
        self.name = f"pyannote {model_name}"
        self.models: tuple[tuple[str, str], ...] = ((self.name, revision),)
        self._pipeline = pipeline
        self._seconds = seconds
        self._window = window
        self._lock = threading.Lock()  # a pipeline serves one recording at a time

    def __call__(
        self,
        samples: Samples,
        *,
        speakers: tuple[int, int] | None = None,
        stretches: Sequence[Stretch] | None = None,
        progress: _Progress | None = None,
    ) -> tuple[SpeechSegment, ...]:
        """The stretches of every voice, by start; `stretches` says where pauses are, to cut a long recording in.

        Raises ListeningError where it takes too long, where the pipeline fails, and for a long recording where the
        pipeline gives no embeddings.
        """
        duration = len(samples) / RATE
        if not duration:
            return ()
        windows = cut_windows(duration, stretches or (), self._window)
        limit = _STARTUP_SECONDS + _SECONDS_A_SECOND * duration if self._seconds is None else self._seconds
        linker = Linker(None if speakers is None else speakers[1])
        found: list[tuple[float, float, int]] = []
        with self._lock:
            watch = _Watch(limit, duration, progress)  # waiting for another call's turn is not this one's time
            for start, end in windows:
                watch.enter(start, end)
                tracks = self._one_window(samples, start, end, _bounds(speakers, len(windows)), watch)
                found += _linked(tracks, start, end, linker, len(windows))
            watch.done()
        return _segments(found)

    def _one_window(
        self, samples: Samples, start: float, end: float, bounds: dict[str, int], watch: _Watch
    ) -> _WindowVoices:
        """What the pipeline says of one window."""
        import torch

        piece = np.array(samples[round(start * RATE) : round(end * RATE)], dtype=np.float32)  # may be a read-only map
        file = {"waveform": torch.from_numpy(piece).unsqueeze(0), "sample_rate": RATE}  # (1, samples)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its own internals (std of one frame, TF32); nothing for our users
            try:
                return _WindowVoices(self._run(file, bounds, watch))
            except (MemoryError, RuntimeError, ValueError) as error:  # out of memory, torch, and its clustering
                raise ListeningError(
                    f"pyannote stopped at {start:.0f}-{end:.0f} s of the recording ({error}). Where the GPU's memory "
                    "is full, use --device cpu."
                ) from error

    def _run(self, file: dict[str, Any], bounds: dict[str, int], watch: _Watch) -> Any:
        try:
            return self._pipeline(file, hook=watch, **bounds)
        except ValueError as error:
            if not bounds:
                raise
            # too little speech for so many people: its clustering asks for one embedding a person at least
            _log.info("pyannote cannot find the least number of people here (%s); looking for fewer", error)
            most = bounds.get("num_speakers") or bounds["max_speakers"]
            return self._pipeline(file, hook=watch, max_speakers=most)


class _WindowVoices:
    """The pipeline's output of one window: (start, end, voice) by start, and each voice's embedding or None."""

    def __init__(self, output: Any) -> None:
        annotation = getattr(output, "speaker_diarization", output)  # pipelines before 4.0 return it bare
        labels = {label: number for number, label in enumerate(annotation.labels())}
        self.embeddings = getattr(output, "speaker_embeddings", None)  # (voices, dimension), in the order of labels()
        self.voices = len(labels)
        self.tracks = sorted(
            (float(segment.start), float(segment.end), labels[label])
            for segment, _, label in annotation.itertracks(yield_label=True)
        )


class _Watch:
    """The pipeline's hook: reports progress in seconds of the recording, and stops what takes too long."""

    def __init__(self, limit: float, duration: float, progress: _Progress | None) -> None:
        self._began = time.monotonic()
        self._limit = limit
        self._duration = duration
        self._progress = progress
        self._window = (0.0, duration)
        self._told = -1

    def enter(self, start: float, end: float) -> None:
        """The window that is worked on from here."""
        self._window = (start, end)
        self._tell(start)

    def done(self) -> None:
        """Nothing is left to do."""
        self._tell(self._duration)

    def __call__(self, step: str, _: Any, total: int | None = None, completed: int | None = None, **__: Any) -> None:
        """Called by the pipeline after each batch. Raises ListeningError when time is up."""
        start, end = self._window
        if time.monotonic() - self._began > self._limit:
            raise ListeningError(
                f"Telling its voices apart took over the limit of {self._limit:g} s and was stopped in the part from "
                f"{start:.0f} to {end:.0f} s of {self._duration:.0f}. {_QUICKER}"
            )
        if total and completed is not None:
            share = min(1.0, completed / total)
            first, last = (0.0, _SEGMENTATION_SHARE) if step == "segmentation" else (_SEGMENTATION_SHARE, 1.0)
            self._tell(start + (end - start) * (first + share * (last - first)))

    def _tell(self, second: float) -> None:
        if self._progress is not None and int(second) > self._told:
            self._told = int(second)
            self._progress(self._told, int(self._duration))


def cut_windows(duration: float, stretches: Sequence[Stretch], longest: float) -> tuple[Stretch, ...]:
    """The recording in pieces of about equal length, at most `longest` seconds each, cut in the nearest pause."""
    if duration <= longest:
        return ((0.0, duration),)
    slack = min(_SLACK, longest / 4)
    count = math.ceil(duration / (longest - slack))
    pauses = [(before[1] + after[0]) / 2 for before, after in itertools.pairwise(stretches)]
    cuts = [0.0]
    for number in range(1, count):
        target = duration * number / count
        nearest = min(pauses, key=lambda pause: abs(pause - target), default=target)
        cuts.append(nearest if abs(nearest - target) <= slack / 2 else target)
    return tuple(zip(cuts, [*cuts[1:], duration], strict=True))


def _bounds(speakers: tuple[int, int] | None, windows: int) -> dict[str, int]:
    """The number of people as the pipeline takes it. Of three or more, not everybody speaks in every window."""
    if speakers is None:
        return {}
    least, most = speakers
    if windows > 1:
        least = min(least, 2)
    return {"num_speakers": most} if least == most else {"min_speakers": least, "max_speakers": most}


def _linked(
    window: _WindowVoices, start: float, end: float, linker: Linker, windows: int
) -> list[tuple[float, float, int]]:
    """The window's stretches in the recording's time, with the number of the person instead of the voice."""
    people: Sequence[int] = range(window.voices)
    if windows > 1 and window.voices:
        if window.embeddings is None:
            raise ListeningError(
                f"The recording is longer than {end - start:.0f} s and this pyannote pipeline gives no embeddings of "
                "its voices, by which people are known again in the next part. Use pyannote.audio 4's pipelines, or "
                "split the recording."
            )
        seconds = [0.0] * window.voices
        for first, last, voice in window.tracks:
            seconds[voice] += last - first
        people = linker.link(np.asarray(window.embeddings), seconds)
    return [(max(0.0, a) + start, min(b + start, end), people[voice]) for a, b, voice in window.tracks]


def _segments(found: Sequence[tuple[float, float, int]]) -> tuple[SpeechSegment, ...]:
    """The stretches by start, labelled in the order of the first speech; those that a cut parted are whole again."""
    labels: dict[int, str] = {}
    joined: list[tuple[float, float, int]] = []
    open_until: dict[tuple[float, int], int] = {}  # (end, person) -> its place in joined
    for start, end, person in sorted((round(a, 3), round(b, 3), person) for a, b, person in found):
        if end <= start:
            continue
        labels.setdefault(person, f"speaker-{len(labels) + 1}")
        place = open_until.pop((start, person), len(joined))
        if place == len(joined):
            joined.append((start, end, person))
        else:
            joined[place] = (joined[place][0], end, person)
        open_until[(end, person)] = place
    return tuple(SpeechSegment(labels[person], start, end) for start, end, person in joined)
