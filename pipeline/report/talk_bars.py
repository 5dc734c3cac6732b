"""Talk measures and the joint call in words and bars. Scorecard and rubric in, `TalkBar`s and a `JointView` out.

Bar lengths are shares (0-1) of the scale of their measure. What was not measured has no bar and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.assess.rubric import Rubric
from pipeline.records import ROLES, Scorecard, TalkMeasures
from pipeline.report import words
from pipeline.report.behaviour_cards import Place, place_of
from pipeline.report.words import NOT_MEASURED, SPACE

SAID_BEFORE_WORDS = 40


@dataclass(frozen=True, slots=True)
class Bar:
    """One side's or speaker's bar: `length` is 0-1, None for "not measured"; `tone` is the side's or role's class."""

    name: str
    tone: str
    value: str
    length: float | None


@dataclass(frozen=True, slots=True)
class TalkBar:
    """A measure: its bars by side and by speaker, and the seller side's usual range (`band`, 0-1) in words."""

    title: str
    definition: str
    sides: tuple[Bar, ...]
    speakers: tuple[Bar, ...]
    band: tuple[float, float] | None
    usual: str
    verdict: str


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


@dataclass(frozen=True, slots=True)
class _Measure:
    """How one measure is read and written. `scale_to` is the least upper end of its scale."""

    title: str
    definition: str
    value: Callable[[TalkMeasures], float | None]
    write: Callable[[float], str]
    scale_to: float
    range_name: str | None = None
    detail: Callable[[TalkMeasures], str] | None = None


def _seconds(value: float) -> str:
    return f"{words.number(value)}{SPACE}s" if value < 10 else words.length(value)


def _a_minute(value: float) -> str:
    return f"{words.number(value)} a{SPACE}minute"


def _times(value: float) -> str:
    return words.counted(round(value), "time").replace(" ", SPACE)


def _asked(measures: TalkMeasures) -> str:
    return "" if measures.questions is None else f"{words.counted(measures.questions, 'question')}, "


MEASURES = (
    _Measure(
        "Talk share", "Speaking time of one side or person as a share of all speaking time.",
        lambda one: one.talk_share, words.percent, 1.0, "talk_share",
    ),
    _Measure(
        "Longest monologue", "The longest stretch in which nobody else had the floor.",
        lambda one: one.longest_monologue, _seconds, 60.0, "longest_monologue",
    ),
    _Measure(
        "Questions", "Questions asked, and how many that is for each minute of the call.",
        lambda one: one.questions_per_minute, _a_minute, 1.0, "questions_per_minute", _asked,
    ),
    _Measure(
        "Patience", "The pause before answering the buyer: half of the pauses were shorter, half were longer.",
        lambda one: one.patience, _seconds, 1.0, "patience",
    ),
    _Measure(
        "Interruptions", "Times of starting while somebody else spoke, and then having the floor.",
        lambda one: None if one.interruptions is None else float(one.interruptions), _times, 5.0,
    ),
    _Measure(
        "Speaking pace", "Words for each minute of one's own speaking time.",
        lambda one: one.words_per_minute, lambda value: f"{value:.0f} words a{SPACE}minute", 200.0, "words_per_minute",
    ),
)  # fmt: skip


def talk_bars(scorecard: Scorecard, rubric: Rubric) -> tuple[TalkBar, ...]:
    """A talk bar for each measure, in a fixed order; none where nobody spoke."""
    if not scorecard.talk.by_side:
        return ()
    return tuple(_talk_bar(measure, scorecard, dict(rubric.talk)) for measure in MEASURES)


def talk_notes(scorecard: Scorecard) -> tuple[str, ...]:
    """What holds for the whole call, a sentence each."""
    talk = scorecard.talk
    notes = []
    if talk.basis == "words" and talk.by_side:
        notes.append("The transcript has no times, so talk share is counted in words.")
    if talk.switches_per_minute is not None:
        notes.append(f"The floor changed hands {words.number(talk.switches_per_minute)} times a minute.")
    if talk.dead_air is not None:
        pauses = f"Longer pauses, in which nobody spoke, come to {words.length(talk.dead_air)} in all."
        notes.append(pauses if talk.dead_air > 0 else "There were no longer pauses in which nobody spoke.")
    return tuple(notes)


def joint_view(scorecard: Scorecard) -> JointView | None:
    """The joint section; None for a call without a manager."""
    call, joint = scorecard.call, scorecard.joint
    managers = [one for one in call.participants if one.role == "manager"]
    if not managers and joint.manager_share is None and call.call_type != "joint":
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


def _talk_bar(measure: _Measure, scorecard: Scorecard, ranges: dict[str, tuple[float, float]]) -> TalkBar:
    talk, names = scorecard.talk, words.display_names(scorecard.call)
    usual = ranges.get(measure.range_name or "")
    everything = [measure.value(one) for _, one in (*talk.by_side, *talk.by_speaker)]
    top = max([measure.scale_to, *(value for value in everything if value is not None), *(usual or ())])
    if usual and measure.scale_to != 1.0:
        top = max(top, usual[1] * 1.25)
    seller = dict(talk.by_side).get("seller")
    measured = None if seller is None else measure.value(seller)
    shown = [pair for pair in talk.by_side if not _answers_only(measure) or pair[0] != "buyer"]
    speakers = sorted(talk.by_speaker, key=lambda pair: ROLES.index(scorecard.call.participant(pair[0]).role))
    return TalkBar(
        title=measure.title,
        definition=measure.definition,
        sides=tuple(_bar(measure, words.SIDE_WORDS[side], side, one, top) for side, one in shown),
        speakers=tuple(
            _bar(measure, names.get(speaker, speaker), scorecard.call.participant(speaker).role, one, top)
            for speaker, one in speakers
            if not _answers_only(measure) or scorecard.call.participant(speaker).side != "buyer"
        ),
        band=None if usual is None or measured is None else (usual[0] / top, usual[1] / top),
        usual="" if usual is None else _range(measure, usual),
        verdict=_verdict(measured, usual),
    )


def _answers_only(measure: _Measure) -> bool:
    """Whether the measure is about answering the buyer, which the buyer side cannot do."""
    return measure.range_name == "patience"


def _bar(measure: _Measure, name: str, tone: str, measures: TalkMeasures, top: float) -> Bar:
    value = measure.value(measures)
    if value is None:
        return Bar(name, tone, NOT_MEASURED, None)
    detail = measure.detail(measures) if measure.detail else ""
    return Bar(name, tone, detail + measure.write(value), min(1.0, value / top))


def _range(measure: _Measure, usual: tuple[float, float]) -> str:
    """The usual range with its unit, said once where both ends have the same."""
    low, high = (measure.write(value) for value in usual)
    if usual[0] == 0:
        return f"up to {high}"
    (first, *unit), (_, *last_unit) = low.split(), high.split()
    return f"{first if unit == last_unit else low} to {high}"


def _verdict(value: float | None, usual: tuple[float, float] | None) -> str:
    if value is None or usual is None:
        return ""
    if value < usual[0]:
        return "below the usual range"
    return "above the usual range" if value > usual[1] else "in the usual range"


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
        facts.append("It takes a rep and a manager who are both known to the scorecard and both heard.")
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
