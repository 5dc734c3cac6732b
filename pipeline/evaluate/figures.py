"""A figure of one call as a ratio with the counts behind it, and the figures of many calls pooled into a total.

A total is the ratio of sums, so a long call weighs more than a short one; its interval comes from drawing calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FEWEST_CALLS = 5
"""Calls below which a total gets no interval: so few draws of calls say nothing about other calls."""

_DRAWS, _SEED = 5000, 7


@dataclass(frozen=True, slots=True)
class Figure:
    """A ratio: `part` of `whole`. `counts` are what both are made of, in the order they are shown."""

    part: float
    whole: float
    counts: Mapping[str, float]

    @property
    def value(self) -> float | None:
        """part / whole; None where there is nothing to divide by."""
        return self.part / self.whole if self.whole else None

    def to_dict(self) -> dict[str, Any]:
        """The value to four decimals, and the counts."""
        return {"value": _rounded(self.value), **{name: _rounded(count) for name, count in self.counts.items()}}


@dataclass(frozen=True, slots=True)
class CallFigures:
    """What was found for one call: figure name -> figure. `notes` are sentences on what could not be measured or had to
    be assumed; `error` says why nothing could be, and is None otherwise."""

    call_id: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """One line of the results, without a word of any transcript."""
        found = {name: figure.to_dict() for name, figure in self.figures.items()}
        return {"call_id": self.call_id, **found, "notes": list(self.notes), "error": self.error}


@dataclass(frozen=True, slots=True)
class Total:
    """A figure over `calls` calls, pooled, with the ends of its 95 % bootstrap interval over calls. The ends are None
    where calls are too few, or one of them has nothing to divide by."""

    figure: Figure
    calls: int
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, Any]:
        """The pooled figure, the calls that carry it, and the interval's ends."""
        return {**self.figure.to_dict(), "calls": self.calls, "low": _rounded(self.low), "high": _rounded(self.high)}


def totals(calls: Iterable[CallFigures]) -> dict[str, Total]:
    """Figure name -> its total over the calls that have it, in the order in which the names first come."""
    by_name: dict[str, list[Figure]] = {}
    for call in calls:
        for name, figure in call.figures.items():
            by_name.setdefault(name, []).append(figure)
    return {name: _total(figures) for name, figures in by_name.items()}


def _total(figures: Sequence[Figure]) -> Total:
    parts, wholes = [one.part for one in figures], [one.whole for one in figures]
    low, high = interval(parts, wholes)
    return Total(Figure(sum(parts), sum(wholes), _pooled(figures)), len(figures), low, high)


def _pooled(figures: Sequence[Figure]) -> dict[str, float]:
    """The counts added up; what is worst stays the worst."""
    names = dict.fromkeys(name for figure in figures for name in figure.counts)
    values = {name: [figure.counts[name] for figure in figures if name in figure.counts] for name in names}
    return {name: max(found) if name == "worst" else sum(found) for name, found in values.items()}


def interval(parts: Sequence[float], wholes: Sequence[float]) -> tuple[float | None, float | None]:
    """The 95 % percentile bootstrap interval of sum(parts) / sum(wholes), calls drawn with replacement.

    (None, None) for fewer than FEWEST_CALLS calls, or where a draw of calls may have nothing to divide by.
    """
    if len(parts) < FEWEST_CALLS or min(wholes) <= 0:
        return None, None
    import numpy as np
    from scipy.stats import bootstrap

    found = bootstrap(
        (np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)),
        lambda part, whole, axis: part.sum(axis=axis) / whole.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=_DRAWS,
        batch=500,  # bounds the memory on thousands of calls
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return float(found.low), float(found.high)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
