"""The marginal likelihood of a panel of raters, and its fit: ratings in, severities with their standard errors out.

What is modelled, and why, stands in `severity.py`; here are the likelihood, its slopes and the robust errors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.calibrate.ratings import Rating

__all__ = ["GRID", "PanelModel", "chances"]

Array = NDArray[np.float64]

GRID = np.linspace(-4.0, 7.0, 89)
"""The merits over which is integrated, in levels, one eighth apart: finer than the narrowest spread allowed."""
NARROWEST, WIDEST = 0.15, 3.0
"""Bounds of a behaviour's spread. Raters who never differ would otherwise have none, and the fit no end."""
_EDGES = np.array([-np.inf, 0.5, 1.5, 2.5, np.inf])
_PRIOR_SEVERITY, _PRIOR_LOG = 1.0, 1.0
"""Standard deviations of weak priors: severities of a level, and spreads that are e times wider or narrower."""
_USUAL_SPREAD, _USUAL_WIDTH = 0.4, 1.0


def chances(severities: Array, spread: float) -> Array:
    """P(rating | merit) of each severity, (severities, 4, merits)."""
    above = _logistic((GRID[None, None] - severities[:, None, None] - _EDGES[None, :, None]) / spread)
    return np.asarray(np.clip(above[:, :-1] - above[:, 1:], 1e-12, 1.0))


def _logistic(values: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(values / 2)))


class PanelModel:
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
        from scipy.optimize import minimize

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
