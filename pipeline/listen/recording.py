"""One recording in, what was heard in it out: decode, find tracks, tell voices apart, transcribe, make turns.

Channels come first: a track with one person on it needs nobody told apart. Words are given to voices, not segments.
Long recordings are read in windows that end in pauses, so that memory does not grow with the call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.listen.attribute import attribute_words, make_turns
from pipeline.listen.diarize import Diarizer
from pipeline.listen.guards import total_dropped
from pipeline.listen.media import RATE, Audio, decode
from pipeline.listen.speakers import TrackVoices, find_voices, quietened
from pipeline.listen.speech import Stretch, total_seconds, windows
from pipeline.listen.tracks import NOTHING_EXPECTED, Expected, Track, find_tracks
from pipeline.listen.transcribe import DEFAULT_SETTINGS, Transcriber, Transcript
from pipeline.records import ListeningQuality, SpeechSegment, Turn, Word
from pipeline.settings import ListenSettings

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); stages are decode, speech, transcribe and diarize, and in
`pipeline.score` assess and write."""

_UNSURE = 0.6  # mean word probability below which people are told that words may be wrong
_MARGIN = 0.25  # seconds around a stretch that an engine hears as well
_SURE_OF_LANGUAGE = 0.5  # probability from which a detected language holds for the rest of the call


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
    """What was said on one track: words with their speakers before they become turns, and who spoke when.
    `attributed` counts the words that got their speaker by evidence."""

    words: tuple[tuple[str, Word], ...]
    attributed: int
    speech: tuple[SpeechSegment, ...]
    transcript: Transcript
    diarizer: Diarizer | None = None


def hear(
    path: Path,
    *,
    transcriber: Transcriber,
    settings: ListenSettings = DEFAULT_SETTINGS,
    expected: Expected = NOTHING_EXPECTED,
    diarizer: Diarizer | None = None,
    audio: Audio | None = None,
    progress: Progress | None = None,
) -> Heard:
    """What was heard in the recording at `path`.

    `expected` is what is known before listening. `diarizer` replaces the one that settings name, `audio` saves decoding
    the file again. Raises MediaError for the file, ListeningError where speakers cannot be told apart.
    """
    tell = progress or no_progress
    tell("decode", 0, 1)
    audio = audio or decode(path, settings.limits)
    tell("decode", 1, 1)
    tracks, notes = find_tracks(audio, expected, tell)
    alone = len(tracks) == 1
    voices = [find_voices(track, audio, settings, alone=alone, diarizer=diarizer, tell=tell) for track in tracks]
    said = _all_said(audio, tracks, voices, transcriber, expected, tell)
    return _heard(audio, transcriber, said, [*audio.warnings, *notes, *(note for one in voices for note in one.notes)])


def no_progress(stage: str, done: int, total: int) -> None:
    """Nobody wants to know."""


# --- what is said ---------------------------------------------------------------------------------


def _all_said(
    audio: Audio,
    tracks: Sequence[Track],
    voices: Sequence[TrackVoices],
    transcriber: Transcriber,
    expected: Expected,
    tell: Progress,
) -> list[_Said]:
    """What is said on every track, in the order of the tracks.

    The track with most speech is heard first: the language that is detected there holds for the others.
    """
    pieces = {index: list(windows(track.speech)) for index, track in enumerate(tracks)}
    total, done = sum(map(len, pieces.values())), 0
    language = expected.language
    transcripts: dict[int, Transcript] = {}
    for index in sorted(pieces, key=lambda index: (-total_seconds(tracks[index].speech), index)):
        parts = []
        for piece in pieces[index]:
            tell("transcribe", done, total)
            part = _transcribed(audio, tracks[index], piece, transcriber, expected.terms, language)
            if language is None and (part.language_probability or 0.0) >= _SURE_OF_LANGUAGE:
                language = part.language
            parts.append(part)
            done += 1
        transcripts[index] = _joined(parts)
    tell("transcribe", total, total)
    return [_attributed(transcripts[index], voices[index]) for index in range(len(tracks))]


