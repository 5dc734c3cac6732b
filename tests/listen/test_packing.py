"""Speech put one piece behind the other, words given back their own times, and speech that gave no words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.listen.media import RATE
from pipeline.listen.packing import pack, wordless
from pipeline.records import Word


def clock(seconds: float) -> np.ndarray:
    """Samples that hold their own time in seconds."""
    return np.arange(round(seconds * RATE), dtype=np.float32) / RATE


def test_pieces_keep_some_quiet_around_and_lose_the_rest() -> None:
    packed = pack(clock(20), [(1.0, 2.0), (10.0, 12.0)])
    assert packed.pieces == ((0, round(0.6 * RATE), round(1.8 * RATE)), (round(1.8 * RATE), 153_600, 44_800))
    assert len(packed.samples) == round(4.6 * RATE)
    assert packed.samples[0] == pytest.approx(0.6)
    assert packed.samples[-1] == pytest.approx(12.4, abs=1e-3)


def test_a_word_gets_its_own_time_back_and_never_runs_into_the_next_piece() -> None:
    packed = pack(clock(20), [(1.0, 2.0), (10.0, 12.0)])
    assert packed.place(0.4, 1.0) == pytest.approx((1.0, 1.6))
    assert packed.place(2.2, 3.2) == pytest.approx((10.0, 11.0))
    assert packed.place(1.5, 2.0) == pytest.approx((2.1, 2.4))  # its middle lies in the first piece
    assert packed.place(1.7, 2.4) == pytest.approx((9.6, 10.2))  # and this one's in the second
    assert packed.place(50, 60) == pytest.approx((12.4, 12.4))


def test_nothing_said_is_packed_as_nothing() -> None:
    assert pack(clock(2), []).pieces == ()
    assert pack(clock(0), []).samples.size == 0


def test_windows_hold_whole_pieces_and_at_most_thirty_seconds() -> None:
    packed = pack(clock(200), [(0.0, 12.0), (20.0, 32.0), (40.0, 52.0), (60.0, 135.0)])
    windows = packed.windows()
    assert windows[0] == pytest.approx((0.0, 25.2))
    assert all(end - start <= 30.001 for start, end in windows)
    assert [one[0] for one in windows[1:]] == [one[1] for one in windows[:-1]]
    assert windows[-1][1] == pytest.approx(len(packed.samples) / RATE)


@given(st.lists(st.floats(0.05, 40), max_size=12))
def test_every_packed_sample_is_placed_where_it_came_from(steps: list[float]) -> None:
    times = np.cumsum(steps)
    stretches = [(float(a), float(b)) for a, b in zip(times[::2], times[1::2], strict=False)]
    samples = clock(float(times[-1]) + 0.2 if steps else 1.0)
    packed = pack(samples, stretches)
    for index in range(0, len(packed.samples), max(1, len(packed.samples) // 50)):
        start, _ = packed.place(index / RATE, index / RATE)
        assert start == pytest.approx(float(packed.samples[index]), abs=0.01)


def test_speech_without_words_is_found_between_and_beside_words() -> None:
    words = [Word("a", 1.0, 1.4), Word("b", 1.4, 2.0), Word("c", 9.0, 9.4)]
    stretches = [(0.5, 11.0), (20.0, 23.0), (30.0, 31.0)]
    assert wordless(stretches, words, 2.0) == ((2.5, 8.5), (20.0, 23.0))
    assert wordless(stretches, words, 7.0) == ()
    assert wordless(stretches, [], 2.0) == ((0.5, 11.0), (20.0, 23.0))
    assert wordless([], words, 2.0) == ()
