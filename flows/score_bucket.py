"""A bucket as a Prefect flow: the driver of `pipeline/batch/run.py` with Prefect tasks for its jobs. Prefect retries,
limits, schedules and shows; what is done is what the ledger says. Nothing that names a person reaches Prefect.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit
from uuid import UUID

from flows.prefect_settings import prepare

prepare()

from prefect import flow  # noqa: E402
from prefect.artifacts import (  # noqa: E402
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows.private import WordlessError, nameless  # noqa: E402
from flows.runners import LEDGER, RunnerName, hire  # noqa: E402
from pipeline.batch import run  # noqa: E402
from pipeline.batch.workers import CALL_TIMEOUT  # noqa: E402
from pipeline.errors import UsageError  # noqa: E402
from pipeline.settings import Engine, ListenSettings  # noqa: E402

__all__ = ["in_flow", "score_bucket"]

Shown = Callable[[run.Progress], None]

TABLE = "ridealong-summary"
PROGRESS = "ridealong-progress"
BETWEEN = 5.0  # seconds between two looks at the progress
STOPPED = "Storage failed too often, so the batch stopped; nothing is lost, and running it again goes on."


@flow(name="score-bucket", persist_result=False)
def score_bucket(
    source: str | Path,
    out: str | Path,
    manifest: str | Path | None = None,
    ledger: str | None = None,
    rubric: str | None = None,
    engine: Engine = "auto",
    judge: str | None = None,
    calibration: str | None = None,
    runner: RunnerName = "prefect",
    workers: int | None = None,
    shard: int | None = None,
    address: str | None = None,
    tries: int = run.TRIES,
    call_timeout: float = CALL_TIMEOUT,
    device: Literal["auto", "cpu", "cuda"] = "auto",
) -> dict[str, Any]:
    """What became of the bucket's recordings, in numbers; each has its scorecard in `out`, or its reason in the ledger.

    Does what `pipeline.batch.run.score_bucket` does. `runner` is who works: processes of this machine (prefect), or a
    Dask or Ray cluster, at `address` or made for the flow with `workers` processes. `shard` is how many tasks a flow
    has. Prefect stores these parameters, so a ledger with a password is named by the variable RIDEALONG_LEDGER alone.
    """

    def go(shown: Shown) -> run.Summary:
        _refuse_password(ledger)
        return run.score_bucket(
            source,
            out=out,
            manifest=manifest,
            ledger=ledger,
            rubric=rubric,
            settings=ListenSettings(engine=engine, device=device),
            judge=judge,
            calibration=calibration,
            workers=workers,
            tries=tries,
            call_timeout=call_timeout,
            runner=hire(runner, workers=workers, shard=shard, address=address, call_timeout=call_timeout),
            progress=shown,
        )

    try:
        return _numbers(_shown(go))
    except Exception as error:
        raise nameless(error) from None


def in_flow(go: Callable[[Shown], run.Summary]) -> run.Summary:
    """What `go` gives, as a flow that Prefect shows with the same artifacts; `go` gets what tells Prefect the progress.

    For callers with a terminal of their own. An error of `go` is the caller's as it is, and without words Prefect's.
    """
    ended: list[run.Summary | Exception] = []

    @flow(name="score-bucket", persist_result=False)
    def score_bucket_here() -> None:
        try:
            ended.append(_shown(go))
        except Exception as error:
            ended.append(error)
            raise nameless(error) from None

    try:
        score_bucket_here()
    except Exception:
        if not ended:
            raise
    if isinstance(ended[0], _Stopped):
        return ended[0].summary
    if isinstance(ended[0], Exception):
        raise ended[0]
    return ended[0]


class _Stopped(WordlessError):
    """The batch stopped before all was tried."""

    def __init__(self, summary: run.Summary) -> None:
        self.summary = summary
        super().__init__(f"{STOPPED} {summary.left} recordings are left.")


def _shown(go: Callable[[Shown], run.Summary]) -> run.Summary:
    """What `go` gives, shown as artifacts of the flow that runs. Raises _Stopped where it stopped, to fail the flow."""
    summary = go(_Bar())
    _show(_numbers(summary))
    if summary.stopped:
        raise _Stopped(summary)
    return summary


def _refuse_password(ledger: str | None) -> None:
    if ledger and "://" in ledger and urlsplit(ledger).password:
        raise UsageError(
            "the ledger's URL holds a password, and Prefect stores a flow's parameters for all to see. Set the "
            f"variable {LEDGER} where the flow and its workers run, leave `ledger` out, and change the password."
        )


def _numbers(summary: run.Summary) -> dict[str, Any]:
    """The summary for Prefect: counts of recordings, hours of audio, and hours of audio in an hour."""
    hours = summary.audio_seconds / 3600
    return {
        "done": summary.done,
        "copies": summary.copies,
        "failed": summary.failed,
        "quarantined": summary.quarantined,
        "left": summary.left,
        "audio_hours": round(hours, 2),
        "audio_hours_an_hour": round(3600 * hours / summary.seconds, 1) if summary.seconds else None,
    }


def _show(numbers: dict[str, Any]) -> None:
    """The summary as a table in Prefect's pages."""
    table = [{"what": name.replace("_", " "), "number": number} for name, number in numbers.items()]
    create_table_artifact(
        table, key=TABLE, description="What this run did. `ridealong failures` says what failed and why."
    )


class _Bar:
    """Shows Prefect how far the batch is, at most every few seconds."""

    def __init__(self) -> None:
        # made before the first shard: in the middle of one, Prefect would take it for the shard's
        self._artifact = create_progress_artifact(0.0, key=PROGRESS, description="Recordings of this run")
        self._told = time.monotonic()

    def __call__(self, progress: run.Progress) -> None:
        tried = progress.done + progress.copies + progress.failed + progress.quarantined
        share = tried / progress.planned if progress.planned else 1.0
        if share >= 1.0 or time.monotonic() - self._told >= BETWEEN:
            self._told = time.monotonic()
            update_progress_artifact(cast(UUID, self._artifact), 100.0 * min(1.0, share))
