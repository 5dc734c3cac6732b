"""One job as a Prefect task: a recording's stages are plain functions inside it. Prefect learns the ledger's ids and
how it ended, never a key, a call's id or a name; what is done is what the ledger says, whatever a task run's state is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

from flows.prefect_settings import prepare

prepare()

from prefect import task  # noqa: E402
from prefect.cache_policies import CacheKeyFnPolicy  # noqa: E402
from prefect.concurrency.sync import concurrency  # noqa: E402
from prefect.context import TaskRunContext  # noqa: E402
from prefect.tasks import exponential_backoff  # noqa: E402

from flows.private import nameless  # noqa: E402
from pipeline.batch.machine import uses_gpu  # noqa: E402
from pipeline.batch.work import Job, Result  # noqa: E402
from pipeline.errors import RidealongError  # noqa: E402
from pipeline.settings import ListenSettings  # noqa: E402

__all__ = ["GPU_LIMIT", "Hand", "NotDone", "job_name", "score_recording"]

GPU_LIMIT = "ridealong-gpu"
"""The global concurrency limit that jobs on a GPU wait for; one that was never created limits nothing."""
_RETRIES = 2
_FIRST_DELAY = 10  # seconds, then 20, half as long again or shorter; each request was repeated for half a minute before

Results = tuple[Result, ...]


class Hand(Protocol):
    """Does a job where the task runs: in a process of this machine, or here in a worker of a cluster."""

    @property
    def settings(self) -> ListenSettings:
        """How the run listens."""
        ...

    def __call__(self, job: Job) -> Results:
        """One result for each id of the job."""
        ...


class NotDone(RidealongError):
    """Some of a job's recordings are not done. `results` are those of the whole job, without reasons."""

    def __init__(self, results: Results) -> None:
        self.results = results
        super().__init__(f"{_endings(results)}; `ridealong failures` says why")

    @property
    def may_pass(self) -> bool:
        """Whether storage was at fault and the same job may go through a little later."""
        fault = self.results[0].fault if len(self.results) == 1 else None
        return fault in ("throttled", "unreachable")

    def __reduce__(self) -> tuple[type[NotDone], tuple[Results]]:
        return type(self), (self.results,)  # it travels between machines


def job_name(job: Job) -> str:
    """The job's name in Prefect's pages, by the ledger's ids alone."""
    return f"recording {job.ids[0]}" if len(job.ids) == 1 else f"recordings {job.ids[0]} and {len(job.ids) - 1} more"


def _is_storage(task: Any, run: Any, state: Any) -> bool:
    error = state.result(raise_on_failure=False)
    return isinstance(error, NotDone) and error.may_pass


def _content(context: Any, parameters: Mapping[str, Any]) -> str:
    return str(parameters["content"])


@task(
    name="score-recording",
    task_run_name="{name}",
    retries=_RETRIES,
    retry_delay_seconds=exponential_backoff(_FIRST_DELAY),
    retry_jitter_factor=0.5,
    retry_condition_fn=_is_storage,
    cache_policy=CacheKeyFnPolicy(cache_key_fn=_content),
    persist_result=True,
)
def score_recording(hand: Hand, job: Job, name: str, content: str) -> Results:
    """One result for each of the job's recordings, without reasons, which may name people and are in the ledger.

    `content` is the key of the cached answer: a hash of content, versions and generation. Raises NotDone where a
    recording failed or a store did; only the latter is tried again, and until the last try the run keeps its claim.
    """
    try:
        with _turn_on_gpu(hand.settings, job):
            results = tuple(_without_words(one) for one in hand(replace(job, keep=_will_be_tried_again(job))))
    except Exception as error:
        raise nameless(error) from None
    if all(one.state in ("done", "copy", "lost") for one in results):
        return results
    raise NotDone(results)


def _will_be_tried_again(job: Job) -> bool:
    """Whether Prefect would try the job again. Of many recordings each fares its own way, so the driver does."""
    context = TaskRunContext.get()
    return context is not None and len(job.ids) == 1 and context.task_run.run_count <= context.task.retries


def _without_words(result: Result) -> Result:
    """The result as Prefect may keep it. Words on a worker that died name nobody, and the driver writes them down."""
    if result.reason is None or not result.recorded:
        return result
    said = f"the store was {result.fault}." if result.fault else "failed; `ridealong failures` says why."
    return replace(result, reason=f"recording {result.id}: {said}")


def _endings(results: Results) -> str:
    """How they ended: "recording 12 postponed (throttled)", or "recordings 1 and 2 more: 1 done, 2 failed"."""
    counts: dict[str, int] = {}
    for one in results:
        ending = one.state + (f" ({one.fault})" if one.fault else "")
        counts[ending] = counts.get(ending, 0) + 1
    if len(results) == 1:
        return f"recording {results[0].id} {next(iter(counts))}"
    said = ", ".join(f"{count} {ending}" for ending, count in sorted(counts.items()))
    return f"recordings {results[0].id} and {len(results) - 1} more: {said}"


@contextmanager
def _turn_on_gpu(settings: ListenSettings, job: Job) -> Iterator[None]:
    """Wait for a turn where the job would use this machine's GPU."""
    if job.need == "level" or not uses_gpu(settings):
        yield
        return
    with concurrency(GPU_LIMIT, strict=False):
        yield
