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
from numpy.typing import NDArray

from pipeline.calibrate.ratings import Rating

__all__ = ["FEWEST_SHARED", "Panel", "Severity", "agreed_levels", "fit_severity"]

Array = NDArray[np.float64]
Indexes = NDArray[np.int64]

FEWEST_SHARED = 10
"""Ratings that a rater must share with others: with 10, severity has a standard error of about a fifth of a level on a
panel of the usual spread, and an interval that is wider than the differences one hopes to see says nothing."""
GRID = np.linspace(-4.0, 7.0, 89)
"""The merits over which is integrated, in levels, one eighth apart: finer than the narrowest spread allowed."""
NARROWEST, WIDEST = 0.15, 3.0
"""Bounds of a behaviour's spread. Raters who never differ would otherwise have none, and the fit no end."""
_EDGES = np.array([-np.inf, 0.5, 1.5, 2.5, np.inf])
_PRIOR_SEVERITY, _PRIOR_LOG = 1.0, 1.0
"""Standard deviations of weak priors: severities of a level, and spreads that are e times wider or narrower."""
_USUAL_SPREAD, _USUAL_WIDTH = 0.4, 1.0


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
    """The severities of all raters, by name; `refused` says why there are none. `spreads` is behaviour -> spread."""

    severities: tuple[Severity, ...]
    spreads: tuple[tuple[str, float], ...]
    refused: str | None = None


def fit_severity(ratings: Sequence[Rating]) -> Panel:
    """The severity of every rater, or the reason why none can be told. The same ratings give the same figures.

    Intervals are robust ones with calls as clusters (Liang & Zeger, 1986): what a bootstrap over calls tends to.
    """
    given = sorted((one for one in ratings if one.level is not None), key=_place)
    reason = _why_not(given)
    if reason:
        return Panel((), (), reason)
    model = _Model(given)
    found = model.fit()
    severities, deviations = model.severities(found)
    counts = {rater: sum(one.rater == rater for one in given) for rater in model.raters}
    return Panel(
        tuple(
            Severity(rater, counts[rater], round(value, 3), round(value - 1.96 * sd, 3), round(value + 1.96 * sd, 3))
            for rater, value, sd in zip(model.raters, severities.tolist(), deviations.tolist(), strict=True)
        ),
        tuple(zip(model.behaviours, (round(float(one), 3) for one in model.spreads(found)), strict=True)),
    )


def agreed_levels(ratings: Sequence[Rating], panel: Panel) -> dict[str, dict[str, int]]:
    """Behaviour -> call -> agreed level: the median of what a rater of the panel's mean severity would give.

    All merits count as equally likely beforehand, so that only the call's own raters decide. Without severities it is
    the median of the levels given; half-way between two levels it is the lower one, which both raters can stand by.
    """
    severity = {one.rater: one.value for one in panel.severities}
    spreads = dict(panel.spreads)
    cells: dict[tuple[str, str], list[Rating]] = {}
    for one in sorted(ratings, key=_place):
        if one.level is not None:
            cells.setdefault((one.behaviour, one.call_id), []).append(one)
    agreed: dict[str, dict[str, int]] = {}
    for (behaviour, call), found in cells.items():
        known = panel.refused is None and all(one.rater in severity for one in found)
        level = _fair_median(found, severity, spreads[behaviour]) if known else _median(found)
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
        belief += np.log(_chances(np.array([severity[one.rater]]), spread)[0, one.level])
    weight = np.exp(belief - belief.max())
    fair = _chances(np.zeros(1), spread)[0] @ (weight / weight.sum())
    return int(np.searchsorted(np.cumsum(fair), 0.5 - 1e-9))


def _why_not(given: Sequence[Rating]) -> str | None:
    """Why severities cannot be told, None where they can."""
    raters = sorted({one.rater for one in given})
    if len(raters) < 2:
        return f"Severity needs two raters or more; there {'is one' if raters else 'are none'}."
    by_cell: dict[tuple[str, str], set[str]] = {}
    for one in given:
        by_cell.setdefault((one.behaviour, one.call_id), set()).add(one.rater)
    shared = dict.fromkeys(raters, 0)
    group = {rater: {rater} for rater in raters}
    for together in by_cell.values():
        for rater in together if len(together) > 1 else ():
            shared[rater] += 1
        joined = set().union(*(group[rater] for rater in together))
        group.update(dict.fromkeys(joined, joined))
    few = [f"{rater} ({count})" for rater, count in shared.items() if count < FEWEST_SHARED]
    if few:
        return (
            f"Severity needs {FEWEST_SHARED} ratings of each rater that another rater gave too; "
            f"too few has {', '.join(few)}."
        )
    if len(group[raters[0]]) < len(raters):
        apart = sorted({tuple(sorted(one)) for one in group.values()})
        return (
            "Severity needs raters who are linked by calls that they both rated; these groups share no call: "
            + "; ".join(", ".join(one) for one in apart)
            + "."
        )
    return None


def _chances(severities: Array, spread: float) -> Array:
    """P(rating | merit) of each severity, (severities, 4, merits)."""
    above = _logistic((GRID[None, None] - severities[:, None, None] - _EDGES[None, :, None]) / spread)
    return np.asarray(np.clip(above[:, :-1] - above[:, 1:], 1e-12, 1.0))


def _logistic(values: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(values / 2)))


