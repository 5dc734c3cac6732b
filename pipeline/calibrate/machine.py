"""What the machine said: stored scorecards in their public format -> levels and probabilities by call and behaviour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.assess.levels import UNKNOWN
from pipeline.errors import CalibrationError, UsageError

__all__ = ["REMEDY", "Machine", "Said", "machine_of"]

REMEDY = (
    "Name a folder as `ridealong score --out` writes it, with the calls of one rubric version and one classifier; "
    "score calls again where they differ."
)


@dataclass(frozen=True, slots=True)
class Said:
    """The machine's level (0-3) of a behaviour, None where it was withheld. `probabilities` are P(level = 0..3), None
    where nothing of the call could be judged."""

    level: int | None
    probabilities: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class Machine:
    """The scorecards of one rubric version by one classifier: `said` is call id -> behaviour -> what was said.

    `others` are the ids of calls that other rubrics judged; they are known, and not compared. `notes` are sentences."""

    rubric_id: str
    rubric_version: str
    rubric_named: str
    classifier: str
    said: Mapping[str, Mapping[str, Said]]
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def machine_of(cards: Sequence[Mapping[str, Any]], folder: object, rubric_id: str | None = None) -> Machine:
    """What the scorecards of one rubric say; `rubric_id` chooses where there are several.

    Raises UsageError where it must be chosen, CalibrationError where the scorecards do not belong together.
    """
    if not cards:
        raise CalibrationError(folder, ["there is no scorecard in it"], REMEDY)
    faults = [fault for card in cards for fault in _misshapen(card)]
    if faults:
        raise CalibrationError(folder, faults, REMEDY)
    ids = Counter(card["rubric"]["id"] for card in cards)
    if rubric_id is None and len(ids) > 1:
        told = ", ".join(f"{name} ({_counted(count)})" for name, count in sorted(ids.items()))
        raise UsageError(f"{folder}: the calls were judged by {len(ids)} rubrics: {told}. Choose one with --rubric.")
    wanted = rubric_id or next(iter(ids))
    chosen = [card for card in cards if card["rubric"]["id"] == wanted]
    if not chosen:
        told = ", ".join(sorted(ids))
        raise CalibrationError(folder, [f"no call was judged by the rubric {wanted}; these were: {told}"], REMEDY)
    faults = _differences(chosen)
    if faults:
        raise CalibrationError(folder, faults, REMEDY)
    others = tuple(sorted(card["call_id"] for card in cards if card["rubric"]["id"] != wanted))
    return Machine(
        rubric_id=wanted,
        rubric_version=chosen[0]["rubric"]["version"],
        rubric_named=chosen[0]["provenance"]["rubric"],
        classifier=chosen[0]["provenance"]["models"]["behaviours"],
        said={card["call_id"]: {name: _said(one) for name, one in card["behaviours"].items()} for card in chosen},
        others=others,
        notes=tuple(_notes(chosen, others, wanted)),
    )


def _counted(calls: int) -> str:
    return f"{calls} call{'s' if calls != 1 else ''}"


def _misshapen(card: Mapping[str, Any]) -> list[str]:
    """A fault where this is no scorecard of a version that can be read."""
    try:
        _ = card["rubric"]["id"], card["rubric"]["version"], card["provenance"]["rubric"], card["call_id"].strip()
        _ = card["provenance"]["models"]["behaviours"]
        for one in card["behaviours"].values():
            _ = _said(one)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"call {card.get('call_id', '?')}: not a scorecard that can be read ({error!r})"]
    return []


def _differences(cards: Sequence[Mapping[str, Any]]) -> list[str]:
    versions = Counter(f"{card['rubric']['id']} {card['rubric']['version']}" for card in cards)
    classifiers = Counter(card["provenance"]["models"]["behaviours"] for card in cards)
    faults = []
    for what, found in (("rubric versions", versions), ("classifiers", classifiers)):
        if len(found) > 1:
            told = ", ".join(f"{name} ({_counted(count)})" for name, count in sorted(found.items()))
            faults.append(f"judged by {len(found)} {what}: {told}. Allowed: one")
    return faults


def _notes(cards: Sequence[Mapping[str, Any]], others: Sequence[str], rubric: str) -> list[str]:
    notes = []
    if others:
        notes.append(f"Not compared, as judged by another rubric than {rubric}: {_counted(len(others))}.")
    used = sorted({card["provenance"]["calibration"]["id"] for card in cards if "calibration" in card["provenance"]})
    if used:
        notes.append(
            f"Levels of these scorecards were given with {', '.join(used)}; the fit begins at the rubric's own."
        )
    return notes


def _said(one: Mapping[str, Any]) -> Said:
    level = one["level"]
    if level not in (0, 1, 2, 3, None):
        raise ValueError(f"level {level!r}")
    low, middle, high, top = (float(probability) for probability in one["probabilities"])
    chances = (low, middle, high, top)
    return Said(level, None if level is None and chances == UNKNOWN else chances)
