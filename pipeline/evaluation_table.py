"""What `ridealong evaluate` prints: a row a call, the total with intervals and counts, remarks; all as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from pipeline.evaluate.figures import FEWEST_CALLS, Figure, Total
from pipeline.evaluation import Evaluation

__all__ = ["json_lines", "remarks", "summary"]

_COLUMNS = {
    "wer": "WER",
    "cpwer": "cp-\nWER",
    "der": "DER",
    "der_0.25": "DER\n±.25",
    "talk_share_error": "talk\nshare",
    "role_accuracy": "right\nrole",
}
"""Figure -> the heading of its column in the table of calls, which 80 characters hold."""

_ROWS = {
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
"""Figure -> its row in the table of the total."""

_IN_POINTS = frozenset({"talk_share_error", "side_share_error"})

_CAPTION = "all in %, talk-share errors in points; ± s: that near to a boundary of the reference nothing is scored"


def remarks(found: Evaluation) -> Iterator[str]:
    """What is told beside the figures: calls that failed or have no partner, and what could not be measured."""
    for call in found.failed:
        yield f"[red]failed[/] {escape(call.call_id)}: {escape(call.error or '')}"
    for calls, lack in ((found.without_reference, "reference"), (found.without_output, "output")):
        if calls:
            yield f"[yellow]{len(calls)} without {lack}, and in no figure: {escape(_few(calls))}[/]"
    for note in dict.fromkeys(note for call in found.calls for note in call.notes):
        noted = [call.call_id for call in found.calls if note in call.notes]
        yield f"[dim]{escape(note)} ({len(noted)} of {len(found.calls)} calls: {escape(_few(noted))})[/]"


def _few(names: Sequence[str]) -> str:
    """The first five names, and whether there are more."""
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


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
    names = [name for name in _COLUMNS if name in found.total]
    for heading in ("words", "speech\ns"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in names:
        table.add_column(_COLUMNS[name], justify="right", no_wrap=True)
    for call in done:
        table.add_row(escape(call.call_id), *_row(call.figures, names))
    table.add_section()
    table.add_row("total", *_row({name: total.figure for name, total in found.total.items()}, names))
    return table


def _row(figures: Mapping[str, Figure], names: Sequence[str]) -> list[str]:
    """The reference's words and seconds of speech, then the figures."""
    sizes = (figures[name].whole if name in figures else None for name in ("wer", "der"))
    first = ["–" if size is None else f"{size:.0f}" for size in sizes]
    return first + [_cell(name, figures.get(name)) for name in names]


def _total(found: Evaluation) -> Table:
    table = Table(title="Total", box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True)
    table.add_column("calls", justify="right")
    table.add_column("counts")
    for name in _ROWS:
        if name in found.total:
            total = found.total[name]
            cells = _cell(name, total.figure), _interval(name, total), str(total.calls)
            table.add_row(_ROWS[name], *cells, _counts(total.figure.counts))
    return table


def _cell(name: str, figure: Figure | None) -> str:
    return "–" if figure is None or figure.value is None else _number(name, figure.value)


def _number(name: str, value: float) -> str:
    return f"{value:.2f}" if name in _IN_POINTS else f"{100 * value:.1f}"


def _interval(name: str, total: Total) -> str:
    if total.low is None or total.high is None:
        return "too few calls" if total.calls < FEWEST_CALLS else "–"
    return f"{_number(name, total.low)} to {_number(name, total.high)}"


def _counts(counts: Mapping[str, float]) -> str:
    """ "42 substitutions, 9 deletions"; seconds and points with one or two decimals; nothing for what is 0."""
    return ", ".join(_count(name, count) for name, count in counts.items() if count)


_SECONDS = frozenset({"missed", "false_alarm", "confusion", "speech"})


def _count(name: str, count: float) -> str:
    if name == "worst":
        return f"worst {count:.2f}"
    words = name.replace("_", " ")
    return f"{count:.1f} s {words}" if name in _SECONDS else f"{count:.0f} {words}"
