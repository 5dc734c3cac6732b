"""From the judgement of windows and pieces to a call's levels: arrays in, four probabilities per behaviour out.

A call's level is that of its best occurrence, so its features are those of the window that scores highest. A
cumulative logistic model with no negative weight turns them into P(level = 0..3): more evidence never lowers a level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.records import CRITERIA, JUDGED

__all__ = ["FEATURES", "CallView", "Ordinal", "level_by_rule", "levels_by_rule", "part_of_call", "view_features"]

FEATURES = (
    "mean level score of the best two windows",
    "strongest attempt",
    "levels that its criteria give by the standard",
    "turns that attempt it",
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
    good, best = _RULES[behaviour](set(names))
    return 3 if best else 2 if good else int(attempted or bool(names))


def _agenda(names: set[str]) -> tuple[bool, bool]:
    good = "agreement" in names and bool(names & {"purpose", "plan"})
    return good, {"purpose", "plan", "agreement"} <= names and bool(names & {"outcome", "tailored"})


def _client_story(names: set[str]) -> tuple[bool, bool]:
    good = "client" in names and bool(names & {"situation", "change"}) and bool(names & {"result", "relevance"})
    return good, set(CRITERIA["client_story"]) <= names


def _value_proposition(names: set[str]) -> tuple[bool, bool]:
    good = {"problem", "outcome"} <= names and bool(names & {"relevance", "specific"})
    return good, set(CRITERIA["value_proposition"]) <= names


def _next_steps(names: set[str]) -> tuple[bool, bool]:
    good = "action" in names and ("when" in names or {"owner", "commitment"} <= names)
    return good, {"action", "owner", "when", "commitment"} <= names


def _discovery(names: set[str]) -> tuple[bool, bool]:
    matters = bool(names & {"problem", "impact"})
    return "open" in names and matters, matters and "follow_up" in names and bool(names & {"quantify", "personalise"})


def _insight(names: set[str]) -> tuple[bool, bool]:
    good = {"surprise", "relevance"} <= names and bool(names & {"evidence", "implication"})
    return good, set(CRITERIA["insight"]) <= names


def _objection_handling(names: set[str]) -> tuple[bool, bool]:
    good = "answer" in names and bool(names & {"acknowledge", "clarify"})
    return good, set(CRITERIA["objection_handling"]) <= names


def _all_for_best(*good: str) -> Callable[[set[str]], tuple[bool, bool]]:
    """Good with the criteria `good`, excellent with all of the behaviour's that is not a fault."""
    behaviour = next(b for b in JUDGED if set(good) <= set(CRITERIA[b]))
    return lambda names: (set(good) <= names, set(CRITERIA[behaviour]) - {"vague"} <= names)


_RULES: dict[str, Callable[[set[str]], tuple[bool, bool]]] = {
    "agenda": _agenda,
    "client_story": _client_story,
    "differentiation": _all_for_best("contrast", "benefit"),
    "value_proposition": _value_proposition,
    "next_steps": _next_steps,
    "discovery": _discovery,
    "insight": _insight,
    "vision": _all_for_best("scene", "buyer"),
    "objection_handling": _objection_handling,
    "meeting_purpose": lambda names: (bool(names), {"purpose", "plan"} <= names),
    "guiding": lambda names: ("ask" in names, "ask" in names and "tell" not in names),
    "feedback": _all_for_best("specific"),
    "action_items": lambda names: ("action" in names and len(names) >= 2, {"action", "owner", "when"} <= names),
    "reconciliation": lambda names: (bool(names), bool(names)),
}
"""Behaviour -> whether criteria make it Good and Excellent, from the assessment standard. For the manager's meeting the
standard gives no table: purpose and plan, asking without telling, specific and balanced, action with owner and date."""


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
    for index, behaviour in enumerate(JUDGED):
        row, window = _features(view, index, behaviour)
        rows.append(row)
        best.append(window)
    return np.array(rows, dtype=float), best


def _features(view: CallView, index: int, behaviour: str) -> tuple[list[float], int | None]:
    open_to = [part_of_call(behaviour, view.places[p], view.words_before[p]) for p in range(len(view.places))]
    usable = [w for w, (first, last) in enumerate(view.spans) if any(open_to[first:last])]
    if not usable:
        return [-8.0, 0.0, 0.0, 0.0], None
    window = max(usable, key=lambda w: (view.scores[w, index], -w))
    first, last = view.spans[window]
    shown = view.probabilities[first:last, index] * np.array(open_to[first:last], dtype=float)[:, None]
    strongest = shown.max(axis=0)
    rule = levels_by_rule(behaviour, strongest[1 : 1 + len(CRITERIA[behaviour])].tolist())
    best = sorted((float(np.clip(view.scores[w, index], -8.0, 12.0)) for w in usable), reverse=True)[:2]
    often = float(np.log1p((view.probabilities[:, index, 0] * np.array(open_to, dtype=float)).sum()))
    return [float(np.mean(best)), float(strongest[0]), rule, often], window


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
