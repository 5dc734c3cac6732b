"""Fits a rubric's thresholds to agreed levels: stored probabilities and people's levels in, thresholds or a reason out.

Nothing is trained: the classifier's probabilities stay, and only the cut-offs move at which they become a level. New
thresholds are kept where they agree better than the present ones on calls that they were not chosen on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
from numpy.typing import NDArray

from pipeline.assess.levels import risk_of
from pipeline.calibrate.agreement import kappa_of_counts
from pipeline.records import LEVEL_NAMES

__all__ = ["FEWEST_CALLS", "FEWEST_LEVELS", "FEWEST_PER_LEVEL", "Fit", "RiskChoice", "choose_risk", "fit_thresholds"]

Array = NDArray[np.float64]
Levels = NDArray[np.int64]
Probabilities = tuple[float, float, float, float]
Thresholds = tuple[float, float, float]

FOLDS, SEED = 5, 3
FEWEST_CALLS = 40
"""Rated calls that a behaviour needs: eight in each fold that is held out. With fewer, one call more or less changes
the held-out kappa by more than better thresholds could bring."""
FEWEST_PER_LEVEL = 5
"""Calls that a level needs to count as present: one for each fold."""
FEWEST_LEVELS = 3
"""Levels that must be present: with two, one threshold would be fitted and the others guessed."""
LEAST_GAIN = 0.02
"""Held-out kappa that new thresholds must bring: less moves people's levels about for nothing."""
CHOICES = tuple(round(0.2 + 0.05 * step, 2) for step in range(13))
"""Thresholds that are tried: from "one in five" to "four in five"; outside, a level would be given against the odds."""
PULL = 0.1
"""What kappa must gain for moving a threshold by 1: of thresholds that are as good, those near the present ones win."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What became of a behaviour's thresholds. `thresholds` are those to use: the fitted ones where `kept`, else the
    rubric's. `before` and `after` are the held-out kappas of both, None where nothing was fitted. `reason` is a
    sentence. `levels` are the held-out levels of the calls, by id, with the thresholds to use."""

    kept: bool
    thresholds: Thresholds
    present: Thresholds
    calls: int
    before: float | None
    after: float | None
    reason: str
    levels: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class RiskChoice:
    """The largest `max_risk` at which at most `target` of the given levels are two or more off; None with the `reason`.

    `given` of `calls` levels would be given with it, `off` of them two or more off."""

    target: float
    max_risk: float | None
    given: int
    off: int
    calls: int
    reason: str


def fit_thresholds(probabilities: Mapping[str, Probabilities], agreed: Mapping[str, int], present: Thresholds) -> Fit:
    """The thresholds of one behaviour: call -> P(level), call -> agreed level, and the rubric's present thresholds.

    Each fold's calls are levelled by thresholds chosen on the other four, then kappa is taken over all of them.
    """
    calls = sorted(set(probabilities) & set(agreed))
    chances = np.array([probabilities[call] for call in calls], dtype=float).reshape(-1, 4)
    levels = np.array([agreed[call] for call in calls], dtype=np.int64)
    said = _levels(chances, np.array([present]))[0]
    refused = _why_not(levels)
    if refused:
        return Fit(False, present, present, len(calls), None, None, refused, _by_call(calls, said))
    held_out = said.copy()
    for fold in _folds(len(calls)):
        rest = np.setdiff1d(np.arange(len(calls)), fold)
        held_out[fold] = _levels(chances[fold], np.array([_choose(chances[rest], levels[rest], present)]))[0]
    before, after = _kappa(levels, said), _kappa(levels, held_out)
    fitted = _choose(chances, levels, present)
    if fitted == present:
        reason = "The rubric's thresholds are already those that agree best."
        return Fit(False, present, present, len(calls), before, before, reason, _by_call(calls, said))
    kept = after >= before + LEAST_GAIN
    return Fit(
        kept,
        fitted if kept else present,
        present,
        len(calls),
        before,
        after,
        _told(kept, before, after),
        _by_call(calls, held_out if kept else said),
    )


