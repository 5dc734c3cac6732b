"""One recording in, what was heard in it out: decode, find speech, transcribe, tell speakers apart, make turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import ListeningError, MediaError
from pipeline.listen.attribute import attribute_words, make_turns
from pipeline.listen.channels import envelope, find_copies, without_bleed
from pipeline.listen.diarize import Diarizer, choose_diarizer
from pipeline.listen.media import RATE, Audio, Samples, decode
from pipeline.listen.speech import Stretch, find_speech
from pipeline.listen.transcribe import DEFAULT_SETTINGS, Transcriber, Transcript
from pipeline.records import ListeningQuality, SpeechSegment, Turn, Word
from pipeline.settings import ListenSettings

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); stages are decode, speech, transcribe and diarize, and in
`pipeline.score` assess and write."""

_Speech = dict[int, tuple[Stretch, ...]]  # channel -> its stretches, in the order of the channels
_UNSURE = 0.6  # mean word probability below which people are told that words may be wrong


@dataclass(frozen=True)
class Heard:
    """What was heard. `speakers` are the labels of turns and speech, by channel or by first speech; `duration` is in
    seconds, `sha256` the hash of the file, `channels` its number of channels."""

    turns: tuple[Turn, ...]
    speech: tuple[SpeechSegment, ...]
    speakers: tuple[str, ...]
    duration: float
    sha256: str
    quality: ListeningQuality
    channels: int


@dataclass(frozen=True)
class _Said:
    """Words with their speakers, before they become turns."""

    words: tuple[tuple[str, Word], ...]
    attributed: int
    speech: tuple[SpeechSegment, ...]
    speakers: tuple[str, ...]
    method: str
    models: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


def hear(
    path: Path,
    *,
    transcriber: Transcriber,
    settings: ListenSettings = DEFAULT_SETTINGS,
    speakers: int | None = None,
    parties_by_channel: int | None = None,
    hotwords: tuple[str, ...] = (),
    diarizer: Diarizer | None = None,
    audio: Audio | None = None,
    progress: Progress | None = None,
) -> Heard:
    """What was heard in the recording at `path`.

    `speakers` is the number of people where it is known. `parties_by_channel` is the number of channels that are known
    to carry one party each; None lets the recording show it. `diarizer` replaces the one that settings name, `audio`
    saves decoding the file again. Raises MediaError for the file, ListeningError where speakers cannot be told apart.
    """
    tell = progress or no_progress
    tell("decode", 0, 1)
    audio = audio or decode(path, settings.limits)
    tell("decode", 1, 1)
    if parties_by_channel is not None and parties_by_channel != audio.channels:
        raise ListeningError(
            f"{path}: has {audio.channels} channel(s), but {parties_by_channel} are named. Correct the `channels` of "
            "this call, or leave them out."
        )
    parties = find_copies(audio.samples)
    speech, notes = _speech_by_channel(audio, parties.kept, tell)
    notes = [*audio.warnings, *_copy_notes(parties.copies, parties_by_channel), *notes]

    live = [channel for channel in parties.kept if speech[channel]]
    claimed = parties_by_channel is not None and not (parties.copies and len(parties.kept) == 1)
    if len(live) > 1 or claimed or speakers == 1:
        said = _by_channel(transcriber, audio, speech, hotwords, tell)
        if speakers is not None and speakers > len(parties.kept):
            notes.append(
                f"{speakers} people are named but {len(parties.kept)} channels carry speech of their own: people who "
                "share a channel count as one speaker."
            )
    else:
        diarizer = diarizer or choose_diarizer(settings, path)
        samples = audio.channel(live[0])
        said = _by_voice(transcriber, diarizer, samples, speech[live[0]], speakers, hotwords, tell)
    return _heard(audio, transcriber, said, notes)


def no_progress(stage: str, done: int, total: int) -> None:
    """Nobody wants to know."""


def _label(channel: int) -> str:
    return f"channel-{channel + 1}"


def _speech_by_channel(audio: Audio, kept: Sequence[int], tell: Progress) -> tuple[_Speech, list[str]]:
    """Each kept channel's stretches without cross-talk, and what people should know about them.

    One channel at a time is held in memory.
    """
    found, envelopes = [], []
    for index, channel in enumerate(kept):
        tell("speech", index, len(kept))
        samples = audio.channel(channel)
        found.append(find_speech(samples))
        envelopes.append(envelope(samples))
    tell("speech", len(kept), len(kept))
    own, dropped = without_bleed(envelopes, found)
    if not any(own):
        raise MediaError(
            f"{audio.path}: no speech was found in it. Check that it is the call's recording, and its volume."
        )
    speech = dict(zip(kept, own, strict=True))
    notes = [
        f"Nobody speaks on channel {channel + 1}; check how the call was recorded."
        for channel, stretches in speech.items()
        if not stretches
    ]
    if dropped:
        notes.append(f"{dropped} stretches were another channel's speech heard faintly, and were left out.")
    return speech, notes


