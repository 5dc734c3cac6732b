"""Scorecards in their public format without any call behind them: probabilities that a simulated machine gave."""

import json

import numpy as np

from pipeline.assess.behaviours import rounded
from pipeline.assess.levels import UNKNOWN, level_of, risk_of
from pipeline.records import LEVEL_NAMES
from tests.builders import core_rubric


def scorecard(call_id, probabilities, *, call_type="discovery", version=None, classifier="behaviours-0123456789ab"):
    """A scorecard as far as calibrating reads it; `probabilities` is behaviour -> four numbers."""
    judged = core_rubric(call_type)
    rubric, version = judged.id, version or judged.version
    behaviours = {one.name: _behaviour(probabilities[one.name], one) for one in judged.behaviours}
    return {
        "call_id": call_id,
        "rubric": {"id": rubric, "version": version},
        "behaviours": behaviours,
        "provenance": {
            "code": "0",
            "rubric": f"{rubric} {version} sha256:{judged.sha256}",
            "models": {"behaviours": classifier},
            "recording_sha256": "0" * 64,
        },
    }


def _behaviour(chances, one):
    level = None if tuple(chances) == UNKNOWN else level_of(chances, one.thresholds)
    if level is not None and risk_of(chances, level) > one.max_risk:
        level = None
    return {
        "level": level,
        "level_name": None if level is None else LEVEL_NAMES[level],
        "probabilities": list(chances),
        "withheld": None if level is not None else "not sure",
    }


def machine_of_levels(fair, *, lean=0.0, seed=2, noise=0.8):
    """call -> behaviour -> probabilities of a machine that sees the true level with noise, and leans up by `lean`."""
    chance = np.random.default_rng(seed)
    said = {}
    for (behaviour, call), level in sorted(fair.items()):
        score = level + chance.normal(0, noise)
        above = 1 / (1 + np.exp(2.0 * (np.array([0.5, 1.5, 2.5]) - score - lean)))
        edges = np.concatenate([[1.0], above, [0.0]])
        said.setdefault(call, {})[behaviour] = rounded(edges[:-1] - edges[1:])
    return said


def write_scores(folder, said, **kind):
    """A folder as scoring leaves it."""
    for call, probabilities in said.items():
        place = folder / "calls" / call
        place.mkdir(parents=True)
        card = scorecard(call, probabilities, **kind)
        (place / "scorecard.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def write_ratings(path, rows):
    """ratings.csv of some ratings."""
    lines = [f"{one.call_id},{one.rater},{one.behaviour},{'' if one.level is None else one.level}" for one in rows]
    path.write_text("\n".join(["call_id,rater,behaviour,level", *lines]) + "\n", encoding="utf-8")
    return path
