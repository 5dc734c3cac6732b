"""The scorecard of one call as one self-contained HTML page. Scorecard and rubric in, text out.

The page's context is one frozen record, made by pure functions; the template only lays it out. The page holds its
style and script, asks nothing of any network, and plays the recording that lies beside it, if there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.assess.rubric import Rubric
from pipeline.records import Scorecard
from pipeline.report import words
from pipeline.report.behaviour_cards import BehaviourCard, behaviour_cards
from pipeline.report.floor import Floor, build_floor
from pipeline.report.header import Person, call_length, heading, people
from pipeline.report.hear_first import Moment, hear_first
from pipeline.report.honesty import honesty_lines
from pipeline.report.joint_part import JointView, joint_view
from pipeline.report.page import beside, render
from pipeline.report.talk_bars import TalkBar, talk_bars, talk_notes
from pipeline.report.transcript_turns import TurnView, turn_views


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
        honesty=honesty_lines(scorecard, rubric, cards),
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
