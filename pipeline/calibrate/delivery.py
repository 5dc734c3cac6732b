"""Whether engaging delivery can be told from talk measures: sales calls in; the agreement on unseen authors out.

The standard says that delivery is judged from measures, not words. The corpus has transcripts without times, so these
are the measures that words give: nearness of the talk share to a half, longest monologue, questions, length of turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.assess.features import Array
from pipeline.calibrate.corpus import MASKED, Example
from pipeline.calibrate.figures import figures, median_level
from pipeline.calibrate.levels import fit_ordinal

__all__ = ["delivery_figures"]


def delivery_figures(calls: Sequence[Example]) -> dict[str, Any]:
    """The figures of levels of delivery, each given by a model that was fitted on other authors' calls."""
    rated = [call for call in calls if call.delivery != MASKED]
    features = np.array([_measures(call) for call in rated])
    levels = np.array([call.delivery for call in rated], dtype=np.int64)
    groups: NDArray[np.str_] = np.array([call.group for call in rated])
    chances = np.zeros((len(rated), 4))
    for group in sorted(set(groups.tolist())):
        out = groups == group
        chances[out] = fit_ordinal(features[~out], levels[~out])(features[out])
    return figures(levels, median_level(chances))


def _measures(call: Example) -> list[float]:
    """Each so that more is better: the fitted model has no negative weights."""
    seller = np.array([len(line.text.split()) for line in call.lines if line.seller] or [0], dtype=float)
    buyer = np.array([len(line.text.split()) for line in call.lines if not line.seller] or [0], dtype=float)
    words: Array = np.maximum(1.0, seller.sum() + buyer.sum())
    share = float(seller.sum() / words)
    questions = sum(line.text.count("?") for line in call.lines if line.seller)
    return [
        1 - abs(share - 0.5),
        -share,
        -float(seller.max()) / 100,
        questions / max(1, len(seller)),
        100 * len(call.lines) / float(words),
        float(buyer.mean()) / 20,
    ]
