"""The page of a calibration: how well people and machine agree, who is strict, what was fitted.

For sales enablement: figures stand beside what two people reach, and each refusal says what is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.calibrate.agreement import Figures
from pipeline.calibrate.calibration import Calibrated
from pipeline.report import words
from pipeline.report.calibration_behaviours import (
    UNTOLD,
    BehaviourView,
    behaviour_view,
    comparisons,
    signed,
    span,
)
from pipeline.report.page import render
from pipeline.report.rates import Rate, Scale, scale_over
from pipeline.report.words import SPACE

__all__ = ["CalibrationPage", "calibration_page", "page_of"]


@dataclass(frozen=True, slots=True)
class CalibrationPage:
    """The whole page. `severities` is empty where `severity_refused` says why."""

    title: str
    facts: tuple[str, ...]
    summary: tuple[str, ...]
    notes: tuple[str, ...]
    with_machine: bool
    scale: Scale
    behaviours: tuple[BehaviourView, ...]
    severity_scale: Scale
    severities: tuple[Rate, ...]
    severity_refused: str
    honesty: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]


def calibration_page(found: Calibrated, calibration_id: str | None) -> str:
    """The whole HTML page. `calibration_id` is that of the file beside it, None where none was written."""
    return render("calibration.html", page_of(found, calibration_id))


def page_of(found: Calibrated, calibration_id: str | None) -> CalibrationPage:
    """The page's context."""
    lows = [figures.kappa.low for one in found.behaviours for _, _, figures in comparisons(one)]
    values = [figures.kappa.value for one in found.behaviours for _, _, figures in comparisons(one)]
    scale = scale_over([*lows, *values], 0.0, 1.0, 0.2)
    ends = [end for one in found.panel.severities for end in (one.low, one.high)]
    severity_scale = scale_over([*ends, *(-end for end in ends)], -1.0, 1.0, 0.5, signed=True)
    titles = {one.name: (one.title, one.short) for one in found.rubric.behaviours} if found.rubric else {}
    return CalibrationPage(
        title="How well raters and machine agree" if found.machine else "How well raters agree",
        facts=_facts(found),
        summary=_summary(found),
        notes=found.notes,
        with_machine=found.machine is not None,
        scale=scale,
        behaviours=tuple(behaviour_view(one, titles, scale) for one in found.behaviours),
        severity_scale=severity_scale,
        severities=tuple(
            Rate(
                one.rater,
                "raters",
                severity_in_words(one.value),
                f"{span(one.low, one.high, 2)}, {words.counted(one.ratings, 'rating')}",
                severity_scale.place(one.value),
                severity_scale.place(one.low),
                severity_scale.place(one.high),
            )
            for one in sorted(found.panel.severities, key=lambda one: (-one.value, one.rater))
        ),
        severity_refused=found.panel.refused or "",
        honesty=_honesty(found, calibration_id),
        versions=_versions(found, calibration_id),
    )


def severity_in_words(value: float) -> str:
    """ "0.8 levels stricter", "0.3 levels milder", "as the others" for less than a twentieth of a level."""
    if abs(value) < 0.05:
        return "as the others"
    return f"{abs(value):.1f}{SPACE}levels {'stricter' if value > 0 else 'milder'}"


# --- head -----------------------------------------------------------------------------------------


def _facts(found: Calibrated) -> tuple[str, ...]:
    given = found.ratings.given
    facts = [
        words.counted(len({row.call_id for row in given}), "call"),
        words.counted(len(found.ratings.raters), "rater"),
        words.counted(len(given), "rating"),
    ]
    if found.rubric:
        facts.insert(0, f"{found.rubric.title}, rubric {found.rubric.id} {found.rubric.version}")
    return tuple(facts)


def _summary(found: Calibrated) -> tuple[str, ...]:
    """What sales enablement should know first, in two or three sentences."""
    said = [_range("two raters agree", [one.people for one in found.behaviours])]
    if found.machine:
        said.append(
            _range("machine and a rater agree", [one.machine_people for one in found.behaviours if one.machine_people])
        )
        kept = [one for one in found.behaviours if one.fit and one.fit.kept]
        tried = [one for one in found.behaviours if one.fit]
        new = words.listing([_short(one.name, found).lower() for one in kept])
        said.append(
            f"New thresholds are used for {words.spelled(len(kept))} of {words.spelled(len(tried))} behaviours"
            + (f": {new}." if kept else ".")
        )
    return tuple(words.sentence(one) for one in said if one)


def _range(who: str, figures: Sequence[Figures]) -> str:
    known = [one.kappa.value for one in figures if one.kappa.value is not None]
    if not known:
        return f"how far {who} {UNTOLD} from these ratings"
    if len(known) == 1:
        return f"{who} at a weighted kappa of {signed(known[0], 2)}"
    return f"{who} at a weighted kappa of {signed(min(known), 2)} to {signed(max(known), 2)}"


def _short(name: str, found: Calibrated) -> str:
    shorts = {one.name: one.short for one in found.rubric.behaviours} if found.rubric else {}
    return shorts.get(name, name.replace("_", " ").capitalize())


# --- foot -----------------------------------------------------------------------------------------


def _honesty(found: Calibrated, calibration_id: str | None) -> tuple[tuple[str, str], ...]:
    lines = [
        ("Weighted kappa", "1 is perfect, 0 is what chance alone would bring; a level two off counts four times as "
         "much as one off. Pairs of raters count in both orders."),
        ("Alpha", "Krippendorff's alpha for ordered levels: read like kappa, and made for raters who miss some calls."),
        ("Intervals", "The range (95 %) in which a figure would lie with other calls like these: whole calls are drawn "
         "anew, 2,000 times. Those of severities allow for the ratings of one call going together."),
        ("Agreed level", "The median of what a rater of the panel's average severity would give, by all raters of the "
         "call." if found.panel.refused is None else "The median of the call's ratings, the lower one of two. Severity "
         "was not taken out."),
    ]  # fmt: skip
    if found.machine:
        lines.append(
            ("Thresholds", "Chosen on four fifths of the calls and tried on the last fifth, in turn; the figures are "
             "from the fifths that were not used for choosing. Figures and tables show the levels of the scorecards as "
             "they were given.")
        )  # fmt: skip
        lines.append(("Calibration file", calibration_id or "none was written"))
    return tuple(lines)


def _versions(found: Calibrated, calibration_id: str | None) -> tuple[tuple[str, str], ...]:
    versions = [("Ratings", f"{found.ratings.name} sha256:{found.ratings.sha256}")]
    if found.machine:
        versions += [("Rubric", found.machine.rubric_named), ("Classifier", found.machine.classifier)]
    if calibration_id:
        versions.append(("Calibration", calibration_id))
    return tuple(versions)
