"""Talk measures against sums worked by hand."""

import time
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


def test_measures_who_is_heard_without_a_word_understood_has_a_share_and_no_more(call):
    """As on a channel of which the engine understood nothing: the others' shares would not add to one."""
    call = replace(call, turns=tuple(turn for turn in call.turns if turn.speaker == "R"))
    call = replace(call, speech=(SpeechSegment("R", 0, 10), SpeechSegment("C", 11, 15)))
    talk = measure(call)
    assert [name for name, _ in talk.by_speaker] == ["R", "C"]
    assert [side for side, _ in talk.by_side] == ["seller", "buyer"]
    customer = dict(talk.by_speaker)["C"]
    assert (customer.talk_share, customer.speaking_time) == (pytest.approx(4 / 14, abs=1e-3), 4.0)
    assert (customer.turns, customer.words) == (0, 0)
    assert customer.longest_monologue is customer.words_per_minute is customer.questions is None
    assert sum(one.talk_share for _, one in talk.by_side) == pytest.approx(1, abs=2e-3)


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


# --- what takes the floor ---


def test_measures_a_back_channel_is_no_answer():
    call = timed_call(
        ("C", 0, 10, words(20)), ("R", 10, 10.4, "right"), ("C", 10.5, 20, words(20)), ("R", 21.5, 30, words(20)),
        ("C", 30, 40, words(20)), ("M", 40.1, 40.4, "mm"), ("R", 42.5, 50, words(20)),
    )  # fmt: skip
    assert dict(measure(call).by_speaker)["R"].patience == 2.0  # of 1.5 and 2.5
    assert dict(measure(call).by_speaker)["M"].patience is None


def test_measures_the_floor_does_not_change_hands_with_a_back_channel():
    call = timed_call(
        ("R", 0, 10, words(20)), ("C", 10, 10.5, "mm hm"), ("R", 10.5, 30, words(40)), ("C", 30, 60, words(40))
    )
    assert measure(call).switches_per_minute == 1.0


def test_measures_turns_out_of_order_are_put_in_order(call):
    mixed = replace(call, turns=(call.turns[2], call.turns[0], call.turns[4], call.turns[1], call.turns[3]))
    one, other = measure(call), measure(mixed)
    assert dict(one.by_speaker) == dict(other.by_speaker)
    assert (one.dead_air, one.switches_per_minute) == (other.dead_air, other.switches_per_minute)


# --- what is withheld ---

SECONDS = (
    "speaking_time", "longest_monologue", "questions_per_minute", "words_per_minute", "patience", "interruptions",
    "switches_per_minute", "dead_air",
)  # fmt: skip


def none_of(talk, *names):
    """Whether those measures are None everywhere."""
    whole = [getattr(talk, name) for name in names if hasattr(talk, name)]
    groups = [
        getattr(one, name) for _, one in (*talk.by_speaker, *talk.by_side) for name in names if hasattr(one, name)
    ]
    return all(value is None for value in (*whole, *groups))


def test_measures_of_a_good_record_are_not_withheld(call):
    assert measure(call).withheld == ()


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ((None, None), "The transcript has no times."),
        ((1.0, None), "The transcript says when turns begin, but not when they end."),
        ((1.0, 1.0), "No turn of the transcript lasts any time."),
    ],
)
def test_measures_in_seconds_are_withheld_without_times(call, times, reason):
    bare = replace(call, turns=tuple(replace(turn, start=times[0], end=times[1]) for turn in call.turns))
    talk = measure(bare)
    assert talk.basis == "words"
    assert dict(talk.withheld) == dict.fromkeys(SECONDS, reason)
    assert none_of(talk, *SECONDS)
    assert dict(talk.by_speaker)["R"].questions == 2


def test_measures_say_how_many_turns_lack_times(call):
    some = replace(call, turns=(replace(call.turns[0], end=None), *call.turns[1:]))
    assert dict(measure(some).withheld)["patience"] == "Only 4 of the 5 turns have a beginning and an end."


def test_measures_questions_are_withheld_without_punctuation():
    talk = measure(timed_call(("R", 0, 5, "what do you use today"), ("C", 6, 9, "nothing yet thank you")))
    reason = "The transcript has no sentence punctuation, so questions cannot be counted."
    assert dict(talk.withheld) == {"questions": reason, "questions_per_minute": reason}
    assert none_of(talk, "questions", "questions_per_minute")


def test_measures_of_overlaps_are_withheld_where_every_moment_has_one_voice(call):
    talk = measure(replace(call, quality=replace(call.quality, diarization_trust="low")))
    assert set(dict(talk.withheld)) == {"patience", "interruptions"}
    assert dict(talk.withheld)["patience"].endswith("overlaps and short gaps cannot be heard.")
    assert none_of(talk, "patience", "interruptions")
    assert dict(talk.by_speaker)["R"].longest_monologue == 20.0


