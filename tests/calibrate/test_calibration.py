"""Calibrating as a whole: raters beside machine, withheld levels, disputes, scorecards that do not belong together."""

import json

import pytest

from pipeline.assess.levels import UNKNOWN
from pipeline.calibrate.calibration import calibrate
from pipeline.calibrate.calibration_file import file_content
from pipeline.calibrate.machine import machine_of
from pipeline.calibrate.ratings import Rating, Ratings
from pipeline.errors import CalibrationError, UsageError
from pipeline.records import BEHAVIOURS
from tests.builders import core_rubric
from tests.calibrate.made_scores import machine_of_levels, scorecard
from tests.calibrate.panels import panel

RUBRIC = core_rubric("discovery")
SURE = {
    0: (0.94, 0.04, 0.01, 0.01),
    1: (0.03, 0.94, 0.02, 0.01),
    2: (0.01, 0.02, 0.94, 0.03),
    3: (0.01, 0.01, 0.04, 0.94),
}
UNSURE = (0.4, 0.2, 0.1, 0.3)


def cards_of(levels, **kind):
    """Scorecards whose every behaviour has that call's level; None is unsure, "unheard" could not be judged."""
    chances = {None: UNSURE, "unheard": UNKNOWN, **SURE}
    return [scorecard(call, dict.fromkeys(BEHAVIOURS, chances[level]), **kind) for call, level in levels.items()]


def ratings_of(*rows):
    return Ratings("ratings.csv", tuple(Rating(*row) for row in rows), "0" * 64)


def agenda(ratings, levels):
    found = calibrate(ratings, machine_of(cards_of(levels), "out"), RUBRIC)
    return found.behaviours[0]


def test_machine_stands_beside_each_rater_and_the_agreed_level():
    ratings = ratings_of(
        ("a", "Ana", "agenda", 2), ("a", "Ben", "agenda", 2), ("b", "Ana", "agenda", 0), ("b", "Ben", "agenda", 1)
    )
    found = agenda(ratings, {"a": 2, "b": 1})
    assert (found.people.pairs, found.people.exact.value) == (2, 0.5)
    assert (found.machine_people.pairs, found.machine_people.exact.value) == (4, 0.75)
    assert found.machine_agreed.counts[0][1] == 1  # agreed: the lower of 0 and 1; the machine said 1
    assert [one.machine.exact.value for one in found.raters] == [0.5, 1.0]
    assert found.raters[0].others.exact.value == 0.5


def test_withheld_levels_are_counted_and_not_dropped():
    ratings = ratings_of(*((call, "Ana", "agenda", level) for call, level in zip("abcd", (0, 3, 3, 1), strict=True)))
    found = agenda(ratings, {"a": None, "b": None, "c": "unheard", "d": 1})
    assert found.withheld == (1, 0, 0, 2)
    assert found.machine_agreed.pairs == 1
    assert found.fit.calls == 3  # what could not be judged has no probabilities to fit


def test_ratings_that_were_not_measured_are_counted_apart():
    ratings = ratings_of(("a", "Ana", "agenda", None), ("a", "Ben", "agenda", 2))
    found = agenda(ratings, {"a": 2})
    assert (found.calls, found.ratings, found.not_measured, found.people.pairs) == (1, 1, 1, 0)


def test_calls_of_which_raters_differ_most_come_first():
    ratings = ratings_of(
        *(("a", rater, "agenda", level) for rater, level in (("A", 1), ("B", 1), ("C", 1))),
        *(("b", rater, "agenda", level) for rater, level in (("A", 1), ("B", 2), ("C", 1))),
        *(("c", rater, "agenda", level) for rater, level in (("A", 0), ("B", 3), ("C", 0))),
        *(("d", rater, "agenda", level) for rater, level in (("A", 0), ("B", 3), ("C", 1))),
    )
    found = agenda(ratings, dict.fromkeys("abcd", 1))
    assert [one.call_id for one in found.disputes] == ["c", "d", "b"]
    assert found.disputes[0].levels == (("A", 0), ("B", 3), ("C", 0))
    assert found.disputes[0].machine.level == 1


def test_raters_alone_are_compared_without_a_machine():
    rows, _ = panel({"A": 0.0, "B": 0.0}, 12)
    found = calibrate(Ratings("r.csv", tuple(rows), "0" * 64))
    one = found.behaviours[0]
    assert [one.name for one in found.behaviours] == sorted(BEHAVIOURS)
    assert (one.machine_people, one.machine_agreed, one.fit, one.risk) == (None, None, None, None)
    assert one.people.pairs == 12
    with pytest.raises(ValueError, match="needs scorecards"):
        file_content(found)


def test_file_holds_what_scoring_and_people_need():
    rows, fair = panel({"Ana": -0.3, "Ben": 0.3}, 60)
    said = machine_of_levels(fair, lean=0.8, noise=0.4)
    cards = [scorecard(call, chances) for call, chances in said.items()]
    ratings = Ratings("r.csv", tuple(rows), "f" * 64)
    content = file_content(calibrate(ratings, machine_of(cards, "out"), RUBRIC))
    assert list(content)[:2] == ["id", "format"]
    assert content["rubric"] == {"id": "discovery_call", "version": RUBRIC.version, "sha256": RUBRIC.sha256}
    assert content["classifier"] == "behaviours-0123456789ab"
    assert [one["rater"] for one in content["ratings"]["raters"]] == ["Ana", "Ben"]
    assert set(content["behaviours"]) == set(BEHAVIOURS)
    kept = [one for one in content["behaviours"].values() if one["kept"]]
    assert kept
    assert all(one["kappa_after"] > one["kappa_before"] for one in kept)
    assert all(one["held_out"]["kappa"] == one["kappa_after"] for one in kept)
    json.dumps(content, allow_nan=False)


def test_the_id_is_that_of_the_content():
    def made(level):
        ratings = ratings_of(("a", "Ana", "agenda", level))
        return file_content(calibrate(ratings, machine_of(cards_of({"a": 2}), "out"), RUBRIC))["id"]

    assert made(1) == made(1) != made(2)


@pytest.mark.parametrize(
    ("cards", "said"),
    [
        ([], "there is no scorecard in it"),
        ([{"call_id": "x"}], r"call x: not a scorecard that can be read \(KeyError"),
        (cards_of({"a": 1}) + cards_of({"b": 1}, version="0.1"), r"2 rubric versions: .*discovery_call \S+ \(1 call\)"),
        (
            cards_of({"a": 1}) + cards_of({"b": 1}, classifier="other-1"),
            r"2 classifiers: behaviours-0123456789ab \(1 call\), other-1 \(1 call\). Allowed: one",
        ),
    ],
)
def test_scorecards_that_do_not_belong_together_are_refused(cards, said):
    with pytest.raises(CalibrationError, match=said):
        machine_of(cards, "out")


def test_a_rubric_must_be_chosen_where_there_are_several():
    cards = cards_of({"a": 1}) + cards_of({"b": 1}, call_type="demo")
    with pytest.raises(UsageError, match=r"2 rubrics: demo \(1 call\), discovery_call \(1 call\). Choose one"):
        machine_of(cards, "out")
    chosen = machine_of(cards, "out", "demo")
    assert (list(chosen.said), chosen.others) == (["b"], ("a",))
    assert chosen.notes[0] == "Not compared, as judged by another rubric than demo: 1 call."
    with pytest.raises(CalibrationError, match="no call was judged by the rubric joint_call"):
        machine_of(cards, "out", "joint_call")