def _copy_notes(copies: Sequence[tuple[int, int]], parties_by_channel: int | None) -> list[str]:
    """A sentence for every channel that is no channel of its own."""
    wrong = " although they are named as different people" if parties_by_channel else ""
    return [f"Channels {one + 1} and {copy + 1} carry the same sound{wrong}; one was used." for copy, one in copies]


def _by_channel(
    transcriber: Transcriber, audio: Audio, speech: _Speech, hotwords: tuple[str, ...], tell: Progress
) -> _Said:
    """Every channel is one speaker, transcribed for itself."""
    words: list[tuple[str, Word]] = []
    segments: list[SpeechSegment] = []
    for index, (channel, own) in enumerate(speech.items()):
        tell("transcribe", index, len(speech))
        label = _label(channel)
        if own:
            transcript = transcriber(_only(audio.channel(channel), own), hotwords=hotwords, stretches=own)
            words += [(label, word) for word in transcript.words]
            segments += [SpeechSegment(label, start, end) for start, end in own]
    tell("transcribe", len(speech), len(speech))
    return _Said(
        words=tuple(words),
        attributed=len(words),
        speech=tuple(segments),
        speakers=tuple(_label(channel) for channel in speech),
        method="channels",
    )


def _only(channel: Samples, speech: Sequence[Stretch]) -> Samples:
    """The channel with everything but its own speech (and a margin) made quiet, so that no engine hears cross-talk."""
    quiet = np.zeros_like(channel)
    for start, end in speech:
        piece = slice(max(0, round((start - 0.25) * RATE)), round((end + 0.25) * RATE))
        quiet[piece] = channel[piece]
    return quiet


def _by_voice(
    transcriber: Transcriber,
    diarizer: Diarizer,
    samples: Samples,
    stretches: tuple[Stretch, ...],
    speakers: int | None,
    hotwords: tuple[str, ...],
    tell: Progress,
) -> _Said:
    """One channel with everybody on it: words are given to the voices that the diarizer tells apart."""
    tell("diarize", 0, 1)
    speech = diarizer(samples, speakers=speakers)
    tell("diarize", 1, 1)
    if not speech:
        raise ListeningError(
            "The diarization found nobody speaking, although there is speech. Use a recording with a channel a party, "
            "or give a transcript with speakers."
        )
    tell("transcribe", 0, 1)
    transcript: Transcript = transcriber(samples, hotwords=hotwords, stretches=stretches)
    tell("transcribe", 1, 1)
    given = attribute_words(transcript.words, speech)
    return _Said(
        words=given.words,
        attributed=given.attributed,
        speech=speech,
        speakers=tuple(dict.fromkeys(one.speaker for one in speech)),
        method=diarizer.name,
        models=diarizer.models,
        warnings=diarizer.warnings,
    )


def _heard(audio: Audio, transcriber: Transcriber, said: _Said, notes: Sequence[str]) -> Heard:
    probabilities = [word.probability for _, word in said.words if word.probability is not None]
    confidence = sum(probabilities) / len(probabilities) if probabilities else None
    quality = ListeningQuality(
        engine=transcriber.name,
        models=(*transcriber.models, *said.models),
        diarization=said.method,
        word_confidence=None if confidence is None else round(confidence, 4),
        speech_attributed=round(said.attributed / len(said.words), 4) if said.words else None,
        warnings=(*transcriber.warnings, *notes, *said.warnings, *_doubts(said, confidence)),
    )
    return Heard(
        turns=make_turns(said.words),
        speech=tuple(sorted(said.speech, key=lambda one: (one.start, one.end, one.speaker))),
        speakers=said.speakers,
        duration=round(audio.duration, 3),
        sha256=audio.sha256,
        quality=quality,
        channels=audio.channels,
    )


def _doubts(said: _Said, confidence: float | None) -> list[str]:
    """Sentences on what was heard badly."""
    if not said.words:
        return ["Speech was found but no words were understood in it."]
    if confidence is not None and confidence < _UNSURE:
        return [f"The words are uncertain (mean confidence {confidence:.0%}): quotes may be wrong."]
    return []
