"""The manager's part: share, takeover, where it began and how long the rep was silent."""

import json
import time
from dataclasses import replace

import pytest

from pipeline import resources
from pipeline.assess.rubric import rubric_for
from pipeline.assess.takeover import manager_part
from pipeline.records import MEETINGS, Call, Joint, ListeningQuality, Participant, SpeechSegment, Turn
from tests.builders import timed_call, untimed_call, words

RUBRIC = rubric_for("joint")


def test_takeover_begins_with_the_managers_turn_after_which_the_rep_is_gone():
    call = timed_call(
        ("R", 0, 30, words(80)),
        ("C", 30, 40, words(20)),
        ("M", 40, 45, words(10)),
        ("R", 45, 70, words(60)),
        ("C", 70, 80, "But what does it cost compared to Marlock?"),
        ("M", 81, 140, words(150)),
        ("C", 140, 150, words(20)),
        ("R", 150, 150.5, "right"),
        ("M", 151, 200, words(120)),
    )
    joint = manager_part(call, RUBRIC)
    assert joint.takeover is True
    assert (joint.began_turn, joint.began_at) == (5, 81)
    assert joint.said_before == "But what does it cost compared to Marlock?"
    assert joint.rep_silent_for == 200 - 81  # "right" is a back-channel
    assert joint.manager_share == pytest.approx((5 + 59 + 49) / (5 + 59 + 49 + 55 + 0.5), abs=1e-3)


def test_takeover_without_times_is_counted_in_words():
    call = untimed_call(("R", words(50)), ("C", words(9)), ("M", words(90)), ("C", words(9)), ("M", words(60)))
    joint = manager_part(call, RUBRIC)
    assert (joint.takeover, joint.began_turn, joint.began_at, joint.rep_silent_for) == (True, 2, None, None)
    assert joint.manager_share == 0.75


def test_takeover_a_partner_who_hands_back_takes_nothing_over():
    call = untimed_call(
        ("R", words(60)), ("C", words(9)), ("M", words(50)), ("C", words(9)), ("R", words(60)), ("M", words(10))
    )
    assert manager_part(call, RUBRIC).takeover is False


def test_takeover_a_closing_word_takes_nothing_over():
    assert manager_part(untimed_call(("R", words(90)), ("C", words(9)), ("M", words(12))), RUBRIC).takeover is False


@pytest.mark.parametrize(
    ("speakers", "reason"),
    [
        ("RC", "No manager speaks on this call."),
        ("MC", "No rep speaks on this call."),
        ("C", "No rep and no manager speaks on this call."),
        ("", "No rep and no manager speaks on this call."),
        ("XC", "No speaker is known to be the rep or the manager, and one speaker's role is unknown. Name them in the "
         "manifest."),
    ],
)  # fmt: skip
def test_takeover_cannot_be_told_without_a_rep_and_a_manager(speakers, reason):
    call = untimed_call(*((speaker, words(20)) for speaker in speakers))
    assert manager_part(call, RUBRIC) == Joint(withheld=reason)


@pytest.mark.parametrize("call_type", MEETINGS)
def test_takeover_is_no_matter_in_a_meeting(call_type):
    lines = (("R", words(50)), ("M", words(90)), ("R", "mm"), ("M", words(60)))
    assert manager_part(untimed_call(*lines, call_type=call_type), rubric_for(call_type)) == Joint()


def test_takeover_cannot_be_told_where_nobody_but_the_selling_side_speaks():
    assert manager_part(untimed_call(("R", words(50)), ("M", words(90))), RUBRIC) == Joint()


# --- what is a takeover, and what is a partner ---


def script(*parts: str) -> Call:
    """A call without times, a letter a turn: R, M, C say 20 words (a full turn), small letters 2 (a back-channel)."""
    letters = "".join(parts)
    return untimed_call(*((one.upper(), words(20) if one.isupper() else "mm hm") for one in letters))


