"""The embedded engine: pocketsphinx with its US English model, one decoder process a core.

Each stretch of speech is decoded for itself, so the words depend neither on the order of stretches nor on how many
processes there are. It understands clear, wide-band American English; on real telephone speech it is poor.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from pipeline.errors import ListeningError
from pipeline.listen.guards import Segment, guarded
from pipeline.listen.media import RATE, Samples
from pipeline.listen.speech import Stretch, find_speech, widened
from pipeline.listen.sphinx_child import HEADER, READY
from pipeline.listen.transcribe import Transcript
from pipeline.records import Word

_log = logging.getLogger(__name__)
_CHILD = Path(__file__).with_name("sphinx_child.py")
_PADDING = 0.4  # seconds of quiet around a stretch; with 0.2 one word in fifty more is wrong on the sample calls
_SHORTEST = 0.1  # seconds; a shorter stretch holds no word

_Found = list[tuple[str, float, float, float]]


class SphinxTranscriber:
    """The engine, with `workers` decoder processes (None: one a core). They start at once and load by themselves,
    so a recording can be decoded meanwhile; they end with this object or with this process."""

    name = "sphinx"
    warnings = ("The embedded engine knows US English only; other languages and strong accents come out as nonsense.",)

    def __init__(self, workers: int | None = None) -> None:
        count = max(1, workers or os.cpu_count() or 1)
        self.models: tuple[tuple[str, str], ...] = (("pocketsphinx en-us", version("pocketsphinx")),)
        self._workers = [_Worker() for _ in range(count)]
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._finalizer = weakref.finalize(self, _close_all, self._workers)

    def close(self) -> None:
        """End the decoder processes; the object cannot be used after."""
        self._finalizer()

    def __call__(
        self,
        samples: Samples,
        *,
        hotwords: tuple[str, ...] = (),
        stretches: Sequence[Stretch] | None = None,
        language: str | None = None,
    ) -> Transcript:
        """The words of mono 16 kHz samples. `hotwords` cannot be used: the model's vocabulary is fixed.

        Raises ListeningError for another `language` than English, and where a decoder process has died.
        """
        check_english(language)
        spoken = find_speech(samples) if stretches is None else stretches
        heard = widened(spoken, _PADDING, len(samples) / RATE)
        jobs = [(start, _pcm(samples, start, end)) for start, end in heard if end - start >= _SHORTEST]
        segments = [
            Segment(tuple(Word(text, round(start + a, 3), round(start + b, 3), p) for text, a, b, p in found))
            for (start, _), found in zip(jobs, self._decode([pcm for _, pcm in jobs]), strict=True)
        ]
        kept = guarded(segments, spoken, invents_phrases=False)
        return Transcript(kept.words, language="en", dropped=kept.dropped)

    def _decode(self, pieces: Sequence[bytes]) -> list[_Found]:
        """The words of every piece, in order; the longest piece is begun first, so that no worker ends late.

        Calls may run side by side: each piece goes to whichever worker is idle.
        """
        longest_first = sorted(range(len(pieces)), key=lambda index: (-len(pieces[index]), index))
        with ThreadPoolExecutor(len(self._workers)) as pool:
            found = dict(zip(longest_first, pool.map(self._heard, [pieces[i] for i in longest_first]), strict=True))
        return [found[index] for index in range(len(pieces))]

    def _heard(self, piece: bytes) -> _Found:
        """The words of one piece, by the next idle worker."""
        worker = self._idle.get()
        try:
            return worker.decode(piece)
        except ListeningError:
            worker = self._renewed(worker)
            raise
        finally:
            self._idle.put(worker)

    def _renewed(self, worker: _Worker) -> _Worker:
        """A fresh worker in the place of one that has died, so that the next call can be heard."""
        if not self._finalizer.alive:
            return worker
        worker.close()
        fresh = _Worker()
        self._workers[self._workers.index(worker)] = fresh
        return fresh


def check_english(language: str | None, why: str = "") -> None:
    """Raises ListeningError for another language than English; `why` says why this engine listens at all."""
    if language is not None and language.lower().split("-")[0] != "en":
        raise ListeningError(
            f"language: {language!r} was asked for, but the embedded engine knows US English only; Whisper is needed."
            f"{why}"
        )


def _pcm(samples: Samples, start: float, end: float) -> bytes:
    """The stretch as int16 at 16 kHz."""
    piece = samples[round(start * RATE) : round(end * RATE)]
    return (np.clip(piece, -1.0, 1.0) * 32767).astype("<i2").tobytes()


class _Worker:
    """One decoder process."""

    def __init__(self) -> None:
        self._ready = False
        self._child = subprocess.Popen(
            [sys.executable, "-P", str(_CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=-1
        )

    def decode(self, pcm: bytes) -> _Found:
        """The words of one piece. Raises ListeningError where the process has died."""
        child = self._child
        if child.stdin is None or child.stdout is None or child.stdin.closed:
            raise ListeningError("The embedded engine was closed. Make a new SphinxTranscriber.")
        try:
            if not self._ready:
                self._ready = child.stdout.readline() == READY
            child.stdin.write(HEADER.pack(len(pcm) // 2) + pcm)
            child.stdin.flush()
            return [tuple(word) for word in json.loads(child.stdout.readline())]
        except (OSError, ValueError) as error:
            raise ListeningError(
                f"The embedded engine's process ended (status {child.poll()}) while it listened. Check that "
                "pocketsphinx is installed whole and that memory is left (200 MB a core), or use --engine whisper."
            ) from error

    def close(self) -> None:
        """End the process."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    _log.debug("the decoder process had ended before its pipe was closed")
        self._child.kill()
        self._child.wait()


def _close_all(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.close()
