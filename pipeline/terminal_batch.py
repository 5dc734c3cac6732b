"""What `ridealong batch` does and shows: its plan first, a live view, and a summary. Ctrl-C ends it cleanly."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console

from pipeline.batch.places import default_ledger, masked
from pipeline.errors import RidealongError, UsageError
from pipeline.terminal_books import print_json
from pipeline.terminal_figures import counted, plain

if TYPE_CHECKING:
    from pipeline.batch.plan import Plan
    from pipeline.batch.run import Progress, Summary
    from pipeline.settings import ListenSettings

_log = logging.getLogger(__name__)

RunnerName = Literal["local", "prefect", "dask", "ray"]
STOPPED = 130
"""The exit status after Ctrl-C, as shells count: 128 and the signal's number."""


def batch(
    source: str,
    out: str,
    *,
    manifest: str | None,
    ledger: str | None,
    rubric: str | None,
    settings: ListenSettings,
    judge: Path | None,
    calibration: Path | None,
    workers: int | None,
    tries: int,
    call_timeout: float,
    runner: RunnerName,
    address: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """The exit status: 0 where all is done, 1 where calls failed or are left, 130 where Ctrl-C ended it.

    The plan is shown before anything is done, then how far it is, then what became of it.
    """
    from pipeline.batch.run import Progress, score_bucket
    from pipeline.batch.workers import default_workers
    from pipeline.terminal_live import Followed
    from pipeline.terminal_plan import batch_json, plan_view, summary_view

    told = Console(stderr=True)
    count = workers or default_workers(settings)
    looking = told.status("listing the recordings and comparing them with the ledger")
    asked = threading.Event()
    followed = Followed(told, count, stopping=asked.is_set)

    def planned(plan: Plan) -> None:
        looking.stop()
        if not (dry_run and as_json):
            (Console() if dry_run else told).print(plan_view(plan, count))
        if plan.to_do and not dry_run:
            followed(Progress(plan.to_do))

    def go(shown: Callable[[Progress], None] | None = None) -> Summary:
        def progress(now: Progress) -> None:
            followed(now)
            if shown:
                shown(now)

        return score_bucket(
            source,
            out=out,
            manifest=manifest,
            ledger=ledger,
            rubric=rubric,
            settings=settings,
            judge=judge,
            calibration=calibration,
            workers=count,
            tries=tries,
            call_timeout=call_timeout,
            dry_run=dry_run,
            runner=_hired(runner, address, workers, call_timeout),
            planned=planned,
            progress=progress,
        )

    try:
        with _stoppable(asked), _in_words(runner), looking, followed:
            summary = go() if runner == "local" or dry_run else _flow()(go)
    except (KeyboardInterrupt, RidealongError) as error:
        if isinstance(error, RidealongError) and not asked.is_set():  # a cluster that is stopped fails in many ways
            raise
        done = 0 if followed.progress is None else followed.progress.done
        told.print(f"Stopped. {counted(done, 'call')} scored; nothing is lost: the same command goes on from here.")
        return STOPPED
    where = {"out": out, "ledger": masked(ledger or default_ledger(out))}
    if as_json:
        print_json(batch_json(summary, dry_run) | where)
    elif not dry_run and summary.plan.to_do:
        Console().print(summary_view(summary))
    if not dry_run:
        _say_where(told, summary, out, ledger)
    failed = summary.failed or summary.quarantined or summary.left or summary.stopped
    return 1 if failed and not dry_run else 0


def _hired(runner: RunnerName, address: str | None, workers: int | None, call_timeout: float) -> Any:
    """Who does the work where it is not processes of this machine without Prefect; None where it is."""
    if runner == "local":
        if address:
            raise UsageError(f"--address {address} needs --runner dask or ray: local workers have no address.")
        return None
    _quiet_prefect()
    from flows.runners import hire

    return hire(runner, workers=workers, address=address, call_timeout=call_timeout)


def _flow() -> Callable[[Callable[[Callable[[Progress], None]], Summary]], Summary]:
    """What runs the batch as a flow of Prefect."""
    _quiet_prefect()
    from flows.score_bucket import in_flow

    return in_flow


def _quiet_prefect() -> None:
    """Keep Prefect, which tells of every task, from writing across the live view; before it is imported."""
    for name in ("PREFECT_LOGGING_LEVEL", "PREFECT_LOGGING_INTERNAL_LEVEL"):
        os.environ.setdefault(name, "CRITICAL")


@contextmanager
def _in_words(runner: RunnerName) -> Iterator[None]:
    """What Prefect, Dask or Ray raise of their own, as an error in words; there is no end of kinds of them."""
    try:
        yield
    except RidealongError:
        raise
    except Exception as error:
        if runner == "local":
            raise
        _log.info("the runner %s failed", runner, exc_info=True)
        raise RidealongError(
            f"the runner {runner} fails ({type(error).__name__}: {plain(str(error))}). What was finished is kept. "
            "Run the same command again, or with --runner local; --verbose says more."
        ) from error


def _say_where(told: Console, summary: Summary, out: str, ledger: str | None) -> None:
    """Where the scorecards and the ledger are, and what to ask next; on stderr."""
    told.print(f"Scorecards: {out}   Ledger: {masked(ledger or default_ledger(out))}", markup=False, soft_wrap=True)
    if summary.failed or summary.quarantined:
        named = f" --ledger {shlex.quote(masked(ledger))}" if ledger else ""
        told.print(f"Why calls failed: ridealong failures {shlex.quote(out)}{named}", markup=False, soft_wrap=True)


@contextmanager
def _stoppable(asked: threading.Event) -> Iterator[None]:
    """Ctrl-C, and SIGTERM with which services stop a program, set `asked` and raise KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: object) -> None:
        asked.set()
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    heeded = [number for number, handler in before.items() if handler is not signal.SIG_IGN]  # ignored under nohup
    for number in heeded:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])
