"""Who speaks when on a track: its channel's one voice, or the voices that a diarizer tells apart on it.

A track on which nobody says that there are several is looked at before anybody is told apart: only where two voices are
beyond doubt is it divided, since two speakers made out of one are worse than a voice that is not told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.errors import ListeningError
from pipeline.listen.audio import RATE, Audio, Samples
from pipeline.listen.diarize import Diarizer, choose_diarizer
from pipeline.listen.pyannote_weights import load_pyannote
from pipeline.listen.speech import Stretch, total_seconds
from pipeline.listen.tracks import Track
from pipeline.records import SpeechSegment
from pipeline.settings import ListenSettings

_EXCERPT = 600.0  # seconds of speech, spread over the call, in which a second voice is looked for
_GAP = 0.2  # seconds of quiet between the stretches of an excerpt
_TWO = (2, 2)


@dataclass(frozen=True)
class TrackVoices:
    """Who speaks when on a track. `diarizer` is None where the channel tells; `notes` are sentences for people."""

    speech: tuple[SpeechSegment, ...]
    diarizer: Diarizer | None = None
    notes: tuple[str, ...] = ()


def find_voices(
    track: Track,
    audio: Audio,
    settings: ListenSettings,
    *,
    alone: bool,
    diarizer: Diarizer | None = None,
    tell: Callable[[str, int, int], None],
) -> TrackVoices:
    """The voices of a track. `alone` is whether it is the recording's only one, `diarizer` replaces the settings' one.

    Raises ListeningError where voices cannot be told apart.
    """
    if track.has_one_voice and not (diarizer and alone):
        return _one_voice(track)
    if track.is_shared or (alone and not track.is_named):
        return _told_apart(track, audio, settings, alone, diarizer, tell)
    if track.people is not None and (trained := diarizer or _trained(settings)):  # it knows one voice from two
        return _told_apart(track, audio, settings, alone, trained, tell)
    if not _carries_two(track, audio):
        return replace(_one_voice(track), notes=_missed(track))
    said = (
        f"Channel {track.channels[0] + 1} carries two voices although nobody said so; they were told apart. Name who "
        'shares a channel in the manifest, as "rep+manager,customer".'
    )
    found = _told_apart(replace(track, people=_TWO), audio, settings, alone, diarizer, tell)
    return replace(found, notes=(said,))


def _one_voice(track: Track) -> TrackVoices:
    return TrackVoices(tuple(SpeechSegment(track.label, start, end) for start, end in track.speech))


def _trained(settings: ListenSettings) -> Diarizer | None:
    """The trained diarizer, None where it cannot be had."""
    try:
        return load_pyannote(settings)
    except ListeningError:
        return None


def _missed(track: Track) -> tuple[str, ...]:
    """What people should know where a channel may carry several voices and none but one was found."""
    if track.people is None:
        return ()
    return (
        "More people may speak than channels carry speech, and no second voice is sure on channel "
        f"{track.channels[0] + 1}: whoever shares it counts as one speaker. Name who shares a channel in the "
        'manifest, as "rep+manager,customer".',
    )


def _told_apart(
    track: Track,
    audio: Audio,
    settings: ListenSettings,
    alone: bool,
    diarizer: Diarizer | None,
    tell: Callable[[str, int, int], None],
) -> TrackVoices:
    diarizer = diarizer or choose_diarizer(settings, audio.path, speakers=track.people)
    may_be_one = track.people is not None and track.people[0] == 1
    if diarizer.trust == "low" and may_be_one and not _carries_two(track, audio):
        # without a trained model one voice is divided as readily as two
        return replace(_one_voice(track), notes=_missed(track))
    tell("diarize", 0, 1)
    try:
        found = diarizer(
            quietened(track.samples(audio), track.speech, 0.0),
            speakers=track.people,
            stretches=track.speech,
            progress=lambda done, total: tell("diarize", done, total),
        )
    except ListeningError as error:
        if str(audio.path) in str(error):
            raise
        raise ListeningError(f"{audio.path}: {error}") from error
    tell("diarize", 1, 1)
    if not found:
        raise ListeningError(
            f"{audio.path}: the diarization found nobody speaking, although there is speech. Use a recording with a "
            "channel a party, or give a transcript with speakers."
        )
    if alone and not track.is_named:
        return TrackVoices(found, diarizer)
    if may_be_one and len({one.speaker for one in found}) == 1:
        return replace(_one_voice(track), notes=_missed(track))
    return TrackVoices(_of_the_channel(track, found), diarizer)


def _of_the_channel(track: Track, found: Sequence[SpeechSegment]) -> tuple[SpeechSegment, ...]:
    """The stretches under labels that tell the channel: by whom it is named there, and from other tracks' voices."""
    labels = list(dict.fromkeys(one.speaker for one in found))
    names = {label: f"{track.voice_label}-voice-{number}" for number, label in enumerate(labels, start=1)}
    if len(names) == 1:
        names = dict.fromkeys(names, track.voice_label)
    return tuple(replace(one, speaker=names[one.speaker]) for one in found)


def _carries_two(track: Track, audio: Audio) -> bool:
    """Whether two voices on the track are beyond doubt."""
    from pipeline.listen.voices import surely_two, tell_apart

    samples, stretches = _excerpt(track, audio)
    return surely_two(tell_apart(samples, stretches))


def _excerpt(track: Track, audio: Audio) -> tuple[Samples, tuple[Stretch, ...]]:
    """Stretches spread over the call, one behind the other, and where they lie: bounded, however long the call is."""
    step = max(1, math.ceil(total_seconds(track.speech) / _EXCERPT))
    gap = np.zeros(round(_GAP * RATE), np.float32)
    pieces: list[Samples] = [gap]
    stretches: list[Stretch] = []
    at = len(gap)
    for start, end in track.speech[::step]:
        piece = track.samples(audio, round(start * RATE), round(end * RATE))
        stretches.append((at / RATE, (at + len(piece)) / RATE))
        pieces += [piece, gap]
        at += len(piece) + len(gap)
    return np.concatenate(pieces), tuple(stretches)


def quietened(samples: Samples, speech: Sequence[Stretch], margin: float) -> Samples:
    """The samples with everything but the stretches (and a margin) made quiet, so that nobody hears cross-talk.

    The samples themselves are changed: a copy of a long channel would double its memory.
    """
    quiet_from = 0
    for start, end in speech:
        samples[quiet_from : max(quiet_from, round((start - margin) * RATE))] = 0
        quiet_from = max(quiet_from, round((end + margin) * RATE))
    samples[quiet_from:] = 0
    return samples
