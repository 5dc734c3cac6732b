"""The manager's part in a joint call, in words. Scorecard in, a `JointView` out."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records import Scorecard
from pipeline.report import words
from pipeline.report.behaviour_cards import Place, place_of
from pipeline.report.words import NOT_MEASURED

SAID_BEFORE_WORDS = 40


@dataclass(frozen=True, slots=True)
class JointView:
    """The manager's part. `answer` says whether the manager took over; `facts` are sentences; `began` is where."""

    chip: str
    answer: str
    facts: tuple[str, ...]
    share: float | None
    share_words: str
    began: Place | None
    said_by: str
    said_before: str
    question: str


def joint_view(scorecard: Scorecard) -> JointView | None:
    """The joint section; None for a call without a manager, and for a meeting, where nothing can be taken over."""
    call, joint = scorecard.call, scorecard.joint
    managers = [one for one in call.participants if one.role == "manager"]
    if call.is_meeting or (not managers and joint.manager_share is None and call.call_type != "joint"):
        return None
    chip, answer = _takeover_words(joint.takeover)
    began = None if joint.began_turn is None else place_of(call, joint.began_turn, joint.began_at)
    before = (joint.began_turn or 0) - 1
    names = words.display_names(call)
    return JointView(
        chip=chip,
        answer=answer,
        facts=_facts(scorecard),
        share=joint.manager_share,
        share_words=NOT_MEASURED if joint.manager_share is None else words.percent(joint.manager_share),
        began=began,
        said_by=_said_by(scorecard, before, names),
        said_before=_last_words(joint.said_before or ""),
        question=words.QUESTIONS["takeover"] if joint.takeover else "",
    )


def _takeover_words(takeover: bool | None) -> tuple[str, str]:
    if takeover is None:
        return "unknown", "Whether the manager took over cannot be told from this recording."
    if takeover:
        return "yes", "The manager took over the selling side."
    return "no", "The manager did not take over: both kept a part."


def _facts(scorecard: Scorecard) -> tuple[str, ...]:
    joint, names = scorecard.joint, words.display_names(scorecard.call)
    reps = [names[one.speaker] for one in words.participants(scorecard.call) if one.role == "rep"]
    facts = []
    if joint.takeover and joint.rep_silent_for is not None:
        rep = words.listing(reps) or "The rep"
        facts.append(f"From there {rep} said nothing more than a word or two for {words.length(joint.rep_silent_for)}.")
    if joint.takeover is None and joint.manager_share is None:
        facts.append("It takes a rep, a manager and a buyer who are all known to the scorecard and all heard.")
    return tuple(facts)


def _said_by(scorecard: Scorecard, turn: int, names: dict[str, str]) -> str:
    """Who said what came just before; the nearest turn before the takeover with those words, else nobody."""
    turns, said = scorecard.call.turns, scorecard.joint.said_before
    for index in range(min(turn, len(turns) - 1), -1, -1):
        if said and said in turns[index].text:
            return names.get(turns[index].speaker, "")
    return ""


def _last_words(text: str) -> str:
    parts = text.split()
    return text if len(parts) <= SAID_BEFORE_WORDS else "… " + " ".join(parts[-SAID_BEFORE_WORDS:])
