"""Rubrics: the shipped ones load; a broken one is refused with every fault and its place."""

import pytest

from pipeline import resources
from pipeline.assess.rubric import DEFAULT_RUBRICS, load_rubric, rubric_for
from pipeline.errors import RubricError, UsageError
from pipeline.records import BEHAVIOURS, CALL_TYPES, CRITERIA, JUDGED, MEETING_BEHAVIOURS, MEETINGS

GOOD = """\
id: ours
version: "2.1"
title: Our first call
call_types: [discovery]
behaviours:
  opening:
    judged_as: agenda
    title: Opening the call
    weight: 2
    max_risk: 0.1
    thresholds: [0.5, 0.6, 0.7]
    criteria:
      purpose: says why
talk:
  talk_share: [0.3, 0.6]
"""


def written(tmp_path, text):
    path = tmp_path / "ours.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(tmp_path, text):
    with pytest.raises(RubricError) as caught:
        load_rubric(written(tmp_path, text))
    return caught.value.faults


@pytest.mark.parametrize("call_type", CALL_TYPES)
def test_rubric_there_is_one_for_every_call_type(call_type):
    rubric = rubric_for(call_type)
    assert rubric.id == DEFAULT_RUBRICS[call_type]
    assert call_type in rubric.call_types
    assert len(rubric.sha256) == 64


@pytest.mark.parametrize("call_type", [one for one in CALL_TYPES if one not in MEETINGS])
def test_rubric_of_a_sales_call_begins_with_the_core_of_the_standard(call_type):
    behaviours = rubric_for(call_type).behaviours
    names = tuple(one.name for one in behaviours)
    assert names[: len(BEHAVIOURS)] == BEHAVIOURS
    assert set(names) <= set(JUDGED) - set(MEETING_BEHAVIOURS)
    for one in behaviours[: len(BEHAVIOURS)]:
        assert tuple(key for key, _ in one.criteria) == CRITERIA[one.name]


@pytest.mark.parametrize("call_type", MEETINGS)
def test_rubric_of_a_meeting_judges_the_managers_part_alone(call_type):
    rubric = rubric_for(call_type)
    assert rubric.behaviours
    assert {one.judged_as for one in rubric.behaviours} <= set(MEETING_BEHAVIOURS)
    worded = [rubric.title, *(text for one in rubric.behaviours for _, text in (*one.criteria, ("", one.title)))]
    assert not [text for text in worded if "buyer" in text]


@pytest.mark.parametrize("call_type", CALL_TYPES)
def test_rubric_criteria_stand_in_the_standards_order(call_type):
    for one in rubric_for(call_type).behaviours:
        names = [key for key, _ in one.criteria]
        assert names and names == [key for key in CRITERIA[one.judged_as] if key in names]


def test_rubric_every_shipped_file_is_known():
    assert {path.stem for path in resources.rubrics_folder().glob("*.yaml")} == set(DEFAULT_RUBRICS.values())


def test_rubric_of_ones_own_renames_and_reweights(tmp_path):
    rubric = load_rubric(written(tmp_path, GOOD))
    opening = rubric.behaviours[0]
    assert (opening.name, opening.judged_as, opening.weight) == ("opening", "agenda", 2.0)
    assert (opening.max_risk, opening.thresholds) == (0.1, (0.5, 0.6, 0.7))
    assert opening.criteria == (("purpose", "says why"),)


def test_rubric_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean demo"):
        load_rubric("dmo")


def test_rubric_missing_file_is_said(tmp_path):
    with pytest.raises(RubricError, match="cannot be read"):
        load_rubric(tmp_path / "none.yaml")


def test_rubric_every_fault_is_listed_with_its_place(tmp_path):
    text = (
        GOOD.replace('version: "2.1"', "version: 2.1")
        .replace("weight: 2", "weight: -2\n    weight: 3")
        .replace("[0.5, 0.6, 0.7]", "[0.5, 1.6]")
        .replace("purpose: says why", "purpos: says why")
        .replace("[0.3, 0.6]", "[60, 30]")
        + "extra: 1\n"
    )
    found = faults(tmp_path, text)
    assert [fault.split(":")[0] for fault in found] == [
        "line 1, the file",
        "line 2, version",
        "line 10, behaviours.opening.weight",
        "line 12, behaviours.opening.thresholds.1",
        "line 12, behaviours.opening.thresholds",
        "line 14, behaviours.opening.criteria.purpos",
        "line 16, talk.talk_share",
        "line 16, talk.talk_share",
    ]
    assert "'extra' was unexpected" in found[0]
    assert "given twice (first on line 9)" in found[2]
    assert "allowed: purpose, plan" in found[5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: [", "line 1, column 6"),
        ("", "is not of type 'object'"),
        ("- 1\n- 2\n", "is not of type 'object'"),
        ("id: !!python/object/apply:os.system [ls]\n", "could not determine a constructor"),
        (GOOD.replace("judged_as: agenda", "judged_as: charm"), "no classifier judges 'charm'"),
        (GOOD.replace("title: Our first call\n", ""), "'title' is a required property"),
        (GOOD.replace("[discovery]", "[phone]"), "'phone' is not one of"),
    ],
)
def test_rubric_fault(tmp_path, text, said):
    assert any(said in fault for fault in faults(tmp_path, text))


def test_rubric_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "ours.yaml"
    path.write_bytes(b"id: \xff\xfe")
    with pytest.raises(RubricError, match="byte 4: not UTF-8"):
        load_rubric(path)
