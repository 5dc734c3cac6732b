"""Whatever a call holds, its talk and the manager's part keep their own rules."""

import math
from dataclasses import asdict

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.assess.measures import measure
from pipeline.assess.rubric import rubric_for
from pipeline.assess.takeover import manager_part
from pipeline.records import Call, ListeningQuality, SpeechSegment, Turn
from tests.builders import PEOPLE

SPEAKERS = st.sampled_from("RMCX")
SECONDS = st.floats(0, 600)
TEXTS = st.sampled_from(["", "mm", "What does it cost?", "word " * 20, "Let me jump in. " + "word " * 40])


@st.composite
def calls(draw):
    timed = draw(st.booleans())
    times = SECONDS if timed else st.one_of(st.none(), SECONDS)
    turns = draw(st.lists(st.builds(Turn, SPEAKERS, TEXTS, times, times), max_size=30))
    return Call(
        call_id="c1",
        call_type=draw(st.sampled_from(["joint", "demo", "one_on_one"])),
        turns=tuple(turns),
        participants=tuple(PEOPLE[one] for one in draw(st.lists(st.sampled_from("RMCX"), unique=True))),
        duration=draw(st.one_of(st.none(), SECONDS)),
        quality=ListeningQuality(
            "by hand",
            diarization_trust=draw(st.sampled_from(["high", "low"])),
            speech_attributed=draw(st.sampled_from([None, 0.5, 1.0])),
        ),
        speech=tuple(draw(st.lists(st.builds(SpeechSegment, SPEAKERS, SECONDS, SECONDS), max_size=10))),
    )


@settings(max_examples=80, deadline=None, derandomize=True)
@given(calls())
def test_any_calls_takeover_keeps_its_rules(call):
    joint = manager_part(call, rubric_for("joint"))
    shares = (joint.manager_share, joint.manager_turn_share, joint.share_before, joint.share_after)
    assert all(share is None or 0 <= share <= 1 for share in shares)
    assert (joint.began_turn is not None) == bool(joint.takeover)
    assert joint.withheld is None or joint.takeover is None
    if joint.takeover:
        assert call.role(call.turns[joint.began_turn]) == "manager"
        assert joint.said_before is None or joint.said_before in [turn.text for turn in call.turns]
        assert joint.rep_silent_for is None or joint.rep_silent_for >= 0
    if joint.returned_turn is not None:
        assert joint.rep_returned and call.role(call.turns[joint.returned_turn]) == "rep"


@settings(max_examples=80, deadline=None, derandomize=True)
@given(calls())
def test_any_calls_measures_keep_their_rules(call):
    talk = measure(call)
    for _, one in (*talk.by_speaker, *talk.by_side):
        assert all(value is None or (value >= 0 and math.isfinite(value)) for value in asdict(one).values())
    for groups in (talk.by_speaker, talk.by_side):
        shares = [one.talk_share for _, one in groups if one.talk_share is not None]
        assert sum(shares) <= 1.01
    for name, reason in talk.withheld:
        assert reason.endswith(".")
        assert all(getattr(one, name, None) is None for _, one in (*talk.by_speaker, *talk.by_side))
