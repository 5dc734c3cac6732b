"""From the judgement of windows and pieces to a call's levels: arrays in, four probabilities per behaviour out.

A call's level is that of its best occurrence, so its features are those of the window that scores highest. A
cumulative logistic model with no negative weight turns them into P(level = 0..3): more evidence never lowers a level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.records import BEHAVIOURS, CRITERIA

__all__ = ["FEATURES", "CallView", "Ordinal", "level_by_rule", "levels_by_rule", "part_of_call", "view_features"]

FEATURES = (
    "mean level score of the best two windows",
    "strongest attempt",
    "levels that its criteria give by the standard",
)
OPENING, OPENING_WORDS = 0.30, 250
"""An agenda counts in the first 30 % of the words, or the first 250 words of a short or half-recorded call: the
standard says "normally the first 10-15 %", and labelled agendas lie within 23 %."""
CLOSING = 0.40
"""Next steps count after the first 40 % of the words; the earliest labelled ones lie at 56 %."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CallView:
    """What the encoder's heads say of one call. W windows, P pieces.

    `scores`: (W, behaviours) level scores. `spans`: per window, (first, last) pieces in sight.
    `probabilities`: (P, behaviours, outputs), zero where the speaker cannot show it. `places`: (P,), the share of the
    call's words before the middle of each piece. `words_before`: (P,).
    """

    scores: Array
    spans: tuple[tuple[int, int], ...]
    probabilities: Array
    places: Array
    words_before: Array


def level_by_rule(behaviour: str, names: frozenset[str] | set[str], attempted: bool = False) -> int:
    """The level that the assessment standard gives to the criteria `names`; 1 for an attempt that reaches no more."""
    if behaviour == "agenda":
        good = "agreement" in names and bool(names & {"purpose", "plan"})
        best = {"purpose", "plan", "agreement"} <= names and bool(names & {"outcome", "tailored"})
    elif behaviour == "client_story":
        good = "client" in names and bool(names & {"situation", "change"}) and bool(names & {"result", "relevance"})
        best = set(CRITERIA[behaviour]) <= names
    elif behaviour == "differentiation":
        good = {"contrast", "benefit"} <= names
        best = {"contrast", "benefit", "need", "proof"} <= names
    elif behaviour == "value_proposition":
        good = {"problem", "outcome"} <= names and bool(names & {"relevance", "specific"})
        best = set(CRITERIA[behaviour]) <= names
    else:
        good = "action" in names and ("when" in names or {"owner", "commitment"} <= names)
        best = {"action", "owner", "when", "commitment"} <= names
    return 3 if best else 2 if good else int(attempted or bool(names))


def levels_by_rule(behaviour: str, probabilities: Sequence[float]) -> float:
    """The expected level by the standard's rule, each criterion being there with its own probability."""
    criteria = CRITERIA[behaviour]
    expected = 0.0
    for there in product((False, True), repeat=len(criteria)):
        chance = float(np.prod([p if yes else 1 - p for p, yes in zip(probabilities, there, strict=True)]))
        expected += chance * level_by_rule(behaviour, {name for name, yes in zip(criteria, there, strict=True) if yes})
    return expected


def part_of_call(behaviour: str, place: float, words_before: float) -> bool:
    """Whether a behaviour can count at this place: agendas open a call, next steps close it."""
    if behaviour == "agenda":
        return place <= OPENING or words_before <= OPENING_WORDS
    return behaviour != "next_steps" or place >= CLOSING


def view_features(view: CallView) -> tuple[Array, list[int | None]]:
    """The features of every behaviour, (behaviours, len(FEATURES)), and the best window of each, None without any."""
    rows, best = [], []
    for index, behaviour in enumerate(BEHAVIOURS):
        row, window = _features(view, index, behaviour)
        rows.append(row)
        best.append(window)
    return np.array(rows, dtype=float), best


def _features(view: CallView, index: int, behaviour: str) -> tuple[list[float], int | None]:
    open_to = [part_of_call(behaviour, view.places[p], view.words_before[p]) for p in range(len(view.places))]
    usable = [w for w, (first, last) in enumerate(view.spans) if any(open_to[first:last])]
    if not usable:
        return [-8.0, 0.0, 0.0], None
    window = max(usable, key=lambda w: (view.scores[w, index], -w))
    first, last = view.spans[window]
    shown = view.probabilities[first:last, index] * np.array(open_to[first:last], dtype=float)[:, None]
    strongest = shown.max(axis=0)
    rule = levels_by_rule(behaviour, strongest[1 : 1 + len(CRITERIA[behaviour])].tolist())
    best = sorted((float(np.clip(view.scores[w, index], -8.0, 12.0)) for w in usable), reverse=True)[:2]
    return [float(np.mean(best)), float(strongest[0]), rule], window


@dataclass(frozen=True, slots=True)
class Ordinal:
    """A cumulative logistic model of a level: P(level >= k) = 1 / (1 + exp(threshold_k - weights · features))."""

    weights: tuple[float, ...]
    thresholds: tuple[float, float, float]

    def __call__(self, features: Array) -> Array:
        """P(level = 0..3) for each row of `features`."""
        score = np.asarray(features, dtype=float) @ np.array(self.weights)
        above = 1 / (1 + np.exp(np.clip(np.array(self.thresholds)[None] - score[:, None], -60, 60)))
        edges = np.hstack([np.ones((len(above), 1)), above, np.zeros((len(above), 1))])
        chances: Array = np.clip(edges[:, :-1] - edges[:, 1:], 0, 1)
        return chances

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"weights": list(self.weights), "thresholds": list(self.thresholds)}

    @staticmethod
    def from_dict(read: Mapping[str, Any]) -> Ordinal:
        """From what `to_dict` gave."""
        low, middle, high = read["thresholds"]
        return Ordinal(tuple(read["weights"]), (low, middle, high))
