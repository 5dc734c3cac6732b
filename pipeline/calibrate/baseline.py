"""What a simple classifier reaches: the frozen encoder's mean vector of every turn, and linear models on it.

It stands beside the trained classifier in the figures, on the same calls and held-out authors: what it does not lose
to is not worth its size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.assess.encoder import Encoder
from pipeline.assess.features import Array, levels_by_rule
from pipeline.calibrate.corpus import Example
from pipeline.calibrate.levels import fit_ordinal
from pipeline.records import BEHAVIOURS, CRITERIA, JUDGED

__all__ = ["frozen_probabilities"]

_PENALTY = 3.0
"""Weight of the squared coefficients beside the squared errors of some thousand turns, 384 numbers each."""
_SLOPE = 2.5
"""One turn in twenty shows a behaviour, so a regression rarely says more than 0.4 of one that does."""


def frozen_probabilities(encoder: Encoder, calls: Sequence[Example], folds: int) -> Array:
    """P(level) of every sales call by models fitted on other authors' calls: (calls, core behaviours, 4)."""
    turns = [(number, turn) for number, call in enumerate(calls) for turn, line in enumerate(call.lines) if line.seller]
    vectors = encoder.vectors([calls[n].lines[t].text for n, t in turns], encoder.layers).double().numpy()
    owners = np.array([n for n, _ in turns])
    groups = np.array([call.group for call in calls])
    names = sorted(set(groups.tolist()))
    found = np.zeros((len(calls), len(BEHAVIOURS), 4))
    for fold in range(min(folds, len(names))):
        out = np.isin(groups, names[fold::folds])
        for index, behaviour in enumerate(BEHAVIOURS):
            rows = np.array([calls[n].labels[t][JUDGED.index(behaviour)] for n, t in turns])
            labels = rows.clip(min=0)
            shown = _shown(vectors, labels[:, : 1 + len(CRITERIA[behaviour])], ~out[owners])
            features = np.array([_features(behaviour, shown[owners == n]) for n in range(len(calls))])
            levels = np.array([call.level(behaviour) for call in calls], dtype=np.int64)
            found[out, index] = fit_ordinal(features[~out], levels[~out])(features[out])
    return found


def _shown(vectors: Array, labels: NDArray[np.int64], used: NDArray[np.bool_]) -> Array:
    """How far each turn shows each output, (turns, outputs) from 0 to 1, by ridge regressions on the used turns."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=_PENALTY).fit(vectors[used], labels[used])
    shown: Array = (_SLOPE * model.predict(vectors)).clip(0, 1)
    return shown


def _features(behaviour: str, shown: Array) -> list[float]:
    """The strongest attempt of a call, and the level that its strongest criteria give by the standard."""
    strongest = shown.max(axis=0)
    return [float(strongest[0]), levels_by_rule(behaviour, strongest[1:].tolist())]
