"""What is listened to: tracks. A track is one channel, or several that carry the same people, with its own speech.

A decoded recording and what is known of its channels in, tracks with the number of people on each out, and sentences
about channels that are dead, equal, mixed or full of cross-talk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.errors import ListeningError, MediaError
from pipeline.listen.bleed import without_bleed
from pipeline.listen.channels import Groups, envelope, find_groups
from pipeline.listen.media import RATE, Audio, Samples
from pipeline.listen.speech import Stretch, find_speech_in

_BLOCK = RATE * 60
_SAID = 1.0  # seconds of cross-talk from which people are told


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a call before anybody listens.

    `channels` is the number of people on each channel in order, empty where that is not known; `speakers` the least and
    the most people that speak, None where it is not known. `terms` are names and words worth expecting, the most
    important first. `language` is an ISO 639-1 code, None lets the engine detect it. `together` is True where somebody
    else tells who speaks when, so that all channels are listened to as one.
    """

    channels: tuple[int, ...] = ()
    speakers: tuple[int, int] | None = None
    terms: tuple[str, ...] = ()
    language: str | None = None
    together: bool = False


NOTHING_EXPECTED = Expected()


@dataclass(frozen=True, slots=True)
class Track:
    """One or more channels that are listened to as one. `speech` are its own stretches, `people` the least and the most
    voices on it, None where it is not known. `others` are channels that are not listened to, being equal or dead, and
    whose people may be on this one; `is_named` is whether the user named who is on it, and it is a channel of its own.
    """

    channels: tuple[int, ...]
    speech: tuple[Stretch, ...]
    people: tuple[int, int] | None
    others: tuple[int, ...] = ()
    is_named: bool = False

    @property
    def label(self) -> str:
        """The speaker's label where one voice is on it."""
        return f"channel-{self.channels[0] + 1}"

    @property
    def voice_label(self) -> str:
        """The beginning of the labels where several voices are on it. With several channels it is none of theirs: who
        is named on one of them may be any of the voices."""
        everywhere = sorted((*self.channels, *self.others))
        return self.label if len(everywhere) == 1 else "channels-" + "-".join(str(one + 1) for one in everywhere)

    @property
    def has_one_voice(self) -> bool:
        """Whether nobody needs to be told apart on it."""
        return self.people == (1, 1)

    @property
    def is_shared(self) -> bool:
        """Whether it is known that several people are on it."""
        return self.people is not None and self.people[0] > 1

    def samples(self, audio: Audio, first: int = 0, last: int | None = None) -> Samples:
        """The mean of its channels between two samples, in memory."""
        last = audio.length if last is None else last
        if len(self.channels) == 1:
            return audio.channel(self.channels[0], first, last)
        mixed = np.empty(max(0, last - first), np.float32)
        for at in range(first, last, _BLOCK):  # so that a long call's channels are never held beside their mean
            stop = min(at + _BLOCK, last)
            mixed[at - first : stop - first] = sum(audio.channel(one, at, stop) for one in self.channels)
        mixed /= len(self.channels)
        return mixed


def find_tracks(
    audio: Audio, expected: Expected, tell: Callable[[str, int, int], None]
) -> tuple[tuple[Track, ...], list[str]]:
    """The tracks in the order of their channels, and sentences for people. Raises ListeningError where the number of
    channels is not as named, MediaError where nobody speaks."""
    if expected.channels and len(expected.channels) != audio.channels:
        raise ListeningError(
            f"{audio.path}: has {audio.channels} channel(s), but {len(expected.channels)} are named. Correct the "
            "`channels` of this call, or leave them out."
        )
    levels, heard = [], []
    for channel in range(audio.channels):
        levels.append(_levels(audio, channel))
        heard.append(find_speech_in(_reader(audio, channel, tell), audio.length))
    tell("speech", _minutes(audio, audio.channels), _minutes(audio, audio.channels))
    if not any(heard):
        raise MediaError(
            f"{audio.path}: no speech was found in it. Check that it is the call's recording, and its volume."
        )
    groups = find_groups(audio, levels, heard)
    if expected.together:
        return (_everybody(audio, groups, expected),), _about_groups(groups, expected)
    firsts = [group[0] for group in groups.groups]
    own, removed = without_bleed([levels[first] for first in firsts], [heard[first] for first in firsts])
    if not any(own):  # nobody can be heard faintly only
        own, removed = tuple(heard[first] for first in firsts), (0.0,) * len(firsts)
    tracks = tuple(_track(group, speech, groups, expected) for group, speech in zip(groups.groups, own, strict=True))
    silent = [track for track in tracks if not track.speech]
    counted = _counted([track for track in tracks if track.speech], silent, expected)
    return counted, [*_about_groups(groups, expected), *_about_silence(silent), *_about_bleed(firsts, removed)]


