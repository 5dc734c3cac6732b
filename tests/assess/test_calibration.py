"""A calibration file in scoring: its thresholds, its place in the provenance, and the files that are refused."""

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from pipeline import resources
from pipeline.assess.calibration import Calibration, load_calibration, with_id
from pipeline.assess.rubric import calibrated
from pipeline.assess.scorecard import assess, to_dict
from pipeline.errors import CalibrationError, UsageError
from pipeline.records import BEHAVIOURS, Agreement, Evidence, Finding
from tests.builders import core_rubric, untimed_call, words

RUBRIC = core_rubric("discovery")
CALL = untimed_call(("R", words(60)), ("C", words(40)))
USED = Calibration(
    "calibration-1", "ours.json", "discovery_call", RUBRIC.version, "fixed-1", 3, (("agenda", (0.5, 0.5, 0.9)),)
)


class Fixed:
    """A classifier that finds every behaviour excellent, with a probability of 0.8."""

    version = "fixed-1"
    agreement = ()

    def __call__(self, call):
        evidence = (Evidence(0, None, None, "R", "rep", "word", ()),)
        return tuple(Finding(name, (0.0, 0.1, 0.1, 0.8), (), evidence, (0, 1)) for name in BEHAVIOURS)


def content(**changes):
    behaviour = {
        "kept": True,
        "thresholds": [0.4, 0.5, 0.6],
        "held_out": {"kappa": 0.7, "low": 0.6, "high": 0.8, "calls": 60, "between_people": 0.8},
    }
    return {
        "rubric": {"id": "discovery_call", "version": RUBRIC.version, "sha256": "0" * 64},
        "classifier": "fixed-1",
        "ratings": {"raters": [{}, {}]},
        "behaviours": {"agenda": behaviour, "next_steps": {"kept": False, "thresholds": [0.1] * 3, "held_out": None}},
        **changes,
    }


def written(tmp_path, values):
    path = tmp_path / "ours.json"
    path.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
    return path


def test_calibration_gives_the_thresholds_that_were_kept(tmp_path):
    found = load_calibration(written(tmp_path, with_id(content())))
    assert found.thresholds == (("agenda", (0.4, 0.5, 0.6)),)
    assert (found.file, found.rubric_id, found.classifier, found.raters) == (
        "ours.json", "discovery_call", "fixed-1", 2,
    )  # fmt: skip
    assert found.agreement == (Agreement("agenda", 0.7, 0.6, 0.8, 60, 0.8),)


def test_calibration_thresholds_stand_in_place_of_the_rubrics_and_are_named():
    plain = to_dict(assess(CALL, RUBRIC, Fixed()))
    card = to_dict(assess(CALL, calibrated(RUBRIC, USED), Fixed()))
    assert (plain["behaviours"]["agenda"]["level"], card["behaviours"]["agenda"]["level"]) == (3, 2)
    assert card["behaviours"]["next_steps"]["level"] == 3
    assert card["provenance"]["calibration"] == {"id": "calibration-1", "file": "ours.json"}
    assert "calibration" not in plain["provenance"]
    for one in (plain, card):
        Draft202012Validator(json.loads(resources.scorecard_schema().read_text(encoding="utf-8"))).validate(one)


def test_calibration_for_another_classifier_is_refused():
    with pytest.raises(UsageError, match=r"made for the classifier other-2, and this one is fixed-1: .*Score"):
        assess(CALL, calibrated(RUBRIC, replace(USED, classifier="other-2")), Fixed())


@pytest.mark.parametrize("other", [core_rubric("demo"), replace(RUBRIC, version="0.1")])
def test_calibration_for_another_rubric_or_version_is_refused(other):
    with pytest.raises(
        UsageError, match=f"made for the rubric {RUBRIC.id} {RUBRIC.version}, and this is {other.id} {other.version}"
    ):
        calibrated(other, USED)


def test_calibration_that_was_changed_by_hand_is_refused(tmp_path):
    values = with_id(content())
    values["behaviours"]["agenda"]["thresholds"][0] = 0.1
    with pytest.raises(CalibrationError, match="the file was changed after it was written"):
        load_calibration(written(tmp_path, values))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("no json", "not JSON"),
        ("[1]", "holds no JSON object"),
        ({"format": 1}, "there is no 'id'\n.*there is no 'rubric'"),
        ({**with_id(content()), "format": 9}, "format 9; this version of ridealong reads format 1"),
        (with_id(content(behaviours={"agenda": {"kept": True}})), "not a calibration: KeyError"),
    ],
)
def test_calibration_file_with_faults_is_refused(tmp_path, values, said):
    with pytest.raises(CalibrationError, match=said):
        load_calibration(written(tmp_path, values))


def test_calibration_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CalibrationError, match="cannot be read: No such file"):
        load_calibration(tmp_path / "none.json")
