"""Who is called what, from what is said: turns and names in, clues that a speaker is a person or is not, out.

"This is Emily from Steady Line" tells who speaks, "hi James" who does not, and who answers next probably does. Rules
over words without case, accents and punctuation, so that a recogniser's text gives the same clues as a written one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pipeline.records import Turn

__all__ = ["Clue", "Kind", "find_clues", "fold", "introduced_as", "name_words"]

Kind = Literal["self", "maybe_self", "says", "answers", "was_thanked"]
"""self: introduces themself by this name. maybe_self: "this is NAME", which may be someone else. says: says the name
of what must then be another. answers: speaks next after the name was called. was_thanked: spoke before it was."""


@dataclass(frozen=True, slots=True)
class Clue:
    """One clue: `speaker` is (self, answers, was_thanked) or is not (says) `name`, a name as the manifest gives it."""

    kind: Kind
    speaker: str
    name: str
    turn: int


_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_TITLES_WORDS = """
    mr mrs ms miss mister dr prof professor sir madam maam mdm herr frau señor señora the and of de van von
"""
_TITLES = frozenset(_TITLES_WORDS.split())
_ALSO_WORDS_WORDS = """
    art august april baker bell best bill black bob brown carol case chance chase cook dale dawn day drew eve faith
    frank gene grace grant green guy hill hope iris ivy jack jay jean joy june lane long mark may max miles misty
    new north page pat penny pierce price ray reed rich rob rose sandy short stone sue summer teddy wade ward west
    white will wood wright young
"""
_ALSO_WORDS = frozenset(_ALSO_WORDS_WORDS.split())
"""Names that are words as well: in text without capitals they count only where a name must stand."""
_GREETING_WORDS = """
    hi hello hey morning afternoon evening good thanks thank you cheers welcome sorry okay ok so and well yes no
    right now great oh ah yeah nice to meet you see both all
"""
_GREETING = frozenset(_GREETING_WORDS.split())
_THANKS = frozenset(["thanks", "thank", "cheers"])
_HELLO = frozenset(["hi", "hello", "hey", "thanks", "morning", "afternoon", "evening"])
_THIS_IS = ("this", "is")
_NAMED = (("my", "name", "is"), ("my", "names"), ("my", "name"), ("call", "me"))
_SELF_BEFORE = (*_NAMED, ("i", "am"), ("im",), ("its",), ("it", "is"))
_SELF_AFTER = frozenset(["here", "speaking", "calling", "from"])
_ASKED = (("is", "this"), ("is", "that"), ("is", "it"))
_QUOTED = (("say",), ("says",), ("said",), ("saying",), ("me",))
"""Before a name: words of somebody else, who may have called the speaker by their own name."""
_NEAR, _FAR = 5, 8
"""From so many letters on, one or two wrong ones are a mishearing of the same name."""
_OPENING = 4
"""Turns of a speaker in which a full name by itself is an introduction, as on the telephone, and "it's NAME" is one."""


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """The word without case, accents, apostrophes and hyphens."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in plain if unicodedata.category(char)[0] in "LN")


def name_words(name: str) -> tuple[str, ...]:
    """The words of a name by which people are called: folded, without titles and initials."""
    words = tuple(fold(word) for word in re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", name))
    return tuple(word for word in words if len(word) > 1 and word not in _TITLES)


def find_clues(turns: Sequence[Turn], names: Iterable[str]) -> list[Clue]:
    """Every clue about the names, in order of turns; none without names."""
    if not (names := tuple(names)):
        return []
    called = _Called(names)
    has_case = sum(turn.text[:1].isupper() for turn in turns) * 2 > len(turns)
    spoken: dict[str, int] = defaultdict(int)
    clues: list[Clue] = []
    for number, turn in enumerate(turns):
        spoken[turn.speaker] += 1
        found = list(_in_turn(turn.text, called, has_case, opening=spoken[turn.speaker]))
        for kind, name in dict.fromkeys(found):
            if kind in ("self", "maybe_self", "says"):
                clues.append(Clue(kind, turn.speaker, name, number))
            elif (other := _other(turns, number, 1 if kind == "answers" else -1)) is not None:
                clues.append(Clue(kind, other, name, number))
    return clues


def _other(turns: Sequence[Turn], number: int, step: int) -> str | None:
    """Who speaks next or before, other than the speaker of the turn, within three turns."""
    for near in range(number + step, number + 4 * step, step):
        if 0 <= near < len(turns) and turns[near].speaker != turns[number].speaker:
            return turns[near].speaker
    return None


class _Called:
    """Which names a spoken word may mean; misheard ones too."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: dict[str, tuple[str, ...]] = {name: name_words(name) for name in dict.fromkeys(names)}
        self._by_word: dict[str, tuple[str, ...]] = {}
        words = {word for known in self.names.values() for word in known}
        self._exact = {word: tuple(n for n, known in self.names.items() if word in known) for word in sorted(words)}

    def exactly(self, word: str) -> tuple[str, ...]:
        return self._exact.get(word, ())

    def about(self, word: str) -> tuple[str, ...]:
        if word not in self._by_word:
            near = [names for known, names in self._exact.items() if is_misheard(word, known)]
            self._by_word[word] = tuple(dict.fromkeys(name for names in near for name in names))
        return self._by_word[word]


def is_misheard(word: str, name: str) -> bool:
    """Whether a spoken word may be that name: one letter wrong in five, two in eight."""
    if word == name:
        return True
    most = 0 if min(len(word), len(name)) < _NEAR else 1 if len(name) < _FAR else 2
    return abs(len(word) - len(name)) <= most and _distance(word, name, most) <= most


def _distance(one: str, other: str, most: int) -> int:
    """Levenshtein's distance; anything above `most` once it is known to be."""
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, start=1):
        above, row = row, [i]
        for j, letter in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (char != letter)))
        if min(row) > most:
            return most + 1
    return row[-1]


