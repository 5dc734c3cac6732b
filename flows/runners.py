"""Who does a batch's tasks: worker processes of this machine behind Prefect's threads, a Dask cluster, or Ray."""

from __future__ import annotations

import faulthandler
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, get_args

from flows.score_recording import Results  # isort: skip  # readies Prefect

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import ThreadPoolTaskRunner

from flows.shards import Shards
from pipeline.archive.ledger import open_ledger
from pipeline.batch.work import Job, Place, work
from pipeline.batch.workers import CALL_TIMEOUT, Runner, Workers, default_workers, outcome
from pipeline.errors import UsageError
from pipeline.settings import ListenSettings

__all__ = ["LEDGER", "RUNNERS", "RunnerName", "hire"]

RunnerName = Literal["prefect", "dask", "ray"]
RUNNERS: tuple[RunnerName, ...] = get_args(RunnerName)
LEDGER = "RIDEALONG_LEDGER"
"""The environment variable that holds the ledger's URL, on every machine that works."""
SHARD = 200
"""Tasks a flow: few enough for the client's memory, many enough that starting flows costs nothing to speak of."""
_AHEAD = 2  # jobs that each local worker process may have, so that none waits for Prefect
_WORKER_SHARE = 25  # least jobs of a shard for each worker, so that few stand idle at its end

_DASK = {
    "distributed.scheduler.allowed-failures": 0,  # a call that kills its worker is not given to the next
    "logging.distributed": "error",  # in the workers
}

Hire = Callable[[Place], AbstractContextManager[Runner]]


def hire(
    name: RunnerName,
    *,
    workers: int | None = None,
    shard: int | None = None,
    address: str | None = None,
    call_timeout: float = CALL_TIMEOUT,
) -> Hire:
    """What `pipeline.batch.run.score_bucket` takes as `runner`: who does the jobs of a run as Prefect tasks.

    `workers` processes on this machine, None for as many as it carries; or the Dask or Ray cluster at `address`.
    `shard` is how many tasks a flow has, None for a number that suits the workers; `call_timeout` is in seconds.
    Raises UsageError where the name or the address makes no sense, or the package for it is not installed.
    """
    if name not in RUNNERS:
        raise UsageError(f"There is no runner {name!r}. Choose one of {', '.join(RUNNERS)}.")
    if address and name == "prefect":
        raise UsageError(
            f"The runner prefect works on this machine and takes no address, got {address!r}. Use dask or ray."
        )
    if name != "prefect":
        _need_package(name)
    backend = {"prefect": _local, "dask": _dask, "ray": _ray}[name]

    @contextmanager
    def hired(place: Place) -> Iterator[Runner]:
        count = workers or default_workers(place.settings)
        with open_ledger(place.ledger) as book, backend(place, count, address, call_timeout) as team:
            size = shard or max(SHARD, _WORKER_SHARE * team.room())
            yield Shards(team.hand, book, team.task_runner, team.room, size, team.deaths)

    return hired


@dataclass(frozen=True, slots=True)
class _Team:
    """Who works: Prefect's task runner, what its tasks call, room for how many jobs, and how a dead worker shows."""

    task_runner: Any
    hand: Any
    room: Callable[[], int]
    deaths: tuple[type[BaseException], ...] = ()


# --- this machine -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Handed:
    """Hands a job to a worker process of this machine and waits."""

    settings: ListenSettings
    workers: Workers
    timeout: float

    def __call__(self, job: Job) -> Results:
        return outcome(job, self.workers.submit(job), self.timeout)


@contextmanager
def _local(place: Place, count: int, address: str | None, timeout: float) -> Iterator[_Team]:
    with Workers(place, count, call_timeout=timeout) as workers:
        threads = _AHEAD * count
        hand = _Handed(place.settings, workers, timeout)
        yield _Team(ThreadPoolTaskRunner(max_workers=threads), hand, lambda: threads)


# --- clusters -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Here:
    """Does a job in the process that runs the task, a worker of a cluster, which it ends where a call hangs."""

    place: Place
    timeout: float

    @property
    def settings(self) -> ListenSettings:
        return self.place.settings

    def __call__(self, job: Job) -> Results:
        faulthandler.dump_traceback_later(self.timeout, exit=True)  # even where native code holds Python's lock
        try:
            return work(_with_ledger(self.place), job)
        finally:
            faulthandler.cancel_dump_traceback_later()


def _without_ledger(place: Place) -> Place:
    """The place as it travels: a ledger's URL that workers find in their environment may hold a password, and stays."""
    return replace(place, ledger="") if os.environ.get(LEDGER) == place.ledger else place


def _with_ledger(place: Place) -> Place:
    if place.ledger:
        return place
    if not (ledger := os.environ.get(LEDGER)):
        raise UsageError(f"This worker does not know the ledger. Set {LEDGER} to its URL where the worker is started.")
    return replace(place, ledger=ledger)


@contextmanager
def _dask(place: Place, count: int, address: str | None, timeout: float) -> Iterator[_Team]:
    import dask
    from prefect_dask.task_runners import DaskTaskRunner

    distributed: Any = import_module("distributed")  # without types
    logging.getLogger("distributed").setLevel(logging.ERROR)  # it tells of every connection
    with ExitStack() as stack:
        stack.enter_context(_one_server())
        stack.enter_context(dask.config.set(_DASK))
        if own := address is None:
            cluster = distributed.LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address="127.0.0.1:0")
            address = stack.enter_context(cluster).scheduler_address
        client = stack.enter_context(distributed.Client(address, set_as_default=False))
        yield _Team(
            DaskTaskRunner(address=address),
            _Here(_without_ledger(place), timeout),
            lambda: count if own else sum(client.nthreads().values()),  # one that is being replaced counts
            (distributed.scheduler.KilledWorker,),
        )


@contextmanager
def _ray(place: Place, count: int, address: str | None, timeout: float) -> Iterator[_Team]:
    import ray
    from prefect_ray import RayTaskRunner
    from prefect_ray.context import remote_options

    where = {"address": address} if address else {"num_cpus": count, "include_dashboard": False}
    with _one_server(), ray.init(**where, log_to_driver=False), remote_options(max_retries=0):
        yield _Team(
            RayTaskRunner(),
            _Here(_without_ledger(place), timeout),
            lambda: int(ray.cluster_resources().get("CPU", 1)),
            (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.NodeDiedError),
        )


@contextmanager
def _one_server() -> Iterator[None]:
    """Prefect's server named in the settings that travel with tasks; else each worker would start one of its own."""
    with get_client(sync_client=True) as client, temporary_settings({PREFECT_API_URL: str(client.api_url)}):
        yield


def _need_package(name: str) -> None:
    if find_spec(f"prefect_{name}") is None:
        raise UsageError(f"The runner {name} needs a package that is not installed: pip install 'ridealong[{name}]'")
