"""People across windows, by embeddings that were worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.listen.linking import SAME_PERSON, Linker

ANN, BEN, CAT = np.eye(3)


def near(vector: np.ndarray, other: np.ndarray, share: float = 0.2) -> np.ndarray:
    """A voice that leans a little to another one's, at another level."""
    return 3.0 * ((1 - share) * vector + share * other)


def test_people_keep_their_numbers_whatever_the_order_of_a_window_s_voices() -> None:
    linker = Linker()
    assert linker.link(np.stack([ANN, BEN]), [20, 10]) == (0, 1)
    assert linker.link(np.stack([near(BEN, ANN), near(ANN, BEN)]), [10, 20]) == (1, 0)
    assert linker.link(np.stack([near(BEN, CAT)]), [5]) == (1,)


def test_a_new_voice_is_a_new_person_while_there_is_room() -> None:
    linker = Linker(most=3)
    assert linker.link(np.stack([ANN, BEN]), [20, 10]) == (0, 1)
    assert linker.link(np.stack([CAT, ANN]), [10, 20]) == (2, 0)
    assert linker.link(np.stack([near(-BEN, CAT, 0.1), BEN]), [3, 9]) == (2, 1)  # no room: the nearest


def test_known_people_are_matched_one_to_one_even_where_their_voices_moved_far() -> None:
    linker = Linker(most=2)
    linker.link(np.stack([ANN, BEN]), [20, 10])
    moved = np.stack([near(CAT, BEN, 0.4), near(CAT, ANN, 0.3)])
    assert linker.link(moved, [10, 10]) == (1, 0)


def test_two_voices_nearest_to_one_person_are_two_people_where_that_is_allowed() -> None:
    both = np.stack([ANN, near(ANN, BEN, 0.1)])
    free, full = Linker(), Linker(most=1)
    for linker in (free, full):
        linker.link(np.stack([ANN]), [10])
    assert free.link(both, [10, 10]) == (0, 1)
    assert full.link(both, [10, 10]) == (0, 0)


@pytest.mark.parametrize("nothing", [np.zeros(3), np.full(3, np.nan)])
def test_a_voice_without_an_embedding_goes_to_whoever_speaks_most_and_is_not_in_the_window(nothing: np.ndarray) -> None:
    linker = Linker()
    assert linker.link(np.stack([ANN, BEN, nothing]), [20, 10, 1]) == (0, 1, 0)
    assert linker.link(np.stack([nothing]), [1]) == (0,)
    assert linker.link(np.stack([ANN, nothing]), [5, 1]) == (0, 1)
    assert Linker().link(np.stack([nothing, nothing]), [2, 1]) == (0, 0)


def test_people_who_are_known_to_be_there_get_their_voice_when_it_is_first_known() -> None:
    linker = Linker(most=2)
    assert linker.link(np.stack([ANN, np.zeros(3)]), [20, 10]) == (0, 1)
    assert linker.link(np.stack([BEN, ANN]), [10, 5]) == (1, 0)
    assert linker.link(np.stack([near(BEN, ANN, 0.3)]), [5]) == (1,)


def test_the_threshold_is_a_cosine_distance() -> None:
    for distance, person in ((SAME_PERSON - 0.01, 0), (SAME_PERSON + 0.01, 1)):
        linker = Linker()
        linker.link(np.stack([ANN]), [10])
        cosine = 1 - distance
        assert linker.link(np.stack([cosine * ANN + np.sqrt(1 - cosine**2) * BEN]), [10]) == (person,)
