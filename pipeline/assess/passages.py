"""Cuts a conversation into windows that the encoder can read: turns in, pieces of turns and windows of pieces out.

A piece is a turn, or a part of a turn that is too long. A window is a run of pieces of which the inner ones (the
core) are judged and the outer ones give context; every piece is in the core of exactly one window.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.assess.canonical import canonical
from pipeline.assess.phrases import content_words

__all__ = [
    "CORE_TOKENS",
    "MARGIN_TOKENS",
    "PIECE_TOKENS",
    "Line",
    "Piece",
    "Window",
    "cut_lines",
    "windows_of",
    "with_echo",
]

PIECE_TOKENS = 200
HEARD = 4
"""Content words that the other side must have used before its words can be taken up."""
CORE_TOKENS = 168
MARGIN_TOKENS = 36
"""The encoder was trained on texts of up to 256 tokens: a core and both margins stay about there."""


@dataclass(frozen=True, slots=True)
class Line:
    """One turn as the encoder sees it: who speaks (True for the selling side) and what."""

    seller: bool
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters `start` to `end` of line number `line`, about `tokens` tokens long.

    `echo` is the number of content words in it that the other side used before, None where the other side had said too
    little to be taken up.
    """

    line: int
    start: int
    end: int
    tokens: int
    echo: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces `first` up to (not including) `last`; of those, `core_first` up to `core_last` are judged here."""

    first: int
    last: int
    core_first: int
    core_last: int


def cut_lines(lines: Sequence[Line], lengths: Sequence[int], limit: int = PIECE_TOKENS) -> list[Piece]:
    """The pieces of all lines in order; `lengths` are the lines' token counts. A line without words (fillers are none)
    has no piece."""
    pieces = []
    for number, (line, length) in enumerate(zip(lines, lengths, strict=True)):
        if not canonical(line.text)[0]:
            continue
        spans = [(0, len(line.text))] if length <= limit else _split(line.text, length, limit)
        per_character = length / len(line.text)
        pieces += [Piece(number, a, b, max(1, min(limit, round((b - a) * per_character)))) for a, b in spans]
    return pieces


def with_echo(lines: Sequence[Line], pieces: Sequence[Piece], before: Iterable[str] = ()) -> list[Piece]:
    """The pieces with their `echo`; `before` are words that the other side said before the first line."""
    said: dict[bool, set[str]] = {False: set(before), True: set()}
    found, line = [], 0
    for piece in pieces:
        for spoken in lines[line : piece.line]:
            said[spoken.seller] |= content_words(spoken.text)
        line = piece.line
        heard = said[not lines[line].seller]
        words = content_words(lines[line].text[piece.start : piece.end])
        found.append(replace(piece, echo=len(words & heard) if len(heard) >= HEARD else None))
    return found


def _split(text: str, length: int, limit: int) -> list[tuple[int, int]]:
    """Runs of words of at most `limit` tokens, of much the same length. Sentence ends are not looked at: two people who
    write down the same words must get the same parts."""
    plain, places = canonical(text)
    parts = -(-length // max(1, int(limit * 0.9)))
    starts = [places[start] for start, _ in _cut_words(plain, 0, len(plain), -(-len(plain) // parts) + 8)]
    edges = [0, *starts[1:], len(text)]
    return [(start, start + len(text[start:end].rstrip())) for start, end in pairwise(edges)]


def _cut_words(text: str, start: int, end: int, room: int) -> list[tuple[int, int]]:
    """[start, end) cut at spaces into parts of at most `room` characters; a longer single word is cut hard."""
    parts = []
    while end - start > room:
        space = text.rfind(" ", start + 1, start + room)
        cut = space if space > start else start + room
        parts.append((start, cut))
        start = cut + 1 if space > start else cut
    return [*parts, (start, end)] if end > start else parts


def windows_of(
    pieces: Sequence[Piece], core: int = CORE_TOKENS, margin: int = MARGIN_TOKENS, offset: int = 0
) -> list[Window]:
    """Windows that cover all pieces; the first core has `offset` tokens less, so that cuts can be moved."""
    windows = []
    first = 0
    room = max(1, core - offset)
    while first < len(pieces):
        last, used = first, 0
        while last < len(pieces) and (last == first or used + pieces[last].tokens <= room):
            used += pieces[last].tokens
            last += 1
        windows.append(Window(_reach(pieces, first, -1, margin), _reach(pieces, last, 1, margin), first, last))
        first, room = last, core
    return windows


def _reach(pieces: Sequence[Piece], edge: int, step: int, margin: int) -> int:
    """The outer edge of a window that has `margin` tokens of context beyond `edge`, one piece at least."""
    used = 0
    while (edge > 0) if step < 0 else (edge < len(pieces)):
        piece = pieces[edge - 1] if step < 0 else pieces[edge]
        if used and used + piece.tokens > margin:
            break
        used += piece.tokens
        edge += step
        if used >= margin:
            break
    return edge
