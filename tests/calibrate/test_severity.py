"""Rater severity: panels with known severities, the reasons to refuse, and agreed levels."""

import re

import numpy as np
import pytest

from pipeline.calibrate.ratings import Rating
from pipeline.calibrate.severity import Panel, agreed_levels, fit_severity
from pipeline.calibrate.severity_model import PanelModel
from tests.calibrate.panels import SEVERITIES, panel

TRUE = np.array(list(SEVERITIES.values()))


def values(found):
    return np.array([one.value for one in found.severities])


@pytest.mark.parametrize(
    ("kind", "worst"),
    [({}, 0.12), ({"two_kinds": True}, 0.15), ({"missing": 0.5}, 0.2), ({"seed": 9, "noise": 0.8}, 0.15)],
)
def test_severity_of_a_simulated_panel_is_recovered(kind, worst):
    """Six raters from -0.8 to +0.8 levels, 80 calls, 5 behaviours: no severity is off by `worst` levels."""
    found = fit_severity(panel(SEVERITIES, **kind)[0])
    assert [one.rater for one in found.severities] == sorted(SEVERITIES)
    assert np.corrcoef(values(found), TRUE)[0, 1] > 0.98
    assert abs(values(found) - TRUE).max() < worst
    assert abs(values(found) - TRUE).mean() < worst / 2
    assert values(found).sum() == pytest.approx(0, abs=0.01)


def test_severity_intervals_hold_the_truth_about_as_often_as_they_say():
    inside = total = 0
    for seed in range(12):
        found = fit_severity(panel(SEVERITIES, 40, seed=seed, missing=0.4)[0])
        inside += sum(one.low <= true <= one.high for one, true in zip(found.severities, TRUE, strict=True))
        total += len(TRUE)
    assert inside / total > 0.85


def test_severity_the_same_ratings_in_another_order_give_the_same_figures():
    rows, _ = panel(SEVERITIES, 20)
    assert fit_severity(rows) == fit_severity(rows[::-1])


def test_severity_the_gradient_is_that_of_the_likelihood():
    model = PanelModel(sorted(panel({"A": 0.3, "B": -0.3}, 6)[0], key=lambda one: one.call_id))
    at = model.prior_mean + np.random.default_rng(4).normal(0, 0.2, len(model.prior_mean))
    slope = model.scores(at)[1].sum(0)
    for index in range(len(at)):
        step = np.zeros(len(at))
        step[index] = 1e-5
        by_difference = (model.scores(at + step)[0] - model.scores(at - step)[0]) / 2e-5
        assert slope[index] == pytest.approx(by_difference, rel=1e-4, abs=1e-5)


def test_agreed_levels_are_nearer_to_the_truth_than_plain_medians():
    """Each call has two or three of the raters, so a plain median follows whoever happened to rate it."""
    rows, fair = panel(SEVERITIES, missing=0.6)
    found = fit_severity(rows)

    def hits(levels):
        return np.mean([levels[behaviour][call] == level for (behaviour, call), level in fair.items()
                        if call in levels[behaviour]])  # fmt: skip

    taken_out, plain = hits(agreed_levels(rows, found)), hits(agreed_levels(rows, Panel((), (), "not fitted")))
    assert taken_out > plain + 0.05


def test_agreed_level_of_raters_who_agree_is_theirs():
    rows, _ = panel({"A": 0.0, "B": 0.0, "C": 0.0}, 30, noise=0.2)
    level = {(one.behaviour, one.call_id): set() for one in rows}
    for one in rows:
        level[one.behaviour, one.call_id].add(one.level)
    agreed = agreed_levels(rows, fit_severity(rows))
    assert all(agreed[b][c] == min(found) for (b, c), found in level.items() if len(found) == 1)


def test_agreed_level_half_way_is_the_lower_one_whoever_gave_it():
    rows, _ = panel({"A": -0.02, "B": 0.02}, 60, noise=0.3)
    found = fit_severity(rows)
    split = [Rating(f"{low}-{first}", one, "agenda", low + (one == first)) for low in range(3) for first in "AB"
             for one in "AB"]  # fmt: skip
    assert agreed_levels(split, found)["agenda"] == {f"{low}-{first}": low for low in range(3) for first in "AB"}


def test_a_strict_raters_lone_zero_stays_zero_and_a_lone_two_becomes_three():
    rows, _ = panel({"Mild": -0.7, "Strict": 0.7}, 60)
    found = fit_severity(rows)
    alone = [Rating("x", "Strict", "agenda", 0), Rating("y", "Strict", "agenda", 2)]
    assert agreed_levels(alone, found)["agenda"] == {"x": 0, "y": 3}


def test_agreed_level_without_severities_is_the_median_and_the_lower_one_of_two():
    rows = [Rating("x", "A", "agenda", 1), Rating("x", "B", "agenda", 2), Rating("x", "C", "agenda", None)]
    assert agreed_levels(rows, fit_severity(rows))["agenda"] == {"x": 1}
    assert agreed_levels([*rows, Rating("x", "D", "agenda", 3)], Panel((), (), "few"))["agenda"] == {"x": 2}


def two_groups():
    left, _ = panel({"A": 0.0, "B": 0.0}, 10)
    right, _ = panel({"C": 0.0, "D": 0.0}, 10)
    return left + [Rating(f"other {one.call_id}", one.rater, one.behaviour, one.level) for one in right]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "there are none"),
        ([Rating("x", "A", "agenda", 1)], "there is one"),
        (
            panel({"A": 0.0, "B": 0.0}, 1)[0],
            "two raters with 10 ratings that another rater gave too; too few has A \\(5\\), B \\(5\\)",
        ),
        (two_groups(), "A, B; C, D"),
    ],
)
def test_severity_is_refused_with_the_reason(rows, said):
    found = fit_severity(rows)
    assert found.severities == ()
    assert re.search(said, found.refused)


def test_severity_is_told_for_the_others_where_one_has_rated_too_little():
    rows, _ = panel({"A": -0.4, "B": 0.4}, 40)
    new = [Rating("c000", "New", one.behaviour, one.level) for one in rows[:10:2]]
    found = fit_severity([*rows, *new])
    assert [one.rater for one in found.severities] == ["A", "B"]
    assert found.note == "No severity for raters with fewer than 10 ratings that another rater gave too: New (5)."
    assert agreed_levels([Rating("x", "New", "agenda", 2)], found)["agenda"] == {"x": 2}


def test_severity_of_raters_who_never_differ_is_nothing():
    rows, _ = panel({"A": 0.0, "B": 0.0}, 30, noise=0.0)
    found = fit_severity(rows)
    assert abs(values(found)).max() < 0.02
