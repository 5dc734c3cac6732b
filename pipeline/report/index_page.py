"""The page that lists the scored calls of a folder, each with its levels and a link to its scorecard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
class IndexPage:
    """The whole page. `behaviours` are the columns' names; `failures` are (call id, reason) of the last run."""

    title: str
    behaviours: tuple[str, ...]
    calls: tuple[CallLine, ...]
    failures: tuple[tuple[str, str], ...]


def index_page(cards: Sequence[Mapping[str, Any]], failures: Sequence[tuple[str, str]] = ()) -> str:
    """The HTML page of scorecards in their public format, the newest call first, those without a date last."""
    names = tuple(dict.fromkeys(name for card in cards for name in card["behaviours"]))
    dated = sorted(cards, key=lambda card: (card["started_at"] or "", card["call_id"]), reverse=True)
    page = IndexPage(
        title=f"{words.counted(len(cards), 'call')} scored",
        behaviours=tuple(name.replace("_", " ").capitalize() for name in names),
        calls=tuple(_line(card, names) for card in dated),
        failures=tuple(failures),
    )
    return render("index.html", page)


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
    return ", ".join(_names(card, "customer")) or str(card["call_id"])


def _facts(card: Mapping[str, Any]) -> tuple[str, ...]:
    length = "" if card["duration"] is None else words.length(card["duration"])
    sellers = words.listing([*_names(card, "rep"), *_names(card, "manager")])
    date = words.date_in_words(card["started_at"])
    return tuple(fact for fact in (card["call_type"].replace("_", " "), date, length, sellers) if fact)


def _names(card: Mapping[str, Any], role: str) -> list[str]:
    return [one["name"] for one in card["participants"] if one["role"] == role and one["name"]]


def _talk(card: Mapping[str, Any]) -> tuple[str, ...]:
    share = card["talk"]["by_side"].get("seller", {}).get("talk_share")
    said = () if share is None else (f"seller side talks {words.percent(share)}",)
    if not card["joint"]["takeover"]:
        return said
    at = card["joint"]["began_at"]
    where = f"turn {card['joint']['began_turn'] + 1}" if at is None else words.clock(at)
    return (*said, f"manager takes over at {where}")
