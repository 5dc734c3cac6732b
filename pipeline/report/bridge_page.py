"""The page of a bridge between two rubric versions: how many calls kept their level, and where the others went."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.assess.bridge import Bridge, Moves
from pipeline.report import words
from pipeline.report.page import render
from pipeline.report.words import Chip

__all__ = ["BridgePage", "bridge_page"]


@dataclass(frozen=True, slots=True)
class BridgeRow:
    """One state before: how many calls are in each state after. A cell is (count, shade 0-4, the same state)."""

    state: Chip
    cells: tuple[tuple[int, int, bool], ...]
    total: int


@dataclass(frozen=True, slots=True)
class BehaviourMoves:
    """One behaviour. `reading` says in a sentence how many levels moved; `notes` what the table does not hold."""

    id: str
    title: str
    reading: str
    notes: tuple[str, ...]
    rows: tuple[BridgeRow, ...]


@dataclass(frozen=True, slots=True)
class BridgePage:
    """The whole page. `failures` are (call, reason) of files that are no scorecards."""

    title: str
    facts: tuple[str, ...]
    states: tuple[Chip, ...]
    behaviours: tuple[BehaviourMoves, ...]
    failures: tuple[tuple[str, str], ...]


def bridge_page(bridge: Bridge) -> str:
    """The HTML page of a bridge; the same bridge gives the same bytes."""
    rubric = bridge.rubric
    before = words.listing(
        [f"{name} ({words.counted(count, 'call')})" for name, count in sorted(bridge.before.items())]
    )
    used = rubric.calibration
    facts = [
        f"Before: {before or 'nothing'}",
        f"Now: {rubric.id} {rubric.version}",
        words.counted(bridge.calls, "call"),
    ]
    page = BridgePage(
        title=f"How levels moved: {rubric.title}, version {rubric.version}",
        facts=tuple(facts if used is None else [*facts, f"Thresholds: {used.id}"]),
        states=_states(),
        behaviours=tuple(_moves(one) for one in bridge.moves),
        failures=tuple(bridge.failures),
    )
    return render("bridge.html", page)


def _states() -> tuple[Chip, ...]:
    return (*(words.level_chip(level) for level in range(4)), words.level_chip(None))


def _moves(moves: Moves) -> BehaviourMoves:
    rows = []
    for state, (chip, counts) in enumerate(zip(_states(), moves.table, strict=True)):
        total = sum(counts)
        cells = tuple((count, _shade(count, total), after == state) for after, count in enumerate(counts))
        rows.append(BridgeRow(chip, cells, total))
    notes = []
    if moves.not_judged_before:
        notes.append(f"{words.counted(moves.not_judged_before, 'call')} had no such behaviour before.")
    return BehaviourMoves(moves.behaviour, moves.title, _reading(moves), tuple(notes), tuple(rows))


def _reading(moves: Moves) -> str:
    counts = moves.to_dict()
    given, moved = moves.levels_given, moves.moved
    said = []
    if given:
        said.append(f"{moved} of {words.counted(given, 'level')} moved ({words.percent(moved / given)})")
    else:
        said.append("No call has a level before and after")
    if counts["newly_withheld"]:
        said.append(f"{words.counted(counts['newly_withheld'], 'level')} newly withheld")
    if counts["newly_given"]:
        said.append(f"{words.counted(counts['newly_given'], 'level')} newly given")
    return "; ".join(said) + "."


def _shade(count: int, total: int) -> int:
    """How dark a cell is, 0-4, by its share of the row; anything at all is seen."""
    return 0 if count == 0 else max(1, round(4 * count / total))
