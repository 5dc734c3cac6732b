"""Calibrating: ratings, the machine's scorecards and a rubric in; agreement, severity and fitted thresholds out.

Everything that the page, the terminal and the calibration file say stands in one record, `Calibrated`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.assess.rubric import Rubric
from pipeline.calibrate.agreement import Figures, agreement, between, pairs_of_raters
from pipeline.calibrate.machine import Machine, Said
from pipeline.calibrate.ratings import Rating, Ratings
from pipeline.calibrate.severity import Panel, agreed_levels, fit_severity
from pipeline.calibrate.thresholds import Fit, RiskChoice, choose_risk, fit_thresholds

__all__ = ["TARGET_ERROR", "BehaviourResult", "Calibrated", "Dispute", "RaterResult", "calibrate"]

TARGET_ERROR = 0.05
"""Share of given levels that may be two or more off, unless another is asked for: one call in twenty."""
MOST_DISPUTES = 5

Levels = Mapping[str, Mapping[str, int]]
"""Call -> rater -> level."""


@dataclass(frozen=True, slots=True)
class RaterResult:
    """One rater's agreement with the other raters and with the machine (None without scorecards)."""

    rater: str
    others: Figures
    machine: Figures | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A call of which raters differ: their levels by name, the agreed level, and what the machine said, if anything."""

    call_id: str
    levels: tuple[tuple[str, int], ...]
    agreed: int
    machine: Said | None


@dataclass(frozen=True, slots=True)
class BehaviourResult:
    """All that is known of one behaviour. What the machine is part of is None without scorecards.

    `people` are pairs of raters, `machine_people` the machine beside each single rater (the like of `people`),
    `machine_agreed` beside the agreed level. `withheld` counts agreed levels of calls whose machine level is withheld,
    by level; `unjudged` rated calls without a machine level for another reason. `held_out` is the agreement that
    scoring with the calibration should have: agreed levels beside those on calls that thresholds were not chosen on.
    """

    name: str
    calls: int
    ratings: int
    not_measured: int
    people: Figures
    machine_people: Figures | None
    machine_agreed: Figures | None
    withheld: tuple[int, int, int, int]
    unjudged: int
    raters: tuple[RaterResult, ...]
    disputes: tuple[Dispute, ...]
    fit: Fit | None
    held_out: Figures | None
    risk: RiskChoice | None


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The whole result. `machine` and `rubric` are None where only raters are compared."""

    ratings: Ratings
    machine: Machine | None
    rubric: Rubric | None
    panel: Panel
    target_error: float
    behaviours: tuple[BehaviourResult, ...]
    notes: tuple[str, ...]


def calibrate(
    ratings: Ratings, machine: Machine | None = None, rubric: Rubric | None = None, target_error: float = TARGET_ERROR
) -> Calibrated:
    """Agreement, severity and thresholds of a file of ratings; the same input gives the same result.

    With `machine`, `rubric` must be the one that judged its scorecards.
    """
    panel = fit_severity(ratings.rows)
    agreed = agreed_levels(ratings.rows, panel)
    rated = {row.behaviour for row in ratings.rows}
    order = [one.name for one in rubric.behaviours] if rubric else []
    names = [*(name for name in order if name in rated), *sorted(rated - set(order))]
    return Calibrated(
        ratings=ratings,
        machine=machine,
        rubric=rubric,
        panel=panel,
        target_error=target_error,
        behaviours=tuple(
            _behaviour(name, ratings.rows, agreed.get(name, {}), machine, rubric, target_error) for name in names
        ),
        notes=(*ratings.notes, *(machine.notes if machine else ()), *([panel.note] if panel.note else [])),
    )


def _behaviour(
    name: str,
    rows: Sequence[Rating],
    agreed: Mapping[str, int],
    machine: Machine | None,
    rubric: Rubric | None,
    target_error: float,
) -> BehaviourResult:
    mine = [row for row in rows if row.behaviour == name]
    levels: dict[str, dict[str, int]] = {}
    for row in sorted(mine, key=lambda one: (one.call_id, one.rater)):
        if row.level is not None:
            levels.setdefault(row.call_id, {})[row.rater] = row.level
    said = {call: found[name] for call, found in machine.said.items() if name in found} if machine else {}
    given = {call: one.level for call, one in said.items() if one.level is not None}
    raters = sorted({rater for found in levels.values() for rater in found})
    people = between(pairs_of_raters(levels))
    withheld = [agreed[call] for call in sorted(agreed) if call in said and said[call].level is None]
    fit, held_out, risk = _fitted(name, agreed, said, rubric, target_error)
    return BehaviourResult(
        name=name,
        calls=len(levels),
        ratings=sum(len(found) for found in levels.values()),
        not_measured=sum(row.level is None for row in mine),
        people=people,
        machine_people=agreement(_beside(levels, given)) if machine else None,
        machine_agreed=agreement(_beside({call: {"": level} for call, level in agreed.items()}, given))
        if machine
        else None,
        withheld=(withheld.count(0), withheld.count(1), withheld.count(2), withheld.count(3)),
        unjudged=sum(call not in said for call in agreed) if machine else 0,
        raters=tuple(_rater(rater, levels, given if machine else None) for rater in raters),
        disputes=_disputes(levels, agreed, said),
        fit=fit,
        held_out=held_out,
        risk=risk,
    )


def _beside(levels: Levels, machine: Mapping[str, int]) -> dict[str, list[tuple[int, int]]]:
    """Call -> (a rater's level, the machine's), for the calls to which the machine gave a level."""
    return {call: [(one, machine[call]) for one in found.values()] for call, found in levels.items() if call in machine}


def _rater(rater: str, levels: Levels, machine: Mapping[str, int] | None) -> RaterResult:
    mine = {call: found for call, found in levels.items() if rater in found}
    others = {
        call: [(found[rater], level) for other, level in found.items() if other != rater]
        for call, found in mine.items()
    }
    alone = {call: {rater: found[rater]} for call, found in mine.items()}
    return RaterResult(rater, agreement(others), None if machine is None else agreement(_beside(alone, machine)))


def _fitted(
    name: str, agreed: Mapping[str, int], said: Mapping[str, Said], rubric: Rubric | None, target_error: float
) -> tuple[Fit | None, Figures | None, RiskChoice | None]:
    """The thresholds, the agreement to be expected of them, and the risk that keeps to the target error."""
    present = {one.name: one.thresholds for one in rubric.behaviours} if rubric else {}
    chances = {call: one.probabilities for call, one in said.items() if one.probabilities is not None}
    if name not in present or not said:
        return None, None, None
    fit = fit_thresholds(chances, agreed, present[name])
    levels = dict(fit.levels)
    held_out = agreement({call: [(agreed[call], level)] for call, level in levels.items()})
    return fit, held_out, choose_risk(chances, agreed, levels, target_error)


def _disputes(levels: Levels, agreed: Mapping[str, int], said: Mapping[str, Said]) -> tuple[Dispute, ...]:
    """The calls of which raters differ most: by the widest gap, then by how many pairs differ, then by id."""

    def gap(call: str) -> tuple[int, float, str]:
        found = sorted(levels[call].values())
        middle = sum(found) / len(found)
        return found[0] - found[-1], -sum((one - middle) ** 2 for one in found) / len(found), call

    differing = sorted(call for call, found in levels.items() if len(set(found.values())) > 1)
    return tuple(
        Dispute(call, tuple(sorted(levels[call].items())), agreed[call], said.get(call))
        for call in sorted(differing, key=gap)[:MOST_DISPUTES]
    )
