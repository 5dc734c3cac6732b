"""Fits the small ordinal models that turn a call's features into P(level): features and levels in, `Ordinal` out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.assess.features import Array, Ordinal

__all__ = ["fit_ordinal"]

PENALTY = 0.02
"""Weight of the squared weights beside the mean loss of a call: a hundred calls carry three weights, not more."""


def fit_ordinal(features: Array, levels: NDArray[np.int64], weight: Array | None = None) -> Ordinal:
    """The cumulative logistic model, without negative weights, that best predicts `levels` (0-3) from `features`."""
    from scipy.optimize import minimize

    rows = np.asarray(features, dtype=float)
    scale = np.maximum(rows.std(axis=0), 1e-6)
    importance = np.ones(len(rows)) if weight is None else weight
    width = rows.shape[1]

    def model(values: Array) -> Ordinal:
        gaps = np.exp(np.clip(values[width + 1 :], -6, 4))
        low = float(values[width])
        thresholds = (low, low + float(gaps[0]), low + float(gaps[0] + gaps[1]))
        return Ordinal(tuple(float(v) for v in values[:width] / scale), thresholds)

    def loss(values: Array) -> float:
        chance = model(values)(rows)[np.arange(len(rows)), levels]
        fit = -(importance * np.log(np.clip(chance, 1e-9, None))).sum() / importance.sum()
        return float(fit + PENALTY * (values[:width] ** 2).sum())

    start = np.concatenate([np.full(width, 0.7), [0.0, 0.5, 0.5]])
    bounds = [(0.0, None)] * width + [(None, None)] * 3
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500})
    fitted = model(found.x)
    return Ordinal(
        tuple(round(w, 6) for w in fitted.weights),
        (round(fitted.thresholds[0], 6), round(fitted.thresholds[1], 6), round(fitted.thresholds[2], 6)),
    )