# --- one turn -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """The words of a turn, folded, and the marks that stand before each and at the end."""

    words: tuple[str, ...]
    marks: tuple[str, ...]
    capitals: tuple[bool, ...]

    @classmethod
    def of(cls, text: str) -> _Said:
        matches = list(_WORD.finditer(text))
        edges = [0, *(match.end() for match in matches)]
        starts = [*(match.start() for match in matches), len(text)]
        marks = tuple(text[end:start].strip() for end, start in zip(edges, starts, strict=True))
        words = tuple(fold(match.group()) for match in matches)
        return cls(words, marks, tuple(match.group()[0].isupper() for match in matches))

    def word(self, at: int) -> str:
        return self.words[at] if 0 <= at < len(self.words) else ""

    def before(self, at: int, *phrases: tuple[str, ...]) -> bool:
        """Whether one of the phrases ends right before the word."""
        return any(at >= len(one) and self.words[at - len(one) : at] == one for one in phrases)


def _in_turn(text: str, called: _Called, has_case: bool, *, opening: int) -> Iterator[tuple[Kind, str]]:
    """What kind of clue each name in the text is; `opening` is the number of the speaker's turn, from 1."""
    said = _Said.of(text)
    at, last = 0, -1
    while at < len(said.words):
        names = called.exactly(said.words[at])
        if _has_place(said, at):
            names = names or called.about(said.words[at])
        elif said.words[at] in _ALSO_WORDS and not (has_case and said.capitals[at]):
            names = ()
        end = at + 1
        while names and (more := [n for n in names if said.word(end) in called.names[n]]):
            names, end = tuple(more), end + 1
        kinds = _kinds(said, at, end, opening, after_name=last == at) if names else ()
        yield from ((kind, name) for name in names for kind in kinds)
        at, last = end, end if names else -1


def _has_place(said: _Said, at: int) -> bool:
    """Whether a name must be expected here: after a greeting or a word of introduction, or before "speaking"."""
    greeted = said.word(at - 1) in _HELLO and at <= 3
    return greeted or said.before(at, *_SELF_BEFORE, _THIS_IS) or said.word(at + 1) == "speaking"


def _kinds(said: _Said, at: int, end: int, opening: int, *, after_name: bool) -> tuple[Kind, ...]:
    """What a name at these words tells of who says it, and of who is spoken to."""
    before = said.words[:at]
    asked = said.marks[end].startswith("?") or said.before(at, *_ASKED)
    greeted = at <= 4 and all(word in _GREETING for word in before)
    if not asked and _is_self(said, at, end, opening, apart=after_name or bool(said.marks[at]) or at == 0):
        return ("self",)
    if said.before(at, _THIS_IS) and not asked:
        return ("maybe_self",)
    if said.before(at, *_QUOTED) or (opening == 1 and not asked and not (greeted and before)):
        return ()
    if opening == 1 and not asked and (end - at > 1 or before[-1] == "yes"):
        return ()  # "Yes, Almlöv" at the telephone, "Hi, Tom Adeyemi": whose name it is cannot be told
    if not (greeted or (end == len(said.words) and said.marks[at])):
        return ("says",)
    return ("says", "was_thanked", "answers") if set(before) & _THANKS else ("says", "answers")


def _is_self(said: _Said, at: int, end: int, opening: int, *, apart: bool) -> bool:
    """Whether the words of a name, or the words around it, introduce who says it."""
    after = said.word(end)
    if said.before(at, *_NAMED) or (said.before(at, _THIS_IS) and after in _SELF_AFTER):
        return True
    if opening > _OPENING:
        return False
    if said.before(at, *_SELF_BEFORE) and not said.marks[at]:
        return True
    if apart and after in _SELF_AFTER:
        return True
    greeted = at > 0 and all(word in _GREETING for word in said.words[:at])
    return end - at > 1 and apart and not greeted


# --- names that nobody gave -----------------------------------------------------------------------

_INTRODUCED = re.compile(
    r"\b(?:(?:my name is|my name's|i am|i'm|it's|this is)\s+([^\W\d_]{2,}(?:[ -](?-i:[A-ZÀ-ÖØ-Þ])[^\W\d_]+)?)"
    r"\s+(?:here\s+)?(?:from|at|calling from|speaking|with(?! (?:me|us)\b))\b"
    r"|my name(?: is|'s)\s+([^\W\d_]{2,}(?:[ -](?-i:[A-ZÀ-ÖØ-Þ])[^\W\d_]+)?))",
    re.IGNORECASE,
)
_NO_NAMES_WORDS = """
    a an the not just only calling from at here it this that him her them me you we back home good great happy glad
    so in on out still also actually sorry speaking working sitting away down up over right fine okay ok
"""
_NO_NAMES = frozenset(_NO_NAMES_WORDS.split())


def introduced_as(turns: Sequence[Turn], speaker: str, most: int = _OPENING) -> str | None:
    """The name by which the speaker introduces themself in their first turns; None where that is not clear."""
    own = [turn.text for turn in turns if turn.speaker == speaker][:most]
    for text in own:
        for match in _INTRODUCED.finditer(text.replace("’", "'")):
            name = match.group(1) or match.group(2)
            if fold(name.split()[0]) not in _NO_NAMES and name[0].isupper():
                return name
    return None


def by_speaker(clues: Iterable[Clue]) -> Mapping[tuple[str, str], list[Clue]]:
    """The clues of each (speaker, name)."""
    found: dict[tuple[str, str], list[Clue]] = defaultdict(list)
    for clue in clues:
        found[clue.speaker, clue.name].append(clue)
    return found
