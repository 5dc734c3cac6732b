"""The head of a scorecard's page: what it is called, who took part, how long it was. Call in, words out."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records import Call, Role
from pipeline.report import words

HEADINGS = ("company", "account")
"""Manifest columns that name the customer's company; the first one given heads the page."""

CALL_ROLES: tuple[Role, ...] = ("rep", "manager", "customer")
MEETING_ROLES: tuple[Role, ...] = ("manager", "rep")


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the header: the role, and the names in it or a plain statement that there are none."""

    role: str
    names: str
    known: bool


def heading(call: Call) -> str:
    """What the page is called: the customer's company, the buyers, in a meeting its two people, else the call's id."""
    details = dict(call.details)
    for column in HEADINGS:
        if details.get(column, "").strip():
            return details[column].strip()
    if call.is_meeting:
        two = " with ".join(filter(None, (words.listing(_named(call, role)) for role in MEETING_ROLES)))
        return two or call.call_id
    return words.listing(_named(call, "customer")) or call.call_id


def people(call: Call) -> tuple[Person, ...]:
    """A line for each role that belongs to the call; a meeting has a buyer only where one is there."""
    sold = any(one.role == "customer" for one in call.participants)
    meeting: tuple[Role, ...] = (*MEETING_ROLES, "customer") if sold else MEETING_ROLES
    return tuple(_person(call, role) for role in (meeting if call.is_meeting else CALL_ROLES))


def _named(call: Call, role: Role) -> list[str]:
    return [one.name for one in call.participants if one.role == role and one.name]


def _person(call: Call, role: Role) -> Person:
    present = [one for one in call.participants if one.role == role]
    names = _named(call, role)
    unnamed = len(present) - len(names)
    if not present:
        return Person(words.ROLE_WORDS[role], "none known on this call", False)
    if not names:
        return Person(
            words.ROLE_WORDS[role], "name not known" if unnamed == 1 else f"{unnamed} people, names not known", False
        )
    return Person(words.ROLE_WORDS[role], words.listing([*names, *([f"{unnamed} unnamed"] if unnamed else [])]), True)


def call_length(call: Call) -> str:
    """The call's length in words."""
    return "length not known" if call.duration is None else words.length(call.duration)
