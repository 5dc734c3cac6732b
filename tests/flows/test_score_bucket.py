"""The flow over a bucket does what the batch does, and Prefect learns nobody's name."""

from __future__ import annotations

import csv
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path

import prefect.context
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

from flows import prefect_settings, runners
from flows.private import WordlessError
from flows.runners import hire
from flows.score_bucket import in_flow, score_bucket
from pipeline.archive.ledger import open_ledger
from pipeline.batch.plan import Plan
from pipeline.batch.run import Progress, Summary
from pipeline.errors import LedgerError, UsageError
from pipeline.fakes import write_fake

CALLS = 30
REP, CUSTOMER, SAID = "Zebedee Quillfeather", "Ottoline Marchbanks", "Quillfeather hung up"


@dataclass
class Batch:
    source: Path
    out: Path
    numbers: dict[str, object]
    database: Path


@pytest.fixture(scope="module")
def batch(harness, tmp_path_factory):
    """Thirty recordings scored by the flow; one fails and one takes its worker down."""
    root = tmp_path_factory.mktemp("batch")
    source, out = root / "bucket", root / "scores"
    source.mkdir()
    for number in range(CALLS):
        trouble = {3: {"fail": SAID}, 5: {"crash": "kill"}}.get(number, {})
        write_fake(source / f"{key(number)}.wav", seed=number, **trouble)
    with (source.parent / "calls.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["recording", "call_id", "rep", "customer", "call_type"])
        rows.writerows([[f"{key(n)}.wav", f"id-{key(n)}", REP, CUSTOMER, "demo"] for n in range(CALLS)])
    numbers = score(source, out, tries=1)
    return Batch(source, out, numbers, harness)


def key(number):
    return f"quillfeather-{number:03d}"


def score(source, out, **options):
    manifest = source.parent / "calls.csv"
    return score_bucket(source, out, manifest=manifest, engine="fake", workers=2, shard=20, **options)


def ask(what):
    with get_client(sync_client=True) as client:
        return what(client)


def eventually(count, expected):
    """What `count` gives once it is `expected`, or after some seconds: the server writes task runs down behind."""
    for _ in range(60):
        if (found := count()) == expected:
            break
        time.sleep(0.25)
    return found


def test_the_ledger_has_every_recording_and_its_ending(batch):
    with open_ledger(batch.out / "ledger.db") as book:
        assert book.counts() == {"done": CALLS - 2, "quarantined": 2}
        said = [one.error for one in book.failures()]
    assert SAID in said[0]
    assert "worker process ended (signal SIGKILL" in said[1]
    assert len(list((batch.out / "calls").glob("*/scorecard.json"))) == CALLS - 2
    assert {name: batch.numbers[name] for name in ("done", "failed", "quarantined", "left")} == {
        "done": CALLS - 2,
        "failed": 0,
        "quarantined": 2,
        "left": 0,
    }
    assert batch.numbers["audio_hours"] == round((CALLS - 2) / 60, 2)


def test_prefect_has_a_task_a_job_in_flows_of_a_shard_each(batch):
    assert sorted(one.name for one in shards_of(batch)) == ["shard 1", "shard 2"]
    assert eventually(lambda: len(tasks_of(batch)), CALLS) == CALLS
    assert sorted(one.name for one in tasks_of(batch)) == sorted(f"recording {n + 1}" for n in range(CALLS))
    assert [one.state.type.value for one in tasks_of(batch)].count("FAILED") == 2


def shards_of(batch):
    """The flows below the batch's first one."""
    found = ask(lambda client: client.read_flow_runs())
    mine = [one for one in found if one.parameters.get("source") == str(batch.source)]
    first = min(mine, key=lambda one: one.start_time)
    below = FlowRunFilter(parent_flow_run_id={"any_": [first.id]})
    return ask(lambda client: client.read_flow_runs(flow_run_filter=below))


def tasks_of(batch):
    """The batch's tasks that are over."""
    mine = TaskRunFilter(flow_run_id={"any_": [one.id for one in shards_of(batch)]})
    found = ask(lambda client: client.read_task_runs(task_run_filter=mine, limit=200))
    return [one for one in found if one.state.is_final()]


def test_the_summary_is_an_artifact(batch):
    found = {one.key: one for one in ask(lambda client: client.read_artifacts())}
    assert '"done", "number": 28' in found["ridealong-summary"].data
    assert float(found["ridealong-progress"].data) == 100.0


def test_prefect_learns_no_name_no_key_and_no_words(batch):
    eventually(lambda: len(tasks_of(batch)), CALLS)
    files = [batch.database, *batch.database.parent.glob(f"{batch.database.name}-*")]
    remembered = [one for one in (get_current_settings().home / "storage").rglob("*") if one.is_file()]
    assert len(remembered) >= CALLS - 2
    assert any(b"recording 17" in one.read_bytes() for one in files)  # the search finds what is there
    files += [one for one in get_current_settings().home.rglob("*") if one.is_file()]
    for word in ("uillfeather", "Marchbanks", "hung up"):
        assert [one for one in files if word.lower().encode() in one.read_bytes().lower()] == [], word


def test_a_second_run_finds_nothing_to_do(batch):
    before = (batch.out / "calls" / f"id-{key(0)}" / "scorecard.json").stat().st_mtime_ns
    numbers = score(batch.source, batch.out, tries=1)
    assert (numbers["done"], numbers["quarantined"], numbers["left"]) == (0, 0, 0)
    assert (batch.out / "calls" / f"id-{key(0)}" / "scorecard.json").stat().st_mtime_ns == before


def test_an_error_that_may_name_people_stays_in_this_process(harness, tmp_path, caplog):
    (tmp_path / "calls.csv").write_text(f"recording,call_id,rep,call_type\na.wav,1,{REP},{REP}\n")
    write_fake(tmp_path / "a.wav")
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(WordlessError, match=r"ManifestError\. Its words may name people"),
    ):
        score_bucket(tmp_path, tmp_path / "out", manifest=tmp_path / "calls.csv", engine="fake")
    assert REP in caplog.text
    assert REP.encode() not in harness.read_bytes()


