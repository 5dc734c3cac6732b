"""The page that lists the scored calls of a folder, each with its levels and a link to its scorecard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.assess.rubric import rubric_for
from pipeline.records import CALL_TYPES, MEETINGS
from pipeline.report import words
from pipeline.report.page import beside, render
from pipeline.report.words import Chip


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call: `link` is relative to the page, `chips` has one entry a behaviour of the page, None where the call's
    rubric lacks it. `facts` are call type, date, length and sellers in words; `talk` the shares and the takeover."""

    link: str
    heading: str
    facts: tuple[str, ...]
    chips: tuple[Chip | None, ...]
    talk: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallGroup:
    """Calls that are judged on much the same: sales calls, or manager meetings. `behaviours` are the columns' names, by
    the shipped rubrics where they have them."""

    title: str
    behaviours: tuple[str, ...]
    calls: tuple[CallLine, ...]


@dataclass(frozen=True, slots=True)
class IndexPage:
    """The whole page, with no empty group; `failures` are (call id, reason) of the last run."""

    title: str
    groups: tuple[CallGroup, ...]
    failures: tuple[tuple[str, str], ...]


def index_page(cards: Sequence[Mapping[str, Any]], failures: Sequence[tuple[str, str]] = ()) -> str:
    """The HTML page of scorecards in their public format, the newest call first, those without a date last."""
    dated = sorted(cards, key=lambda card: (card["started_at"] or "", card["call_id"]), reverse=True)
    sold = [card for card in dated if not _is_meeting(card)]
    groups = (("Sales calls", sold), ("Manager meetings", [card for card in dated if _is_meeting(card)]))
    page = IndexPage(
        title=f"{words.counted(len(cards), 'call')} scored",
        groups=tuple(_group(title, group) for title, group in groups if group),
        failures=tuple(failures),
    )
    return render("index.html", page)


def _is_meeting(card: Mapping[str, Any]) -> bool:
    return card["call_type"] in MEETINGS


def _group(title: str, cards: Sequence[Mapping[str, Any]]) -> CallGroup:
    names = tuple(dict.fromkeys(name for card in cards for name in card["behaviours"]))
    shorts = {one.name: one.short for call_type in CALL_TYPES for one in rubric_for(call_type).behaviours}
    columns = tuple(shorts.get(name, name.replace("_", " ").capitalize()) for name in names)
    return CallGroup(title, columns, tuple(_line(card, names) for card in cards))


def _line(card: Mapping[str, Any], behaviours: Sequence[str]) -> CallLine:
    found = card["behaviours"]
    return CallLine(
        link=beside(f"calls/{card['call_id']}/scorecard.html"),
        heading=_heading(card),
        facts=_facts(card),
        chips=tuple(words.level_chip(found[name]["level"]) if name in found else None for name in behaviours),
        talk=_talk(card),
    )


def _heading(card: Mapping[str, Any]) -> str:
    for column in ("company", "account"):
        if card["details"].get(column):
            return str(card["details"][column])
    if _is_meeting(card):
        return _two_people(card) or str(card["call_id"])
    return ", ".join(_names(card, "customer")) or str(card["call_id"])


def _two_people(card: Mapping[str, Any]) -> str:
    """Who meets whom; empty where no name is known."""
    return " with ".join(filter(None, (words.listing(_names(card, role)) for role in ("manager", "rep"))))


def _facts(card: Mapping[str, Any]) -> tuple[str, ...]:
    length = "" if card["duration"] is None else words.length(card["duration"])
    sellers = words.listing([*_names(card, "rep"), *_names(card, "manager")])
    date = words.date_in_words(card["started_at"])
    kind = words.CALL_TYPE_WORDS.get(card["call_type"], card["call_type"])
    headed = _is_meeting(card) and _heading(card) == _two_people(card)
    return tuple(fact for fact in (kind, date, length, "" if headed else sellers) if fact)


def _names(card: Mapping[str, Any], role: str) -> list[str]:
    return [one["name"] for one in card["participants"] if one["role"] == role and one["name"]]


def _talk(card: Mapping[str, Any]) -> tuple[str, ...]:
    if _is_meeting(card):
        return _manager_talk(card)
    share = card["talk"]["by_side"].get("seller", {}).get("talk_share")
    said = () if share is None else (f"seller side talks {words.percent(share)}",)
    if not card["joint"]["takeover"]:
        return said
    at = card["joint"]["began_at"]
    where = f"turn {card['joint']['began_turn'] + 1}" if at is None else words.clock(at)
    return (*said, f"manager takes over at {where}")


def _manager_talk(card: Mapping[str, Any]) -> tuple[str, ...]:
    """How much the manager talks, where one is known and the share is measured."""
    managers = [one["speaker"] for one in card["participants"] if one["role"] == "manager"]
    spoken = [card["talk"]["by_speaker"].get(speaker, {}).get("talk_share") for speaker in managers]
    shares = [share for share in spoken if share is not None]
    return (f"manager talks {words.percent(sum(shares))}",) if shares else ()
