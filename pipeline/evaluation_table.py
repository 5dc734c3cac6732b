"""What `ridealong evaluate` prints: a row a call, the total with intervals and counts, and the same as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from pipeline.evaluate.figures import FEWEST_CALLS, Figure, Total
from pipeline.evaluation import Evaluation

__all__ = ["json_lines", "summary"]

_SHOWN = {
    "wer": ("WER", "%"),
    "cpwer": ("cp-\nWER", "%"),
    "der": ("DER", "%"),
    "der_0.125": ("DER\n±.125", "%"),
    "der_0.25": ("DER\n±.25", "%"),
    "talk_share_error": ("talk\nshare", "points"),
    "side_share_error": ("side\nshare", "points"),
    "role_accuracy": ("right\nrole", "%"),
    "side_accuracy": ("right\nside", "%"),
}
"""Figure -> its column's heading, and its unit."""

_TITLES = {
    "wer": "WER",
    "cpwer": "cpWER",
    "der": "DER, no collar",
    "der_0.125": "DER, ±0.125 s",
    "der_0.25": "DER, ±0.25 s",
    "talk_share_error": "talk-share error",
    "side_share_error": "the same by side",
    "role_accuracy": "right role",
    "side_accuracy": "right side",
}

_CAPTION = "errors in %, talk shares in points; ± s: that near to a boundary of the reference nothing is scored"


def summary(found: Evaluation) -> Group:
    """The closing tables: calls, then the total."""
    return Group(_calls(found), _total(found))


def json_lines(found: Evaluation) -> Iterator[str]:
    """One line a call, then the total."""
    for call in found.calls:
        yield json.dumps(call.to_dict(), ensure_ascii=False)
    yield json.dumps(found.total_dict(), ensure_ascii=False)


def _calls(found: Evaluation) -> Table:
    done = [call for call in found.calls if call.error is None]
    title = f"{len(done)} call{'s' if len(done) != 1 else ''} compared"
    table = Table(title=title, caption=_CAPTION, box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("call", no_wrap=True, max_width=30)
    names = [name for name in _SHOWN if name in found.total]
    for name in names:
        table.add_column(_SHOWN[name][0], justify="right", no_wrap=True)
    for call in done:
        table.add_row(escape(call.call_id), *(_cell(name, call.figures.get(name)) for name in names))
    table.add_section()
    table.add_row("total", *(_cell(name, found.total[name].figure) for name in names))
    return table


def _total(found: Evaluation) -> Table:
    table = Table(title="Total", box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True)
    table.add_column("calls", justify="right")
    table.add_column("counts")
    for name in _SHOWN:
        if name in found.total:
            total = found.total[name]
            cells = _cell(name, total.figure), _interval(name, total), str(total.calls)
            table.add_row(_TITLES[name], *cells, _counts(total.figure.counts))
    return table


def _cell(name: str, figure: Figure | None) -> str:
    return "–" if figure is None or figure.value is None else _number(name, figure.value)


def _number(name: str, value: float) -> str:
    return f"{100 * value:.1f}" if _SHOWN[name][1] == "%" else f"{value:.2f}"


def _interval(name: str, total: Total) -> str:
    if total.low is None or total.high is None:
        return "too few calls" if total.calls < FEWEST_CALLS else "–"
    return f"{_number(name, total.low)} to {_number(name, total.high)}"


def _counts(counts: Mapping[str, float]) -> str:
    """ "42 substitutions, 9 deletions"; seconds and points with one or two decimals; nothing for what is 0."""
    shown = [
        f"{'' if name != 'worst' else 'worst '}{_amount(name, count)}{'' if name == 'worst' else _unit(name)}"
        for name, count in counts.items()
        if count
    ]
    return ", ".join(shown)


_SECONDS = frozenset({"missed", "false_alarm", "confusion", "speech"})


def _amount(name: str, count: float) -> str:
    if name == "worst":
        return f"{count:.2f}"
    return f"{count:.1f}" if name in _SECONDS else f"{count:.0f}"


def _unit(name: str) -> str:
    words = name.replace("_", " ")
    return f" s {words}" if name in _SECONDS else f" {words}"