def choose_risk(
    probabilities: Mapping[str, Probabilities], agreed: Mapping[str, int], levels: Mapping[str, int], target: float
) -> RiskChoice:
    """The `max_risk` for a target error: the share of given levels that are two or more off the agreed ones.

    Needs 3 / target calls: so many without an error bound the error at the target (the rule of three; Hanley &
    Lippman-Hand, If nothing goes wrong, is everything all right?, 1983).
    """
    calls = sorted(set(probabilities) & set(agreed) & set(levels))
    needed = ceil(round(3 / target, 6))
    if len(calls) < needed:
        reason = f"A target of {target:.0%} needs {needed} rated calls; there are {len(calls)}."
        return RiskChoice(target, None, 0, 0, len(calls), reason)
    risks = np.array([risk_of(probabilities[call], levels[call]) for call in calls])
    off = np.array([abs(agreed[call] - levels[call]) > 1 for call in calls])
    for allowed in sorted({*(ceil(round(risk * 100, 6)) / 100 for risk in risks.tolist()), 1.0}, reverse=True):
        given = risks <= allowed
        if given.sum() >= needed and off[given].mean() <= target:
            count = int(off[given].sum())
            told = f"{given.sum()} of {len(calls)} levels would be given, {count} of them two or more off."
            return RiskChoice(target, allowed, int(given.sum()), count, len(calls), told)
    reason = (
        f"No max_risk keeps the error at {target:.0%} and still gives {needed} levels: {off.sum()} of {len(calls)} are "
        "two or more off."
    )
    return RiskChoice(target, None, 0, int(off.sum()), len(calls), reason)


def _why_not(levels: Levels) -> str | None:
    if len(levels) < FEWEST_CALLS:
        return f"Fitting needs {FEWEST_CALLS} calls with a machine's and an agreed level; there are {len(levels)}."
    counts = np.bincount(levels, minlength=4)
    if (counts >= FEWEST_PER_LEVEL).sum() < FEWEST_LEVELS:
        got = ", ".join(f"{name} {count}" for name, count in zip(LEVEL_NAMES, counts, strict=True))
        return f"Fitting needs {FEWEST_LEVELS} levels with {FEWEST_PER_LEVEL} calls or more each; there are: {got}."
    return None


def _told(kept: bool, before: float, after: float) -> str:
    moved = f"On calls not used for choosing, weighted kappa goes from {before:.2f} to {after:.2f}"
    if kept:
        return f"{moved}, so the fitted thresholds are used."
    return f"{moved}; that is no gain of {LEAST_GAIN} or more, so the rubric's thresholds stay."


def _folds(calls: int) -> list[Levels]:
    """Five parts of nearly equal size, the same for the same calls."""
    return [np.sort(part) for part in np.array_split(np.random.default_rng(SEED).permutation(calls), FOLDS)]


def _choose(chances: Array, levels: Levels, present: Thresholds) -> Thresholds:
    """The thresholds with the highest kappa less the pull; those stay put that have too few calls on either side."""
    free = [min((levels >= k).sum(), (levels < k).sum()) >= FEWEST_PER_LEVEL - 1 for k in (1, 2, 3)]
    tried = [(*CHOICES, now) if may else (now,) for may, now in zip(free, present, strict=True)]
    candidates = np.array(sorted(set(product(*tried))))
    said = _levels(chances, candidates)  # (candidates, calls)
    counts = np.stack([np.stack([((said == j) & (levels == i)).sum(1) for j in range(4)], 1) for i in range(4)], 1)
    kappas = np.nan_to_num(kappa_of_counts(counts.astype(float)), nan=-1.0)
    away = abs(candidates - np.array(present)).sum(1)
    best = int(np.lexsort((away, -np.round(kappas - PULL * away, 9)))[0])
    low, middle, high = (float(one) for one in candidates[best])
    return low, middle, high


def _levels(chances: Array, candidates: Array) -> Levels:
    """The level of each call by each row of thresholds, (candidates, calls); as `level_of` gives it, all at once."""
    low, middle, high = chances[:, 1], chances[:, 2], chances[:, 3]
    above = np.stack([low + middle + high, middle + high, high], 1)  # P(level >= 1, 2, 3), summed as `level_of` does
    reached = above[None] >= candidates[:, None]
    return np.asarray(np.cumprod(reached, 2).sum(2), dtype=np.int64)


def _kappa(people: Levels, machine: Levels) -> float:
    counts = np.zeros((4, 4))
    np.add.at(counts, (people, machine), 1)
    return round(float(np.nan_to_num(kappa_of_counts(counts))), 3)


def _by_call(calls: Sequence[str], levels: Levels) -> tuple[tuple[str, int], ...]:
    return tuple(zip(calls, levels.tolist(), strict=True))