@pytest.mark.parametrize(("attributed", "held"), [(0.79, True), (0.8, False), (None, False)])
def test_measures_are_withheld_where_words_have_no_speaker(call, attributed, held):
    talk = measure(replace(call, quality=replace(call.quality, speech_attributed=attributed)))
    assert ("talk_share" in dict(talk.withheld)) == held
    if held:
        assert dict(talk.withheld)["talk_share"] == "Only 79% of the words have a speaker; at least 80% are needed."
        assert none_of(talk, "talk_share", "questions", *(name for name in SECONDS if name != "dead_air"))
        assert talk.dead_air == 5.0, "nobody speaks there, whoever speaks elsewhere"
        assert dict(talk.by_speaker)["R"].words == 70, "what the transcript holds is counted"


@pytest.mark.parametrize(("confidence", "held"), [(0.39, True), (0.4, False), (None, False)])
def test_measures_of_words_are_withheld_where_words_were_badly_heard(call, confidence, held):
    talk = measure(replace(call, quality=replace(call.quality, word_confidence=confidence)))
    rep, reasons = dict(talk.by_speaker)["R"], dict(talk.withheld)
    assert ((rep.questions, rep.words_per_minute) == (None, None)) == held
    assert rep.talk_share is not None and rep.longest_monologue is not None
    assert set(reasons) == ({"questions", "questions_per_minute", "words_per_minute"} if held else set())
    if held:
        assert "mean confidence 0.39, at least 0.40 is needed" in reasons["questions"]
        untimed = untimed_call(
            ("R", "Shall we? " + words(20)), ("C", "Yes."), quality=replace(call.quality, word_confidence=0.39)
        )
        assert dict(measure(untimed).by_speaker)["R"].talk_share is None


def test_measures_by_side_are_withheld_where_sides_are_not_known(call):
    everybody = replace(call, participants=tuple(replace(one, role="unknown") for one in call.participants))
    talk = measure(everybody)
    reason = "It is not known who sells and who buys. Name them in the manifest."
    assert dict(talk.withheld) == {"by_side": reason, "patience": reason}
    assert dict(talk.by_side)["unknown"].talk_share is None
    assert dict(talk.by_speaker)["R"].talk_share == pytest.approx(36 / 46, abs=1e-3), "speakers are known"
    some = replace(call, turns=(*call.turns, replace(call.turns[0], speaker="X", start=54.0, end=60.0)))
    assert dict(measure(some).withheld)["by_side"] == (
        "The speakers of 18% of the words are not known to sell or to buy. Name them in the manifest."
    )


def test_measures_a_few_words_of_an_unknown_side_leave_the_sides(call):
    some = replace(call, turns=(*call.turns, replace(call.turns[1], speaker="X", start=54.0, end=55.0, text="Hello.")))
    assert measure(some).withheld == ()


# --- robustness ---


@pytest.mark.parametrize("lines", [[("R", 0.0, 0.0, "hi")], [("R", 1.0, 2.0, "")], [("X", 0.0, 9.0, words(9))]])
def test_measures_of_one_turn(lines):
    talk = measure(timed_call(*lines))
    assert len(talk.by_speaker) == len(talk.by_side) == 1
    assert sum(one.turns for _, one in talk.by_speaker) == 1


def test_measures_of_ten_thousand_turns_take_less_than_a_second():
    lines = [("RCMC"[i % 4], 3.0 * i, 3.0 * i + 2.5, words(8) + ".") for i in range(10_000)]
    call = timed_call(*lines)
    speech = tuple(SpeechSegment(one.speaker, one.start, one.end) for one in call.turns)
    for one in (call, replace(call, speech=speech)):
        started = time.process_time()
        assert measure(one).by_speaker
        assert time.process_time() - started < 1


def test_measures_scaling_times_scales_seconds_alone(call):
    by_two = replace(
        call, turns=tuple(replace(one, start=2 * one.start, end=2 * one.end) for one in call.turns), duration=107.0
    )
    one, two = dict(measure(call).by_speaker)["R"], dict(measure(by_two).by_speaker)["R"]
    assert (two.talk_share, two.turns, two.words, two.questions) == (
        one.talk_share,
        one.turns,
        one.words,
        one.questions,
    )
    assert (two.speaking_time, two.longest_monologue, two.patience) == (
        2 * one.speaking_time, 2 * one.longest_monologue, 2 * one.patience,
    )  # fmt: skip
    assert two.words_per_minute == pytest.approx(one.words_per_minute / 2, abs=1e-3)
    assert two.questions_per_minute == pytest.approx(one.questions_per_minute / 2, abs=1e-3)