@pytest.mark.parametrize(
    ("turns", "began"),
    [
        ("RC" * 8 + "MC" * 8, 16),
        ("RC" * 8 + "MCr" * 8, 16),  # afterwards the rep says "mm-hm" alone
        ("RCRCMC" * 3 + "RC" * 3 + "MC" * 8 + "RC" + "MC" * 4, 24),  # a partner who takes over at last, one scrap after
        ("RC" * 12 + "MC" * 4, 24),  # near the end: a quarter of the seller side
        ("C" + "MC" * 9 + "RC" + "MC" * 6, 1),  # from the very first turn
        ("RC" * 2 + "MCMC" * 3 + "RC" + "MCMC" * 3 + "RCRC", 4),  # most of the call, and the rep closes it
        ("RCRRC" * 3 + "MCMMC" * 4, 15),
    ],
)  # fmt: skip
def test_takeover_found_with_its_beginning(turns, began):
    joint = manager_part(script(turns), RUBRIC)
    assert (joint.takeover, joint.began_turn) == (True, began)


@pytest.mark.parametrize(
    "turns",
    [
        "MC" * 3 + "RC" * 12,  # opens the call and hands over
        "RCMC" * 8,  # shares it turn by turn
        "RC" * 6 + "MC" * 5 + "RC" * 6,  # leads a part and gives it back
        "RC" * 10 + "MC" * 2,  # closes it
        "RCMCRC" * 5,  # interrupts again and again
        "RCRCRC" + "MCRCMC" * 4 + "RCRC",
    ],
)
def test_takeover_is_not_what_a_partner_does(turns):
    joint = manager_part(script(turns), RUBRIC)
    assert (joint.takeover, joint.began_turn, joint.share_before, joint.said_before) == (False, None, None, None)


def test_takeover_is_not_one_long_answer_to_a_technical_question():
    lines = [("R", words(15)), ("C", words(10))] * 6
    call = untimed_call(*lines, ("M", words(150)), ("C", words(10)), *lines)
    joint = manager_part(call, RUBRIC)
    assert joint.takeover is False
    assert joint.manager_share == pytest.approx(150 / (150 + 180), abs=1e-4)
    assert joint.manager_turn_share == pytest.approx(1 / 13, abs=1e-4)


def test_takeover_two_reps_and_two_managers_count_together():
    call = script("RC" * 8 + "MC" * 8)
    second = {"R": "R2", "M": "M2"}
    turns = tuple(
        replace(turn, speaker=second.get(turn.speaker, turn.speaker) if index % 4 else turn.speaker)
        for index, turn in enumerate(call.turns)
    )
    people = (*call.participants, Participant("R2", None, "rep"), Participant("M2", None, "manager"))
    joint = manager_part(replace(call, turns=turns, participants=people), RUBRIC)
    assert (joint.takeover, joint.began_turn, joint.share_before, joint.share_after) == (True, 16, 0.0, 1.0)


def test_takeover_begins_where_the_manager_says_so_if_the_shares_leave_it_open():
    """A turn of the rep between two of the manager's could be the end of the rep's part or a scrap in the manager's."""
    call = script("RC" * 6 + "MCRC" + "MC" * 6)
    plain = manager_part(call, RUBRIC).began_turn

    def opened(at: int) -> int | None:
        text = "Let me jump in there. " + words(16)
        turns = tuple(replace(turn, text=text) if index == at else turn for index, turn in enumerate(call.turns))
        return manager_part(replace(call, turns=turns), RUBRIC).began_turn

    assert plain in {12, 16}
    assert (opened(12), opened(16)) == (12, 16)


# --- what is said of it ---


def test_takeover_before_and_after_are_shares_of_speech():
    joint = manager_part(script("RCRCMC" + "RC" * 4 + "MC" * 8 + "RC" + "MC" * 4), RUBRIC)
    assert joint.began_turn == 14
    assert joint.share_before == pytest.approx(1 / 7, abs=1e-4)
    assert joint.share_after == pytest.approx(12 / 13, abs=1e-4)
    assert joint.manager_share == pytest.approx(13 / 20, abs=1e-4)
    assert joint.manager_turn_share == pytest.approx(13 / 20, abs=1e-4)


def test_takeover_counts_speech_where_it_was_heard():
    """The manager's turn lasts 60 s, of which 20 are speech; what diarization heard counts."""
    call = timed_call(
        ("R", 0, 40, words(90)), ("C", 40, 45, words(9)), ("M", 50, 110, words(50)), ("C", 111, 120, words(9)),
        ("M", 120, 160, words(90)),
    )  # fmt: skip
    heard = (
        SpeechSegment("R", 0, 40), SpeechSegment("C", 40, 45), SpeechSegment("M", 50, 60), SpeechSegment("M", 90, 100),
        SpeechSegment("C", 111, 120), SpeechSegment("M", 120, 140), SpeechSegment("M", 130, 160),
    )  # fmt: skip
    joint = manager_part(replace(call, speech=heard), RUBRIC)
    assert joint.manager_share == pytest.approx(60 / 100, abs=1e-4)
    assert (joint.share_before, joint.share_after) == (0.0, 1.0)


