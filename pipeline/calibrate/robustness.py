"""How far levels stand still when a call is edited: labelled calls and a classifier in, flips and agreement out.

A counterfactual leaves the seller's doing as it was, and no level should flip. A disturbance makes the transcript
worse, and agreement with the labels should fall little.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.assess.behaviours import Classifier
from pipeline.assess.levels import MEDIAN, level_of
from pipeline.calibrate.disturbances import cut_turns, joined_turns, misheard, wrong_speaker
from pipeline.calibrate.figures import kappa
from pipeline.calibrate.noise import Mishearing
from pipeline.errors import UsageError
from pipeline.records import BEHAVIOURS, Call, ListeningQuality, Participant, Turn

__all__ = ["Disturbance", "LabelledCall", "agreement_row", "disturbances_of", "flips", "labelled_calls", "levels_of"]

NOISE = (0.05, 0.10, 0.15, 0.25)
"""Shares of words that are misheard, lost or put in."""
Disturbance = Callable[[Call], Call]
Levels = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LabelledCall:
    """A call of the corpus as scoring reads it, and its labelled levels by behaviour."""

    call: Call
    levels: dict[str, int]


def labelled_calls(folder: Path) -> list[LabelledCall]:
    """The sales calls of a corpus with their core levels, in the order of their names."""
    found = []
    for path in sorted((folder / "calls").glob("*.json")):
        read = json.loads(path.read_text(encoding="utf-8"))
        if all(name in read["levels"] for name in BEHAVIOURS):
            found.append(LabelledCall(call_from(read), {name: read["levels"][name] for name in BEHAVIOURS}))
    if not found:
        raise UsageError(f"{folder}: no calls/*.json with levels in this folder; give the folder of a labelled corpus")
    return found


def call_from(read: dict[str, Any]) -> Call:
    """A corpus file's conversation as a call."""
    people = tuple(Participant(one["speaker"], one["name"], one["role"]) for one in read["participants"])
    turns = tuple(Turn(turn["speaker"], turn["text"]) for turn in read["turns"])
    return Call(read["id"], read["type"], turns, people, None, ListeningQuality("corpus"))


def levels_of(classifier: Classifier, call: Call) -> Levels:
    """The median level of each core behaviour: what a rubric with even thresholds gives, withheld or not."""
    return tuple(
        level_of(finding.probabilities, MEDIAN) for finding in classifier(call) if finding.behaviour in BEHAVIOURS
    )


def flips(before: Sequence[Levels], after: Sequence[Levels]) -> dict[str, Any]:
    """Of all behaviour-call pairs: how many levels changed, by behaviour and in all, and by more than one."""
    a, b = np.array(before, dtype=np.int64), np.array(after, dtype=np.int64)
    changed = a != b  # (calls, behaviours)
    return {
        "pairs": int(changed.size),
        "flipped": int(changed.sum()),
        "share": round(float(changed.mean()), 4),
        "by_more_than_one": int((abs(a - b) > 1).sum()),
        "by_behaviour": {name: int(count) for name, count in zip(BEHAVIOURS, changed.sum(axis=0), strict=True)},
    }


def agreement_row(labels: Sequence[Levels], said: Sequence[Levels]) -> dict[str, float]:
    """Quadratically weighted kappa with the labels for each behaviour, and their mean."""
    true, given = np.array(labels, dtype=np.int64), np.array(said, dtype=np.int64)
    row = {name: kappa(true[:, index], given[:, index]) for index, name in enumerate(BEHAVIOURS)}
    return {**{name: round(value, 3) for name, value in row.items()}, "mean": round(float(np.mean([*row.values()])), 3)}


def disturbances_of(calls: Iterable[Call], seed: int = 1) -> dict[str, Disturbance]:
    """Name -> disturbance, in the order of the tables; words are misheard as other words of these calls."""
    mishearing = Mishearing(turn.text for call in calls for turn in call.turns)

    def seeded(name: str, call: Call) -> random.Random:
        return random.Random(f"{seed} {name} {call.call_id}")  # noqa: S311 - not for secrets

    def noise(rate: float) -> Disturbance:
        return lambda call: misheard(call, mishearing, rate, seeded(f"noise {rate}", call))

    return {
        **{f"{rate:.0%} of words wrong": noise(rate) for rate in NOISE},
        "turns cut in two": lambda call: cut_turns(call, seeded("cut", call)),
        "turns run together": lambda call: joined_turns(call, seeded("joined", call)),
        "5% of words to the wrong speaker": lambda call: wrong_speaker(call, seeded("speaker", call)),
    }
