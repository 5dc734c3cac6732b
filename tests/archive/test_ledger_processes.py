"""Two processes that share one ledger: each recording is claimed once, each content worked on once."""

from __future__ import annotations

import json
import random
import subprocess
import sys

from pipeline.archive.ledger import Ledger
from tests.archive.ledgers import PLAN, SOURCE, ledger, seen, url

__all__ = ["ledger", "url"]

RECORDINGS = 2000
CONTENTS = 500

WORK = """
import json, sys, random
from tests.archive.ledgers import *
url, seed = sys.argv[1:]
choose = random.Random(int(seed))
ledger = open_ledger(url)
run = ledger.begin({})
print("ready", flush=True)
sys.stdin.readline()
claims, worked = [], []
while got := ledger.claim(run, SOURCE, choose.randint(1, 60), PLAN):
    claims += [each.id for each in got]
    ledger.start_many([each.id for each in got], run)
    results = {}
    for each in got:
        sha = f"{each.size:064}"
        if each.size % 4:  # most are told of in bulk, as they came
            results[each.id] = result(f"{each.id + 10**6:064}")
        elif (has_it := ledger.claim_content(each.id, sha, each.wanted, run)) is None:
            worked.append(sha)
            assert ledger.finish(each.id, run, result(sha))
        else:
            assert ledger.copied(each.id, run, has_it.id, sha)
    assert ledger.finish_many(run, results) == frozenset(results)
print(json.dumps([claims, worked]))
"""


def test_two_processes_share_a_ledger_and_nothing_is_done_twice(url: str, ledger: Ledger) -> None:
    choose = random.Random(1)
    listing = [seen(f"{n}.wav", size=choose.randrange(CONTENTS)) for n in range(RECORDINGS)]
    assert ledger.record(SOURCE, listing, PLAN) == RECORDINGS
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, url, str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 2)
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    (claims, worked), (other_claims, other_worked) = (json.loads(out) for out, _ in told)
    assert len(claims) > 50 and len(other_claims) > 50  # both had a part in it
    assert sorted(claims + other_claims) == sorted(each.id for each in ledger.all())
    assert len(set(worked + other_worked)) == len(worked + other_worked)
    copies = sum(each.size % 4 == 0 for each in listing) - len(worked + other_worked)
    assert ledger.counts() == {"done": RECORDINGS - copies, "copy": copies}
