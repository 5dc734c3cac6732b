"""How levels moved from one rubric to another: counts of calls by the level before and after, by behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.assess.rubric import Rubric
from pipeline.records import LEVEL_NAMES

__all__ = ["STATES", "Bridge", "Moves"]

STATES = (*LEVEL_NAMES, "withheld")
"""Rows (before) and columns (after) of a behaviour's table."""


@dataclass(slots=True)
class Moves:
    """How one behaviour's levels moved: `table[before][after]` counts calls, with withheld as the fifth state."""

    behaviour: str
    title: str
    table: list[list[int]] = field(default_factory=lambda: [[0] * len(STATES) for _ in STATES])
    not_judged_before: int = 0

    def count(self, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
        """Count one call."""
        if before is None:
            self.not_judged_before += 1
        else:
            self.table[_state(before)][_state(after)] += 1

    @property
    def calls(self) -> int:
        """Calls that were judged before."""
        return sum(map(sum, self.table))

    @property
    def levels_given(self) -> int:
        """Calls with a level before and after."""
        return sum(sum(row[:4]) for row in self.table[:4])

    @property
    def moved(self) -> int:
        """Of those, the ones whose level is another."""
        return self.levels_given - sum(self.table[level][level] for level in range(4))

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values; `share_moved` is None where no call has both levels."""
        given = self.levels_given
        return {
            "calls": self.calls,
            "levels_given": given,
            "moved": self.moved,
            "share_moved": round(self.moved / given, 4) if given else None,
            "newly_withheld": sum(row[4] for row in self.table[:4]),
            "newly_given": sum(self.table[4][:4]),
            "not_judged_before": self.not_judged_before,
            "table": {name: dict(zip(STATES, row, strict=True)) for name, row in zip(STATES, self.table, strict=True)},
        }


@dataclass(slots=True)
class Bridge:
    """What became of a folder's levels. `before` counts scorecards by the rubric that gave the old levels; `failures`
    are (call, reason) of files that are no scorecards."""

    rubric: Rubric
    moves: tuple[Moves, ...]
    calls: int = 0
    before: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        used = self.rubric.calibration
        return {
            "rubric": {"id": self.rubric.id, "version": self.rubric.version, "sha256": self.rubric.sha256},
            "calibration": None if used is None else {"id": used.id, "file": used.file},
            "before": dict(sorted(self.before.items())),
            "calls": self.calls,
            "failures": [{"call": call, "reason": reason} for call, reason in self.failures],
            "behaviours": {one.behaviour: one.to_dict() for one in self.moves},
        }


def _state(entry: Mapping[str, Any]) -> int:
    return 4 if entry["level"] is None else int(entry["level"])
