"""What stores, disks, databases and recordings do to a batch: it ends in words, nothing is lost, and a second run
finishes all."""

import errno
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pipeline.archive import call_folder, temporary
from pipeline.archive.ledger import open_ledger
from pipeline.archive.scores import open_scores
from pipeline.batch import desk
from pipeline.batch import run as driver
from pipeline.batch.run import score_bucket
from pipeline.errors import LedgerError, StorageError
from pipeline.fakes import fake_bytes, write_fake
from tests.archive.postgres import Server
from tests.archive.s3_server import cut_short, dropped, error, is_get, is_listing, slow_down
from tests.batch.batches import Site
from tests.batch.conftest import FAKE, here

CALLS = 12


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waiting for a store is not slept through."""
    monkeypatch.setattr(desk, "LONGEST_WAIT", 0.01)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *given: 0.0)
    monkeypatch.setattr(driver, "_LONGEST_PAUSE", 0.01)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(CALLS):
        write_fake(folder / f"{number:02}.wav", seed=number)
    return folder


@pytest.fixture
def bucket(s3):
    url = s3.bucket("calls")
    for number in range(CALLS):
        s3.client().put_object(Bucket="calls", Key=f"{number:02}.wav", Body=fake_bytes(seed=number))
    s3.faults.clear()
    return url


def rows_of(out):
    with open_ledger(out / "ledger.db") as ledger:
        return list(ledger.all())


def finishes(source, out, before, **options):
    """A second run does what the first left, and nothing that it had done."""
    again = score_bucket(source, out=out, settings=FAKE, runner=here, **options)
    assert again.stopped is None and again.left == again.failed == 0 and before.done + again.done == CALLS
    assert {one.state for one in rows_of(out)} == {"done"}
    assert len(set(open_scores(out).call_ids())) == CALLS and not list((out / "calls").glob(".*"))


# --- stores ---------------------------------------------------------------------------------------------


def test_batch_waits_for_a_store_that_asks_for_fewer_requests(s3, bucket, tmp_path):
    s3.faults.add(slow_down(times=3))  # listing
    s3.faults.add(error("503 Slow Down", "SlowDown", times=25, when=is_get))
    s3.faults.add(dropped(times=5, when=is_get))
    told = score_bucket(bucket, out=tmp_path / "out", settings=FAKE, runner=here)
    assert (told.done, told.failed, told.stopped) == (CALLS, 0, None)
    assert {one.attempts for one in rows_of(tmp_path / "out")} == {1}  # no store's fault counts against a call


def test_batch_stops_when_credentials_expire_and_goes_on_with_new_ones(s3, bucket, tmp_path):
    out, told = tmp_path / "out", []

    def expire(progress):
        told.append(progress)
        if progress.done == 4 and not s3.faults.waiting:
            s3.faults.add(error("403 Forbidden", "ExpiredToken", times=10_000))

    first = score_bucket(bucket, out=out, settings=FAKE, runner=here, progress=expire)
    assert first.done == 4 and first.failed == 0 and first.left == CALLS - 4
    assert first.stopped is not None and "expired" in first.stopped and "nothing is lost" in first.stopped
    assert "very-secret" not in first.stopped
    with pytest.raises(StorageError, match="expired"):
        score_bucket(bucket, out=out, settings=FAKE, runner=here)
    s3.faults.clear()
    finishes(bucket, out, first)


def test_batch_does_nothing_on_a_listing_that_breaks_off(s3, bucket, tmp_path):
    out = tmp_path / "out"
    s3.faults.add(cut_short(keep=900, times=100, when=is_listing))
    with pytest.raises(StorageError):
        score_bucket(bucket, out=out, settings=FAKE, runner=here)
    assert not (out / "calls").exists() or not list(open_scores(out).call_ids())
    s3.faults.clear()
    first = score_bucket(bucket, out=out, settings=FAKE, runner=here, dry_run=True)
    assert first.plan.to_do == CALLS
    finishes(bucket, out, first)


def test_batch_fails_only_the_recording_that_vanished_after_the_listing(s3, bucket, tmp_path):
    out = tmp_path / "out"
    gone = lambda plan: s3.client().delete_object(Bucket="calls", Key="03.wav")  # noqa: E731
    first = score_bucket(bucket, out=out, settings=FAKE, runner=here, planned=gone)
    assert (first.done, first.failed, first.left, first.stopped) == (CALLS - 1, 1, 0, None)
    (failed,) = (one for one in rows_of(out) if one.state == "failed")
    assert failed.key == "03.wav" and "03.wav" in failed.error and "removed" in failed.error
    s3.client().put_object(Bucket="calls", Key="03.wav", Body=fake_bytes(seed=3))
    finishes(bucket, out, first)


# --- disks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["scorecards", "temporary"])
def test_batch_stops_on_a_full_disk_and_goes_on_once_there_is_room(s3, bucket, tmp_path, monkeypatch, where):
    out, count = tmp_path / "out", iter(range(1_000))

    def full(real):
        def write(*given, **named):
            if next(count) >= 40:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*given, **named)

        return write

    with monkeypatch.context() as patched:
        if where == "scorecards":
            patched.setattr(call_folder, "write_content", full(call_folder.write_content))
        else:
            count = iter(range(36, 1_000))
            patched.setattr("pathlib.Path.open", full_for_temporary(full))
        first = score_bucket(bucket, out=out, settings=FAKE, runner=here)
    assert 0 < first.done < CALLS and first.failed == first.quarantined == 0
    assert first.stopped is not None and "nothing is lost" in first.stopped and "no space left" in first.stopped
    assert {one.attempts for one in rows_of(out)} <= {0, 1}
    finishes(bucket, out, first)


def full_for_temporary(full):
    """Opening files for writing fails where they lie in a folder for temporary files."""
    from pathlib import Path

    real = Path.open
    limited = full(real)

    def opened(path, mode="r", *given, **named):
        is_temporary = "ridealong-" in str(path) and ("w" in mode or "x" in mode)
        return (limited if is_temporary else real)(path, mode, *given, **named)

    return opened


def test_batch_goes_on_where_the_folder_of_the_run_is_another_machine_s(s3, bucket, tmp_path, monkeypatch):
    @contextmanager
    def elsewhere(place):
        with here(replace(place, temporary=str(tmp_path / "not on this machine"))) as runner:
            yield runner

    own, dead = tmp_path / "tmp", subprocess.Popen(["true"])
    dead.wait()
    monkeypatch.setattr("tempfile.tempdir", str(own))
    left = own / f"{temporary._prefix()}{dead.pid}-x"  # what a killed worker left on that machine
    left.mkdir(parents=True)
    told = score_bucket(bucket, out=tmp_path / "out", settings=FAKE, runner=elsewhere)
    assert (told.done, told.failed, told.stopped) == (CALLS, 0, None)
    assert list(own.iterdir()) == []


# --- databases ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_batch_goes_on_when_its_database_comes_back(source, tmp_path):
    server = Server()
    server.start()
    try:
        stopped = threading.Event()

        def away(progress):
            if progress.done == 3 and not stopped.is_set():
                stopped.set()
                server.stop()
                threading.Timer(1.5, server.start).start()

        told = score_bucket(
            source, out=tmp_path / "out", ledger=server.url(), settings=FAKE, runner=here, progress=away
        )
        assert stopped.is_set() and (told.done, told.failed, told.left, told.stopped) == (CALLS, 0, 0, None)
        with open_ledger(server.url()) as ledger:
            assert {(one.state, one.attempts) for one in ledger.all()} == {("done", 1)}
    finally:
        server.remove()


def test_batch_says_that_its_database_does_not_come_back(source, tmp_path, monkeypatch):
    out = tmp_path / "out"
    real = open_ledger

    def lose(progress):
        if progress.done == 3:
            raise LedgerError("the ledger's database does not answer")

    with pytest.raises(LedgerError, match="does not answer"):
        score_bucket(source, out=out, settings=FAKE, runner=here, progress=lose)
    with real(out / "ledger.db") as ledger:
        before = ledger.counts()
    assert before["done"] >= 3 and before["done"] + before["pending"] == CALLS
    again = score_bucket(source, out=out, settings=FAKE, runner=here)
    assert again.done == before["pending"] and again.left == 0


# --- workers --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_batch_goes_on_when_workers_die_hang_or_run_out_of_memory(tmp_path):
    site = Site(tmp_path, options=("--workers", "2", "--call-timeout", "6", "--tries", "1"))
    site.fakes(8)
    bad = {"segv": {"crash": "segv"}, "killed": {"crash": "kill"}, "hangs": {"hang": True}, "exits": {"crash": "exit"}}
    bad["memory"] = {"memory": 10**15}
    for name, values in bad.items():
        (tmp_path / "source" / f"{name}.wav").write_bytes(site.fake(seed=77, **values))
    first = told(site)
    assert (first["done"], first["quarantined"], first["left"], first["stopped"]) == (8, 5, 0, None)
    reasons = {row["call_id"]: row["error"] for row in site.rows() if row["state"] == "quarantined"}
    assert sorted(reasons) == sorted(bad)
    assert "signal SIGSEGV" in reasons["segv"] and "signal SIGKILL, as when memory runs out" in reasons["killed"]
    assert "longer than" in reasons["hangs"] and "exit status 3" in reasons["exits"]
    assert "more memory than this machine has" in reasons["memory"]
    assert told(site)["plan"]["to_do"] == 0  # they wait for retry
    for name in bad:
        (tmp_path / "source" / f"{name}.wav").write_bytes(site.fake(seed=len(name) * 100 + ord(name[0])))
    last = told(site)
    assert (last["done"], last["quarantined"]) == (5, 0)
    assert set(site.listened.values()) == {1, 2} and sum(site.listened.values()) == 8 + 2 * 5
    assert site.leftovers() == []


def told(site):
    """What the batch says at its end, whether calls failed or not."""
    import json

    from tests.batch.batches import ended

    done = ended(site.start())
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
