"""How strict each rater is, and what level a call has once that is taken out: ratings in, severities and levels out.

The model is additive, in levels: a rating is the call's merit, minus the rater's severity, plus chance, rounded to 0-3:

    P(rating >= k) = logistic((merit - severity - (k - 1/2)) / spread)

It is the rating-scale form of the many-facet model (Linacre, Many-Facet Rasch Measurement, 1989) with the scale's cut
points held one level apart, so that severity comes out in levels. Each behaviour has its own spread, and its merits are
drawn from a normal distribution of its own; a rater has one severity over all behaviours, and the panel's mean is 0.
Merits are integrated out (Bock & Aitkin, 1981), since fitting one for each call would overstate every difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.calibrate.ratings import Rating
from pipeline.calibrate.severity_model import GRID, PanelModel, chances

__all__ = ["FEWEST_SHARED", "Panel", "Severity", "agreed_levels", "fit_severity"]

FEWEST_SHARED = 10
"""Ratings that a rater must share with others: with 10, severity has a standard error of about a fifth of a level on a
panel of the usual spread, and an interval that is wider than the differences one hopes to see says nothing."""

HALF_WAY = 0.05
"""Two levels that differ by less in probability are half-way, or the smallest severity would settle every tie alike."""


@dataclass(frozen=True, slots=True)
class Severity:
    """How many levels lower than the panel's mean a rater rates (negative: higher), with its 95 % interval."""

    rater: str
    ratings: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Panel:
    """The severities of raters, by name; `refused` says why there are none, `note` for whom there is none.

    `spreads` is behaviour -> spread, of the behaviours that could be compared."""

    severities: tuple[Severity, ...]
    spreads: tuple[tuple[str, float], ...]
    refused: str | None = None
    note: str = ""


def fit_severity(ratings: Sequence[Rating]) -> Panel:
    """The severity of every rater, or the reason why none can be told. The same ratings give the same figures.

    Intervals are robust ones with calls as clusters (Liang & Zeger, 1986): what a bootstrap over calls tends to.
    """
    given = sorted((one for one in ratings if one.level is not None), key=_place)
    given, note, reason = _comparable(given)
    if reason:
        return Panel((), (), reason)
    model = PanelModel(given)
    found = model.fit()
    severities, deviations = model.severities(found)
    counts = {rater: sum(one.rater == rater for one in given) for rater in model.raters}
    return Panel(
        tuple(
            Severity(rater, counts[rater], round(value, 3), round(value - 1.96 * sd, 3), round(value + 1.96 * sd, 3))
            for rater, value, sd in zip(model.raters, severities.tolist(), deviations.tolist(), strict=True)
        ),
        tuple(zip(model.behaviours, (round(float(one), 3) for one in model.spreads(found)), strict=True)),
        note=note,
    )


def agreed_levels(ratings: Sequence[Rating], panel: Panel) -> dict[str, dict[str, int]]:
    """Behaviour -> call -> agreed level: the median of what a rater of the panel's mean severity would give.

    All merits count as equally likely beforehand, so that only the call's own raters decide; a rater without a severity
    counts as the mean. Without severities it is the median of the levels given. Half-way between two levels it is the
    lower one, which both raters can stand by.
    """
    severity = {one.rater: one.value for one in panel.severities}
    spreads = dict(panel.spreads)
    cells: dict[tuple[str, str], list[Rating]] = {}
    for one in sorted(ratings, key=_place):
        if one.level is not None:
            cells.setdefault((one.behaviour, one.call_id), []).append(one)
    agreed: dict[str, dict[str, int]] = {}
    for (behaviour, call), found in cells.items():
        level = _fair_median(found, severity, spreads[behaviour]) if behaviour in spreads else _median(found)
        agreed.setdefault(behaviour, {})[call] = level
    return agreed


def _place(one: Rating) -> tuple[str, str, str]:
    return one.behaviour, one.call_id, one.rater


def _median(found: Sequence[Rating]) -> int:
    levels = sorted(one.level for one in found if one.level is not None)
    return levels[(len(levels) - 1) // 2]


def _fair_median(found: Sequence[Rating], severity: Mapping[str, float], spread: float) -> int:
    belief = np.zeros(len(GRID))
    for one in found:
        belief += np.log(chances(np.array([severity.get(one.rater, 0.0)]), spread)[0, one.level])
    weight = np.exp(belief - belief.max())
    fair = chances(np.zeros(1), spread)[0] @ (weight / weight.sum())
    return int(np.searchsorted(np.cumsum(fair), 0.5 - HALF_WAY))


def _comparable(given: Sequence[Rating]) -> tuple[list[Rating], str, str | None]:
    """The ratings that severities can be fitted to, a note on raters with too few, and why there are none at all."""
    rows, few = list(given), dict[str, int]()
    while short := {rater: count for rater, count in _shared(rows).items() if count < FEWEST_SHARED}:
        few |= short
        rows = [one for one in rows if one.rater not in short]
    raters = sorted({one.rater for one in rows})
    named = ", ".join(f"{rater} ({count})" for rater, count in sorted(few.items()))
    if len(raters) < 2:
        many = len({one.rater for one in given})
        if many < 2:
            return [], "", f"Severity needs two raters or more; there {'is one' if many else 'are none'}."
        needed = f"Severity needs two raters with {FEWEST_SHARED} ratings that another rater gave too"
        return [], "", f"{needed}; too few has {named}."
    groups = _groups(rows)
    if len(groups) > 1:
        told = "; ".join(", ".join(one) for one in groups)
        return [], "", f"Severity needs raters who are linked by calls that they both rated; these are apart: {told}."
    note = f"No severity for raters with fewer than {FEWEST_SHARED} ratings that another rater gave too: {named}."
    return rows, note if few else "", None


def _together(rows: Sequence[Rating]) -> list[set[str]]:
    """The raters of each behaviour of each call."""
    by_cell: dict[tuple[str, str], set[str]] = {}
    for one in rows:
        by_cell.setdefault((one.behaviour, one.call_id), set()).add(one.rater)
    return list(by_cell.values())


def _shared(rows: Sequence[Rating]) -> dict[str, int]:
    """How many ratings of each rater stand beside another's."""
    shared = dict.fromkeys(sorted({one.rater for one in rows}), 0)
    for together in _together(rows):
        for rater in together if len(together) > 1 else ():
            shared[rater] += 1
    return shared


def _groups(rows: Sequence[Rating]) -> list[list[str]]:
    """The raters in groups that share no call with one another."""
    group = {one.rater: {one.rater} for one in rows}
    for together in _together(rows):
        joined = set().union(*(group[rater] for rater in together))
        group.update(dict.fromkeys(joined, joined))
    return sorted({tuple(sorted(one)): sorted(one) for one in group.values()}.values())
