"""Talk measures in words and bars, by side, in a meeting by person. Scorecard and rubric in, `TalkBar`s out.

Bar lengths are shares (0-1) of the scale of their measure. What was not measured has no bar and says so; what is
withheld has the reason in place of its bars. The definitions mean what docs/measures.md says in full.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.assess.measurable import BY_SIDE
from pipeline.assess.rubric import Rubric
from pipeline.records import ROLES, Role, Scorecard, Talk, TalkMeasures
from pipeline.report import words
from pipeline.report.words import NOT_MEASURED, SPACE


@dataclass(frozen=True, slots=True)
class Bar:
    """One side's or speaker's bar: `length` is 0-1, None for "not measured"; `tone` is the side's or role's class."""

    name: str
    tone: str
    value: str
    length: float | None


@dataclass(frozen=True, slots=True)
class TalkBar:
    """A measure: its bars by side and by speaker, and the usual range (`band`, 0-1) in words.

    The range is that of the bars with the tone `band_tone`: of the seller side, in a meeting of the manager; `band_for`
    says so. In a meeting, and where the sides are not known, `sides` has the people, and `speakers` is empty.
    `withheld` says why there are no bars; empty where there are."""

    title: str
    definition: str
    sides: tuple[Bar, ...]
    speakers: tuple[Bar, ...]
    band: tuple[float, float] | None
    band_tone: str
    band_for: str
    usual: str
    verdict: str
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class _Measure:
    """How one measure is read and written. `name` is its field's, `scale_to` the least upper end of its scale."""

    name: str
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
        "talk_share", "Talk share",
        "The share of all speaking time in which this side or person speaks. Silence counts for nobody, and where two "
        "speak at once both times count, so that the shares add to 100\N{NO-BREAK SPACE}%.",
        lambda one: one.talk_share, words.percent, 1.0, "talk_share",
    ),
    _Measure(
        "longest_monologue", "Longest monologue",
        "The longest stretch in which nobody else had the floor, from its first word to its last. A word or two of "
        "others, such as “right”, does not end it.",
        lambda one: one.longest_monologue, _seconds, 60.0, "longest_monologue",
    ),
    _Measure(
        "questions", "Questions",
        "Question marks in the transcript, and how many that is for each minute of the {call}.",
        lambda one: one.questions_per_minute, _a_minute, 1.0, "questions_per_minute", _asked,
    ),
    _Measure(
        "patience", "Patience",
        "The pause before answering {heard}: half of the pauses were shorter, half were longer. A pause goes from the "
        "end of what was said to the start of the answer; starting before the end counts as none.",
        lambda one: one.patience, _seconds, 1.0, "patience",
    ),
    _Measure(
        "interruptions", "Interruptions",
        "Times of starting while somebody else spoke, at least 0.3\N{NO-BREAK SPACE}s before they stopped, and having "
        "the floor after that.",
        lambda one: None if one.interruptions is None else float(one.interruptions), _times, 5.0,
    ),
    _Measure(
        "words_per_minute", "Speaking pace", "Words for each minute of one's own speaking time.",
        lambda one: one.words_per_minute, lambda value: f"{value:.0f} words a{SPACE}minute", 200.0, "words_per_minute",
    ),
)  # fmt: skip


def talk_bars(scorecard: Scorecard, rubric: Rubric) -> tuple[TalkBar, ...]:
    """A talk bar for each measure, in a fixed order; none where nobody spoke."""
    if not scorecard.talk.by_side:
        return ()
    bars = (_talk_bar(measure, scorecard, dict(rubric.talk)) for measure in MEASURES)
    return tuple(one for one in bars if one.sides)


def talk_notes(scorecard: Scorecard) -> tuple[str, ...]:
    """What holds for the whole call, a sentence each, and why what is missing is missing."""
    talk = scorecard.talk
    withheld = dict(talk.withheld)
    notes = []
    if talk.basis == "words" and talk.by_side and "talk_share" not in withheld:
        reason = withheld.get("dead_air", "The transcript has no times.")
        notes.append(f"{reason.rstrip('.')}, so talk share is counted in words.")
    if BY_SIDE in withheld:
        notes.append(f"Talk is shown by person, not by side. {withheld[BY_SIDE]}")
    if talk.switches_per_minute is not None:
        notes.append(f"The floor changed hands {words.number(talk.switches_per_minute)} times a minute.")
    if talk.dead_air is not None:
        pauses = f"Pauses of two seconds or more, in which nobody spoke, come to {words.length(talk.dead_air)} in all."
        notes.append(pauses if talk.dead_air > 0 else "There was no pause of two seconds or more.")
    return tuple(notes)


