"""The same people across the windows of a long call: each window's voices in, the number of each one's person out.

A voice is matched to the person whose voice so far is nearest, one voice a person in every window.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SAME_PERSON = 0.25
"""Cosine distance up to which two windows' voices are one person's where another would still be allowed.

pyannote joins clusters up to a Euclidean distance of 0.7046 between unit vectors (`clustering.threshold` of its
speaker-diarization-3.1), which is a cosine distance of 0.7046² / 2 = 0.248.
"""


class Linker:
    """People by number, from 0 as they are met, in a window who speaks most first; at most `most`, None for any."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._sums: list[NDArray[np.float64]] = []  # each person's unit vectors, weighted by the seconds they stand for
        self._seconds: list[float] = []

    def link(self, embeddings: NDArray[np.floating], seconds: Sequence[float]) -> tuple[int, ...]:
        """The person of each of a window's voices. `embeddings` is (voices, dimension), `seconds` how long each speaks.

        A voice without an embedding (a row of zeros or NaN) cannot be known. It goes to whoever speaks most of those
        who have no voice in the window, else to a new person where `most` leaves room, else to whoever speaks most.
        """
        units = _units(np.asarray(embeddings, dtype=np.float64))  # (voices, dimension)
        distances = self._distances(units)  # (voices, people)
        people: dict[int, int] = {}
        for voice, person in _matches(distances):
            if distances[voice, person] <= SAME_PERSON:
                people[voice] = person
                self._add(person, units[voice], seconds[voice])
        rest = [voice for voice in range(len(units)) if voice not in people]
        for voice in sorted(rest, key=lambda one: (-seconds[one], one)):
            people[voice] = self._newcomer(units[voice], seconds[voice], set(people.values()))
        return tuple(people[voice] for voice in range(len(units)))

    def _newcomer(self, unit: NDArray[np.float64], seconds: float, taken: set[int]) -> int:
        """A new person where there is room for one, else the nearest of those who are not in the window already."""
        room = self._most is None or len(self._sums) < self._most
        free = [person for person in range(len(self._sums)) if person not in taken]
        known = bool(np.any(unit))
        if not self._sums or (room and known) or (room and self._most is not None and not free):
            self._sums.append(np.zeros_like(unit))
            self._seconds.append(0.0)
            self._add(len(self._sums) - 1, unit, seconds)
            return len(self._sums) - 1
        distances = self._distances(unit[None])[0]
        several = free or range(len(self._sums))
        person = min(several, key=lambda one: (distances[one], -self._seconds[one], one))
        if not np.any(self._sums[person]):
            self._add(person, unit, seconds)  # whom nothing was known of but that they are somebody
        return person

    def _add(self, person: int, unit: NDArray[np.float64], seconds: float) -> None:
        self._sums[person] = self._sums[person] + seconds * unit
        self._seconds[person] += seconds

    def _distances(self, units: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cosine distances, (voices, people); 2 for a voice without an embedding."""
        if not self._sums:
            return np.zeros((len(units), 0))
        distances = 1.0 - units @ _units(np.stack(self._sums)).T
        distances[~units.any(axis=1)] = 2.0
        return np.asarray(distances)


def _matches(distances: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The (voice, person) pairs of the cheapest one-to-one assignment."""
    from scipy.optimize import linear_sum_assignment

    voices, people = linear_sum_assignment(distances)
    return [(int(voice), int(person)) for voice, person in zip(voices, people, strict=True)]


def _units(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows at length one; rows that say nothing (zeros, NaN) as zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isfinite(lengths) & (lengths > 0), vectors / lengths, 0.0)
