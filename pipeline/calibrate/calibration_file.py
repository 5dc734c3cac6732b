"""What a calibration file holds: a whole calibration in, plain values with their id out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pipeline.assess.calibration import with_id
from pipeline.calibrate.agreement import Figures
from pipeline.calibrate.calibration import BehaviourResult, Calibrated

__all__ = ["file_content"]


def file_content(found: Calibrated) -> dict[str, Any]:
    """The calibration file as plain values, its id first. Needs a machine and a rubric."""
    machine, rubric = found.machine, found.rubric
    if machine is None or rubric is None:
        raise ValueError("a calibration file needs scorecards: calibrate with a machine and its rubric")
    severities = {one.rater: one for one in found.panel.severities}
    counts = {rater: sum(row.rater == rater for row in found.ratings.given) for rater in found.ratings.raters}
    return with_id(
        {
            "rubric": {"id": rubric.id, "version": rubric.version, "sha256": rubric.sha256},
            "classifier": machine.classifier,
            "ratings": {
                "sha256": found.ratings.sha256,
                "calls": len({row.call_id for row in found.ratings.given}),
                "given": len(found.ratings.given),
                "raters": [
                    {
                        "rater": rater,
                        "given": counts[rater],
                        "severity": None
                        if rater not in severities
                        else {name: getattr(severities[rater], name) for name in ("value", "low", "high")},
                    }
                    for rater in found.ratings.raters
                ],
                "severity_refused": found.panel.refused,
            },
            "target_error": found.target_error,
            "behaviours": {one.name: _content(one) for one in found.behaviours if one.fit is not None},
        }
    )


def _content(one: BehaviourResult) -> dict[str, Any]:
    fit, people = one.fit, one.people.kappa.value
    if fit is None:
        raise ValueError(f"{one.name} was not compared with the machine")
    return {
        "kept": fit.kept,
        "thresholds": list(fit.thresholds),
        "rubric_thresholds": list(fit.present),
        "reason": fit.reason,
        "calls": fit.calls,
        "kappa_before": fit.before,
        "kappa_after": fit.after,
        "held_out": _held_out(one.held_out, people),
        "max_risk": None if one.risk is None else asdict(one.risk),
        "agreement": {
            "people": one.people.to_dict(),
            "machine_people": one.machine_people and one.machine_people.to_dict(),
            "machine_agreed": one.machine_agreed and one.machine_agreed.to_dict(),
            "withheld": sum(one.withheld),
        },
    }


def _held_out(found: Figures | None, people: float | None) -> dict[str, Any] | None:
    """As the record `Agreement` has it; None where kappa or its interval cannot be told."""
    if found is None or found.kappa.value is None or found.kappa.low is None:
        return None
    kappa = found.kappa
    return {
        "kappa": kappa.value,
        "low": kappa.low,
        "high": kappa.high,
        "calls": found.calls,
        "between_people": people,
    }
