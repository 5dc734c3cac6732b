"""The same call as other people would have had it: a call in; one with other names, words or spelling out.

What the seller does stays the same in each of these edits, so a level that flips is a fault of the classifier. All
chance comes from the generator that is given; the words are in `counterfactual_words.py`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from pipeline.calibrate.counterfactual_words import (
    AMERICAN,
    DIALECTS,
    FILLERS,
    GENDERED,
    INVENTED_NAMES,
    NO_NAMES,
    ONE_WAY,
    PEOPLE,
    SET_OFF_FILLERS,
    SPOKEN_FILLERS,
)
from pipeline.calibrate.noise import plain
from pipeline.records import Call

__all__ = ["EDITS", "Edit", "edited"]

Edit = Callable[[Call, random.Random], Call]
FILLER_RATE = 0.04
"""Fillers put in per word; spontaneous speech has 2 to 6 a hundred words."""
_PROPER = re.compile(r"(?<=[a-z,] )[A-Z][\w'’&-]*[a-z](?: (?:& )?[A-Z][\w'’&-]*[a-z])*")
"""Capitalised words inside a sentence: a name in English text that is written with punctuation."""
_OWN = re.compile(
    r"\bher\b(?= (?!(?:and|but|if|when|to|on|in|at|for|with|a|an|the|about|from|that|what|how|yesterday|today|tomorrow|"
    r"again|back|out|up|down|off|over|so|because|then|there|by|of)\b)[a-z])",
    re.IGNORECASE,
)
"""The "her" of "her book", not of "saw her" or "tell her about"."""


def edited(call: Call, edit: str, seed: int = 1) -> Call:
    """The call after one of EDITS; the same call, edit and seed give the same result."""
    return EDITS[edit](call, random.Random(f"{seed} {edit} {call.call_id}"))  # noqa: S311 - not for secrets


def _each(call: Call, change: Callable[[str], str]) -> Call:
    """The call with every turn's text changed; words with times no longer fit and are left out."""
    return replace(call, turns=tuple(replace(turn, text=change(turn.text), words=()) for turn in call.turns))


def _like(word: str, shape: str) -> str:
    """`word` capitalised as `shape` is."""
    if shape.isupper() and len(shape) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if shape[:1].isupper() else word


def _swap(text: str, table: Mapping[str, str]) -> str:
    """`text` with the whole words and phrases of `table` (lower case) replaced, capitals kept; longest first."""
    if not table:
        return text
    ordered = sorted(table, key=lambda key: (-len(key), key))
    pattern = r"(?<![\w'’-])(?:" + "|".join(map(re.escape, ordered)) + r")(?![\w-]|['’](?!s\b))"
    return re.sub(pattern, lambda found: _like(table[found[0].lower()], found[0]), text, flags=re.IGNORECASE)


def swap_people(call: Call, chance: random.Random) -> Call:
    """Everybody on the call gets a name of another gender and origin, wherever it is said."""
    table: dict[str, str] = {}
    free = chance.sample(PEOPLE, len(PEOPLE))
    for person in call.participants:
        for part, new in zip((person.name or "").split(), free.pop().split(), strict=False):
            table.setdefault(part.lower(), new)
    return _each(call, lambda text: _swap_names(text, table))


def _swap_names(text: str, table: Mapping[str, str]) -> str:
    """Names are replaced where they are capitalised, or where nothing is: a surname may be a word, as in "Rose"."""
    if text != text.lower():
        pattern = r"\b(?:" + "|".join(re.escape(_like(name, "X")) for name in sorted(table)) + r")\b"
        return re.sub(pattern, lambda found: table[found[0].lower()], text) if table else text
    return _swap(text, {name: new.lower() for name, new in table.items()})


def swap_gender(call: Call, chance: random.Random) -> Call:
    """He is she, and she is he; husbands are wives, lads are girls."""
    table = {**GENDERED, **{new: old for old, new in GENDERED.items()}}

    def change(text: str) -> str:
        marked = _OWN.sub(lambda found: f"{found[0]}-own", text)
        return _swap(marked, {**table, "her-own": "his", "her": "him", "him": "her", "his": "her"})

    return _each(call, change)


def swap_companies(call: Call, chance: random.Random) -> Call:
    """Companies, products and places get invented names, the same one wherever they are said."""
    people = {part for person in call.participants for part in (person.name or "").split()}
    found = sorted({name for turn in call.turns for name in _PROPER.findall(turn.text)} - people)
    kept = [name for name in found if not set(name.lower().split()) & NO_NAMES and name not in people]
    free = chance.sample(INVENTED_NAMES, len(INVENTED_NAMES))
    table = {name: free[number % len(free)] for number, name in enumerate(kept)}
    if not table:
        return call
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(table, key=lambda n: (-len(n), n)))) + r")\b")
    return _each(call, lambda text: pattern.sub(lambda name: table[name[0]], text))


def add_fillers(call: Call, chance: random.Random) -> Call:
    """Ums, ers and you-knows before about four words in a hundred."""

    def change(text: str) -> str:
        said: list[str] = []
        for word in text.split():
            if said and chance.random() < FILLER_RATE:
                said.append(chance.choice(FILLERS) + ("," if text != plain(text) else ""))
            said.append(word)
        return " ".join(said)

    return _each(call, change)


def drop_fillers(call: Call, chance: random.Random) -> Call:
    """Without ums, ers and you-knows."""
    anywhere = re.compile(r",?\s*\b(?:" + "|".join(SPOKEN_FILLERS) + r")\b,?(?=[\s.,?!]|$)", re.IGNORECASE)
    set_off = re.compile(r"(?:,|^)\s*(?:" + "|".join(SET_OFF_FILLERS) + r"),", re.IGNORECASE)

    def change(text: str) -> str:
        kept = " ".join(set_off.sub(" ", anywhere.sub(" ", text)).split())
        tidy = re.sub(r"\s+([.,?!])", r"\1", kept).lstrip(",. ")
        return _like(tidy, text.lstrip()[:1])

    return _each(call, change)


def drop_punctuation(call: Call, chance: random.Random) -> Call:
    """Without marks; capitals stay."""
    return _each(call, lambda text: " ".join(re.sub(r"[^\w'’%£$€\s-]", " ", text).split()))


def lower_case(call: Call, chance: random.Random) -> Call:
    """Without capitals; marks stay."""
    return _each(call, str.lower)


def capitals(call: Call, chance: random.Random) -> Call:
    """In capitals, as some caption files are."""
    return _each(call, str.upper)


def american(call: Call, chance: random.Random) -> Call:
    """American spelling and everyday words."""
    return _each(call, lambda text: _swap(text, AMERICAN))


def british(call: Call, chance: random.Random) -> Call:
    """British spelling and everyday words."""
    table = {new: old for old, new in AMERICAN.items() if new not in ONE_WAY}
    return _each(call, lambda text: _swap(text, table))


def dialect(call: Call, chance: random.Random) -> Call:
    """Words of one dialect, the same for everybody on the call."""
    table = DIALECTS[chance.choice(sorted(DIALECTS))]
    return _each(call, lambda text: _swap(text, table))


EDITS: dict[str, Edit] = {
    "people's names": swap_people,
    "gender words": swap_gender,
    "companies and places": swap_companies,
    "fillers put in": add_fillers,
    "fillers left out": drop_fillers,
    "no punctuation": drop_punctuation,
    "lower case": lower_case,
    "capitals": capitals,
    "American spelling": american,
    "British spelling": british,
    "dialect words": dialect,
}
"""Name -> edit, in the order of every table."""
