"""A Dask cluster with two worker processes scores a batch; a call that kills its worker harms no other."""

from __future__ import annotations

import distributed

from flows.runners import LEDGER, hire
from pipeline.archive.ledger import open_ledger
from pipeline.batch.run import Progress, score_bucket
from pipeline.fakes import write_fake
from pipeline.settings import ListenSettings

CALLS, POISON = 10, 8


class Noted(distributed.LocalCluster):
    """A cluster that can be found again while the batch runs."""

    made: Noted

    def __init__(self, **options):
        Noted.made = self
        super().__init__(**options)


def desks() -> int:
    """How many desks this process has: one where it did a job, as its models are loaded once."""
    from pipeline.batch.desk import desk_at

    return desk_at.cache_info().currsize


def test_two_workers_score_a_bucket_and_one_poison_call_costs_itself(harness, tmp_path, monkeypatch):
    source, url = tmp_path / "bucket", f"sqlite:///{tmp_path / 'ledger.db'}"
    source.mkdir()
    for number in range(CALLS):
        trouble = {"crash": "segv"} if number == POISON else {}
        write_fake(source / f"call-{number}.wav", seed=number, work=0.2, **trouble)
    found: list[dict[str, int]] = []

    def look(progress: Progress) -> None:
        if progress.done == POISON - 2:
            with distributed.Client(Noted.made.scheduler_address, set_as_default=False) as client:
                found.append(client.run(desks))

    monkeypatch.setenv(LEDGER, url)  # as on any worker's machine: it does not travel with a job
    monkeypatch.setattr(distributed, "LocalCluster", Noted)
    settings = ListenSettings(engine="fake")
    hired = hire("dask", workers=2)
    summary = score_bucket(source, out=tmp_path / "out", settings=settings, tries=1, runner=hired, progress=look)
    assert (summary.done, summary.quarantined, summary.left) == (CALLS - 1, 1, 0)
    assert sorted(found[0].values()) == [1, 1]
    with open_ledger(url) as book:
        (poison,) = book.failures()
        assert book.counts() == {"done": CALLS - 1, "quarantined": 1}
    assert poison.key == f"call-{POISON}.wav"
    assert "its worker process ended (KilledWorker)" in poison.error
