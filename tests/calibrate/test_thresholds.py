"""Fitting thresholds: a machine that leans too high is brought back on fresh calls, and too little is refused."""

import numpy as np
import pytest

from pipeline.assess.behaviours import rounded
from pipeline.assess.levels import MEDIAN, level_of
from pipeline.calibrate.figures import kappa
from pipeline.calibrate.thresholds import _levels, choose_risk, fit_thresholds


def calls(count, seed, lean=0.0):
    """(probabilities, agreed levels) of a machine whose score leans up by `lean`, on a logistic scale."""
    chance = np.random.default_rng(seed)
    cuts = np.array([-2, 0, 2])
    score = chance.normal(0, 2.4, count)
    levels = np.digitize(score + chance.logistic(size=count), cuts)
    above = 1 / (1 + np.exp(cuts[None] - score[:, None] - lean))
    edges = np.hstack([np.ones((count, 1)), above, np.zeros((count, 1))])
    ids = [f"c{index:04}" for index in range(count)]
    chances = {one: rounded(row) for one, row in zip(ids, edges[:, :-1] - edges[:, 1:], strict=True)}
    return chances, dict(zip(ids, levels.tolist(), strict=True))


def agreement(probabilities, agreed, thresholds):
    said = np.array([level_of(probabilities[call], thresholds) for call in agreed])
    return kappa(np.array(list(agreed.values())), said)


def test_thresholds_of_a_machine_that_leans_high_are_raised_and_agree_better_on_fresh_calls():
    found = fit_thresholds(*calls(120, 1, lean=1.6), MEDIAN)
    fresh = calls(2000, 2, lean=1.6)
    assert found.kept
    assert min(found.thresholds) > 0.5
    assert found.after > found.before
    assert agreement(*fresh, found.thresholds) > agreement(*fresh, MEDIAN) + 0.05
    assert "so the fitted thresholds are used" in found.reason


def test_thresholds_that_bring_nothing_are_not_kept():
    found = [fit_thresholds(*calls(200, seed), MEDIAN) for seed in range(5)]
    stayed = [one for one in found if not one.kept]
    assert len(stayed) >= 4
    assert all(one.thresholds == MEDIAN for one in stayed)


def test_thresholds_fit_does_not_depend_on_the_order_of_calls():
    probabilities, agreed = calls(60, 4, lean=1.0)
    turned = dict(reversed(probabilities.items())), dict(reversed(agreed.items()))
    assert fit_thresholds(probabilities, agreed, MEDIAN) == fit_thresholds(*turned, MEDIAN)


def test_thresholds_levels_are_those_that_scoring_gives():
    probabilities, _ = calls(200, 5)
    tried = np.array([MEDIAN, (0.3, 0.65, 0.2), (0.8, 0.2, 0.5)])
    said = _levels(np.array(list(probabilities.values())), tried)
    for thresholds, row in zip(tried, said, strict=True):
        assert [level_of(one, thresholds) for one in probabilities.values()] == row.tolist()


def test_thresholds_need_forty_calls():
    found = fit_thresholds(*calls(39, 6), MEDIAN)
    assert (found.kept, found.thresholds, found.before, found.after) == (False, MEDIAN, None, None)
    assert found.reason == "Fitting needs 40 calls with a machine's and an agreed level; there are 39."
    assert len(found.levels) == 39


def test_thresholds_need_three_levels():
    probabilities, agreed = calls(60, 7)
    found = fit_thresholds(probabilities, {call: min(level, 1) for call, level in agreed.items()}, MEDIAN)
    assert found.reason.startswith("Fitting needs 3 levels with 5 calls or more each; there are: Not Present")
    assert found.reason.endswith("Good 0, Excellent 0.")


def test_thresholds_of_a_level_that_nobody_gave_stay_as_they_are():
    probabilities, agreed = calls(120, 8, lean=1.6)
    present = (0.5, 0.5, 0.42)
    found = fit_thresholds(probabilities, {call: min(level, 2) for call, level in agreed.items()}, present)
    assert found.thresholds[2] == 0.42


def test_only_calls_with_both_levels_count():
    probabilities, agreed = calls(80, 9)
    some = dict(list(agreed.items())[:50])
    assert fit_thresholds(probabilities, some, MEDIAN).calls == 50


def levelled(count, seed):
    probabilities, agreed = calls(count, seed)
    return probabilities, agreed, {call: level_of(one, MEDIAN) for call, one in probabilities.items()}


def test_risk_is_the_largest_that_keeps_the_target():
    probabilities, agreed, levels = levelled(400, 10)
    loose, tight = (choose_risk(probabilities, agreed, levels, target) for target in (0.2, 0.03))
    assert loose.max_risk == 1.0
    assert tight.max_risk < 0.5
    assert tight.off / tight.given <= 0.03
    assert tight.given < loose.given == 400


@pytest.mark.parametrize(("target", "needed"), [(0.05, 60), (0.1, 30), (0.03, 100)])
def test_risk_needs_three_calls_for_each_error_allowed(target, needed):
    found = choose_risk(*levelled(needed - 1, 11), target)
    assert found.max_risk is None
    assert found.reason == f"A target of {target:.0%} needs {needed} rated calls; there are {needed - 1}."


def test_risk_that_no_choice_reaches_is_said():
    probabilities, agreed, levels = levelled(60, 12)
    wrong = {call: (level + 2) % 4 for call, level in agreed.items()}
    found = choose_risk(probabilities, wrong, levels, 0.1)
    assert found.max_risk is None
    assert found.reason.startswith("No max_risk keeps the error at 10%")
