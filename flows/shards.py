"""A batch as flows of some hundred tasks each: Prefect's client keeps every task run of a flow in memory until the flow
ends, so one flow a shard keeps that flat. Jobs are taken as there is room, and results given as they come.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from flows.score_recording import Hand, NotDone, Results, job_name, score_recording  # isort: skip  # readies Prefect

from httpx import HTTPError
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from flows.private import WordlessError
from pipeline.archive.ledger import Ledger
from pipeline.archive.recordings import Recording
from pipeline.batch.work import Job
from pipeline.batch.workers import died

__all__ = ["Shards"]

_MOST_MOVES = 20  # times that a job is handed to another worker because its own died of something else


@dataclass(slots=True)
class _Ticket:
    """A job that a task has, and how often it had to be moved."""

    job: Job
    moves: int = 0


@dataclass
class Shards:
    """A Runner whose jobs are Prefect tasks, up to `size` of them a flow.

    `room` says how many jobs may be with the workers at once. `deaths` are the errors by which the task runner says
    that a worker died; the job that it had begun is then given up, one that it had not begun goes to another worker.
    """

    hand: Hand
    book: Ledger
    task_runner: Any
    room: Callable[[], int]
    size: int
    deaths: tuple[type[BaseException], ...] = ()
    _jobs: Iterator[Job] = field(init=False)
    _error: Exception | None = field(init=False, default=None)
    _waiting: dict[Any, _Ticket] = field(init=False, default_factory=dict)
    _finished: SimpleQueue[Any] = field(init=False, default_factory=SimpleQueue)

    def __call__(self, jobs: Iterator[Job]) -> Iterator[Results]:
        """The results of every job, as they finish."""
        shard = score_shard.with_options(task_runner=self.task_runner)
        for number in itertools.count(1):
            first = next(jobs, None)
            if first is None:
                return
            self._jobs = itertools.chain([first], itertools.islice(jobs, self.size - 1))
            token = _SHARDS.set(self)
            try:
                yield from shard(number)
            except WordlessError:
                raise self._error or WordlessError("A shard failed.") from None
            finally:
                _SHARDS.reset(token)

    def run(self) -> Iterator[Results]:
        """The results of one shard's jobs. An error goes to whoever runs the batch, and its name alone to Prefect."""
        try:
            yield from self._work()
        except Exception as error:
            self._error = error
            raise WordlessError(f"The batch stopped: {type(error).__name__}.") from None

    def _work(self) -> Iterator[Results]:
        for job in self._jobs:
            self._submit(_Ticket(job))
            while len(self._waiting) >= max(1, self.room()):
                yield from self._next()
        while self._waiting:
            yield from self._next()

    def _submit(self, ticket: _Ticket, *, anew: bool = False) -> None:
        job, task = ticket.job, score_recording
        if anew:
            task = score_recording.with_options(refresh_cache=True)
        future = task.submit(self.hand, job, job_name(job), content_key(job, self._rows(job)))
        self._waiting[future] = ticket
        future.add_done_callback(self._finished.put)

    def _next(self) -> Iterator[Results]:
        """What the next task to finish gives; nothing where its job has to be done again."""
        future = self._finished.get()
        ticket = self._waiting.pop(future)
        try:
            results: Results = future.result()
        except NotDone as error:
            yield error.results
        except self.deaths as error:
            yield from self._worker_died(ticket, future.task_run_id, error)
        else:
            if future.state.name == "Cached" and not self._is_done(ticket.job):
                self._submit(ticket, anew=True)  # a remembered answer makes no scorecard
            else:
                yield results

    def _worker_died(self, ticket: _Ticket, task_run: Any, error: BaseException) -> Iterator[Results]:
        """The results of the job that it had begun; one not begun goes to another worker, many are tried one by one."""
        job = ticket.job
        _tell_crashed(task_run, type(error).__name__)
        if len(job.ids) > 1:
            for id_ in job.ids:
                self._submit(_Ticket(Job(job.need, (id_,))))
        elif ticket.moves < _MOST_MOVES and not self._has_begun(job):
            self._submit(_Ticket(job, ticket.moves + 1))
        else:
            yield died(job, f"its worker process ended ({type(error).__name__}).")

    def _rows(self, job: Job) -> tuple[Recording, ...]:
        return self.book.get(job.ids)

    def _has_begun(self, job: Job) -> bool:
        return any(one.started_at is not None for one in self._rows(job))

    def _is_done(self, job: Job) -> bool:
        return all(one.state in ("done", "copy") for one in self._rows(job))


_SHARDS: ContextVar[Shards] = ContextVar("shards")  # no parameter of the flow: Prefect stores those


@flow(name="score-shard", flow_run_name="shard {number}")
def score_shard(number: int) -> Iterator[Results]:
    """The results of the next jobs of the batch, as they finish."""
    yield from _of_this_run()


def _of_this_run() -> Iterator[Results]:
    return _SHARDS.get().run()  # here, since the flow travels to a cluster's workers and a context variable can't


def content_key(job: Job, rows: tuple[Recording, ...]) -> str:
    """The name of a job's answer: a hash of what it rests on, so that changed bytes, versions or a wish to do it again
    never meet an old answer."""
    told: list[Any] = [job.need, *job.ids]
    for one in rows:
        versions = (one.wanted.listening, one.wanted.judging, one.wanted.levelling)
        told += [one.id, one.etag, one.sha256, *versions, one.generation]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _tell_crashed(task_run: Any, why: str) -> None:
    """Tell Prefect that the task run is over, which its worker can't any more; unless Prefect never heard of it."""
    with get_client(sync_client=True) as client, suppress(ObjectNotFound, HTTPError):
        client.set_task_run_state(task_run, Crashed(message=f"The worker died ({why})."), force=True)
