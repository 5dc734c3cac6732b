"""Two processes on one PostgreSQL ledger, source and scorecards in S3: each call is listened to once."""

import json

import pytest

from pipeline.archive.ledger import open_ledger
from pipeline.archive.scores import open_scores
from tests.archive.postgres import new_database
from tests.archive.s3_server import CREDENTIALS
from tests.batch.batches import Site, ended

CALLS = 40


@pytest.fixture
def site(s3, tmp_path):
    """A batch of which ledger, source and scorecards are all on servers."""
    ledger, source, out = new_database(), s3.bucket("calls"), s3.bucket("scores")
    environ = {**CREDENTIALS, "RIDEALONG_LEDGER": ledger}
    site = Site(tmp_path, source=source, out=out, options=("--workers", "1"), environ=environ)
    for number in range(CALLS):  # every fourth is a copy of the one before
        body = site.fake(seed=number - (number % 4 == 3), work=0.05)
        s3.client().put_object(Bucket="calls", Key=f"{number:02}.wav", Body=body)
    return site


@pytest.mark.slow
def test_batch_on_two_machines_listens_to_each_call_once(site):
    both = [site.start(), site.start()]
    told = [ended(one) for one in both]
    assert [one.returncode for one in told] == [0, 0], "\n".join(one.stderr + one.stdout for one in told)
    last = [json.loads(one.stdout.splitlines()[-1]) for one in told]
    assert min(one["done"] for one in last) >= 1  # both had a part
    assert sum(one["done"] for one in last) == 30 and sum(one["copies"] for one in last) == 10
    assert len(site.listened) == 30 and set(site.listened.values()) == {1}
    with open_ledger(site.environ["RIDEALONG_LEDGER"]) as ledger:
        rows = list(ledger.all())
    assert {one.state for one in rows} == {"done", "copy"} and len(rows) == CALLS
    assert {one.attempts for one in rows} == {1}
    scored = {one.call_id for one in rows if one.state == "done"}
    assert set(open_scores(site.out).call_ids()) == scored
    again = site.run()
    assert again["plan"]["to_do"] == 0 and again["plan"]["unchanged"] == CALLS
    assert site.leftovers() == []