# --- what is refused ------------------------------------------------------------------------------------


def test_a_runner_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="Choose one of prefect, dask, ray"):
        hire("spark")
    with pytest.raises(UsageError, match="takes no address, got 'tcp://x'"):
        hire("prefect", address="tcp://x")


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(runners, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'ridealong\[dask\]'"):
        hire("dask")


def test_a_password_among_the_parameters_is_refused(harness, tmp_path):
    with pytest.raises(UsageError, match="the ledger's URL holds a password, and Prefect stores"):
        score_bucket(tmp_path, tmp_path / "out", ledger="postgresql://me:hidden@localhost/x")


def test_the_temporary_server_alone_is_set_up(harness, monkeypatch):
    monkeypatch.setattr(prefect.context, "refresh_global_settings_context", lambda: None)
    monkeypatch.setattr(prefect_settings, "TEMPORARY_SERVER", {"RIDEALONG_TRIED": "yes", "HOME": "elsewhere"})
    monkeypatch.delenv("RIDEALONG_TRIED", raising=False)
    prefect_settings.prepare()  # there is a server: the harness's
    assert "RIDEALONG_TRIED" not in os.environ
    with temporary_settings({PREFECT_API_URL: None}):
        prefect_settings.prepare()
    assert os.environ["RIDEALONG_TRIED"] == "yes"
    assert os.environ["HOME"] != "elsewhere"
    monkeypatch.delenv("RIDEALONG_TRIED")


def test_a_terminal_of_its_own_gets_the_summary_and_prefect_the_artifact(harness):
    def go(shown):
        shown(Progress(planned=2, done=2))
        return Summary(Plan("file:///calls", objects=2), done=2, seconds=1.0, stopped="The store is full.")

    summary = in_flow(go)
    assert (summary.done, summary.stopped) == (2, "The store is full.")
    first, *_ = sorted(ask(lambda client: client.read_flow_runs()), key=lambda one: one.start_time, reverse=True)
    assert (first.state.type.value, "full" in first.state.message) == ("FAILED", False)
    tables = [one for one in ask(lambda client: client.read_artifacts()) if one.flow_run_id == first.id]
    assert any('"done", "number": 2' in str(one.data) for one in tables)


def test_a_terminal_of_its_own_gets_errors_as_they_are(harness):
    def go(shown):
        raise LedgerError("the ledger is away")

    with pytest.raises(LedgerError, match="the ledger is away"):
        in_flow(go)
