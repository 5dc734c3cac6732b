"""Trains the head that tells the selling side from the buying side by what a speaker says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.assess.encoder import Encoder
from pipeline.assess.features import Array
from pipeline.assess.sides import SIDE_LAYERS, chosen_turns, side_features
from pipeline.calibrate.corpus import Example

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SideHead", "fit_head", "side_rows", "train_sides"]

_PARTS = 6
"""Random parts of each call that the head is trained on besides the whole: short calls are harder."""
_SEED = 5


@dataclass(frozen=True, slots=True)
class SideHead:
    """The trained head, and its figures on authors it was not trained on."""

    tensors: dict[str, Tensor]
    report: dict[str, Any]


def train_sides(encoder: Encoder, examples: Sequence[Example]) -> SideHead:
    """The head trained on all sales calls."""
    import torch

    rows, sides, groups, whole = side_rows(encoder, [e for e in examples if e.sales_call])
    chances = np.zeros(len(rows))
    for group in sorted(set(groups.tolist())):
        out = groups == group
        weights, bias = fit_head(rows[~out], sides[~out])
        chances[out] = 1 / (1 + np.exp(-(rows[out] @ weights + bias)))
    weights, bias = fit_head(rows, sides)
    report = {"whole_calls": _figures(chances[whole], sides[whole]), "parts": _figures(chances[~whole], sides[~whole])}
    tensors = {"weights": torch.tensor(weights, dtype=torch.float32), "bias": torch.tensor([bias])}
    return SideHead(tensors, report)


def side_rows(encoder: Encoder, calls: Sequence[Example]) -> tuple[Array, Any, Any, Any]:
    """Features, side (1 selling), author group and "is a whole call" of every speaker of every call and part."""
    chance = random.Random(_SEED)  # noqa: S311 -- which turns to train on, not a secret
    rows, sides, groups, whole = [], [], [], []
    for call in calls:
        seller = {name: line.seller for name, line in zip(call.speakers, call.lines, strict=True)}
        turns = {
            name: [li.text for s, li in zip(call.speakers, call.lines, strict=True) if s == name] for name in seller
        }
        chosen = {name: chosen_turns(said) for name, said in turns.items()}
        vectors = {name: encoder.vectors(said, SIDE_LAYERS).double().numpy() for name, said in chosen.items() if said}
        for part in range(1 + _PARTS):
            taken = vectors if part == 0 else {name: _some(found, chance) for name, found in vectors.items()}
            for name, features in side_features(taken).items():
                rows.append(features)
                sides.append(int(seller[name]))
                groups.append(call.group)
                whole.append(part == 0)
    return np.array(rows), np.array(sides), np.array(groups), np.array(whole)


def _some(vectors: Array, chance: random.Random) -> Array:
    """A random handful of a speaker's turns."""
    many = min(len(vectors), chance.choice([2, 4, 8, 16]))
    return vectors[sorted(chance.sample(range(len(vectors)), many))]


def fit_head(rows: Array, sides: Any) -> tuple[Array, float]:
    """Weights and bias of the logistic head for rows of features and their sides."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=3.0, max_iter=2000).fit(rows, sides)
    return fitted.coef_[0], float(fitted.intercept_[0])


def _figures(chances: Array, sides: Any) -> dict[str, Any]:
    """Speakers, the share that gets a side (P above 0.9 or below 0.1), and how many of those are right."""
    sure = (chances > 0.9) | (chances < 0.1)
    right = (chances > 0.5) == (sides == 1)
    return {
        "speakers": len(sides),
        "decided": round(float(sure.mean()), 3),
        "right_of_decided": round(float(right[sure].mean()), 4) if sure.any() else None,
        "right_of_all": round(float(right.mean()), 3),
    }