def _talk_bar(measure: _Measure, scorecard: Scorecard, ranges: dict[str, tuple[float, float]]) -> TalkBar:
    talk, meeting, usual = scorecard.talk, scorecard.call.is_meeting, ranges.get(measure.range_name or "")
    withheld = dict(talk.withheld)
    top = _top(measure, talk, usual)
    leads = _leads(scorecard)
    measured = None if leads is None else measure.value(leads)
    sides, speakers = _sides(measure, talk, top), _speakers(measure, scorecard, top)
    by_person = meeting or BY_SIDE in withheld
    return TalkBar(
        title=measure.title,
        definition=_definition(measure, scorecard),
        sides=speakers if by_person else sides,
        speakers=() if by_person else speakers,
        band=None if usual is None or measured is None else (usual[0] / top, usual[1] / top),
        band_tone="manager" if meeting else "seller",
        band_for="the manager" if meeting else "the seller side",
        usual="" if usual is None else _range(measure, usual),
        verdict=_verdict(measured, usual, "manager " if meeting else ""),
        withheld=withheld.get(measure.name, ""),
    )


def _top(measure: _Measure, talk: Talk, usual: tuple[float, float] | None) -> float:
    """The upper end of the measure's scale: everything measured and the usual range have room on it."""
    everything = [measure.value(one) for _, one in (*talk.by_side, *talk.by_speaker)]
    top: float = max([measure.scale_to, *(value for value in everything if value is not None), *(usual or ())])
    return max(top, usual[1] * 1.25) if usual and measure.scale_to != 1.0 else top


def _sides(measure: _Measure, talk: Talk, top: float) -> tuple[Bar, ...]:
    return tuple(
        _bar(measure, words.SIDE_WORDS[side], side, one, top)
        for side, one in talk.by_side
        if not _answers_only(measure) or side != "buyer"
    )


def _speakers(measure: _Measure, scorecard: Scorecard, top: float) -> tuple[Bar, ...]:
    names, meeting = words.display_names(scorecard.call), scorecard.call.is_meeting
    return tuple(
        _bar(measure, names.get(speaker, speaker), role, one, top)
        for speaker, role, one in _by_role(scorecard)
        if not _answers_only(measure) or (role == "manager" if meeting else role != "customer")
    )


def _definition(measure: _Measure, scorecard: Scorecard) -> str:
    meeting = scorecard.call.is_meeting
    text = measure.definition.format(heard="the rep" if meeting else "the buyer", call="meeting" if meeting else "call")
    in_words = measure.name == "talk_share" and scorecard.talk.basis == "words"
    return f"{text} Here it is counted in words." if in_words else text


def _leads(scorecard: Scorecard) -> TalkMeasures | None:
    """The measures that the usual range is for: the seller side's, in a meeting the manager's; None where there is none
    or more than one."""
    if not scorecard.call.is_meeting:
        return dict(scorecard.talk.by_side).get("seller")
    managers = [one for _, role, one in _by_role(scorecard) if role == "manager"]
    return managers[0] if len(managers) == 1 else None


def _by_role(scorecard: Scorecard) -> list[tuple[str, Role, TalkMeasures]]:
    """Speaker, role and measures, in the order of the floor's lanes."""
    found = [(name, scorecard.call.participant(name).role, one) for name, one in scorecard.talk.by_speaker]
    return sorted(found, key=lambda one: ROLES.index(one[1]))


def _answers_only(measure: _Measure) -> bool:
    """Whether the measure is about answering the other side, which the other side cannot do."""
    return measure.range_name == "patience"


def _bar(measure: _Measure, name: str, tone: str, measures: TalkMeasures, top: float) -> Bar:
    value = measure.value(measures)
    detail = measure.detail(measures) if measure.detail else ""
    if value is None:
        return Bar(name, tone, detail.removesuffix(", ") or NOT_MEASURED, None)
    return Bar(name, tone, detail + measure.write(value), min(1.0, value / top))


def _range(measure: _Measure, usual: tuple[float, float]) -> str:
    """The usual range with its unit, said once where both ends have the same."""
    low, high = (measure.write(value) for value in usual)
    if usual[0] == 0:
        return f"up to {high}"
    (first, *unit), (_, *last_unit) = low.split(), high.split()
    return f"{first if unit == last_unit else low} to {high}"


def _verdict(value: float | None, usual: tuple[float, float] | None, who: str) -> str:
    if value is None or usual is None:
        return ""
    if value < usual[0]:
        return f"{who}below the usual range"
    return f"{who}above the usual range" if value > usual[1] else f"{who}in the usual range"