def test_takeover_the_rep_comes_back_late():
    joint = manager_part(script("RC" * 2 + "MC" * 12 + "RCRCRC"), RUBRIC)
    assert (joint.takeover, joint.began_turn) == (True, 4)
    assert (joint.rep_returned, joint.returned_turn) == (True, 28)


def test_takeover_scraps_are_no_return():
    joint = manager_part(script("RC" * 8 + "MC" * 6 + "RC" + "MC" * 6), RUBRIC)
    assert (joint.rep_returned, joint.returned_turn) == (False, None)


def test_takeover_a_partner_who_led_for_a_while_gave_the_conversation_back():
    joint = manager_part(script("RC" * 6 + "MC" * 5 + "RC" * 6), RUBRIC)
    assert (joint.takeover, joint.rep_returned, joint.returned_turn) == (False, True, 22)
    assert manager_part(script("RCMC" * 8), RUBRIC).rep_returned is None, "nobody led, so nobody came back"


def test_takeover_silence_in_turns_and_in_seconds():
    turns = "RC" * 8 + "MCMrMcM" + "RC" + "MC" * 6
    call = script(turns)
    joint = manager_part(call, RUBRIC)
    assert (joint.began_turn, joint.rep_silent_turns, joint.rep_silent_for) == (16, 5, None)
    timed = replace(
        call, turns=tuple(replace(one, start=10.0 * i, end=10.0 * i + 8) for i, one in enumerate(call.turns))
    )
    assert manager_part(timed, RUBRIC).rep_silent_for == 70.0


def test_takeover_said_before_is_never_the_managers_own():
    call = untimed_call(*[("R", words(20)), ("C", words(20))] * 6, ("C", "What does it cost?"), ("R", "um"),
                        *[("M", words(20)), ("C", words(20))] * 8)  # fmt: skip
    joint = manager_part(call, RUBRIC)
    assert (joint.said_before, joint.said_before_by) == ("What does it cost?", "C")
    assert joint.trigger == "hesitation", "the rep's filler is a back-channel, and the last thing before the manager"


def test_takeover_from_the_first_turn_has_nothing_before():
    joint = manager_part(script("MC" * 9 + "RC"), RUBRIC)
    assert (joint.began_turn, joint.said_before, joint.said_before_by, joint.share_before) == (0, None, None, None)


# --- when it cannot be told ---


def test_takeover_cannot_be_told_where_words_have_no_speaker():
    call = replace(script("RC" * 8 + "MC" * 8), quality=ListeningQuality("by hand", speech_attributed=0.61))
    assert manager_part(call, RUBRIC) == Joint(
        withheld="Only 61% of the words have a speaker; at least 80% are needed."
    )


def test_takeover_cannot_be_told_where_a_role_is_a_guess():
    call = script("RC" * 8 + "MC" * 8)
    people = (replace(call.participants[0], role_from="said", confidence=0.62), *call.participants[1:])
    assert manager_part(replace(call, participants=people), RUBRIC).withheld == (
        "Who is the rep and who the manager is inferred, with a probability of 0.62; at least 0.8 is needed. Name them "
        "in the manifest."
    )


def test_takeover_cannot_be_told_where_the_selling_sides_people_are_not_told_apart():
    call = script("RC" * 8 + "MC" * 8)
    people = tuple(
        replace(one, role="rep", role_from="said", confidence=0.5) if one.speaker in "RM" else one
        for one in call.participants
    )
    assert manager_part(replace(call, participants=people), RUBRIC).withheld == (
        "It is not known who of the selling side is the rep and who the manager. Name them in the manifest."
    )


def test_takeover_cannot_be_told_of_a_few_words():
    assert manager_part(untimed_call(("R", words(9)), ("C", words(90)), ("M", words(30))), RUBRIC).withheld == (
        "Rep and manager say only 39 words; at least 50 are needed."
    )