def _transcribed(
    audio: Audio,
    track: Track,
    piece: tuple[Stretch, ...],
    transcriber: Transcriber,
    terms: tuple[str, ...],
    language: str | None,
) -> Transcript:
    """The words of a window, with times of the whole call. What is not the track's own speech is made quiet before."""
    begin = max(0, round((piece[0][0] - 1.0) * RATE))
    end = min(audio.length, round((piece[-1][1] + 1.0) * RATE))
    at = begin / RATE
    inside = [(start - at, stop - at) for start, stop in piece]
    samples = quietened(track.samples(audio, begin, end), inside, _MARGIN)
    found = transcriber(samples, hotwords=terms, stretches=inside, language=language)
    words = tuple(replace(w, start=round(w.start + at, 3), end=round(w.end + at, 3)) for w in found.words)
    return replace(found, words=words, unheard=tuple((start + at, end + at) for start, end in found.unheard))


def _joined(parts: Sequence[Transcript]) -> Transcript:
    """The windows of one track as one transcript; the language is the first that was told."""
    if not parts:
        return Transcript(())
    told = next((part for part in parts if part.language), parts[0])
    return Transcript(
        tuple(word for part in parts for word in part.words),
        told.language,
        told.language_probability,
        total_dropped([part.dropped for part in parts]),
        sum(part.recovered for part in parts),
        tuple(stretch for part in parts for stretch in part.unheard),
    )


def _attributed(transcript: Transcript, voices: TrackVoices) -> _Said:
    """The words with their speakers: the channel's, or the voice that speaks at that time."""
    if voices.diarizer is None:
        label = voices.speech[0].speaker
        words = tuple((label, word) for word in transcript.words)
        return _Said(words, len(words), voices.speech, transcript)
    given = attribute_words(transcript.words, voices.speech)
    return _Said(given.words, given.attributed, voices.speech, transcript, voices.diarizer)


# --- what is told ---------------------------------------------------------------------------------


def _heard(audio: Audio, transcriber: Transcriber, said: Sequence[_Said], notes: Sequence[str]) -> Heard:
    words = [word for one in said for word in one.words]
    confidence = Transcript(tuple(word for _, word in words)).confidence
    diarizers = list(dict.fromkeys(one.diarizer for one in said if one.diarizer is not None))
    longest = max(said, key=lambda one: len(one.words)).transcript
    attributed = sum(one.attributed for one in said)
    quality = ListeningQuality(
        engine=transcriber.name,
        models=tuple(dict.fromkeys((*transcriber.models, *(model for one in diarizers for model in one.models)))),
        diarization=_method(said),
        diarization_trust="low" if any(one.trust == "low" for one in diarizers) else "high",
        word_confidence=None if confidence is None else round(confidence, 4),
        speech_attributed=round(attributed / len(words), 4) if words else None,
        language=longest.language,
        language_probability=longest.language_probability,
        dropped=total_dropped([one.transcript.dropped for one in said]),
        warnings=(
            *transcriber.warnings,
            *notes,
            *(warning for one in diarizers for warning in one.warnings),
            *_doubts(len(words), confidence, [stretch for one in said for stretch in one.transcript.unheard]),
        ),
    )
    speech = [segment for one in said for segment in one.speech]
    return Heard(
        turns=make_turns(words),
        speech=tuple(sorted(speech, key=lambda one: (one.start, one.end, one.speaker))),
        speakers=tuple(dict.fromkeys(one.speaker for one in speech)),
        duration=round(audio.duration, 3),
        sha256=audio.sha256,
        quality=quality,
        channels=audio.channels,
    )


def _method(said: Sequence[_Said]) -> str:
    """How speakers were told apart: by channels, by a diarizer, or by both."""
    names = dict.fromkeys("channels" if one.diarizer is None else one.diarizer.name for one in said)
    return " and ".join(names)


def _doubts(words: int, confidence: float | None, unheard: Sequence[Stretch]) -> list[str]:
    """Sentences on what was heard badly; `unheard` is the speech in which no word was understood."""
    if not words:
        return ["Speech was found but no words were understood in it."]
    doubts = []
    if confidence is not None and confidence < _UNSURE:
        doubts.append(f"The words are uncertain (mean confidence {confidence:.0%}): quotes may be wrong.")
    if unheard:
        seconds = total_seconds(unheard)
        doubts.append(f"In {seconds:.0f} s of speech no word was understood, the first at {unheard[0][0]:.0f} s.")
    return doubts
