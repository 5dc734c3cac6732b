"""Which runs live, which are dead, and what becomes of what a dead one had claimed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import psutil
import pytest
from sqlalchemy import create_engine, text

from pipeline.archive import ledger_runs
from pipeline.archive.ledger import Ledger
from pipeline.archive.ledger_database import parse
from pipeline.archive.ledger_runs import Machine, this_machine
from tests.archive.ledgers import FIRST, PLAN, SHA, SOURCE, claimed, ledger, one, recorded, url

__all__ = ["ledger", "url"]


def change_run(url: str, run: str, **columns: Any) -> None:
    """Write something else about the run than this process is."""
    engine = create_engine(parse(url))
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE runs SET {sets} WHERE id = :run"), {"run": run, **columns})
    engine.dispose()


def test_a_run_lives_until_it_ends(ledger: Ledger) -> None:
    run = ledger.begin({"workers": 2})
    (live,) = ledger.runs()
    assert (live.id, live.state, live.settings) == (run, "live", '{"workers":2}')
    assert ledger.beat(run)
    ledger.end(run, "finished")
    assert ledger.runs() == () and not ledger.beat(run)


def test_what_a_run_has_when_it_ends_waits_again(ledger: Ledger) -> None:
    run = ledger.begin({})
    claimed(ledger, run, "a.wav")
    recorded(ledger, "b.wav")
    ledger.claim(run, SOURCE, 9, PLAN)
    ledger.end(run)
    a, b = one(ledger, "a.wav"), one(ledger, "b.wav")
    assert (a.state, a.interruptions, b.state, b.interruptions) == ("pending", 1, "pending", 0)


def test_a_live_runs_recordings_stay_with_it(ledger: Ledger) -> None:
    run = ledger.begin({})
    claimed(ledger, run, "a.wav")
    assert ledger.release_dead() == ()
    assert one(ledger, "a.wav").state == "claimed"


def test_a_run_whose_process_was_killed_is_dead_at_once(url: str, ledger: Ledger) -> None:
    """The process had claimed two recordings and started one; both wait again, its number may be another's by now."""
    recorded(ledger, "a.wav", "b.wav")
    code = (
        "import sys, time; from pipeline.archive.ledger import open_ledger; ledger = open_ledger(sys.argv[1]);"
        "run = ledger.begin({}); got = ledger.claim(run, sys.argv[2], 9, sys.argv[3]); ledger.start(got[0].id, run);"
        "print(run, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, url, SOURCE, PLAN], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    run = process.stdout.readline().strip()
    assert ledger.release_dead() == () and [live.id for live in ledger.runs()] == [run]
    process.kill()
    process.wait()
    assert ledger.runs() == ()
    a, b = ledger.release_dead()
    assert (a.key, a.state, a.interruptions, a.attempts) == ("a.wav", "pending", 1, 1)
    assert (b.key, b.state, b.interruptions, b.attempts) == ("b.wav", "pending", 0, 0)
    assert not ledger.beat(run)


def test_another_process_of_the_same_number_is_not_the_run(url: str, ledger: Ledger) -> None:
    run = ledger.begin({})
    assert len(ledger.runs()) == 1
    change_run(url, run, pid_started=psutil.Process().create_time() - 1000)
    assert ledger.runs() == ()


@pytest.mark.parametrize(
    ("columns", "heartbeat", "lives"),
    [
        ({"host": "another"}, None, True),
        ({"host": "another"}, "2020-01-01T00:00:00.000Z", False),
        ({"boot": "the one before"}, None, True),  # two machines of one name
        ({"boot": "the one before"}, "2020-01-01T00:00:00.000Z", False),
        ({"process_space": "a container"}, None, True),
        ({"process_space": "a container"}, "2020-01-01T00:00:00.000Z", False),
    ],
)
def test_a_run_elsewhere_is_known_by_its_heartbeat(
    url: str, ledger: Ledger, columns: dict[str, str], heartbeat: str | None, lives: bool
) -> None:
    run = ledger.begin({})
    claimed(ledger, run, "a.wav")
    change_run(url, run, pid=2**22 + 1, **columns, **({"heartbeat": heartbeat} if heartbeat else {}))
    assert bool(ledger.runs()) == lives
    assert len(ledger.release_dead()) == (not lives)


def test_the_silence_that_is_waited_for_is_the_databases(
    url: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five minutes by the clock of the database, which all machines share."""
    run = ledger.begin({})
    change_run(url, run, host="another")
    monkeypatch.setattr(ledger_runs, "SILENCE", 0.0)
    assert ledger.runs() == ()
    monkeypatch.setattr(ledger_runs, "SILENCE", 300.0)
    assert len(ledger.runs()) == 1


def test_the_contents_of_dead_runs_are_taken_over(url: str, ledger: Ledger) -> None:
    dead, run = ledger.begin({}), ledger.begin({})
    a = claimed(ledger, dead, "a.wav")["a.wav"]
    b = claimed(ledger, run, "b.wav")["b.wav"]
    assert ledger.claim_content(a.id, SHA, FIRST, dead) is None
    assert ledger.claim_content(b.id, SHA, FIRST, run) is not None
    change_run(url, dead, pid=2**22 + 1)
    assert ledger.claim_content(b.id, SHA, FIRST, run) is None


def test_this_machine_is_the_same_at_every_look() -> None:
    machine = this_machine()
    assert machine == Machine(machine.host, ledger_runs._boot(), ledger_runs._process_space())
    assert machine.host and machine.boot
