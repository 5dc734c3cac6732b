"""Channels: which are one party's, which carry the same people, and what is another's speech heard faintly."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ListeningError
from pipeline.listen.bleed import without_bleed
from pipeline.listen.channels import envelope, find_groups
from pipeline.listen.media import RATE, Samples, decode
from pipeline.listen.speech import STEPS_A_SECOND, find_speech, find_speech_in, mask, windows
from pipeline.listen.tracks import Expected, Track, find_tracks

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"


class Recording:
    """Channels in memory, in the shape that find_tracks reads."""

    path = Path("made.wav")

    def __init__(self, samples: Samples) -> None:
        self._samples = np.asarray(samples, np.float32)
        self.channels, self.length = self._samples.shape
        self.duration = self.length / RATE

    def channel(self, index: int, first: int = 0, last: int | None = None) -> Samples:
        return self._samples[index, first:last]

    def blocks(self, seconds: int = 60):
        for first in range(0, self.length, seconds * RATE):
            yield first, self._samples[:, first : first + seconds * RATE]


@pytest.fixture(scope="module")
def parties() -> Samples:
    """(2, samples): 50 s of a demo, the rep on the first channel."""
    return decode(SAMPLES / "clinics-demo.mp3").window(0, 50 * RATE)


def tracks_of(samples: Samples, expected: Expected = Expected()) -> tuple[tuple[Track, ...], list[str]]:  # noqa: B008
    return find_tracks(Recording(samples), expected, lambda stage, done, total: None)  # type: ignore[arg-type]


def noise(shape: tuple[int, ...], level: float = 0.0005) -> Samples:
    return (np.random.default_rng(0).standard_normal(shape) * level).astype(np.float32)


# --- groups ---------------------------------------------------------------------------------------


def test_two_parties_are_two_tracks(parties: Samples) -> None:
    tracks, notes = tracks_of(parties)
    assert [(one.channels, one.people, one.label) for one in tracks] == [
        ((0,), None, "channel-1"),
        ((1,), None, "channel-2"),
    ]
    assert notes == []
    assert [one.people for one in tracks_of(parties, Expected(channels=(1, 1)))[0]] == [(1, 1), (1, 1)]
    assert [one.people for one in tracks_of(parties, Expected(speakers=(2, 2)))[0]] == [(1, 1), (1, 1)]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (lambda mixed: mixed * -0.5, "Channels 1 and 2 carry the same sound; one was used."),
        (lambda mixed: np.roll(mixed, 60) * 0.7 + noise(mixed.shape, 0.0001), "Channels 1 and 2 carry the same sound"),
    ],
    ids=["gain and polarity", "delay"],
)
def test_the_same_sound_twice_is_one_track_with_everybody_on_it(parties: Samples, second, said: str) -> None:
    mixed = parties.sum(axis=0)
    tracks, notes = tracks_of(np.stack([mixed, second(mixed)]), Expected(speakers=(2, 2)))
    assert [(one.channels, one.people) for one in tracks] == [((0,), (2, 2))]
    assert notes[0].startswith(said)


def test_two_microphones_in_one_room_are_mixed(parties: Samples) -> None:
    room = np.stack([parties[0] + 0.5 * parties[1], parties[1] + 0.5 * parties[0]])
    tracks, notes = tracks_of(room, Expected(channels=(1, 1)))
    assert [(one.channels, one.people) for one in tracks] == [((0, 1), (2, 2))]
    assert notes[0].startswith("Everybody is about as loud on channels 1 and 2 although they are named as different")
    audio = Recording(room)
    assert np.allclose(tracks[0].samples(audio, 100, 900), room[:, 100:900].mean(axis=0), atol=1e-6)


def test_long_channels_are_mixed_piece_by_piece() -> None:
    pair = noise((2, 61 * RATE), 0.1)
    track = Track((0, 1), (), None)
    assert np.allclose(track.samples(Recording(pair)), pair.mean(axis=0), atol=1e-6)  # type: ignore[arg-type]
    assert np.allclose(track.samples(Recording(pair), 5, RATE), pair[:, 5:RATE].mean(axis=0), atol=1e-6)  # type: ignore[arg-type]


def test_three_people_on_two_channels_may_be_on_either(parties: Samples) -> None:
    tracks, _ = tracks_of(parties, Expected(speakers=(3, 3)))
    assert [one.people for one in tracks] == [(1, 2), (1, 2)]
    tracks, _ = tracks_of(parties, Expected(speakers=(3, 3), channels=(2, 1)))
    assert [one.people for one in tracks] == [(2, 2), (1, 1)]


def test_a_dead_channel_leaves_one_with_everybody_who_is_expected(parties: Samples) -> None:
    dead = np.stack([parties.sum(axis=0), noise(parties[0].shape)])
    tracks, notes = tracks_of(dead, Expected(speakers=(2, 2)))
    assert [(one.channels, one.people) for one in tracks] == [((0,), (2, 2))]
    assert notes == ["Nobody speaks on channel 2; check how the call was recorded."]


def test_channels_together_are_one_track_with_the_speech_of_both(parties: Samples) -> None:
    (track,), _ = tracks_of(parties, Expected(together=True, speakers=(2, 2)))
    both = sum(end - start for one in tracks_of(parties)[0] for start, end in one.speech)
    assert (track.channels, track.people) == ((0, 1), (2, 2))
    assert sum(end - start for start, end in track.speech) == pytest.approx(both, rel=0.1)


def test_a_wrong_number_of_channels_is_refused(parties: Samples) -> None:
    with pytest.raises(
        ListeningError, match=r"made\.wav: has 2 channel\(s\), but 3 are named\. Correct the `channels`"
    ):
        tracks_of(parties, Expected(channels=(1, 1, 1)))


# --- cross-talk -----------------------------------------------------------------------------------


def outside(found, clean, steps: int) -> float:
    """Seconds of speech found where the clean channel has none, a quarter of a second around it left out."""
    wide = mask([(max(0.0, a - 0.25), b + 0.25) for a, b in clean], steps)
    return float((mask(found, steps) & ~wide).sum()) / STEPS_A_SECOND


@pytest.mark.parametrize(("db", "late"), [(-20, 160), (-14, 0), (-10, 320), (-26, 800)])
def test_cross_talk_is_cut_out_and_own_speech_stays(parties: Samples, db: float, late: int) -> None:
    steps = parties.shape[1] // (RATE // STEPS_A_SECOND)
    clean = [find_speech(channel) for channel in parties]
    other = np.roll(parties, late, axis=1)[::-1]
    leaking = parties + 10 ** (db / 20) * other + noise(parties.shape)
    tracks, notes = tracks_of(leaking)
    assert sum(outside(find_speech(channel), own, steps) for channel, own in zip(leaking, clean, strict=True)) > 10
    for track, own in zip(tracks, clean, strict=True):
        assert outside(track.speech, own, steps) < 0.5
        lost = mask(own, steps) & ~mask(track.speech, steps)
        assert lost.mean() < 0.01
    assert any("of another channel's speech faintly; that was left out." in note for note in notes)


def test_two_who_talk_at_once_are_no_cross_talk(parties: Samples) -> None:
    rep = parties[0]
    loud = np.flatnonzero(np.abs(parties[1]) > 0.02)
    customer = np.zeros_like(rep)
    piece = parties[1][loud[0] : loud[0] + 3 * RATE] * 0.5
    start = next(round(a * RATE) for a, b in find_speech(rep) if b - a > 3.5)
    customer[start : start + len(piece)] = piece  # over the rep's speech, 6 dB softer
    levels = [envelope(rep), envelope(customer)]
    speech = (find_speech(rep), find_speech(customer))
    own, removed = without_bleed(levels, speech)
    assert (own, removed) == (speech, (0.0, 0.0))


def test_nothing_is_cut_out_of_silence() -> None:
    assert without_bleed([np.zeros(10, np.float32)] * 2, [(), ()]) == (((), ()), (0.0, 0.0))
    assert find_groups(Recording(np.zeros((2, RATE))), [np.zeros(100, np.float32)] * 2, [(), ()]).groups == ((0,), (1,))  # type: ignore[arg-type]


# --- windows --------------------------------------------------------------------------------------


def test_speech_by_windows_is_speech_in_one_go(parties: Samples) -> None:
    channel = parties[0]
    whole = find_speech(channel)
    read: list[int] = []

    def reader(first: int, last: int) -> Samples:
        read.append(last - first)
        return channel[first:last]

    found = find_speech_in(reader, len(channel), window=12.0)
    assert max(read) <= 12 * RATE
    assert len(read) > 4
    steps = len(channel) // (RATE // STEPS_A_SECOND)
    assert (mask(found, steps) != mask(whole, steps)).mean() < 0.02
    assert all(before[1] <= after[0] for before, after in pairwise(found))


def test_a_window_without_a_pause_is_cut_and_goes_on(parties: Samples) -> None:
    start, end = max(find_speech(parties[0]), key=lambda one: one[1] - one[0])
    voiced = parties[0][round(start * RATE) : round(end * RATE)]
    found = find_speech_in(lambda first, last: voiced[first:last], len(voiced), window=1.0)
    assert sum(b - a for a, b in found) > 0.8 * (end - start)


def test_windows_hold_every_stretch_once_in_order() -> None:
    stretches = [(float(n), n + 0.5) for n in range(0, 100, 3)]
    groups = list(windows(stretches, 20.0))
    assert [one for group in groups for one in group] == stretches
    assert max(group[-1][1] - group[0][0] for group in groups) <= 20.0
    assert list(windows([])) == []
    assert list(windows([(0.0, 50.0)], 20.0)) == [((0.0, 50.0),)]
