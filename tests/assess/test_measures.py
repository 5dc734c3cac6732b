"""Talk measures against sums worked by hand."""

from dataclasses import replace

import pytest

from pipeline.assess.measurable import is_punctuated
from pipeline.assess.measures import measure
from pipeline.records import Participant, SpeechSegment
from tests.builders import timed_call, untimed_call, words


@pytest.fixture
def call():
    return timed_call(
        ("R", 0.0, 10.0, "Shall we start? " + words(17)),  # 10 s
        ("C", 11.0, 15.0, "Yes. How long does it take? " + words(4)),  # gap 1.0 s, 4 s
        ("R", 15.5, 35.5, words(40) + "."),  # gap 0.5 s, 20 s
        ("C", 40.5, 46.5, words(12) + "."),  # pause of 5 s: dead air
        ("R", 47.5, 53.5, words(10) + "?"),
    )


def test_measures_by_speaker_are_the_sums_worked_by_hand(call):
    talk = measure(call)
    rep = dict(talk.by_speaker)["R"]
    assert talk.basis == "time"
    assert rep.speaking_time == 36.0
    assert rep.talk_share == pytest.approx(36 / 46, abs=1e-3)
    assert rep.longest_monologue == 20.0
    assert (rep.turns, rep.words, rep.questions) == (3, 70, 2)
    assert rep.questions_per_minute == pytest.approx(2 / (53.5 / 60), abs=1e-3)
    assert rep.words_per_minute == pytest.approx(70 / (36 / 60), abs=1e-3)
    assert rep.patience == 0.75  # median of 0.5 and 1.0
    assert rep.interruptions == 0
    assert talk.dead_air == 5.0
    assert talk.switches_per_minute == pytest.approx(4 / (53.5 / 60), abs=1e-3)


def test_measures_patience_belongs_to_the_seller_only(call):
    assert dict(measure(call).by_speaker)["C"].patience is None


def test_measures_patience_in_a_meeting_is_the_managers_with_the_rep(call):
    people = (Participant("R", None, "manager"), Participant("C", None, "rep"))
    meeting = replace(call, call_type="one_on_one", participants=people)
    talk = measure(meeting)
    assert dict(talk.by_speaker)["R"].patience == 0.75
    assert dict(talk.by_speaker)["C"].patience is None
    assert dict(talk.by_side)["seller"].patience is None, "the two do not answer a third"


def test_measures_shares_add_to_one(call):
    talk = measure(call)
    assert sum(one.talk_share for _, one in talk.by_speaker) == pytest.approx(1, abs=2e-3)
    assert sum(one.talk_share for _, one in talk.by_side) == pytest.approx(1, abs=2e-3)


def test_measures_renaming_speakers_changes_nothing(call):
    names = {"R": "zz", "C": "aa"}
    renamed = replace(
        call,
        turns=tuple(replace(turn, speaker=names[turn.speaker]) for turn in call.turns),
        participants=tuple(replace(one, speaker=names[one.speaker]) for one in call.participants),
    )
    assert [one for _, one in measure(renamed).by_speaker] == [one for _, one in measure(call).by_speaker]
    assert measure(renamed).by_side == measure(call).by_side


def test_measures_use_speech_segments_where_there_are_some(call):
    call = replace(call, speech=(SpeechSegment("R", 0, 5), SpeechSegment("R", 4, 8), SpeechSegment("C", 11, 13)))
    talk = dict(measure(call).by_speaker)
    assert talk["R"].speaking_time == 8.0  # the overlap of one's own segments counts once
    assert talk["C"].talk_share == pytest.approx(0.2)


def test_measures_a_back_channel_does_not_end_a_monologue():
    call = timed_call(("R", 0, 10, words(20)), ("C", 10, 10.5, "mm hm"), ("R", 10.5, 30, words(40)))
    assert dict(measure(call).by_speaker)["R"].longest_monologue == 30.0


def test_measures_count_an_interruption_only_when_the_floor_is_taken():
    taken = timed_call(("C", 0, 10, words(20)), ("R", 8, 15, words(20)))
    not_taken = timed_call(("C", 0, 10, words(20)), ("R", 8, 9.5, words(5)))
    assert dict(measure(taken).by_speaker)["R"].interruptions == 1
    assert dict(measure(taken).by_speaker)["C"].interruptions == 0
    assert dict(measure(not_taken).by_speaker)["R"].interruptions == 0


def test_measures_without_times_are_counted_in_words_and_say_so():
    talk = measure(untimed_call(("R", words(30)), ("C", words(10) + "?")))
    rep = dict(talk.by_speaker)["R"]
    assert talk.basis == "words"
    assert rep.talk_share == 0.75
    assert (rep.speaking_time, rep.longest_monologue, rep.patience, rep.words_per_minute) == (None,) * 4
    assert talk.dead_air is None


def test_measures_questions_are_not_measured_without_punctuation():
    call = untimed_call(("R", "what do you use today"), ("C", "nothing yet"))
    assert not is_punctuated(call)
    assert dict(measure(call).by_speaker)["R"].questions is None


def test_measures_of_an_empty_call_are_empty():
    talk = measure(timed_call())
    assert (talk.by_speaker, talk.by_side, talk.dead_air) == ((), (), None)
