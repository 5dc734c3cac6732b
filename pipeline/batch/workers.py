"""Worker processes on this machine: jobs in, their results out as they finish. A worker that dies or hangs costs the
job that it had and nothing else; models are loaded once a worker, so memory grows with workers, never with calls.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as HungError
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Protocol, Self

from pipeline.batch.machine import cores, free_memory, uses_gpu
from pipeline.batch.work import Job, Place, Result, start_worker, work
from pipeline.errors import RidealongError
from pipeline.settings import ListenSettings

CALL_TIMEOUT = 4 * 3600.0
"""Seconds after which a call's worker is taken for hung: a six-hour recording on one slow core takes about as long."""
_MEMORY = 2 * 1024**3  # bytes that one worker needs with its models: Whisper small in int8, encoder and decoded audio
_SPARE = 2  # jobs that wait for each worker, so that none is idle while results are written down

Results = tuple[Result, ...]


class Runner(Protocol):
    """Who does the work: processes on this machine, or tasks of Prefect on threads, Dask or Ray."""

    def __call__(self, jobs: Iterator[Job]) -> Iterator[Results]:
        """The results of every job, as they finish; a job is taken from `jobs` only when there is room for it."""
        ...


def default_workers(settings: ListenSettings) -> int:
    """How many workers this machine carries: one for a GPU, else one a core as far as the memory goes."""
    return 1 if uses_gpu(settings) else max(1, min(cores(), free_memory() // _MEMORY))


class Workers:
    """`count` worker processes, begun with `with`; a Runner. `call_timeout` is in seconds."""

    def __init__(self, place: Place, count: int, *, call_timeout: float = CALL_TIMEOUT) -> None:
        self._place = place
        self._count = count
        self._timeout = call_timeout
        self._pool: Any = None

    def __enter__(self) -> Self:
        from pebble import ProcessPool

        self._pool = ProcessPool(
            max_workers=self._count,
            initializer=start_worker,
            initargs=(self._place.settings,),
            context=get_context("spawn"),  # a fork would copy the driver's threads and connections in mid-air
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._pool.close()
        else:
            self._pool.stop()
        self._pool.join()

    def __call__(self, jobs: Iterator[Job]) -> Iterator[Results]:
        """The results of every job, as they finish."""
        waiting: dict[Future[Results], Job] = {}
        for job in jobs:
            waiting[self.submit(job)] = job
            while len(waiting) >= _SPARE * self._count:
                yield from self._finished(waiting)
        while waiting:
            yield from self._finished(waiting)

    def submit(self, job: Job) -> Future[Results]:
        """The job's results to come; `outcome` reads them."""
        future: Future[Results] = self._pool.schedule(work, args=(self._place, job), timeout=self._timeout)
        return future

    def _finished(self, waiting: dict[Future[Results], Job]) -> Iterator[Results]:
        """What has finished by now, at least one job. Recordings whose worker died are tried one by one."""
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            job = waiting.pop(future)
            results = outcome(job, future, self._timeout)
            if len(job.ids) > 1 and not all(one.recorded for one in results):
                waiting.update({self.submit(alone): alone for alone in (Job(job.need, (id_,)) for id_ in job.ids)})
            else:
                yield results


def outcome(job: Job, future: Future[Results], timeout: float) -> Results:
    """What the worker said; where it died or hung, a result for each recording that the ledger does not know of yet.

    Raises RidealongError where no worker can be started.
    """
    from pebble import ProcessExpired

    try:
        return future.result()
    except BrokenProcessPool as error:
        raise RidealongError(
            f"worker processes cannot be kept running ({error}). What was finished is kept. A script that starts a "
            "batch from its top level must do so below `if __name__ == '__main__':`; else see that memory is left."
        ) from error
    except HungError:
        return died(job, f"it took longer than {timeout / 60:.0f} minutes, so its worker was ended.")
    except ProcessExpired as error:
        return died(job, f"its worker process ended ({_said(error.exitcode)}).")


def died(job: Job, reason: str) -> Results:
    """Results that the driver has to write down, since the worker could not."""
    advice = " Listen to the recording, or give the worker more memory and time; `ridealong retry` tries it again."
    return tuple(Result(id_, "failed", job.need, reason=reason + advice, recorded=False) for id_ in job.ids)


def _said(exitcode: int | None) -> str:
    """An exit code in words; a process that a signal ended has a negative one."""
    if exitcode is None or exitcode >= 0:
        return f"exit status {exitcode}"
    try:
        name = signal.Signals(-exitcode).name
    except ValueError:
        name = str(-exitcode)
    return f"signal {name}" + (", as when memory runs out" if name == "SIGKILL" else "")
