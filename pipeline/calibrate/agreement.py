"""How far levels agree: pairs of levels by call in; exact, within one, weighted kappa and alpha with intervals out.

All four figures of a call's pairs depend on one table alone, how often level i met level j. A bootstrap over whole
calls is therefore a weighted sum of the calls' tables, and every figure of every draw is computed at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FEWEST_CALLS",
    "Figure",
    "Figures",
    "agreement",
    "alpha_of_counts",
    "between",
    "kappa_of_counts",
    "pairs_of_raters",
]

Array = NDArray[np.float64]
Pair = tuple[int, int]
LEVELS = 4
DRAWS, SEED = 2000, 3
"""As in `figures`: 2000 draws fix the ends of a 95 % interval to about 0.01."""
FEWEST_CALLS = 5
"""With fewer calls there are too few different resamples for an interval, and kappa and alpha are chance."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval. All None where it cannot be told; the ends alone where they cannot."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Agreement on `pairs` pairs of levels from `calls` calls. `counts[i][j]`: how often level i met level j."""

    pairs: int
    calls: int
    exact: Figure
    within_one: Figure
    kappa: Figure
    alpha: Figure
    counts: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def kappa_of_counts(counts: Array) -> Array:
    """Quadratically weighted kappa of tables (…, levels, levels); NaN where both sides give one and the same level.

    1 - sum(w·observed) / sum(w·expected), w = (i - j)², expected from the margins (Cohen, Weighted kappa, 1968).
    """
    levels = counts.shape[-1]
    distance = (np.arange(levels)[:, None] - np.arange(levels)[None]) ** 2
    total = counts.sum((-2, -1))
    rows, columns = counts.sum(-1), counts.sum(-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = rows[..., :, None] * columns[..., None, :] / total[..., None, None]
        return np.asarray(1 - (distance * counts).sum((-2, -1)) / (distance * expected).sum((-2, -1)))


def alpha_of_counts(coincidences: Array) -> Array:
    """Krippendorff's alpha for ordinal values from coincidence tables (…, levels, levels); NaN without variation.

    With n_c the margin of value c and n their sum, alpha = 1 - (n - 1) · sum(o_ck · d²_ck) / sum(n_c · n_k · d²_ck),
    where d²_ck = (n_c + … + n_k - (n_c + n_k) / 2)² counts the values between c and k as they were used (Krippendorff,
    Computing Krippendorff's Alpha-Reliability, 2011, sections C and E).
    """
    margin = coincidences.sum(-1)
    total = margin.sum(-1)
    middle = np.cumsum(margin, -1) - margin / 2
    distance = (middle[..., :, None] - middle[..., None, :]) ** 2
    by_chance = (margin[..., :, None] * margin[..., None, :] * distance).sum((-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - (total - 1) * (coincidences * distance).sum((-2, -1)) / by_chance)


def pairs_of_raters(levels: Mapping[str, Mapping[str, int]]) -> dict[str, tuple[int, ...]]:
    """Call -> its raters' levels, for calls that two or more gave one; `levels` is call -> rater -> level."""
    return {call: tuple(given.values()) for call, given in levels.items() if len(given) > 1}


def between(units: Mapping[str, Sequence[int]]) -> Figures:
    """Agreement among raters who cannot be told apart: call -> their levels, two or more of them, some may be missing.

    Every pair counts in both orders, so that nobody's name or place in the file changes a figure; a rater who is
    stricter than another lowers kappa for both. Alpha counts each call by its number of raters, as Krippendorff does.
    """
    calls = sorted(units)
    pairs = [[pair for a, b in combinations(units[call], 2) for pair in ((a, b), (b, a))] for call in calls]
    tables = np.array([_table(one) for one in pairs], dtype=float).reshape(-1, LEVELS, LEVELS)
    others = np.array([max(1, len(units[call]) - 1) for call in calls], dtype=float)
    return _figures(tables, tables / others[:, None, None], each=2)


def agreement(pairs: Mapping[str, Sequence[Pair]]) -> Figures:
    """Agreement of two sides, such as raters (first) and machine (second): call -> its pairs of levels."""
    calls = sorted(call for call, one in pairs.items() if one)
    tables = np.array([_table(pairs[call]) for call in calls], dtype=float).reshape(-1, LEVELS, LEVELS)
    return _figures(tables, tables + tables.transpose(0, 2, 1), each=1)


def _table(pairs: Sequence[Pair]) -> Array:
    counts = np.zeros((LEVELS, LEVELS))
    for first, second in pairs:
        counts[first, second] += 1
    return counts


def _figures(tables: Array, coincidences: Array, *, each: int) -> Figures:
    """The figures of the calls' tables, (calls, levels, levels); a pair stands in its table `each` times."""
    total = tables.sum(0)
    weights = _resamples(len(tables))
    drawn, drawn_coincidences = (
        (weights @ of_calls.reshape(-1, LEVELS * LEVELS)).reshape(-1, LEVELS, LEVELS)  # (draws, levels, levels)
        for of_calls in (tables, coincidences)
    )
    return Figures(
        pairs=round(total.sum()) // each,
        calls=len(tables),
        exact=_figure(_share(total, 0), _share(drawn, 0)),
        within_one=_figure(_share(total, 1), _share(drawn, 1)),
        kappa=_beyond_chance(kappa_of_counts(total), kappa_of_counts(drawn)),
        alpha=_beyond_chance(alpha_of_counts(coincidences.sum(0)), alpha_of_counts(drawn_coincidences)),
        counts=tuple(tuple(int(count) for count in row) for row in total),
    )


def _resamples(calls: int) -> Array:
    """How often each call is in each bootstrap draw, (DRAWS, calls); no draws for too few calls."""
    if calls < FEWEST_CALLS:
        return np.zeros((0, calls))
    chance = np.random.default_rng(SEED)
    return chance.multinomial(calls, np.full(calls, 1 / calls), DRAWS).astype(float)


def _share(counts: Array, within: int) -> Array:
    near = abs(np.arange(LEVELS)[:, None] - np.arange(LEVELS)[None]) <= within
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((counts * near).sum((-2, -1)) / counts.sum((-2, -1)))


def _beyond_chance(value: Array, drawn: Array) -> Figure:
    """As `_figure`, and not told for so few calls that there are no draws."""
    return _figure(value, drawn) if len(drawn) else Figure(None)


def _figure(value: Array, drawn: Array) -> Figure:
    """The figure to 3 decimals; draws in which it cannot be told are left out."""
    usable = drawn[np.isfinite(drawn)]
    if not np.isfinite(value):
        return Figure(None)
    if len(usable) < DRAWS // 2:
        return Figure(round(float(value), 3))
    low, high = np.quantile(usable, [0.025, 0.975])
    return Figure(round(float(value), 3), round(float(low), 3), round(float(high), 3))
