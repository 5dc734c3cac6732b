"""The page of a calibration: how well people and machine agree, who is strict, what was fitted.

For sales enablement: figures stand beside what two people reach, and each refusal says what is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.calibrate.agreement import Figure, Figures
from pipeline.calibrate.calibration import BehaviourResult, Calibrated, Dispute
from pipeline.records import LEVEL_NAMES
from pipeline.report import words
from pipeline.report.page import render
from pipeline.report.rates import Rate, Scale, scale_over
from pipeline.report.words import SPACE, Chip

__all__ = ["CalibrationPage", "calibration_page", "page_of"]

PEOPLE, MACHINE, AGREED = "Two raters", "Machine and a rater", "Machine and agreed level"
UNTOLD = "cannot be told"


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row of a behaviour's table of figures, all in words."""

    name: str
    exact: str
    within_one: str
    kappa: str
    alpha: str
    count: str


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """One agreed level: how often the machine gave each level, with the share of the row (0-4) that shades the cell."""

    level: Chip
    cells: tuple[tuple[int, int, bool], ...]
    withheld: int
    total: int


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A call to talk about: each rater's level, the agreed one, and the machine's (None without a scorecard)."""

    call_id: str
    levels: tuple[tuple[str, Chip], ...]
    agreed: Chip
    machine: Chip | None


@dataclass(frozen=True, slots=True)
class BehaviourView:
    """One behaviour. `state` is a word for what became of its thresholds, `moved` (level, before, after)."""

    id: str
    title: str
    short: str
    rates: tuple[Rate, ...]
    reading: str
    figures: tuple[FigureRow, ...]
    notes: tuple[str, ...]
    confusion: tuple[ConfusionRow, ...]
    confusion_calls: int
    raters: tuple[tuple[str, str, str, str], ...]
    disputes: tuple[DisputeView, ...]
    state: str
    reason: str
    moved: tuple[tuple[str, str, str], ...]
    risk: str


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
    lows = [figures.kappa.low for one in found.behaviours for _, _, figures in _shown(one)]
    values = [figures.kappa.value for one in found.behaviours for _, _, figures in _shown(one)]
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
        behaviours=tuple(_behaviour(one, titles, scale) for one in found.behaviours),
        severity_scale=severity_scale,
        severities=tuple(
            Rate(
                one.rater,
                "people",
                severity_in_words(one.value),
                f"{_span(one.low, one.high, 2)}, {words.counted(one.ratings, 'rating')}",
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


def figure_in_words(figure: Figure) -> str:
    """ "0.81 (0.70 to 0.89)"; without the interval where there is none."""
    if figure.value is None:
        return UNTOLD
    return f"{_signed(figure.value, 2)}" + (
        "" if figure.low is None or figure.high is None else f" ({_span(figure.low, figure.high, 2)})"
    )


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
    said = [_range(PEOPLE + " agree", [one.people for one in found.behaviours])]
    if found.machine:
        said.append(
            _range("machine and a rater", [one.machine_people for one in found.behaviours if one.machine_people])
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
        return f"{who}: {UNTOLD} from these ratings"
    if len(known) == 1:
        return f"{who} at a weighted kappa of {_signed(known[0], 2)}"
    return f"{who} at a weighted kappa of {_signed(min(known), 2)} to {_signed(max(known), 2)}"


def _short(name: str, found: Calibrated) -> str:
    shorts = {one.name: one.short for one in found.rubric.behaviours} if found.rubric else {}
    return shorts.get(name, name.replace("_", " ").capitalize())


# --- behaviours -----------------------------------------------------------------------------------


def _shown(one: BehaviourResult) -> list[tuple[str, str, Figures]]:
    """(name, tone, figures) of the comparisons that there are."""
    rows = [(PEOPLE, "people", one.people), (MACHINE, "machine", one.machine_people)]
    return [(name, tone, figures) for name, tone, figures in rows if figures is not None]


def _behaviour(one: BehaviourResult, titles: Mapping[str, tuple[str, str]], scale: Scale) -> BehaviourView:
    plain = one.name.replace("_", " ").capitalize()
    title, short = titles.get(one.name, (plain, plain))
    rows = [(name, figures) for name, _, figures in _shown(one)]
    if one.machine_agreed:
        rows.append((AGREED, one.machine_agreed))
    return BehaviourView(
        id=f"b-{one.name}",
        title=title,
        short=short,
        rates=tuple(_rate(*row, scale) for row in _shown(one)),
        reading=_reading(one),
        figures=tuple(_figure_row(*row) for row in rows),
        notes=_notes(one),
        confusion=_confusion(one),
        confusion_calls=(one.machine_agreed.pairs if one.machine_agreed else 0) + sum(one.withheld),
        raters=tuple(
            (
                rater.rater,
                figure_in_words(rater.others.kappa),
                "" if rater.machine is None else figure_in_words(rater.machine.kappa),
                words.counted(rater.others.calls, "call"),
            )
            for rater in one.raters
        ),
        disputes=tuple(_dispute(dispute) for dispute in one.disputes),
        state="" if one.fit is None else "New thresholds" if one.fit.kept else "Rubric's thresholds",
        reason="" if one.fit is None else one.fit.reason,
        moved=_moved(one),
        risk=_risk(one),
    )


def _rate(name: str, tone: str, figures: Figures, scale: Scale) -> Rate:
    kappa = figures.kappa
    count = words.counted(figures.calls, "call")
    return Rate(
        name, tone, figure_in_words(kappa), count, *(scale.place(end) for end in (kappa.value, kappa.low, kappa.high))
    )


def _figure_row(name: str, figures: Figures) -> FigureRow:
    pairs = words.counted(figures.pairs, "pair")
    return FigureRow(
        name,
        _share_in_words(figures.exact),
        _share_in_words(figures.within_one),
        figure_in_words(figures.kappa),
        figure_in_words(figures.alpha),
        f"{pairs} from {words.counted(figures.calls, 'call')}",
    )


def _share_in_words(figure: Figure) -> str:
    if figure.value is None:
        return UNTOLD
    if figure.low is None or figure.high is None:
        return words.percent(figure.value)
    return f"{words.percent(figure.value)} ({figure.low * 100:.0f} to {figure.high * 100:.0f})"


def _reading(one: BehaviourResult) -> str:
    """The comparison in a sentence."""
    people, machine = one.people.kappa, one.machine_people.kappa if one.machine_people else None
    if people.value is None:
        return (
            "No call has two raters' levels, so there is nothing to hold the machine's agreement against."
            if not one.people.pairs
            else "Raters only ever gave one and the same level, so agreement beyond chance cannot be told."
        )
    if machine is None:
        return ""
    if machine.value is None or None in (people.low, people.high, machine.low, machine.high):
        return "There are too few levels of both to compare machine and raters."
    if _less(machine.high, people.low):
        return "Raters agree with one another more than the machine agrees with them."
    if _less(people.high, machine.low):
        return "The machine agrees with raters more than they agree with one another."
    return "The intervals overlap: the machine may agree with a rater as well as another rater does, or less."


def _less(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one < other


def _notes(one: BehaviourResult) -> tuple[str, ...]:
    notes = []
    if sum(one.withheld):
        several = sum(one.withheld) != 1
        notes.append(
            f"The machine withheld its level on {words.counted(sum(one.withheld), 'rated call')}; "
            f"{'they are' if several else 'it is'} counted in the table below, not in the figures."
        )
    if one.unjudged:
        notes.append(f"{words.counted(one.unjudged, 'rated call')} without a scorecard of this rubric.")
    if one.not_measured:
        notes.append(f"{words.counted(one.not_measured, 'rating')} marked as not measured.")
    return tuple(notes)


def _confusion(one: BehaviourResult) -> tuple[ConfusionRow, ...]:
    if one.machine_agreed is None:
        return ()
    rows = []
    for level, (counts, withheld) in enumerate(zip(one.machine_agreed.counts, one.withheld, strict=True)):
        total = sum(counts) + withheld
        cells = tuple(
            (count, 0 if not total else -(-4 * count // total), said == level) for said, count in enumerate(counts)
        )
        rows.append(ConfusionRow(words.level_chip(level), cells, withheld, total))
    return tuple(rows)


def _dispute(one: Dispute) -> DisputeView:
    return DisputeView(
        one.call_id,
        tuple((rater, words.level_chip(level)) for rater, level in one.levels),
        words.level_chip(one.agreed),
        None if one.machine is None else words.level_chip(one.machine.level),
    )


def _moved(one: BehaviourResult) -> tuple[tuple[str, str, str], ...]:
    if one.fit is None or not one.fit.kept:
        return ()
    pairs = zip(LEVEL_NAMES[1:], one.fit.present, one.fit.thresholds, strict=True)
    return tuple((f"{name} or better", f"{before:.2f}", f"{after:.2f}") for name, before, after in pairs)


def _risk(one: BehaviourResult) -> str:
    if one.risk is None:
        return ""
    if one.risk.max_risk is None:
        return one.risk.reason
    return (
        f"For at most {words.percent(one.risk.target)} of given levels two or more off, write max_risk: "
        f"{one.risk.max_risk:.2f} into the rubric: {one.risk.reason}"
    )


# --- foot -----------------------------------------------------------------------------------------


def _honesty(found: Calibrated, calibration_id: str | None) -> tuple[tuple[str, str], ...]:
    lines = [
        ("Weighted kappa", "1 is perfect, 0 is what chance alone would bring; a level two off counts four times as "
         "much as one off. Pairs of raters count in both orders."),
        ("Alpha", "Krippendorff's alpha for ordered levels: read like kappa, and made for raters who miss some calls."),
        ("Intervals", "95 of 100 such panels of calls would give a figure in this range; whole calls are drawn anew, "
         "2,000 times. Severities have intervals that allow for ratings of one call going together."),
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


def _signed(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _span(low: float, high: float, digits: int) -> str:
    return f"{_signed(low, digits)} to {_signed(high, digits)}"