@pytest.mark.parametrize(
    ("turns", "takeover"),
    [("RC" * 8 + "MC" * 12, True), ("RC" * 12 + "MC" * 2 + "RC" * 2, False), ("RC" * 8 + "MC" * 8 + "RC" * 2, None)],
)
def test_takeover_where_voices_are_hard_to_tell_needs_a_clear_share(turns, takeover):
    call = script(turns)
    joint = manager_part(replace(call, quality=ListeningQuality("by hand", diarization_trust="low")), RUBRIC)
    assert joint.takeover is takeover
    assert (joint.withheld is None) == (takeover is not None)
    if takeover is None:
        assert joint.withheld.startswith("The voices were told apart without a model that was trained for it")
        assert joint.manager_share is not None and joint.began_turn is None


# --- robustness ---


@pytest.mark.parametrize("turns", ["", "R", "M", "RM", "rmc", "C" * 5])
def test_takeover_of_next_to_nothing_cannot_be_told(turns):
    assert manager_part(script(turns), RUBRIC).takeover is None


def test_takeover_turns_without_length_are_counted_by_their_words():
    call = script("RC" * 8 + "MC" * 8)
    flat = replace(call, turns=tuple(replace(turn, start=5.0, end=5.0) for turn in call.turns))
    assert manager_part(flat, RUBRIC).share_after == 1.0


def test_takeover_turns_out_of_order_are_put_in_order():
    call = script("RC" * 8 + "MC" * 8)
    timed = [replace(one, start=10.0 * i, end=10.0 * i + 9) for i, one in enumerate(call.turns)]
    mixed = replace(call, turns=tuple(timed[16:] + timed[:16]), duration=330.0)
    joint = manager_part(mixed, RUBRIC)
    assert (joint.began_turn, joint.began_at, joint.rep_silent_for) == (0, 160.0, 170.0)


def test_takeover_of_ten_thousand_turns_takes_less_than_a_second():
    call = script("RC" * 2500 + "MC" * 2500)
    timed = replace(call, turns=tuple(replace(one, start=4.0 * i, end=4.0 * i + 3) for i, one in enumerate(call.turns)))
    for one in (call, timed):
        started = time.process_time()
        assert manager_part(one, RUBRIC).began_turn == 5000
        assert time.process_time() - started < 1


def test_takeover_renaming_speakers_changes_nothing_else():
    call = script("RCRCMC" + "RC" * 4 + "MC" * 8)
    names = {"R": "zz", "M": "aa", "C": "mm"}
    renamed = replace(
        call,
        turns=tuple(replace(turn, speaker=names[turn.speaker]) for turn in call.turns),
        participants=tuple(replace(one, speaker=names[one.speaker]) for one in call.participants),
    )
    joint = manager_part(call, RUBRIC)
    assert manager_part(renamed, RUBRIC) == replace(joint, said_before_by=names[joint.said_before_by])


def test_takeover_scaling_times_scales_seconds_alone():
    turns = "RC" * 8 + "MC" * 8 + "RC" + "MC" * 4

    def spoken(scale: float) -> Joint:
        lines = [
            replace(one, start=scale * 9 * i, end=scale * (9 * i + 8)) for i, one in enumerate(script(turns).turns)
        ]
        return manager_part(replace(script(turns), turns=tuple(lines), duration=scale * 9 * len(lines)), RUBRIC)

    once, twice = spoken(1.0), spoken(2.0)
    doubled = replace(once, began_at=2 * once.began_at, rep_silent_for=2 * once.rep_silent_for)
    assert twice == doubled


# --- the corpus ---


def joint_calls():
    for path in sorted((resources.ROOT / "data" / "corpus" / "calls").glob("*.json")):
        labelled = json.loads(path.read_text(encoding="utf-8"))
        if labelled["type"] == "joint":
            yield pytest.param(labelled, id=labelled["id"])


@pytest.mark.parametrize("labelled", list(joint_calls()))
def test_takeover_agrees_with_the_labels_of_the_corpus(labelled):
    people = tuple(Participant(one["speaker"], one["name"], one["role"]) for one in labelled["participants"])
    turns = tuple(Turn(turn["speaker"], turn["text"]) for turn in labelled["turns"])
    call = Call(labelled["id"], "joint", turns, people, None, ListeningQuality("by hand"))
    joint = manager_part(call, RUBRIC)
    assert (joint.takeover, joint.began_turn) == (labelled["manager_takeover"], labelled["takeover_turn"])
