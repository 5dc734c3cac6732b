"""What `ridealong calibrate` prints: a table of agreement, the raters' severity, and the same as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from pipeline.calibrate.agreement import Figures
from pipeline.calibrate.calibration import BehaviourResult, Calibrated
from pipeline.report import words
from pipeline.report.calibration_behaviours import figure_in_words
from pipeline.report.calibration_page import severity_in_words

__all__ = ["json_lines", "summary"]

_CAPTION = "n: rated calls; weighted kappa (95 % interval); held: levels withheld on them"


def summary(found: Calibrated) -> Group:
    """The closing tables."""
    return Group(*_tables(found))


def json_lines(found: Calibrated) -> Iterator[str]:
    """One line a behaviour, then one a rater."""
    for one in found.behaviours:
        line = {
            "behaviour": one.name,
            "people": one.people.to_dict(),
            "machine_people": one.machine_people and one.machine_people.to_dict(),
            "machine_agreed": one.machine_agreed and one.machine_agreed.to_dict(),
            "withheld": sum(one.withheld),
            "kept": one.fit and one.fit.kept,
            "thresholds": one.fit and list(one.fit.thresholds),
            "reason": one.fit and one.fit.reason,
            "max_risk": one.risk and one.risk.max_risk,
        }
        yield json.dumps(line, ensure_ascii=False)
    for rater in found.panel.severities:
        line = {"rater": rater.rater, "severity": rater.value, "low": rater.low, "high": rater.high}
        yield json.dumps(line, ensure_ascii=False)


def _tables(found: Calibrated) -> Iterator[Table | str]:
    calls = len({row.call_id for row in found.ratings.given})
    counts = ((len(found.ratings.given), "rating"), (calls, "call"), (len(found.ratings.raters), "rater"))
    title = "{} of {} by {}".format(*(words.counted(*one) for one in counts))
    table = Table(title=title, caption=_CAPTION, box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("behaviour", no_wrap=True)
    table.add_column("n", justify="right")
    table.add_column("two raters", no_wrap=True)
    if found.machine:
        table.add_column("rater, machine", no_wrap=True)
        table.add_column("held", justify="right", min_width=4)
        table.add_column("thresholds", no_wrap=True)
    for one in found.behaviours:
        cells = [escape(one.name), str(one.calls), _kappa(one.people)]
        table.add_row(*cells, *(_machine(one) if found.machine else ()))
    yield table
    if found.panel.refused:
        yield f"[yellow]{escape(found.panel.refused)}[/]"
        return
    raters = Table(title="Severity", box=box.SIMPLE, pad_edge=False)
    for column in ("rater", "ratings", "rates", "95 % interval"):
        raters.add_column(column, justify="right" if column == "ratings" else "left")
    for rater in sorted(found.panel.severities, key=lambda rater: (-rater.value, rater.rater)):
        span = f"{rater.low:+.2f} to {rater.high:+.2f}"
        raters.add_row(escape(rater.rater), str(rater.ratings), severity_in_words(rater.value), span)
    yield raters


def _machine(one: BehaviourResult) -> tuple[str, str, str]:
    fitted = "–" if one.fit is None else "rubric's"
    if one.fit is not None and one.fit.kept:
        fitted = "[green]" + " ".join(f"{value:.2f}"[1:] for value in one.fit.thresholds) + "[/]"
    kappa = "–" if one.machine_people is None else _kappa(one.machine_people)
    return kappa, str(sum(one.withheld)), fitted


def _kappa(figures: Figures) -> str:
    return figure_in_words(figures.kappa).replace(" to ", "–")
