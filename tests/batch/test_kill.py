"""SIGKILL at ten moments of a batch: nothing is lost, nothing is done twice but what was in flight, nothing is left."""

import json
import os
import random
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from pipeline.archive.ledger import open_ledger
from pipeline.archive.scores import open_scores
from tests.archive.postgres import new_database
from tests.archive.s3_server import CREDENTIALS
from tests.batch.batches import BOOKS, TIMES, Site, ended

CALLS, WORKERS, KILLS = 60, 2, 10
WORK = 0.2  # seconds that a call takes, so that kills land inside

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")


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


@pytest.mark.slow
def test_batch_between_servers_killed_twice_leaves_nothing_in_the_bucket(s3, tmp_path):
    ledger, out = new_database(), s3.bucket("killed")
    environ = {**CREDENTIALS, "RIDEALONG_LEDGER": ledger}
    site = Site(tmp_path / "killed", out=out, options=("--workers", "2"), environ=environ)
    site.fakes(12, work=0.05)
    moments = random.Random(7)
    for number in range(2):
        process = site.start()
        wait_for_calls(site, process, sum(site.listened.values()) + 2)
        time.sleep(moments.random() * 0.3)  # in the middle of writing, too
        (os.killpg if number == 1 else os.kill)(process.pid, signal.SIGKILL)
        ended(process)
    assert site.run()["left"] == 0
    with open_ledger(ledger) as book:
        rows = list(book.all())
    assert {one.state for one in rows} == {"done"} and {one.attempts - one.interruptions for one in rows} == {1}
    assert sum(site.listened.values()) - 12 <= sum(one.interruptions for one in rows) <= 2 * 2
    assert site.leftovers() == []

    scores = open_scores(out)
    keys = {one["Key"] for one in s3.client().list_objects_v2(Bucket="killed")["Contents"]}
    named = {f"calls/{one}/current.json" for one in scores.call_ids()}
    for key in set(named):
        files = json.loads(s3.client().get_object(Bucket="killed", Key=key)["Body"].read())
        named |= set(re.findall(r'"key": *"([^"]+)"', json.dumps(files)))
    assert {key.removeprefix("calls/") for key in keys} == {key.removeprefix("calls/") for key in named}
    calm = Site(tmp_path / "calm", source=site.source)
    calm.run()
    stored = {f"{one}/{name}": scores.read(one, name) for one in scores.call_ids() for name in scores.files(one)}
    assert stored == calm.files()


def wait_for_calls(site, process, count):
    """Until so many listenings have begun."""
    deadline = time.monotonic() + 60
    while sum(site.listened.values()) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no call was begun"
        time.sleep(0.005)
