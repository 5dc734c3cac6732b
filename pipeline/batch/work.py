"""What runs in a worker process: a job in, results out. Everything that they say is in the ledger already.

Whose fault something is decides what becomes of it: a store's or a disk's costs the recording nothing and it waits
again, the recording's own counts against it, and a wrong request or a lost ledger ends the run. Nothing heavy is
imported before `start_worker` has set how many threads libraries may start.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from dataclasses import dataclass, field
from typing import Literal

from pipeline.archive.recordings import Need
from pipeline.archive.temporary import temporary_files_in
from pipeline.errors import StorageFault
from pipeline.settings import ListenSettings, keep_private

__all__ = ["Ending", "Job", "Place", "Result", "start_worker", "work"]

Ending = Literal["done", "copy", "failed", "quarantined", "postponed", "lost"]
"""done · copy: another recording with the same content has the scorecard · failed, quarantined: the recording's own
fault · postponed: a store's fault, to be tried again · lost: it is no longer this run's (forgotten, or taken over)."""

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
"""What torch, CTranslate2, numpy and the tokenizers read as they are imported."""
_ORPHANED = 1.0  # seconds between two looks for the parent where it cannot be waited for


@dataclass(frozen=True, slots=True)
class Place:
    """All that a worker needs to know of a run, picklable, no models in it.

    `source`, `out` and `ledger` are URLs or paths, `run` the run's id in the ledger. `temporary` is the folder for
    recordings on their way and all other temporary files, the system's where None; it is swept when a run is found
    dead.
    """

    source: str
    out: str
    ledger: str
    run: str
    tries: int = 3
    settings: ListenSettings = field(default_factory=ListenSettings)
    rubric: str | None = None
    judge: str | None = None
    calibration: str | None = None
    temporary: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One recording to listen to or judge; or up to 100 whose levels alone are needed.

    `keep`: after a store's fault that may pass, the run keeps its claim on the one recording that is listened to or
    judged, since whoever handed out the job will do so again.
    """

    need: Need
    ids: tuple[int, ...]
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one recording. `reason` is why it is not done, `fault` the store's where that was why.

    `audio_seconds` is how much was listened to, None where nothing was or its times are not known; `wall_seconds` is
    the time it took.
    `recorded` is False where the worker could not tell the ledger (it died, or hung): then the driver does.
    """

    id: int
    state: Ending
    need: Need
    reason: str | None = None
    fault: StorageFault | None = None
    audio_seconds: float | None = None
    wall_seconds: float = 0.0
    recorded: bool = True


def work(place: Place, job: Job) -> tuple[Result, ...]:
    """One result for each id of the job, in order; what each says is in the ledger already.

    Raises UsageError where the request is wrong (a calibration for another judge), LedgerError where the ledger cannot
    be reached: then nothing of this recording is lost, and its claim is released with the run's.
    """
    from pipeline.batch.desk import desk_at
    from pipeline.batch.one import work_on_levels, work_on_one

    desk = desk_at(place)
    with temporary_files_in(place.temporary):  # decoded samples too are somebody's voice
        if job.need == "level":
            return work_on_levels(desk, job.ids)
        return tuple(work_on_one(desk, job.need, id_, keep=job.keep) for id_ in job.ids)


def start_worker(settings: ListenSettings) -> None:
    """Make this process a worker: few threads, gone when its parent is, deaf to Ctrl-C, which the driver hears."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_private()
    gc.set_threshold(20_000, 20, 50)  # records by the thousand and no cycles: most collections find nothing
    if settings.threads is not None:
        _limit_threads(settings.threads)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), name="parent-watch", daemon=True).start()


def _limit_threads(count: int) -> None:
    """Let the libraries of this process start so many threads each."""
    os.environ.update(dict.fromkeys(_THREADS, str(count)))
    os.environ["TOKENIZERS_PARALLELISM"] = "false" if count == 1 else "true"
    if "torch" in sys.modules:  # it has read the variables already
        sys.modules["torch"].set_num_threads(count)


def _end_with_parent(parent: int) -> None:
    """End this process at once when its parent is gone: a killed driver must leave nobody who works on.

    The parent's end of a pipe is waited for, which wakes in the moment it closes and works everywhere. (Linux's
    PR_SET_PDEATHSIG is no choice: it also strikes when the mere thread ends that started this process.)
    """
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    starter = parent_process()
    if starter is not None:
        wait([starter.sentinel])
    else:
        while os.getppid() == parent:
            threading.Event().wait(_ORPHANED)
    os._exit(1)
