import re
from dataclasses import replace

import pytest

from pipeline.records import Call, Joint, SpeechSegment, Turn
from pipeline.report.floor import _room_for_label, build_floor
from pipeline.report.floor_axis import speech_path, ticks
from pipeline.report.scorecard_page import page_of


def floor_of(scorecard, rubric):
    return page_of(scorecard, rubric, audio=None).floor


def bars(path):
    """(left, width) of each bar of a path."""
    return [(int(left), int(width)) for left, width in re.findall(r"M(\d+) 0h(\d+)v1h-\d+z", path)]


def test_speech_is_drawn_to_scale():
    assert bars(speech_path([(10, 20), (50, 100)], 100)) == [(10_000, 10_000), (50_000, 50_000)]


def test_a_lone_word_in_a_long_call_can_be_seen():
    assert bars(speech_path([(7200, 7200.2)], 14_400)) == [(50_000, 100)]


def test_a_quick_exchange_looks_as_dense_as_it_is():
    drawn = bars(speech_path([(2.0 * i, 2.0 * i + 1) for i in range(7200)], 14_400))
    assert 0.45 < sum(width for _, width in drawn) / 100_000 < 0.55


def test_speech_beyond_the_end_is_cut():
    assert bars(speech_path([(-5, 5), (95, 300)], 100)) == [(0, 5_000), (95_000, 5_000)]


@pytest.mark.parametrize(
    ("total", "basis", "labels"),
    [
        (75, "time", ["0:00", "0:10", "0:20", "0:30", "0:40", "0:50", "1:00", "1:10"]),
        (416, "time", ["0 min", "1", "2", "3", "4", "5", "6"]),
        (1860, "time", ["0 min", "5", "10", "15", "20", "25", "30"]),
        (14_400, "time", ["0 min", "30", "60", "90", "120", "150", "180", "210", "240"]),
        (647, "words", ["0 words", "100", "200", "300", "400", "500", "600"]),
        (3, "words", ["0 words"]),
    ],
)
def test_ticks_are_round_and_few(total, basis, labels):
    assert [tick.label for tick in ticks(total, basis)] == labels


@pytest.mark.parametrize("total", [1, 10, 100, 1e4, 1e5, 1e6])
@pytest.mark.parametrize("basis", ["time", "words"])
def test_ticks_stay_inside_and_at_most_nine(total, basis):
    made = ticks(total, basis)
    assert 1 <= len(made) <= 9
    assert all(0 <= tick.x <= 1 for tick in made)


def test_seller_lanes_stand_together_and_above(joint, rubric):
    floor = floor_of(joint, rubric)
    assert [lane.role for lane in floor.lanes] == ["rep", "manager", "customer", "customer"]
    assert floor.lanes[1].top < floor.divider < floor.lanes[2].top
    assert [lane.name for lane in floor.lanes][:2] == ["Tom Adeyemi", "Priya Nair"]


def test_marks_lie_at_their_evidence(joint, rubric):
    floor = floor_of(joint, rubric)
    assert [row.short for row in floor.rows] == ["Agenda", "Client story", "Value proposition", "Next steps"]
    next_steps = floor.rows[-1]
    assert [mark.at for mark in next_steps.marks] == [joint.call.turns[23].start, joint.call.turns[26].start]
    assert next_steps.marks[0].x == pytest.approx(joint.call.turns[23].start / joint.call.duration)
    assert next_steps.marks[0].target == "b-next_steps-1"
    assert next_steps.marks[0].label == "Next steps, Good, 5:52"
    assert next_steps.before, "there is no room to the right of a mark at the end"


def test_takeover_is_a_span_from_its_beginning(joint, rubric):
    span = floor_of(joint, rubric).span
    assert joint.joint.takeover is True
    assert span.at == joint.call.turns[12].start
    assert span.x + span.width == pytest.approx(1), "the rep does not get the conversation back"
    assert span.began == "2:23"
    assert span.target == "t12"


def test_takeover_without_a_time_begins_at_its_turn(joint, rubric):
    span = floor_of(replace(joint, joint=replace(joint.joint, began_at=None)), rubric).span
    assert span.at == joint.call.turns[12].start


@pytest.mark.parametrize(
    ("places", "room"),
    [
        ([0.1], (0.1, False)), ([0.55], (0.55, False)), ([0.7], (0.7, True)), ([0.1, 0.9], (0.1, False)),
        ([0.7, 0.95], (0.7, True)), ([0.3, 0.6, 0.95], (0.6, False)), ([0.0, 0.33, 0.66, 0.99], (0.0, False)),
    ],
)  # fmt: skip
def test_a_behaviours_name_stands_where_there_is_room(places, room):
    assert _room_for_label(places) == room


@pytest.mark.parametrize("takeover", [False, None])
def test_no_takeover_no_span(joint, rubric, takeover):
    assert floor_of(replace(joint, joint=Joint(0.4, takeover=takeover)), rubric).span is None


def test_without_times_the_floor_is_laid_out_by_words(cases, rubric):
    floor = floor_of(cases["no_times"], rubric)
    assert floor.basis == "words"
    assert floor.total == sum(len(turn.text.split()) for turn in cases["no_times"].call.turns)
    assert floor.span.began == "word 269"
    assert floor.in_words[0].endswith("it has no times.")


def test_without_speech_segments_turns_are_drawn(joint, rubric):
    same = replace(joint, call=replace(joint.call, speech=()))
    assert [lane.path for lane in floor_of(same, rubric).lanes] == [lane.path for lane in floor_of(joint, rubric).lanes]


def test_overlapping_speech_of_one_speaker_is_one_stretch():
    assert bars(speech_path([(0, 60), (30, 50), (40, 80)], 100))[0] == (0, 80_000)


def test_an_empty_call_has_no_floor(cases, rubric):
    assert floor_of(cases["empty"], rubric) is None


def test_evidence_out_of_range_is_not_drawn(joint):
    lost = replace(joint.behaviours[0].evidence[0], turn=999, start=None)
    scorecard = replace(joint, behaviours=(replace(joint.behaviours[0], evidence=(lost,)),))
    assert build_floor(scorecard, {"agenda": ("Agenda", "b-agenda")}).rows == ()


def test_the_text_alternative_names_everybody_and_everything(joint, rubric):
    said = " ".join(floor_of(joint, rubric).in_words)
    for part in ("Tom Adeyemi (rep)", "Marek Dvořák (buyer)", "Agenda is heard at 0:14", "manager leads from 2:23"):
        assert part in said


def test_speech_of_an_unlisted_speaker_gets_a_lane(joint: Call, rubric):
    call = replace(
        joint.call, turns=(*joint.call.turns, Turn("Z", "Hello", 410, 411)),
        speech=(*joint.call.speech, SpeechSegment("Z", 410, 411)),
    )  # fmt: skip
    lanes = floor_of(replace(joint, call=call), rubric).lanes
    assert (lanes[-1].name, lanes[-1].role_word) == ("Speaker Z", "role not known")


@pytest.mark.parametrize("text", ["", "   "])
def test_turns_without_words_or_times_have_no_floor(joint, rubric, text):
    call = replace(joint.call, turns=(Turn("T", text),), speech=(), duration=None)
    assert build_floor(replace(joint, call=call), {}) is None


def test_a_length_without_speech_has_no_floor(joint):
    call = replace(joint.call, turns=(), speech=(), duration=60.0)
    floor = build_floor(replace(joint, call=call), {})
    assert floor is None
