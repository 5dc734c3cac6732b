"""Plain words for pages: levels, roles, times, dates, shares and lists. Pure functions, the same in every place.

A value that was not measured is said so in words; it never becomes 0. Numbers and their units are joined by a
no-break space, so that a line never ends between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.records import LEVEL_NAMES, MEETING_BEHAVIOURS, Call, CallType, Participant, Role, Side

SPACE = "\N{NO-BREAK SPACE}"
NOT_MEASURED = "not measured"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

ROLE_WORDS: dict[Role, str] = {
    "rep": "rep",
    "manager": "manager",
    "customer": "buyer",
    "unknown": "role not known",
}
SIDE_WORDS: dict[Side, str] = {"seller": "Seller side", "buyer": "Buyer side", "unknown": "Side not known"}

CALL_TYPE_WORDS: dict[CallType, str] = {
    "discovery": "discovery",
    "demo": "demo",
    "joint": "joint",
    "one_on_one": "one-to-one",
    "deal_review": "deal review",
}

LEVEL_SENTENCES = (
    "It was not heard in the part of the call that was searched.",
    "It was attempted, in a way that was not yet likely to work for this buyer.",
    "It did its job for this buyer.",
    "Gold standard: worth playing to the team.",
)
"""Level 0-3 -> what it means, about the behaviour, in a sales call."""
MEETING_SENTENCES = (
    "It was not heard in the part of the meeting that was searched.",
    "It was attempted, in a way that was not yet likely to help the rep.",
    "It did its job for the rep.",
    "Gold standard: worth showing to other managers, if the rep agrees.",
)
"""Level 0-3 -> what it means of a manager's behaviour in a meeting with a rep."""

WITHHELD_WORD = "not sure enough"

QUESTIONS = {
    "agenda": "What would you have liked the buyer to agree to in the first minutes?",
    "client_story": "Which customer is most like this buyer, and what came of it for them?",
    "differentiation": "What would this buyer do otherwise, and what would that mean for them?",
    "value_proposition": "How would this buyer finish the sentence “they would help us to …”?",
    "next_steps": "What would you have liked to see in both diaries before the call ended?",
    "discovery": "What would you still like to know about this buyer's problem, and how would you ask for it?",
    "insight": "What do you see at companies like this one that would surprise this buyer?",
    "vision": "What would this buyer's Monday morning look like once it is in use?",
    "objection_handling": "What do you think lay behind the buyer's objection?",
    "meeting_purpose": "What would the rep say that this meeting was for?",
    "guiding": "Where could a question have let the rep find the way alone?",
    "feedback": "Which moment of the rep's work would you like to see again, and which one differently?",
    "action_items": "What will the rep do first, by when, and how will both of you see that it is done?",
    "reconciliation": "What became of what the two of you agreed last time?",
    "takeover": "What would the rep have said next, given a little more room?",
}
"""Behaviour, as it is judged -> an open question to begin the conversation with, to whoever showed it."""
ANY_QUESTION = "What would you try differently next time?"


@dataclass(frozen=True, slots=True)
class Chip:
    """A level as colour, shape and word. `kind` is l0-l3 or withheld (class and icon), `word` is what people read."""

    kind: str
    word: str


def served_by(behaviour: str) -> str:
    """Whom a behaviour is there for: the buyer of a sales call, the rep of a manager's meeting."""
    return "the rep" if behaviour in MEETING_BEHAVIOURS else "this buyer"


def level_sentence(behaviour: str, level: int) -> str:
    """What the level means, in a sentence about the behaviour."""
    return (MEETING_SENTENCES if behaviour in MEETING_BEHAVIOURS else LEVEL_SENTENCES)[level]


def level_chip(level: int | None) -> Chip:
    """The chip of a level; the withheld one for None."""
    return Chip("withheld", WITHHELD_WORD) if level is None else Chip(f"l{level}", LEVEL_NAMES[level])


def clock(seconds: float) -> str:
    """A place in a recording: 754 is "12:34", 3754 is "1:02:34"."""
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def length(seconds: float) -> str:
    """A length, as coarse as people say it: "45 s", "3 min 20 s", "31 min", "2 h 5 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}{SPACE}s"
    if whole < 600:
        return f"{whole // 60}{SPACE}min" + (f"{SPACE}{whole % 60}{SPACE}s" if whole % 60 else "")
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes}{SPACE}min"
    return f"{minutes // 60}{SPACE}h" + (f"{SPACE}{minutes % 60}{SPACE}min" if minutes % 60 else "")


def date_in_words(iso: str | None) -> str:
    """ "2 Mar 2026, 10:00" for an ISO 8601 date or time, as the place of the call had it.

    Without a time of day it is the date alone; what is not ISO 8601 comes back as it was given.
    """
    if not iso:
        return "date not known"
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    day = f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"
    return f"{day}, {moment:%H:%M}" if len(iso) > len("2026-03-02") else day


def percent(share: float) -> str:
    """A share as whole per cent: 0.617 is "62 %". What is not quite nothing or all is "under 1 %" or "over 99 %"."""
    if 0 < share < 0.005:
        return f"under{SPACE}1{SPACE}%"
    if 0.995 <= share < 1:
        return f"over{SPACE}99{SPACE}%"
    return f"{share:.0%}".replace("%", f"{SPACE}%")


def number(value: float) -> str:
    """A number without needless digits: 3.0 is "3", 0.84 is "0.8", 1234 is "1,234"."""
    text = f"{value:,.1f}"
    return text.removesuffix(".0")


SMALL = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def spelled(many: int) -> str:
    """A small count as a word: 0 is "none", 3 is "three", 12 is "12"."""
    return SMALL[many] if 0 <= many < len(SMALL) else f"{many:,}"


def counted(many: int, one: str, several: str | None = None) -> str:
    """ "1 turn", "2 turns"."""
    return f"{many:,} {one if many == 1 else several or one + 's'}"


def listing(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """The text with a capital at its start and a full stop at its end."""
    text = text.strip()
    if not text:
        return text
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")


OPENING_WORDS = 14


def opening(text: str) -> str:
    """The first words of a longer text, with an ellipsis where more follows."""
    parts = text.split()
    return text if len(parts) <= OPENING_WORDS else " ".join(parts[:OPENING_WORDS]) + f"{SPACE}…"


def participants(call: Call) -> tuple[Participant, ...]:
    """Everybody of the call: those it lists, then speakers that only its turns or speech know."""
    known = {one.speaker: one for one in call.participants}
    for speaker in [turn.speaker for turn in call.turns] + [part.speaker for part in call.speech]:
        known.setdefault(speaker, call.participant(speaker))
    return tuple(known.values())


def display_names(call: Call) -> dict[str, str]:
    """Speaker label -> the name that pages show: the person's, else the role, with the label where that is shared."""
    everybody = participants(call)
    nameless = [one.role for one in everybody if not one.name]
    return {one.speaker: one.name or _by_role(one, alone=nameless.count(one.role) == 1) for one in everybody}


def role_beside(name: str, role: Role) -> str:
    """The role's word to stand beside the name; empty where the name already begins with it."""
    word = ROLE_WORDS[role]
    return "" if f"{name.lower()} ".startswith(f"{word} ") else word


def _by_role(participant: Participant, *, alone: bool) -> str:
    if participant.role == "unknown":
        return f"Speaker {participant.speaker}"
    word = ROLE_WORDS[participant.role].capitalize()
    return word if alone else f"{word} {participant.speaker}"
