"""Simulated panels of raters, with severities that are known."""

import numpy as np

from pipeline.calibrate.ratings import Rating
from pipeline.records import BEHAVIOURS

SEVERITIES = dict(zip(("Ana", "Ben", "Cai", "Dee", "Eva", "Fin"), np.linspace(-0.8, 0.8, 6).tolist(), strict=True))


def panel(severities, calls=80, *, seed=1, noise=0.45, missing=0.0, two_kinds=False):
    """(ratings, true levels by (behaviour, call)): a rating is the call's merit - severity + normal noise, rounded.

    Merits are normal, or in four clumps where `two_kinds` asks for a panel that is not as the model supposes.
    """
    chance = np.random.default_rng(seed)
    rows, fair = [], {}
    for call in (f"c{index:03}" for index in range(calls)):
        for behaviour in BEHAVIOURS:
            clumped = chance.choice([-0.3, 1.0, 2.0, 3.2]) + chance.normal(0, 0.3)
            merit = clumped if two_kinds else chance.normal(1.5, 1.1)
            fair[behaviour, call] = _level(merit)
            for rater, severity in severities.items():
                level = _level(merit - severity + chance.normal(0, noise))
                if chance.random() >= missing:
                    rows.append(Rating(call, rater, behaviour, level))
    return rows, fair


def _level(merit):
    return int(np.clip(np.round(merit), 0, 3))
