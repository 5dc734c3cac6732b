"""The scorecard of one call as one self-contained HTML page. Scorecard and rubric in, text out.

The page's context is one frozen record, made by pure functions; the template only lays it out. The page holds its
style and script, asks nothing of any network, and plays the recording that lies beside it, if there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.assess.rubric import Rubric
from pipeline.records import Agreement, Scorecard
from pipeline.report import words
from pipeline.report.behaviour_cards import BehaviourCard, behaviour_cards
from pipeline.report.floor import Floor, build_floor
from pipeline.report.header import Person, call_length, heading, people
from pipeline.report.hear_first import Moment, hear_first
from pipeline.report.joint_part import JointView, joint_view
from pipeline.report.page import beside, render
from pipeline.report.talk_bars import TalkBar, talk_bars, talk_notes
from pipeline.report.transcript_turns import TurnView, turn_views

_HASH = re.compile(r"[0-9a-f]{32,}")


@dataclass(frozen=True, slots=True)
class ScorecardPage:
    """All that the page shows.

    `heading` is the customer (or the call id), `facts` the line below it: rubric, date, length. `summary` says in a
    sentence or two how the call went. `cards` are the behaviours in the rubric's order. `floor` and `joint` are None
    where there is nothing to draw or no manager. `audio` is the link to the recording beside the page, None without
    one. `honesty` are the (topic, statement) pairs at the foot, `versions` those of the provenance.
    """

    heading: str
    call_id: str
    facts: tuple[str, ...]
    people: tuple[Person, ...]
    summary: str
    cards: tuple[BehaviourCard, ...]
    floor: Floor | None
    moments: tuple[Moment, ...]
    bars: tuple[TalkBar, ...]
    talk_notes: tuple[str, ...]
    joint: JointView | None
    warnings: tuple[str, ...]
    turns: tuple[TurnView, ...]
    audio: str | None
    honesty: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]


def scorecard_page(scorecard: Scorecard, rubric: Rubric, *, audio: str | None) -> str:
    """The whole HTML page. `audio` is the name of the sound file beside the page, None without a recording."""
    page = page_of(scorecard, rubric, audio=audio)
    return render("scorecard.html", page, script="scorecard.js", media=audio is not None)


def page_of(scorecard: Scorecard, rubric: Rubric, *, audio: str | None) -> ScorecardPage:
    """The page's context."""
    call = scorecard.call
    cards = behaviour_cards(scorecard, rubric)
    return ScorecardPage(
        heading=heading(call),
        call_id=call.call_id,
        facts=(rubric.title, words.date_in_words(call.started_at), call_length(call)),
        people=people(call),
        summary=_summary(scorecard, cards),
        cards=cards,
        floor=build_floor(scorecard, {card.name: (card.short, card.id) for card in cards}),
        moments=hear_first(scorecard, cards),
        bars=talk_bars(scorecard, rubric),
        talk_notes=talk_notes(scorecard),
        joint=joint_view(scorecard),
        warnings=tuple(dict.fromkeys(map(words.sentence, (*scorecard.warnings, *call.quality.warnings)))),
        turns=turn_views(scorecard, cards),
        audio=None if audio is None else beside(audio),
        honesty=_honesty(scorecard, rubric, cards),
        versions=tuple((_topic(name), value) for name, value in _flat(scorecard.provenance)),
    )


# --- summary --------------------------------------------------------------------------------------


def _summary(scorecard: Scorecard, cards: Sequence[BehaviourCard]) -> str:
    """How it went: how many behaviours did their job, what could not be said, and whether the manager took over."""
    if not scorecard.call.turns:
        return "Nothing was said on this recording, so there is nothing to judge."
    if not cards:
        return "This rubric judges no behaviours; the page shows who spoke, and how."
    judged = [card for card in cards if card.level is not None]
    said = []
    if judged:
        well = sum(1 for card in judged if card.level is not None and card.level >= 2)
        said.append(_well_done(well, len(judged), words.listing(sorted({card.served for card in judged}))))
    if len(judged) < len(cards):
        held = words.spelled(len(cards) - len(judged)).capitalize() if judged else "Every behaviour"
        said.append(f"{held} {'is' if len(cards) - len(judged) == 1 or not judged else 'are'} withheld.")
    if scorecard.joint.takeover and not scorecard.call.is_meeting:
        at = scorecard.joint.began_at
        said.append("The manager took over" + ("." if at is None else f" at {words.clock(at)}."))
    return " ".join(said)


