"""Roles from what is said: names, phrases and the learned head together; channels with several voices; swapped ones."""

import itertools
import time
from pathlib import Path

import pytest

from pipeline.listen.call_rows import CallRow
from pipeline.listen.role_chances import Expected, role_chances
from pipeline.listen.roles import MOST_SURE, SURE, assign_roles
from pipeline.records import Turn

CALL = (
    ("S", "Hi James, this is Emily from Steady Line. I've got my manager Robert on with me."),
    ("B", "Hello Emily. I've got ten minutes, my boss is waiting for me."),
    ("M", "Hi James. Don't mind me, I'm just here to listen."),
    ("S", "How many of your drivers go out each day, and how do you plan their routes today?"),
    ("B", "I have forty. My wife does the plan, I don't know how she does it. I've got it on paper here."),
    ("S", "Let me show you what you'd see first. You can send your drivers the route before they leave."),
    ("B", "How much is it? I can't pay what my last supplier asked, I had a bad year."),
    ("M", "For you it's forty a month for each van, and you can stop when you want, so you take no risk."),
    ("S", "Thanks, Robert. Shall I send you the offer today, so you have it before your board meets?"),
    ("B", "Send it to my wife. I don't read my mail."),
)
NAMES = {"rep": "Emily Carter", "manager": "Robert Hale", "customers": ("James Osei",)}
TRUE = {"S": "rep", "M": "manager", "B": "customer"}


def unsure(said):
    return dict.fromkeys(said, 0.5)


def head(**probability):
    return lambda said: {speaker: probability.get(speaker, 0.5) for speaker in said}


def roles_of(call, row, infer=unsure, labels=None, **options):
    labels = labels or {}
    turns = tuple(Turn(labels.get(speaker, speaker), text) for speaker, text in call)
    speakers = list(dict.fromkeys(turn.speaker for turn in turns))
    return assign_roles(speakers, turns, row, infer=infer, **options)


def by_speaker(found):
    return {one.speaker: one.role for one in found.participants}


def row_of(**given):
    return CallRow(Path("a.wav"), "a", **{"call_type": "joint", **given})


def plain(call):
    return tuple((speaker, "".join(c for c in text.lower() if c.isalnum() or c in " '")) for speaker, text in call)


@pytest.mark.parametrize("call", [CALL, plain(CALL)], ids=["as written", "as heard"])
def test_roles_said_names_of_the_manifest_and_introductions_tell_everybody(call):
    found = roles_of(call, row_of(**NAMES))
    assert by_speaker(found) == TRUE
    assert {one.name for one in found.participants} == {"Emily Carter", "Robert Hale", "James Osei"}
    assert all(one.role_from == "said" and SURE <= one.confidence <= MOST_SURE for one in found.participants)
    assert all("from what is said (probability" in warning for warning in found.warnings)


def test_roles_said_without_names_the_rep_is_who_defers_to_a_manager():
    found = roles_of(CALL, row_of(), head(S=0.99, M=0.95, B=0.01))
    assert by_speaker(found) == TRUE


@pytest.mark.parametrize("given", [{}, NAMES], ids=["no names", "names"])
def test_roles_said_neither_labels_nor_their_order_matter(given):
    infer = head(S=0.99, M=0.95, B=0.01)
    first = roles_of(CALL, row_of(**given), infer)
    speakers = ["S", "B", "M"]
    turns = tuple(Turn(speaker, text) for speaker, text in CALL)
    for order in itertools.permutations(speakers):
        again = assign_roles(order, turns, row_of(**given), infer=infer)
        assert [one.speaker for one in again.participants] == list(order)
        assert sorted(again.participants, key=str) == sorted(first.participants, key=str)
    labels = dict(zip(speakers, ("speaker-3", "speaker-1", "speaker-2"), strict=True))
    back = {new: old for old, new in labels.items()}
    other_infer = head(**{new.replace("-", "_"): infer(speakers)[old] for old, new in labels.items()})
    renamed = roles_of(
        CALL,
        row_of(**given),
        lambda said: {one: other_infer([one.replace("-", "_")])[one.replace("-", "_")] for one in said},
        labels,
    )
    assert {back[one.speaker]: (one.role, one.confidence) for one in renamed.participants} == {
        one.speaker: (one.role, one.confidence) for one in first.participants
    }


def test_roles_said_the_customer_may_begin():
    call = (
        ("A", "Hello, James Osei. I've got five minutes, my shift is starting and I have no cover."),
        ("B", "James, this is Emily from Steady Line. How do you plan your routes today, and how many vans go out?"),
        ("A", "I have ten. I don't know how my wife does it."),
    )
    row = row_of(call_type="discovery", rep="Emily Carter", customers=("James Osei",))
    assert by_speaker(roles_of(call, row)) == {"A": "customer", "B": "rep"}


