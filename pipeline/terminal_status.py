"""What a ledger says of its batches, as tables for people and as JSON: how far they are, and what failed."""

from __future__ import annotations

import csv
import heapq
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.archive.cells import safe_cell
from pipeline.archive.ledger import Ledger, Pace, Run
from pipeline.archive.recordings import Recording, State
from pipeline.terminal_figures import ago, audio, counted, lasting, plain, speed

WINDOW = 300.0
"""Seconds over which speed is measured."""
_LATEST = 3  # failures that are shown beside the figures
_LOOKED_AT = 5_000  # failures among which the latest are looked for
_STATES: tuple[tuple[State, str, str], ...] = (
    ("done", "scored", ""),
    ("copy", "copies", "the same recording as another call's"),
    ("claimed", "being scored", ""),
    ("pending", "waiting", "for the batch that runs, or the next one"),
    ("failed", "failed", "the next batch tries them again"),
    ("quarantined", "in quarantine", "failed too often; they wait for ridealong retry"),
)
_NO_REASON = "no reason is known"
STATE_WORDS = {state: words for state, words, _ in _STATES}


@dataclass(frozen=True, slots=True)
class Status:
    """How far the batches of a place are. `pace` is of the last `window` seconds, `latest` the last failures."""

    out: str
    ledger: str
    counts: dict[State, int]
    runs: tuple[Run, ...]
    pace: Pace
    window: float
    latest: tuple[Recording, ...]
    now: datetime

    @property
    def left(self) -> int:
        """The calls that wait or are being scored."""
        return self.counts.get("pending", 0) + self.counts.get("claimed", 0)

    @property
    def seconds_left(self) -> float | None:
        """The time that they take at this pace; None where nothing runs or nothing was measured."""
        if not self.runs or not self.pace.done or not self.window:
            return None
        return self.left * self.window / self.pace.done


def read_status(book: Ledger, out: str, now: datetime | None = None) -> Status:
    """The status of a ledger's batches at `now`. Raises LedgerError."""
    now = now or datetime.now(UTC)
    runs = book.runs()
    oldest = max((ago(run.started_at, now) for run in runs), default=WINDOW)
    window = min(WINDOW, oldest)
    since = (now - timedelta(seconds=window)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"  # as the ledger writes it
    failures = islice(book.failures(), _LOOKED_AT)
    latest = heapq.nlargest(_LATEST, failures, key=lambda one: (one.finished_at or "", one.id))
    return Status(out, book.url, book.counts(), runs, book.progress(since), window, tuple(latest), now)


def status_view(status: Status) -> RenderableType:
    """The status for people."""
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for state, words, what in _STATES:
        if count := status.counts.get(state, 0):
            table.add_row(words, f"{count:,}", what)
    table.add_section()
    table.add_row("in all", f"{sum(status.counts.values()):,}", "")
    lines = [Text(line) for line in (*_runs(status), *_speed(status))]
    return Group(Text(plain(status.out), style="bold"), table, *lines, *(_failure(one) for one in status.latest))


def status_json(status: Status) -> dict[str, Any]:
    """The status for machines; what is not measured is None."""
    measured = status.runs and status.window and status.pace.done
    return {
        "out": status.out,
        "ledger": status.ledger,
        "calls": {state: status.counts.get(state, 0) for state, _, _ in _STATES},
        "running": [
            {"host": run.host, "pid": run.pid, "started_at": run.started_at, "heartbeat": run.heartbeat}
            for run in status.runs
        ],
        "measured_seconds": round(status.window, 1) if status.runs else None,
        "calls_per_second": round(status.pace.done / status.window, 3) if measured else None,
        "audio_hours_per_hour": round(status.pace.audio_seconds / status.window, 1) if measured else None,
        "seconds_left": None if status.seconds_left is None else round(status.seconds_left),
        "latest_failures": [failure_json(one) for one in status.latest],
    }


def failures_table(failures: Sequence[Recording]) -> Table:
    """Failed and quarantined calls with their reasons, whole."""
    table = Table(title=f"{counted(len(failures), 'call')} without a scorecard", box=box.SIMPLE, pad_edge=False)
    table.add_column("call", overflow="fold", max_width=28)
    table.add_column("tries", justify="right")
    table.add_column("reason", overflow="fold", ratio=1)
    for one in failures:
        name = Text.assemble(one.call_id, (f"\n{plain(one.key)}", "dim"))
        aside = ("in quarantine: ", "yellow") if one.state == "quarantined" else ""
        table.add_row(name, str(one.attempts), Text.assemble(aside, plain(one.error or _NO_REASON)))
    return table


def failure_json(one: Recording) -> dict[str, Any]:
    """A failed call for machines."""
    return {"call_id": one.call_id, "key": one.key, "state": one.state, "attempts": one.attempts, "reason": one.error}


def failures_csv(failures: Iterable[Recording]) -> str:
    """A row a failed call; no cell is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["call_id", "key", "state", "attempts", "reason", "last_tried_at"])
    for one in failures:
        cells = one.call_id, one.key, one.state, str(one.attempts), one.error or "", one.finished_at or ""
        writer.writerow([safe_cell(plain(cell)) for cell in cells])
    return text.getvalue()


def _runs(status: Status) -> list[str]:
    if not status.runs:
        return ["No batch is running." + (" The next one goes on with what waits." if status.left else "")]
    return [
        f"Running on {plain(run.host)} (process {run.pid}) for {lasting(ago(run.started_at, status.now))}, "
        f"last sign of life {lasting(ago(run.heartbeat, status.now))} ago"
        for run in status.runs
    ]


def _speed(status: Status) -> list[str]:
    if not status.runs:
        return []
    if not status.pace.done:
        return [f"No call was finished in the last {lasting(status.window)}."]
    told = [f"In the last {lasting(status.window)}: {speed(status.pace.done, status.window)}"]
    if status.pace.audio_seconds:
        told.append(f"{audio(status.pace.audio_seconds / status.window * 3600)} an hour")
    left = [] if status.seconds_left is None else [f"About {lasting(status.seconds_left)} left."]
    return [" · ".join(told), *left]


def _failure(one: Recording) -> Text:
    reason = plain(one.error or _NO_REASON)
    return Text(f"  {STATE_WORDS[one.state]}: {one.call_id}: {reason}", style="dim", no_wrap=True, overflow="ellipsis")
