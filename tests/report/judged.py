"""Scorecards of more than the core: a joint call with discovery, and a one-to-one of a manager and a rep."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.assess.rubric import Rubric, RubricBehaviour, rubric_for
from pipeline.assess.scorecard import to_json
from pipeline.records import Agreement, BehaviourScore, Call, ListeningQuality, Participant, Scorecard, SpeechSegment
from tests.builders import core_rubric

from .conftest import NAMES, cite, joint_behaviours, joint_call, scorecard_of, spoken

ONE_ON_ONE = (Path(__file__).parent / "one_on_one.txt").read_text(encoding="utf-8")
TOO_LITTLE = (
    "The machine does not agree with people well enough on this behaviour: weighted kappa 0.48 on 118 calls, where at "
    "least 0.60 is asked."
)
DISCOVERY = RubricBehaviour(
    "discovery", "discovery", "Discovering what matters", "Discovery",
    criteria=(
        ("open", "asks open questions"), ("problem", "brings out a problem"),
        ("follow_up", "follows up on an answer"), ("quantify", "puts a figure on it with the buyer"),
    ),
)  # fmt: skip
MEETING = (
    RubricBehaviour("meeting_purpose", "meeting_purpose", "Setting the purpose of the meeting", "Purpose",
                    criteria=(("purpose", "says what this one meeting is for"), ("plan", "agrees what to go through"))),
    RubricBehaviour("guiding", "guiding", "Guiding rather than telling", "Guiding",
                    criteria=(("ask", "asks so that the rep finds the way"),)),
    RubricBehaviour("feedback", "feedback", "Giving feedback", "Feedback",
                    criteria=(("specific", "names what the rep did or said, and where"),
                              ("balanced", "says what worked as well as what to change"))),
    RubricBehaviour("action_items", "action_items", "Agreeing actions", "Actions",
                    criteria=(("action", "names a concrete thing to do"), ("owner", "says who does it"),
                              ("when", "gives a date, a day or a bounded time"))),
    RubricBehaviour("reconciliation", "reconciliation", "Going through the last actions", "Last actions",
                    criteria=(("check", "asks what became of the actions agreed last time"),)),
)  # fmt: skip


def public(scorecard: Scorecard) -> Any:
    """The scorecard in its public format, read back."""
    return json.loads(to_json(scorecard))


def six_rubric() -> Rubric:
    core = core_rubric("joint")
    return replace(core, behaviours=(*core.behaviours, DISCOVERY))


def six() -> Scorecard:
    """A joint call with discovery: one behaviour not present with its nearest miss, one withheld for agreement."""
    call = joint_call()
    agenda, story, absent, value, steps = joint_behaviours(call)
    nearest = cite(call, 18, "Ours is cheaper than the big suites and it has eleven more modules, and honestly the "
                             "dashboards are the best on the market.")  # fmt: skip
    found = BehaviourScore(
        "discovery", 2, (0.05, 0.15, 0.6, 0.2), None, ("open", "problem", "quantify"), ("follow_up",),
        (
            cite(call, 5, "So tell me about a bad Friday, what happens from the moment the order comes in?", "open"),
            cite(call, 7, "what does a lost forty minutes cost you, have you put a figure on it?", "quantify"),
        ),
        (0, 29),
    )  # fmt: skip
    scores = (
        agenda,
        story,
        replace(absent, evidence=(nearest,)),
        replace(value, probabilities=(0.05, 0.15, 0.7, 0.1), withheld=TOO_LITTLE),
        steps,
        found,
    )
    agreement = (
        Agreement("agenda", 0.78, 0.67, 0.85, 118, 1.0),
        Agreement("value_proposition", 0.48, 0.31, 0.6, 118, 0.94),
        Agreement("discovery", 0.66, 0.52, 0.77, 118, 0.97),
    )
    return replace(scorecard_of(call, scores, six_rubric()), agreement=agreement)


def one_on_one_rubric() -> Rubric:
    return replace(rubric_for("one_on_one"), behaviours=MEETING)


def one_on_one_call(*, timed: bool = True) -> Call:
    turns = spoken(ONE_ON_ONE, timed=timed)
    speech = tuple(SpeechSegment(one.speaker, one.start, one.end) for one in turns if one.start is not None and one.end)
    return Call(
        call_id="nair-adeyemi-2026-03-04",
        call_type="one_on_one",
        turns=turns,
        participants=(Participant("T", NAMES["T"], "rep"), Participant("P", NAMES["P"], "manager")),
        duration=(turns[-1].end or 0) + 2 if timed else None,
        quality=ListeningQuality("imported transcript"),
        source_sha256="7c2e" * 16,
        started_at="2026-03-04T09:00:00",
        speech=speech,
    )


def one_on_one() -> Scorecard:
    """A one-to-one of 14 turns with the five behaviours of a meeting; feedback is not present, with a nearest miss."""
    call = one_on_one_call()
    scores = (
        BehaviourScore(
            "meeting_purpose", 3, (0.02, 0.05, 0.23, 0.7), None, ("purpose", "plan"), (),
            (
                cite(call, 1, "First what came of last week, then the Hexley call", "plan"),
                cite(call, 2, "Good, so one purpose: the end of the Hexley call.", "purpose"),
            ),
            (0, 5),
        ),
        BehaviourScore(
            "guiding", 1, (0.1, 0.6, 0.25, 0.05), None, (), ("ask",),
            (cite(call, 6, "What could you say instead that leaves it in their hands, but with a day in it?"),),
            (0, 13),
        ),
        BehaviourScore(
            "feedback", 0, (0.6, 0.3, 0.1, 0.0), None, (), ("specific", "balanced"),
            (cite(call, 8, "I like the second one."),), (0, 13),
        ),
        BehaviourScore(
            "action_items", 2, (0.05, 0.15, 0.6, 0.2), None, ("action", "when"), ("owner",),
            (cite(call, 12, "Send me the wording by Wednesday noon", "action", "when"),), (4, 13),
        ),
        BehaviourScore(
            "reconciliation", None, (0.1, 0.2, 0.6, 0.1), TOO_LITTLE, ("check",), (),
            (cite(call, 2, "What became of the three invitations from last week?", "check"),), (0, 13),
        ),
    )  # fmt: skip
    agreement = (Agreement("reconciliation", 0.48, 0.2, 0.7, 10, 0.9), Agreement("guiding", 0.7, 0.5, 0.85, 10, 0.95))
    return replace(scorecard_of(call, scores, one_on_one_rubric()), agreement=agreement)
