"""One behaviour on the calibration page: figures, where levels met, what was fitted, and the calls to talk about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.calibrate.agreement import FEWEST_CALLS, Figure, Figures
from pipeline.calibrate.calibration import BehaviourResult, Dispute
from pipeline.records import LEVEL_NAMES
from pipeline.report import words
from pipeline.report.rates import Rate, Scale
from pipeline.report.words import Chip

__all__ = ["BehaviourView", "behaviour_view", "comparisons", "figure_in_words"]

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


def figure_in_words(figure: Figure) -> str:
    """ "0.81 (0.70 to 0.89)"; without the interval where there is none."""
    if figure.value is None:
        return UNTOLD
    return f"{signed(figure.value, 2)}" + (
        "" if figure.low is None or figure.high is None else f" ({span(figure.low, figure.high, 2)})"
    )


def comparisons(one: BehaviourResult) -> list[tuple[str, str, Figures]]:
    """(name, tone, figures) of the comparisons that there are."""
    rows = [(PEOPLE, "raters", one.people), (MACHINE, "machine", one.machine_people)]
    return [(name, tone, figures) for name, tone, figures in rows if figures is not None]


def behaviour_view(one: BehaviourResult, titles: Mapping[str, tuple[str, str]], scale: Scale) -> BehaviourView:
    """The behaviour in words and places; `titles` is name -> (title, short name), by the rubric where there is one."""
    plain = one.name.replace("_", " ").capitalize()
    title, short = titles.get(one.name, (plain, plain))
    rows = [(name, figures) for name, _, figures in comparisons(one)]
    if one.machine_agreed:
        rows.append((AGREED, one.machine_agreed))
    return BehaviourView(
        id=f"b-{one.name}",
        title=title,
        short=short,
        rates=tuple(_rate(*row, scale) for row in comparisons(one)),
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
        return _why_untold(one.people)
    if machine is None:
        return ""
    if machine.value is None or None in (people.low, people.high, machine.low, machine.high):
        return "There are too few levels of both to compare machine and raters."
    if _less(machine.high, people.low):
        return "Raters agree with one another more than the machine agrees with them."
    if _less(people.high, machine.low):
        return "The machine agrees with raters more than they agree with one another."
    return "The intervals overlap: the machine may agree with a rater as well as another rater does, or less."


def _why_untold(people: Figures) -> str:
    if not people.calls:
        return "No call has two raters' levels, so there is nothing to hold the machine's agreement against."
    if people.calls < FEWEST_CALLS:
        have = f"{words.counted(people.calls, 'call')} {'has' if people.calls == 1 else 'have'}"
        return f"Only {have} two raters' levels; agreement beyond chance needs {FEWEST_CALLS}."
    return "Raters only ever gave one and the same level, so agreement beyond chance cannot be told."


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


def signed(value: float, digits: int) -> str:
    """The number with a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def span(low: float, high: float, digits: int) -> str:
    """ "0.50 to 0.75"."""
    return f"{signed(low, digits)} to {signed(high, digits)}"