def _well_done(well: int, judged: int, served: str) -> str:
    """ "Two of the four behaviours judged did their job for this buyer.", and its like."""
    if judged == 1:
        return f"The one behaviour judged {f'did its job for {served}' if well else 'did not do its job yet'}."
    if well == judged:
        every = "Both" if judged == 2 else f"All {words.spelled(judged)}"
        return f"{every} behaviours judged did their job for {served}."
    did = f"their job for {served}" if well > 1 else f"its job for {served}" + ("" if well else " yet")
    return f"{words.spelled(well).capitalize()} of the {words.spelled(judged)} behaviours judged did {did}."


# --- foot -----------------------------------------------------------------------------------------


def _honesty(scorecard: Scorecard, rubric: Rubric, cards: Sequence[BehaviourCard]) -> tuple[tuple[str, str], ...]:
    quality = scorecard.call.quality
    models = "; ".join(f"{name} {_HASH.sub(_shortened, value)}" for name, value in quality.models)
    withheld = [card.short for card in cards if card.level is None]
    confidence, attributed = quality.word_confidence, quality.speech_attributed
    return (
        ("Heard by", quality.engine + (f" ({models})" if models else "")),
        ("Speakers told apart by", quality.diarization),
        ("Confidence in the words", "not given by this source" if confidence is None else words.percent(confidence)),
        ("Speech with a known speaker", words.NOT_MEASURED if attributed is None else words.percent(attributed)),
        ("Judged by rubric", f"{rubric.title} ({scorecard.rubric_id}, version {scorecard.rubric_version})"),
        *_calibration(rubric),
        ("Withheld", f"{len(withheld)} of {len(cards)}" + (f": {words.listing(withheld)}" if withheld else "")),
        ("Agreement with people", _agreement(scorecard, rubric)),
    )


def _calibration(rubric: Rubric) -> tuple[tuple[str, str], ...]:
    """The calibration by which levels were given, and how well they agree with its raters; nothing without one."""
    used = rubric.calibration
    if used is None:
        return ()
    shorts = {one.name: one.short for one in rubric.behaviours}
    fitted = words.listing([shorts[name] for name, _ in used.thresholds if name in shorts]) or "no behaviour"
    measured = [one for one in used.agreement if one.behaviour in shorts]
    told = "; ".join(f"{shorts[one.behaviour]} {_beside(one)}" for one in measured)
    agreement = f" Weighted kappa with their agreed level: {told}." if told else ""
    raters = words.counted(used.raters, "rater")
    return (("Calibrated by", f"{used.file} ({used.id}): thresholds for {fitted} fit {raters}.{agreement}"),)


def _beside(one: Agreement) -> str:
    """ "0.71 (0.60 to 0.80; two raters 0.83)"."""
    people = "" if one.between_people is None else f"; two raters {one.between_people:.2f}"
    return f"{one.kappa:.2f} ({one.low:.2f} to {one.high:.2f}{people})"


def _agreement(scorecard: Scorecard, rubric: Rubric) -> str:
    """How well machine and people agree on each behaviour of the page, two people's agreement beside it."""
    measured = {one.behaviour: one for one in scorecard.agreement}
    shown = [
        (behaviour.short, measured[behaviour.judged_as])
        for behaviour in rubric.behaviours
        if behaviour.judged_as in measured
    ]
    if not shown:
        return "Not measured for this classifier: let people rate some calls before anybody acts on a level."
    machine = "; ".join(f"{name} {one.kappa:.2f} ({one.low:.2f} to {one.high:.2f})" for name, one in shown)
    people = [one.between_people for _, one in shown if one.between_people is not None]
    beside = f" Two people rating the same: {min(people):.2f} to {max(people):.2f}." if people else ""
    calls = max(one.calls for _, one in shown)
    return (
        f"Weighted kappa (1 is perfect, 0 is chance; with its 95 % interval) on {calls} written practice "
        f"{'meetings' if scorecard.call.is_meeting else 'calls'} by "
        f"authors whom the machine had not read: {machine}.{beside} On your own calls expect less."
    )


def _shortened(found: re.Match[str]) -> str:
    """The first twelve digits of a hash; the whole one stands in the provenance."""
    return f"{found[0][:12]}…"


def _topic(name: str) -> str:
    return words.sentence(name.replace("_", " ").replace(".", ", ")).rstrip(".")


def _flat(pairs: Sequence[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Provenance as (name, text); what is nested gets dotted names, what is empty is left out."""
    for name, value in pairs:
        if isinstance(value, Mapping):
            yield from _flat([(f"{name}.{inner}", value[inner]) for inner in value])
        elif isinstance(value, list | tuple):
            yield name, ", ".join(map(str, value))
        elif value not in (None, ""):
            yield name, str(value)
