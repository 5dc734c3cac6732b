"""The manager's part in a joint call, in words and bars. Scorecard in, a `JointView` out."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records import Call, Joint, Scorecard, Trigger
from pipeline.report import words
from pipeline.report.behaviour_cards import Place, place_of
from pipeline.report.words import NOT_MEASURED

SAID_BEFORE_WORDS = 40

TRIGGER_WORDS: dict[Trigger, str] = {
    "objection": "just after the buyer raised a doubt",
    "price": "just after the price came up",
    "competitor": "just after a rival or another way of doing it came up",
    "hesitation": "just after the rep hesitated",
}
"""What the manager came upon -> the end of a sentence about it."""

WHAT_IT_TAKES = "It takes a rep, a manager and a buyer who are all known to the scorecard and all heard."


@dataclass(frozen=True, slots=True)
class ShareBar:
    """The manager's share (0-1) of a part of the selling side's speech, None for "not measured", and in words."""

    name: str
    share: float | None
    in_words: str


@dataclass(frozen=True, slots=True)
class JointView:
    """The manager's part. `answer` says whether the manager took over; `facts` are sentences; `began` is where.

    `shares` are of the whole call and, with a takeover, of what was before it and from there on; none where nothing was
    measured. `definition` says what the shares and a takeover are. Empty strings stand for nothing to say.
    """

    chip: str
    answer: str
    shares: tuple[ShareBar, ...]
    facts: tuple[str, ...]
    began: Place | None
    trigger: str
    said_by: str
    said_before: str
    question: str
    definition: str


def joint_view(scorecard: Scorecard) -> JointView | None:
    """The joint section; None for a call without a manager, and for a meeting, where nothing can be taken over."""
    call, joint = scorecard.call, scorecard.joint
    managers = [one for one in call.participants if one.role == "manager"]
    if call.is_meeting or (not managers and joint.manager_share is None and call.call_type != "joint"):
        return None
    chip, answer = _takeover_words(joint)
    names = words.display_names(call)
    return JointView(
        chip=chip,
        answer=answer,
        shares=_shares(joint),
        facts=_facts(scorecard),
        began=None if joint.began_turn is None else place_of(call, joint.began_turn, joint.began_at),
        trigger=TRIGGER_WORDS[joint.trigger] if joint.takeover and joint.trigger else "",
        said_by=names.get(joint.said_before_by or "", "") if joint.said_before else "",
        said_before=_last_words(joint.said_before or ""),
        question=words.QUESTIONS["takeover"] if joint.takeover else "",
        definition=_definition(scorecard),
    )


def _takeover_words(joint: Joint) -> tuple[str, str]:
    if joint.takeover is None:
        return "unknown", "Whether the manager took over cannot be told from this recording."
    if joint.takeover:
        return "yes", "The manager took over the selling side."
    if joint.manager_share is None:
        return "no", "The manager joined as a partner and did not take over."
    share = words.percent(joint.manager_share)
    return "no", f"The manager joined as a partner and did not take over: {share} of the selling side's speech."


def _shares(joint: Joint) -> tuple[ShareBar, ...]:
    if joint.manager_share is None:
        return ()
    whole = _bar("Whole call", joint.manager_share)
    if not joint.takeover or (joint.share_before is None and joint.share_after is None):
        return (whole,)
    return whole, _bar("Before it", joint.share_before), _bar("From there on", joint.share_after)


def _bar(name: str, share: float | None) -> ShareBar:
    return ShareBar(name, share, NOT_MEASURED if share is None else words.percent(share))


def _facts(scorecard: Scorecard) -> tuple[str, ...]:
    call, joint, rep = scorecard.call, scorecard.joint, _rep(scorecard)
    if joint.takeover is None:
        return (joint.withheld or WHAT_IT_TAKES,)
    if not joint.takeover:
        back = _place(call, joint.returned_turn)
        return (f"For a while the manager led, and {rep} took the conversation back {back}.",) if back else ()
    found = (_silence(joint, rep), _return(call, joint, rep))
    return tuple(words.sentence(fact) for fact in found if fact)


def _silence(joint: Joint, rep: str) -> str:
    """How long the rep said nothing, in time and turns, or in turns alone."""
    turns = "" if joint.rep_silent_turns is None else words.counted(joint.rep_silent_turns, "turn")
    if joint.rep_silent_for is not None:
        beside = f", {turns} of others" if turns else ""
        return (
            f"From there {rep} said nothing more than a word or two for {words.length(joint.rep_silent_for)}{beside}."
        )
    return f"From there {rep} said nothing more than a word or two for {turns} of others." if turns else ""


def _return(call: Call, joint: Joint, rep: str) -> str:
    if joint.rep_returned is None:
        return ""
    back = _place(call, joint.returned_turn)
    if joint.rep_returned:
        return f"{rep} had a fair part of the conversation again {back or 'later'}."
    return f"{rep} did not get the conversation back."


def _rep(scorecard: Scorecard) -> str:
    names = words.display_names(scorecard.call)
    reps = [names[one.speaker] for one in words.participants(scorecard.call) if one.role == "rep" and one.name]
    return words.listing(reps) or "the rep"


def _place(call: Call, turn: int | None) -> str:
    """ "at 5:12", "in turn 41"; empty for no turn, or one that the call does not have."""
    if turn is None or not 0 <= turn < len(call.turns):
        return ""
    start = call.turns[turn].start
    return f"in turn {turn + 1}" if start is None else f"at {words.clock(start)}"


def _definition(scorecard: Scorecard) -> str:
    counted = "speaking time" if scorecard.talk.basis == "time" else "words, as the transcript has no times"
    turns = scorecard.joint.manager_turn_share
    in_turns = "" if turns is None else f" Of the turns of rep and manager, {words.percent(turns)} are the manager's."
    return (
        "A manager taking a part in the call is normal. A takeover means that the manager holds the selling side for "
        "most of the call, or steps in and the rep does not get the conversation back. Shares are the manager's of "
        f"what rep and manager say together, in {counted}.{in_turns}"
    )


def _last_words(text: str) -> str:
    parts = text.split()
    return text if len(parts) <= SAID_BEFORE_WORDS else "… " + " ".join(parts[-SAID_BEFORE_WORDS:])