class _Model:
    """The marginal likelihood of a panel. Parameters: severities, then mean, log width and log spread by behaviour."""

    def __init__(self, given: Sequence[Rating]) -> None:
        self.raters = sorted({one.rater for one in given})
        self.behaviours = sorted({one.behaviour for one in given})
        calls = sorted({one.call_id for one in given})
        cells = sorted({(one.behaviour, one.call_id) for one in given})
        place = {cell: index for index, cell in enumerate(cells)}
        self.cell_behaviour = np.array([self.behaviours.index(behaviour) for behaviour, _ in cells])
        self.cell_call = np.array([calls.index(call) for _, call in cells])
        self.cell = np.array([place[(one.behaviour, one.call_id)] for one in given])
        self.rater = np.array([self.raters.index(one.rater) for one in given])
        self.level = np.array([one.level for one in given], dtype=np.int64)
        self.behaviour = self.cell_behaviour[self.cell]
        self.calls = len(calls)
        self.prior_mean = np.concatenate(
            [
                np.zeros(len(self.raters)),
                np.full(len(self.behaviours), 1.5),
                np.full(len(self.behaviours), np.log(_USUAL_WIDTH)),
                np.full(len(self.behaviours), np.log(_USUAL_SPREAD)),
            ]
        )
        self.prior_sd = np.concatenate(
            [
                np.full(len(self.raters), _PRIOR_SEVERITY),
                np.full(len(self.behaviours), 2.0),
                np.full(2 * len(self.behaviours), _PRIOR_LOG),
            ]
        )

    def fit(self) -> Array:
        """The parameters with the highest penalised likelihood."""
        from scipy.optimize import minimize  # type: ignore[import-untyped]

        b = len(self.behaviours)
        bounds = [(-3.0, 3.0)] * len(self.raters) + [(-2.0, 5.0)] * b + [(np.log(0.1), np.log(4.0))] * b
        bounds += [(np.log(NARROWEST), np.log(WIDEST))] * b

        def loss(values: Array) -> tuple[float, Array]:
            likelihood, scores = self.scores(values)
            away = (values - self.prior_mean) / self.prior_sd
            return float(-likelihood + (away**2).sum() / 2), -scores.sum(0) + away / self.prior_sd

        found = minimize(loss, self.prior_mean, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500})
        return np.asarray(found.x)

    def spreads(self, values: Array) -> Array:
        """The spread of each behaviour."""
        return np.asarray(np.exp(values[len(self.raters) + 2 * len(self.behaviours) :]))

    def severities(self, values: Array) -> tuple[Array, Array]:
        """The severities about their mean, and their standard errors."""
        many = len(self.raters)
        centre = np.eye(many) - 1 / many
        _, scores = self.scores(values)
        meat = scores.T @ scores * self.calls / max(1, self.calls - 1)
        bread = np.linalg.pinv(self._information(values))
        covariance = centre @ (bread @ meat @ bread)[:many, :many] @ centre
        return centre @ values[:many], np.sqrt(np.clip(np.diag(covariance), 0, None))

    def _information(self, values: Array, step: float = 1e-4) -> Array:
        """The negative second derivatives, from differences of the first."""
        rows = []
        for index in range(len(values)):
            ahead, behind = values.copy(), values.copy()
            ahead[index] += step
            behind[index] -= step
            rows.append((self.scores(behind)[1].sum(0) - self.scores(ahead)[1].sum(0)) / (2 * step))
        matrix = np.array(rows)
        return np.asarray((matrix + matrix.T) / 2 + np.diag(1 / self.prior_sd**2))

    def scores(self, values: Array) -> tuple[float, Array]:
        """The log likelihood and its gradient by call, (calls, parameters)."""
        many, b = len(self.raters), len(self.behaviours)
        severity, mean = values[:many], values[many : many + b]
        width, spread = np.exp(values[many + b : many + 2 * b]), np.exp(values[many + 2 * b :])
        logs, by_severity, by_spread = self._tables(severity, spread)  # each (raters, behaviours, 4, merits)
        away = (GRID[None] - mean[:, None]) / width[:, None]  # (behaviours, merits)
        prior = -(away**2) / 2
        prior -= np.log(np.exp(prior).sum(1, keepdims=True))
        chosen = (self.rater, self.behaviour, self.level)
        belief = prior[self.cell_behaviour]  # (cells, merits)
        np.add.at(belief, self.cell, logs[chosen])
        top = belief.max(1, keepdims=True)
        weight = np.exp(belief - top)
        total = weight.sum(1, keepdims=True)
        weight /= total
        scores = np.zeros((self.calls, len(values)))
        call = self.cell_call[self.cell]
        np.add.at(scores, (call, self.rater), (weight[self.cell] * by_severity[chosen]).sum(1))
        np.add.at(scores, (call, many + 2 * b + self.behaviour), (weight[self.cell] * by_spread[chosen]).sum(1))
        for offset, power, scale in ((0, 1, 1 / width), (b, 2, np.ones(b))):
            change = scale[:, None] * (away**power - (np.exp(prior) * away**power).sum(1, keepdims=True))
            there = (weight * change[self.cell_behaviour]).sum(1)
            np.add.at(scores, (self.cell_call, many + offset + self.cell_behaviour), there)
        return float((np.log(total) + top).sum()), scores

    def _tables(self, severity: Array, spread: Array) -> tuple[Array, Array, Array]:
        """log P(rating | merit) by rater, behaviour and level, and its derivatives by severity and by log spread."""
        edges = _EDGES[None, None, :, None]
        u = (GRID[None, None, None] - severity[:, None, None, None] - edges) / spread[None, :, None, None]
        above = _logistic(u)
        slope = above * (1 - above)
        turned = np.where(np.isfinite(u), u, 0.0) * slope
        chances = np.clip(above[:, :, :-1] - above[:, :, 1:], 1e-12, 1.0)
        by_severity = -(slope[:, :, :-1] - slope[:, :, 1:]) / (chances * spread[None, :, None, None])
        by_spread = -(turned[:, :, :-1] - turned[:, :, 1:]) / chances
        return np.log(chances), by_severity, by_spread
