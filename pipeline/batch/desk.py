"""What a worker process holds open for a run: ledger, buckets, models, rubrics, each made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from pipeline.archive.bucket import Bucket
from pipeline.archive.buckets import open_bucket
from pipeline.archive.ledger import Ledger, open_ledger
from pipeline.archive.scores import Scores, open_scores
from pipeline.archive.temporary import sweep_temporary
from pipeline.assess.behaviours import Classifier
from pipeline.assess.calibration import Calibration, load_calibration
from pipeline.assess.rubric import Rubric
from pipeline.assess.scorecard import JudgedBy
from pipeline.batch.work import Place
from pipeline.errors import StorageError
from pipeline.records import CallType
from pipeline.score import judge_for, judged_by, rubric_of

__all__ = ["Desk", "desk_at", "patiently"]

TRIES = 4
"""How often a storage request is made before the recording is put off; the stores' own clients retry below this."""
LONGEST_WAIT = 20.0
"""Seconds between two tries at most; about 35 in all."""

T = TypeVar("T")


class Desk:
    """A worker's place with what it needs there. One a process; its parts may be used from several threads."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._rubrics: dict[CallType, Rubric] = {}

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of the run."""
        return open_ledger(self.place.ledger)

    @cached_property
    def bucket(self) -> Bucket:
        """Where the recordings are."""
        return open_bucket(self.place.source)

    @cached_property
    def scores(self) -> Scores:
        """Where the scorecards go."""
        return open_scores(self.place.out)

    @cached_property
    def classifier(self) -> Classifier:
        """The classifier, with its models."""
        return judge_for(self.place.settings, self.place.judge)

    @cached_property
    def judged_by(self) -> JudgedBy:
        """What scorecards say of the classifier; no model is loaded for it."""
        return judged_by(self.place.settings, self.place.judge)

    @cached_property
    def _calibration(self) -> Calibration | None:
        return None if self.place.calibration is None else load_calibration(self.place.calibration)

    def rubric(self, call_type: CallType) -> Rubric:
        """The rubric for calls of this type."""
        if call_type not in self._rubrics:
            self._rubrics[call_type] = rubric_of(call_type, self.place.rubric, self._calibration)
        return self._rubrics[call_type]

    @cached_property
    def temporary(self) -> Path | None:
        """The run's folder for recordings on their way; None where there is none, as on another machine than the run's:
        then each process has its own, and what killed ones left there goes now."""
        if self.place.temporary is not None and Path(self.place.temporary).is_dir():
            return Path(self.place.temporary)
        sweep_temporary()
        return None


@lru_cache(maxsize=1)
def desk_at(place: Place) -> Desk:
    """The desk of this process at that place."""
    return Desk(place)


def patiently(do: Callable[[], T]) -> T:
    """What `do` gives; a storage fault that may pass is waited for and tried again, longer each time.

    Raises StorageError where it does not pass, or is of another kind.
    """
    tries = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, StorageError) and error.is_passing),
        stop=stop_after_attempt(TRIES),
        wait=wait_random_exponential(multiplier=1.0, max=LONGEST_WAIT),
        reraise=True,
    )
    return tries(do)