def test_roles_said_voices_of_one_channel_are_told_apart_by_what_they_say():
    row = row_of(channels=(("rep", "manager"), ("customer",)), **NAMES)
    labels = {"S": "channel-1-voice-2", "M": "channel-1-voice-1", "B": "channel-2"}
    found = {one.speaker: one for one in roles_of(CALL, row, labels=labels).participants}
    assert (found["channel-1-voice-2"].role, found["channel-1-voice-2"].name) == ("rep", "Emily Carter")
    assert (found["channel-1-voice-1"].role, found["channel-1-voice-1"].name) == ("manager", "Robert Hale")
    assert (found["channel-2"].role, found["channel-2"].role_from) == ("customer", "channel")


def test_roles_said_two_voices_on_a_customers_channel_are_customers():
    row = row_of(channels=(("rep",), ("customer",)), rep="Tom", customers=("James Osei", "Linda Moss"))
    call = (*CALL, ("L", "Linda Moss here, I do the plan."))
    labels = {"S": "channel-1", "M": "channel-1", "B": "channel-2-voice-1", "L": "channel-2-voice-2"}
    found = {one.speaker: one for one in roles_of(call, row, labels=labels).participants}
    assert found["channel-2-voice-1"].role == found["channel-2-voice-2"].role == "customer"
    assert (found["channel-2-voice-1"].name, found["channel-2-voice-2"].name) == ("James Osei", "Linda Moss")


def test_roles_said_one_voice_where_two_were_named_is_warned_of():
    row = row_of(channels=(("rep", "manager"), ("customer",)))
    found = roles_of(CALL, row, labels={"S": "channel-1", "M": "channel-1", "B": "channel-2"})
    assert by_speaker(found) == {"channel-1": "rep", "channel-2": "customer"}
    assert found.warnings[0] == (
        "The manifest names rep and manager on channel 1, but only 1 voice was heard there: if all of them spoke, "
        "the words of two are taken as one person's."
    )


def test_roles_said_two_voices_where_one_was_named_are_warned_of():
    row = row_of(channels=(("rep",), ("customer",)))
    labels = {"S": "channel-1-voice-1", "M": "channel-1-voice-2", "B": "channel-2"}
    found = roles_of(CALL, row, labels=labels)
    assert [one.role for one in found.participants] == ["rep", "customer", "rep"]
    assert found.warnings == (
        "The manifest names only rep on channel 1, but 2 voices were heard there. If somebody else speaks there, "
        "say so in the column channels, as rep+manager.",
    )


def test_roles_said_sellers_that_cannot_be_told_apart_are_both_rep_with_a_low_confidence():
    call = tuple((speaker, text) for speaker, text in CALL[3:] if "Robert" not in text)
    found = roles_of(call, row_of(), head(S=0.999, M=0.999, B=0.001))
    sellers = [one for one in found.participants if one.speaker != "B"]
    assert [one.role for one in sellers] == ["rep", "rep"]
    assert all(one.confidence == pytest.approx(0.5, abs=0.1) for one in sellers)
    assert found.warnings[-1] == "Two speakers sell and it could not be told which one is the manager."
    assert "may be the manager: name both in the manifest" in found.warnings[0]


def test_roles_said_another_language_is_told_by_names_only():
    german = (
        "Guten Tag, wie geht es Ihnen heute mit der neuen Anlage im Werk, läuft sie schon oder noch nicht ganz? Wir "
        "hatten letzte Woche über die Lieferung gesprochen und ich wollte fragen, was daraus wurde."
    )
    call = (("A", german), ("B", "Ja, also " + german))

    def never(said):
        raise AssertionError("the head knows English only")

    found = roles_of(call, row_of(call_type="discovery"), never)
    assert by_speaker(found) == {"A": "unknown", "B": "unknown"}
    assert all(
        "name the roles in the manifest (columns rep, manager, customer and channels)" in w for w in found.warnings
    )
    named = row_of(call_type="discovery", rep="Uwe Brandt", customers=("Petra Lang",))
    call = (("A", "Uwe Brandt, guten Tag."), ("B", "Guten Tag."), ("A", "Hallo Petra."), ("B", "Hallo Uwe."), *call)
    assert by_speaker(roles_of(call, named, never)) == {"A": "rep", "B": "customer"}


def test_roles_said_a_meeting_is_told_by_names():
    call = (("A", "Hi Robert, how are you?"), ("B", "Good, Emily. How was your week?"), ("A", "Fine."))
    row = row_of(call_type="one_on_one", rep="Emily Carter", manager="Robert Hale")
    assert by_speaker(roles_of(call, row)) == {"A": "rep", "B": "manager"}


def test_roles_said_lines_without_a_speaker_stay_unknown_beside_known_ones():
    found = roles_of((("Emily Carter", "Hello."), ("unknown", "Hi."), ("James Osei", "Hello.")), row_of(**NAMES))
    assert by_speaker(found) == {"Emily Carter": "rep", "unknown": "unknown", "James Osei": "customer"}
    assert found.warnings == ()


