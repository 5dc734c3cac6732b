"""A running batch as people see it: a live view on a terminal, else a line now and then; on stderr either way."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipeline.terminal_figures import audio, counted, lasting, share, speed

if TYPE_CHECKING:
    from pipeline.batch.run import Progress

_WINDOW = 60.0  # seconds over which speed is measured: what was slow an hour ago says little about the time left
_LEAST = 10.0  # seconds below which there is too little to measure
_EVERY = 30.0  # seconds between two lines where stderr is no terminal
_REASONS = 3


def finished(progress: Progress) -> int:
    """The calls that nothing is left to do for in this run."""
    return progress.done + progress.copies + progress.failed + progress.quarantined


@dataclass(slots=True)
class Pace:
    """How fast it goes, by the last minute: points of (seconds, calls finished, seconds of audio)."""

    points: deque[tuple[float, int, float]] = field(default_factory=lambda: deque([(0.0, 0, 0.0)]))

    def add(self, at: float, calls: int, audio_seconds: float) -> None:
        """A new point; those that lie more than a minute before it are dropped, but for the last of them."""
        self.points.append((at, calls, audio_seconds))
        while len(self.points) > 2 and self.points[1][0] <= at - _WINDOW:
            self.points.popleft()

    def measured(self, now: float) -> tuple[float, int, float] | None:
        """Seconds, and the calls and seconds of audio in them, up to now; None while there is too little to tell."""
        first, last = self.points[0], self.points[-1]
        calls = last[1] - first[1]
        seconds = now - first[0]
        return (seconds, calls, last[2] - first[2]) if calls and seconds >= _LEAST else None

    def left(self, now: float, calls: int) -> float | None:
        """Seconds that so many calls take at this pace; None where it is not known."""
        found = self.measured(now)
        return None if found is None else calls * found[0] / found[1]


def live_view(progress: Progress, pace: Pace, now: float, workers: int, reasons: tuple[str, ...]) -> RenderableType:
    """Everything that is shown while a batch runs; `now` is in seconds since it began."""
    done = finished(progress)
    head = Table.grid(padding=(0, 2), expand=True)
    head.add_column(ratio=1)
    head.add_column(no_wrap=True)
    head.add_row(
        ProgressBar(total=max(1, progress.planned), completed=done, complete_style="cyan"),
        f"[bold]{done:,}[/] of {counted(progress.planned, 'call')}, {share(done, progress.planned)}",
    )
    told = [_times(progress, pace, now, workers), _speeds(pace, now)]
    lines = [Text(" · ".join(figures)) for figures in told if figures]
    troubles = [Text(" · ".join(_troubles(progress)), style="yellow")] if _troubles(progress) else []
    dim = [Text(f"  {reason}", style="dim", no_wrap=True, overflow="ellipsis") for reason in reasons]
    return Group(head, *lines, *troubles, *dim)


def plain_line(progress: Progress, pace: Pace, now: float, workers: int, reasons: tuple[str, ...]) -> str:
    """The same as one line, for logs."""
    done = finished(progress)
    parts = [
        f"{done:,} of {counted(progress.planned, 'call')}",
        *_times(progress, pace, now, workers),
        *_speeds(pace, now),
        *_troubles(progress),
    ]
    return " · ".join(parts) + (f"; last: {reasons[-1]}" if reasons else "")


def _times(progress: Progress, pace: Pace, now: float, workers: int) -> list[str]:
    left = pace.left(now, progress.planned - finished(progress))
    told = "time left not known yet" if left is None else f"about {lasting(left)} left"
    return [told, f"{lasting(now)} passed", counted(workers, "worker")]


def _speeds(pace: Pace, now: float) -> list[str]:
    """Calls and hours of audio by time; empty while nothing is measured, calls alone where none were listened to."""
    found = pace.measured(now)
    if found is None:
        return []
    seconds, calls, heard = found
    return [speed(calls, seconds) or ""] + ([f"{audio(heard / seconds * 3600)} an hour"] if heard else [])


def _troubles(progress: Progress) -> list[str]:
    kinds = (
        (progress.failed, "failed so far"),
        (progress.quarantined, "put in quarantine"),
        (progress.postponed, "put off (storage)"),
    )
    return [f"{number:,} {what}" for number, what in kinds if number]


class Followed:
    """Shows a batch from the first call of it, as its `progress`, until the `with` ends. `stopping` is asked whether
    it was told to end, which a cluster may take a minute for."""

    def __init__(
        self,
        told: Console,
        workers: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.progress: Progress | None = None
        self._stopping = stopping
        self._told, self._workers, self._clock = told, workers, clock
        self._pace = Pace()
        self._reasons: deque[str] = deque(maxlen=_REASONS)
        self._live: Live | None = None
        self._began = self._said = clock()

    def __call__(self, progress: Progress) -> None:
        """Take up how far the batch is, and show it."""
        if self.progress is None:
            self._began = self._said = self._clock() - progress.elapsed
        if progress.last_failure and progress.last_failure not in self._reasons:
            self._reasons.append(" ".join(progress.last_failure.split()))
        self.progress = progress
        self._pace.add(progress.elapsed, finished(progress), progress.audio_seconds)
        if self._told.is_terminal:
            self._show()
        elif self._clock() - self._said >= _EVERY:
            self._said = self._clock()
            line = plain_line(progress, self._pace, self._now(), self._workers, tuple(self._reasons))
            self._told.print(escape(line), soft_wrap=True, highlight=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __rich__(self) -> RenderableType:
        if self.progress is None:
            return ""
        view = live_view(self.progress, self._pace, self._now(), self._workers, tuple(self._reasons))
        return Group(view, "[bold]Stopping: what is being worked on is given back.[/]") if self._stopping() else view

    def _now(self) -> float:
        return max(0.0, self._clock() - self._began)

    def _show(self) -> None:
        """The view keeps itself fresh, so that the time goes on while a long call is listened to."""
        if self._live is None:
            self._live = Live(self, console=self._told, refresh_per_second=4, transient=True)
            self._live.start()
