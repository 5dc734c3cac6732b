"""Rubrics: which behaviours a call is judged on, and how sure the machine must be. YAML in, Rubric out.

A rubric never holds code. A file with faults is refused with all of them at once, each with its line and path.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.assess.calibration import Calibration
from pipeline.assess.rubric_file import read_faultless
from pipeline.errors import UsageError

DEFAULT_RUBRICS = {
    "discovery": "discovery_call",
    "demo": "demo",
    "joint": "joint_call",
    "one_on_one": "one_on_one",
    "deal_review": "deal_review",
}
"""Call type -> the shipped rubric that judges it unless the user names another."""


@dataclass(frozen=True, slots=True)
class RubricBehaviour:
    """How one behaviour is shown and levelled.

    `judged_as` is the classifier's behaviour (its own name unless the rubric renames one). The level is the largest
    k with P(level >= k) at or over `thresholds[k - 1]` for it and all below it. It is withheld where the probability of
    being two or more levels off is over `max_risk`. `criteria` is name -> wording, in the rubric's order.
    """

    name: str
    judged_as: str
    title: str
    short: str
    weight: float = 1.0
    thresholds: tuple[float, float, float] = (0.5, 0.5, 0.5)
    max_risk: float = 1.0
    criteria: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rubric:
    """A validated rubric. `talk` is measure -> (low, high), the usual range of the seller side.

    A behaviour is withheld where the mean word confidence or the share of speech attributed is under the minimum.
    `takeover_after` is the manager's share of seller-side speech from a point on that makes it a takeover,
    `takeover_turns_after` the same of its turns, `takeover_total` that of the whole call (assessment standard: "holds
    the seller side for most of it").
    `calibration` is the one whose thresholds stand in place of the file's, None where they are the file's own.
    """

    id: str
    version: str
    title: str
    call_types: tuple[str, ...]
    behaviours: tuple[RubricBehaviour, ...]
    talk: tuple[tuple[str, tuple[float, float]], ...] = ()
    min_word_confidence: float = 0.0
    min_speech_attributed: float = 0.0
    takeover_after: float = 0.8
    takeover_turns_after: float = 0.7
    takeover_total: float = 0.6
    sha256: str = field(default="", compare=False)
    calibration: Calibration | None = None


def load_rubric(name_or_file: str | Path) -> Rubric:
    """The rubric of that name among the shipped ones, or of that file.

    Raises UsageError for a name that is not there, RubricError (with every fault) for a broken file.
    """
    path = Path(name_or_file)
    if path.suffix.lower() in {".yaml", ".yml"} or path.is_file():
        return _from_file(path)
    shipped = {file.stem: file for file in sorted(resources.rubrics_folder().glob("*.yaml"))}
    if str(name_or_file) not in shipped:
        near = difflib.get_close_matches(str(name_or_file), shipped, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(
            f"rubric {str(name_or_file)!r} is not known.{hint} Give a YAML file or one of: {', '.join(shipped)}"
        )
    return _from_file(shipped[str(name_or_file)])


@lru_cache
def rubric_for(call_type: str) -> Rubric:
    """The shipped rubric for a call type; read once, not once a call."""
    return load_rubric(DEFAULT_RUBRICS[call_type])


def calibrated(rubric: Rubric, calibration: Calibration) -> Rubric:
    """The rubric with the calibration's thresholds. Raises UsageError where it was made for another one or version."""
    got = f"{rubric.id} {rubric.version}"
    made_for = f"{calibration.rubric_id} {calibration.rubric_version}"
    if got != made_for:
        raise UsageError(
            f"{calibration.file}: made for the rubric {made_for}, and this is {got}. Use it for calls that {made_for} "
            f"judges (--rubric {calibration.rubric_id} judges all by that one), or make a calibration for {got}."
        )
    fitted = dict(calibration.thresholds)
    behaviours = tuple(replace(one, thresholds=fitted.get(one.name, one.thresholds)) for one in rubric.behaviours)
    return replace(rubric, behaviours=behaviours, calibration=calibration)


def _from_file(path: Path) -> Rubric:
    values, sha256 = read_faultless(path)
    quality = values.get("quality", {})
    takeover = values.get("takeover", {})
    return Rubric(
        id=values["id"],
        version=values["version"],
        title=values["title"],
        call_types=tuple(values["call_types"]),
        behaviours=tuple(_behaviour(name, entry) for name, entry in values["behaviours"].items()),
        talk=tuple((name, (float(low), float(high))) for name, (low, high) in values.get("talk", {}).items()),
        min_word_confidence=float(quality.get("min_word_confidence", 0.0)),
        min_speech_attributed=float(quality.get("min_speech_attributed", 0.0)),
        takeover_after=float(takeover.get("share_after", 0.8)),
        takeover_turns_after=float(takeover.get("turns_after", 0.7)),
        takeover_total=float(takeover.get("share_total", 0.6)),
        sha256=sha256,
    )


def _behaviour(name: str, entry: dict[str, Any]) -> RubricBehaviour:
    low, middle, high = entry.get("thresholds", (0.5, 0.5, 0.5))
    return RubricBehaviour(
        name=name,
        judged_as=entry.get("judged_as", name),
        title=entry["title"],
        short=entry.get("short", entry["title"]),
        weight=float(entry.get("weight", 1.0)),
        thresholds=(float(low), float(middle), float(high)),
        max_risk=float(entry.get("max_risk", 1.0)),
        criteria=tuple(entry["criteria"].items()),
    )
