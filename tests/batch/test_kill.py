"""SIGKILL at ten moments of a batch: nothing is lost, nothing is done twice but what was in flight, nothing is left."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.batch.batches import BOOKS, TIMES, Site, ended

CALLS, WORKERS, KILLS = 60, 2, 10
WORK = 0.1  # seconds that a call takes, so that kills land inside

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")


@pytest.mark.slow
def test_batch_killed_ten_times_ends_as_if_undisturbed(tmp_path):
    site = Site(tmp_path / "killed", options=("--workers", str(WORKERS)))
    site.fakes(CALLS, work=WORK)
    moments = random.Random(5)
    in_flight = []
    for number in range(KILLS):
        process = site.start()
        after_calls, later = moments.randrange(4), moments.random() * WORK
        wait_for_calls(site, process, sum(site.listened.values()) + 1 + after_calls)
        time.sleep(later)
        assert process.poll() is None, process.communicate()
        kill = os.killpg if number % 3 == 2 else os.kill  # the driver alone mostly, whose workers must then end too
        kill(process.pid, signal.SIGKILL)
        ended(process)
        in_flight.append(sum(row["state"] == "claimed" and row["started_at"] is not None for row in site.rows()))
    before = sum(site.listened.values())
    told = site.run()
    assert min(in_flight) >= 1  # every kill landed inside
    assert before < CALLS + KILLS * WORKERS and told["done"] >= 1

    assert sorted(site.listened) == [f"call-{number:03}" for number in range(CALLS)]
    redone = sum(site.listened.values()) - CALLS
    assert 0 <= redone <= sum(in_flight) <= KILLS * WORKERS
    rows = site.rows()
    assert [row["state"] for row in rows] == ["done"] * CALLS
    assert {row["attempts"] - row["interruptions"] for row in rows} == {1}
    assert sum(row["interruptions"] for row in rows) == sum(in_flight)
    assert site.leftovers() == []

    calm = Site(tmp_path / "calm", source=site.source, options=("--workers", str(WORKERS)))
    calm.run()
    assert {path.name for path in Path(site.out).iterdir()} == {"calls", "ledger.db"}
    assert site.files() == calm.files()
    assert site.rows(*TIMES, *BOOKS) == calm.rows(*TIMES, *BOOKS)
    assert len({name.split("/")[0] for name in calm.files()}) == CALLS and calm.leftovers() == []

    assert site.run()["plan"]["to_do"] == 0
    assert sum(site.listened.values()) == CALLS * 2 + redone  # the calm run's are in the same log


def wait_for_calls(site, process, count):
    """Until so many listenings have begun."""
    deadline = time.monotonic() + 60
    while sum(site.listened.values()) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no call was begun"
        time.sleep(0.005)
