"""Figures of a classifier on labelled calls: true and predicted levels in; counts, agreement and intervals out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.assess.features import Array
from pipeline.assess.levels import MEDIAN, level_of, risk_of
from pipeline.calibrate.agreement import kappa_of_counts
from pipeline.calibrate.corpus import Example

__all__ = ["RISKS", "calibration_error", "coverage", "evidence_hits", "figures", "kappa", "median_level"]

Levels = NDArray[np.int64]
RISKS = (1.0, 0.2, 0.18, 0.15, 0.12, 0.1, 0.08, 0.05)
"""Risks at which coverage is reported: a rubric chooses one of them as its `max_risk`."""


def median_level(probabilities: Array) -> Levels:
    """The level of each row's distribution as a rubric with even thresholds gives it: the median."""
    return np.array([level_of(row, MEDIAN) for row in np.asarray(probabilities, dtype=float)], dtype=np.int64)


def kappa(first: Levels, second: Levels, levels: int = 4) -> float:
    """Quadratically weighted kappa; 1.0 where both only ever give one and the same level."""
    counts = np.zeros((levels, levels))
    np.add.at(counts, (first, second), 1)
    found = float(kappa_of_counts(counts))
    return 1.0 if np.isnan(found) else found


def _f1(true: NDArray[np.bool_], said: NDArray[np.bool_]) -> float | None:
    both = int((true & said).sum())
    either = int(true.sum() + said.sum())
    return None if either == 0 else 2 * both / either


def figures(
    true: Sequence[int] | Levels, said: Sequence[int] | Levels, *, draws: int = 2000, seed: int = 3
) -> dict[str, Any]:
    """Agreement of two lists of levels: n, kappa with a 95 % bootstrap interval over calls, exact, within one, F1."""
    a, b = np.array(true, dtype=np.int64), np.array(said, dtype=np.int64)
    chance = np.random.default_rng(seed)
    picks = chance.integers(0, len(a), (draws, len(a)))
    low, high = np.quantile([kappa(a[pick], b[pick]) for pick in picks], [0.025, 0.975])
    return {
        "n": len(a),
        "kappa": round(kappa(a, b), 3),
        "kappa_low": round(float(low), 3),
        "kappa_high": round(float(high), 3),
        "exact": round(float((a == b).mean()), 3),
        "within_one": round(float((abs(a - b) <= 1).mean()), 3),
        "attempted_f1": _rounded(_f1(a >= 1, b >= 1)),
        "effective_f1": _rounded(_f1(a >= 2, b >= 2)),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def coverage(true: Sequence[int] | Levels, probabilities: Array) -> list[dict[str, Any]]:
    """For each allowed risk of being two or more levels off: the share of levels given, exact, and so far off."""
    levels = np.array(true, dtype=np.int64)
    said = median_level(probabilities)
    risks = np.array([risk_of(row, level) for row, level in zip(probabilities, said, strict=True)])
    rows = []
    for allowed in RISKS:
        given = risks <= allowed
        off = abs(levels - said)[given]
        rows.append(
            {
                "max_risk": allowed,
                "given": int(given.sum()),
                "coverage": round(float(given.mean()), 3),
                "exact": _rounded(float((off == 0).mean()) if len(off) else None),
                "more_than_one_off": _rounded(float((off > 1).mean()) if len(off) else None),
            }
        )
    return rows


def calibration_error(true: Sequence[int] | Levels, probabilities: Array, bins: int = 5) -> float:
    """How far the probabilities are from what happens: over P(level >= k), k = 1..3, in `bins` equally filled groups,
    the mean distance of the mean probability from the share that reached the level (expected calibration error)."""
    levels, rows = np.array(true, dtype=np.int64), np.asarray(probabilities, dtype=float)
    said = np.concatenate([rows[:, k:].sum(1) for k in (1, 2, 3)])
    came = np.concatenate([levels >= k for k in (1, 2, 3)])
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return round(float(sum(len(p) * abs(said[p].mean() - came[p].mean()) for p in parts)) / len(order), 3)


def evidence_hits(calls: Sequence[Example], cited: Sequence[set[int]], index: int, said: Levels) -> dict[str, Any]:
    """Of the calls whose behaviour is there and was found: the share in which a cited turn is a labelled one."""
    found = hits = 0
    for call, turns, level in zip(calls, cited, said, strict=True):
        labelled = {turn for turn, rows in enumerate(call.labels) if rows[index][0] == 1}
        if level and labelled:
            found += 1
            hits += bool(labelled & turns)
    return {"evidence_calls": found, "evidence_hit_rate": _rounded(hits / found if found else None)}