@pytest.mark.parametrize("customers", [("Chris Hall",), ("Chris",), ("",), ("Chris Hall", "Chris Hall")])
def test_roles_said_two_people_of_one_name_are_not_mixed_up(customers):
    row = row_of(call_type="discovery", rep="Chris Bell", customers=customers)
    call = (("A", "Hello, this is Chris."), ("B", "Hi, Chris here too."))
    assert set(by_speaker(roles_of(call, row)).values()) == {"unknown"}


@pytest.mark.parametrize("name", ["", " ", "???", "((", "x" * 10_000, "Mr", "\u0301\u0301", "a;b;;c", "S", "=cmd()"])
def test_roles_said_hostile_names_change_nothing(name):
    infer = head(S=0.99, B=0.01)
    call = tuple(line for line in CALL if line[0] != "M")
    given = row_of(call_type="discovery", customers=(name,))
    found = roles_of(call, given, infer, labels={"S": "speaker-1", "B": "speaker-2"})
    assert len(found.participants) == 2
    assert by_speaker(found)["speaker-1"] != "customer"


# --- sides that a transcript tells ----------------------------------------------------------------


def test_roles_sides_of_a_transcript_tell_the_only_seller_and_the_buyers():
    sides = {"Emily Carter": "seller", "James": "buyer", "Linda": "buyer"}
    call = (("Emily Carter", "Hello."), ("James", "Hello."), ("Linda", "Hi."))
    found = roles_of(call, row_of(call_type="demo"), sides=sides)
    assert [(one.role, one.role_from, one.confidence) for one in found.participants] == [
        ("rep", "label", None), ("customer", "label", None), ("customer", "label", None),
    ]  # fmt: skip
    assert found.warnings == ()


def test_roles_sides_of_two_sellers_leave_who_manages_to_names_and_words():
    labels = {"S": "One", "M": "Two", "B": "Three"}
    sides = {"One": "seller", "Two": "seller", "Three": "buyer"}
    found = roles_of(CALL, row_of(), labels=labels, sides=sides)
    assert by_speaker(found) == {"One": "rep", "Two": "manager", "Three": "customer"}


def test_roles_names_of_the_manifest_go_before_a_transcripts_sides():
    found = roles_of((("Emily", "Hi."), ("James", "Hi.")), row_of(**NAMES), sides={"Emily": "buyer", "James": "seller"})
    assert by_speaker(found) == {"Emily": "rep", "James": "customer"}


# --- swapped channels -----------------------------------------------------------------------------

TWO = tuple(line for line in CALL if line[0] != "M")
ON = {"S": "channel-1", "B": "channel-2"}
TOLD_APART = {"channel-1": 0.995, "channel-2": 0.005}


def test_channels_that_are_swapped_are_warned_of_and_the_manifest_followed():
    row = row_of(call_type="demo", channels=(("customer",), ("rep",)))
    found = roles_of(TWO, row, lambda said: TOLD_APART, ON)
    assert by_speaker(found) == {"channel-1": "customer", "channel-2": "rep"}
    assert found.warnings == (
        "Channel 2 is named as rep in the manifest, but what is said there sounds like the customer, and channel 1 "
        "like the selling side: the channels may be swapped. The manifest was followed: check its column channels.",
    )


def test_channels_that_are_right_are_not_warned_of_and_nobody_is_asked():
    def never(said):
        raise AssertionError("words agree with the channels")

    row = row_of(call_type="demo", channels=(("rep",), ("customer",)))
    assert roles_of(TWO, row, never, ON).warnings == ()


def test_channels_of_little_speech_are_not_warned_of():
    row = row_of(call_type="demo", channels=(("rep",), ("customer",)))
    assert roles_of((("S", "Hello?"), ("B", "Your line is bad.")), row, unsure, ON).warnings == ()


# --- the sums -------------------------------------------------------------------------------------


def test_chances_of_two_voices_are_those_of_one_seller_and_one_buyer():
    flat = {"rep": 0.0, "customer": 0.0}
    found = role_chances({"A": {"rep": 2.0, "customer": 0.0}, "B": flat}, (), Expected())
    assert found["A"]["rep"] == pytest.approx(0.881, abs=0.001)  # e^2 / (e^2 + 1): two reps or two buyers are no call
    assert found["B"]["customer"] == pytest.approx(found["A"]["rep"], abs=0.001)
    assert all(sum(chances.values()) == pytest.approx(1) for chances in found.values())


def test_chances_many_speakers_take_little_time():
    scores = {f"speaker-{n}": {"rep": 0.1 * n, "manager": 0.0, "customer": 1.0} for n in range(20)}
    started = time.process_time()
    found = role_chances(scores, (), Expected())
    assert time.process_time() - started < 1
    assert all(sum(chances.values()) == pytest.approx(1) for chances in found.values())


def test_roles_of_a_long_call_take_under_half_a_second():
    started = time.process_time()
    roles_of(CALL * 70, row_of(**NAMES), head(S=0.9, B=0.1))
    assert time.process_time() - started < 0.5
