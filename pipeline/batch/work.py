"""What runs in a worker process: a job in, results out. Everything that they say is in the ledger already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pipeline.archive.recordings import Need
from pipeline.errors import StorageFault
from pipeline.settings import ListenSettings

Ending = Literal["done", "copy", "failed", "quarantined", "postponed", "lost"]
"""done · copy: another recording with the same content has the scorecard · failed, quarantined: the recording's own
fault · postponed: a store's fault, to be tried again · lost: it is no longer this run's (forgotten, or taken over)."""


@dataclass(frozen=True, slots=True)
class Place:
    """All that a worker needs to know of a run, picklable, no models in it.

    `source`, `out` and `ledger` are URLs or paths, `run` the run's id in the ledger. `temporary` is the folder for
    recordings on their way, the system's where None; it is swept when a run is found dead.
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

    `keep`: where a store's fault may pass, the run keeps the recording, since whoever hands out the job tries it again.
    """

    need: Need
    ids: tuple[int, ...]
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one recording. `reason` is why it is not done, `fault` the store's where that was why.

    `audio_seconds` is None where there was none, or its times are not known; `wall_seconds` is the time it took.
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


def start_worker(settings: ListenSettings) -> None:
    """Make this process a worker: its threads limited, gone when its parent is, deaf to Ctrl-C."""


def work(place: Place, job: Job) -> tuple[Result, ...]:
    """One result for each id of the job, in order; what each says is in the ledger already."""
    raise NotImplementedError