def _everybody(audio: Audio, groups: Groups, expected: Expected) -> Track:
    """All channels that differ as one track."""
    track = Track(tuple(channel for group in groups.groups for channel in group), (), expected.speakers)
    speech = find_speech_in(lambda first, last: track.samples(audio, first, last), audio.length)
    return Track(track.channels, speech, expected.speakers)


def _reader(audio: Audio, channel: int, tell: Callable[[str, int, int], None]) -> Callable[[int, int], Samples]:
    """Reads the channel, and tells how many of all channels' minutes have been asked for."""

    def read(first: int, last: int) -> Samples:
        tell("speech", _minutes(audio, channel) + first // (60 * RATE), _minutes(audio, audio.channels))
        return audio.channel(channel, first, last)

    return read


def _minutes(audio: Audio, channels: int) -> int:
    """The minutes of so many channels, at least one for each."""
    return channels * max(1, audio.length // (60 * RATE))


def _levels(audio: Audio, channel: int) -> Samples:
    """The level of a whole channel in steps of 10 ms, one minute of samples in memory at a time."""
    blocks = (
        envelope(audio.channel(channel, first, min(first + _BLOCK, audio.length)))
        for first in range(0, audio.length, _BLOCK)
    )
    return np.concatenate([*blocks, np.zeros(0, np.float32)])


def _track(group: tuple[int, ...], speech: tuple[Stretch, ...], groups: Groups, expected: Expected) -> Track:
    """The group's track, with the number of people whom the user names on it and on its copies."""
    copies = tuple(copy for copy, original in groups.copies if original in group)
    if not expected.channels:
        return Track(group, speech, None, copies)
    count = sum(expected.channels[channel] for channel in (*group, *copies))
    return Track(group, speech, (count, count), copies, is_named=len(group) + len(copies) == 1)


def _counted(live: Sequence[Track], silent: Sequence[Track], expected: Expected) -> tuple[Track, ...]:
    """The tracks with speech, each with its number of people as far as the numbers of people and channels tell."""
    if expected.channels:  # whoever is named on a dead channel may be on a live one
        missing = sum((track.people or (0, 0))[1] for track in silent)
        dead = tuple(channel for track in silent for channel in (*track.channels, *track.others))
        return tuple(
            replace(track, people=_more(track.people, missing), others=(*track.others, *dead)) for track in live
        )
    if len(live) == 1:  # mono, or the others are dead and everybody may be on this one
        return (replace(live[0], people=expected.speakers),)
    if expected.speakers is None:
        return tuple(live)
    spare = max(0, expected.speakers[1] - len(live))
    return tuple(replace(track, people=(1, 1 + spare)) for track in live)


def _more(people: tuple[int, int] | None, missing: int) -> tuple[int, int] | None:
    return people if people is None else (people[0], people[1] + missing)


def _about_groups(groups: Groups, expected: Expected) -> list[str]:
    """A sentence for every channel that is no channel of its own."""
    wrong = " although they are named as different people" if expected.channels else ""
    said = [
        f"Channels {one + 1} and {copy + 1} carry the same sound{wrong}; one was used." for copy, one in groups.copies
    ]
    for group in groups.mixed:
        names = " and ".join(str(channel + 1) for channel in group)
        said.append(
            f"Everybody is about as loud on channels {names}{wrong}, so they do not tell people apart; they were mixed."
        )
    return said


def _about_silence(silent: Sequence[Track]) -> list[str]:
    return [
        f"Nobody speaks on channel {channel + 1}; check how the call was recorded."
        for track in silent
        for channel in track.channels
    ]


def _about_bleed(channels: Sequence[int], removed: Sequence[float]) -> list[str]:
    return [
        f"Channel {channel + 1} carries {seconds:.0f} s of another channel's speech faintly; that was left out."
        for channel, seconds in zip(channels, removed, strict=True)
        if seconds >= _SAID
    ]
