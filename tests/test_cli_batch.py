"""The batch commands, from the plan to forgetting, on made-up recordings: exit status, words, JSON and files."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from pipeline import cli
from pipeline.errors import RidealongError, UsageError
from pipeline.fakes import write_fake
from pipeline.terminal_batch import _in_words

ARGUMENTS = ("--engine", "fake", "--workers", "1")


@pytest.fixture
def recordings(tmp_path):
    """Two calls, a copy of the first and one that cannot be scored."""
    folder = tmp_path / "recordings"
    (folder / "2026").mkdir(parents=True)
    write_fake(
        folder / "2026" / "first.mp3", seed=1, seconds=600, turns=[["Ines Roth", "We count by hand, every Friday."]]
    )
    write_fake(folder / "2026" / "second.mp3", seed=2, seconds=600)
    write_fake(folder / "copy.mp3", seed=2, seconds=600)
    write_fake(folder / "bad.mp3", seed=3, fail="there is nothing in it but noise")
    return folder


@pytest.fixture
def ridealong(capsys, monkeypatch):
    """(exit status, stdout, stderr) of the command, run in this process."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ridealong", *map(str, arguments)])
        try:
            cli.main()
            status = 0
        except SystemExit as ended:
            status = ended.code or 0
        told = capsys.readouterr()
        return status, told.out, " ".join(told.err.split())

    return run


def words(text):
    return " ".join(text.split())


def test_batch_from_plan_to_forgetting(ridealong, recordings, tmp_path):
    out = tmp_path / "out"

    status, stdout, _ = ridealong("batch", recordings, "--out", out, *ARGUMENTS, "--dry-run")
    assert status == 0
    assert "4 of 4 recordings to do" in words(stdout) and "to listen to 4 new" in words(stdout)
    assert "The time is not known: no speed of listening was measured here yet." in words(stdout)
    assert not out.exists()

    status, stdout, stderr = ridealong("batch", recordings, "--out", out, *ARGUMENTS)
    assert status == 1
    assert "4 of 4 recordings to do" in stderr
    assert "scored 2 20 min of audio" in words(stdout)
    assert "copies 1" in words(stdout) and "failed 1 the next batch tries them again" in words(stdout)
    assert f"Scorecards: {out}" in stderr and f"ridealong failures {out}" in stderr
    assert (out / "ledger.db").is_file()

    status, stdout, _ = ridealong("status", out, "--json")
    assert status == 0
    told = json.loads(stdout)
    assert told["calls"] == {"done": 2, "copy": 1, "claimed": 0, "pending": 0, "failed": 1, "quarantined": 0}
    assert told["running"] == [] and told["seconds_left"] is None

    status, stdout, _ = ridealong("failures", out)
    assert status == 0
    assert "1 call without a scorecard" in stdout and "there is nothing in it but noise" in words(stdout)

    status, stdout, _ = ridealong("batch", recordings, "--out", out, *ARGUMENTS, "--tries", "2", "--json")
    told = json.loads(stdout)
    assert status == 1
    assert told["plan"]["needs"] == [{"need": "listen", "why": "failed before", "recordings": 1}]
    assert (told["plan"]["unchanged"], told["done"], told["quarantined"]) == (3, 0, 1)

    status, stdout, stderr = ridealong("batch", recordings, "--out", out, *ARGUMENTS)
    assert (status, stdout) == (0, "")
    assert "There is nothing to do." in stderr and "in quarantine 1" in stderr

    status, stdout, _ = ridealong("retry", out, "--call", "bad")
    assert status == 0
    assert stdout == "1 call waits again; the next `ridealong batch` tries it.\n"
    assert ridealong("failures", out)[1] == "No call has failed.\n"
    assert ridealong("retry", out, "--all")[1] == "No call has failed, so none is to be tried again.\n"

    status, stdout, _ = ridealong("export", out, "--to", tmp_path / "calls.csv")
    assert (status, stdout) == (0, f"2 calls written to {tmp_path / 'calls.csv'}\n")
    assert len(list(csv.DictReader((tmp_path / "calls.csv").open(encoding="utf-8")))) == 2

    status, stdout, _ = ridealong("forget", out, "--person", "Ines Roth", "--dry-run")
    assert status == 0
    assert "1 call to be forgotten" in stdout and "first" in stdout and "2026/first.mp3" in stdout
    assert (out / "calls" / "first" / "scorecard.json").is_file()

    status, stdout, _ = ridealong("forget", out, "--person", "Ines Roth", "--yes")
    assert status == 0
    assert "Forgotten: 1 call and 1 row of the ledger." in stdout and "found: nothing." in stdout
    assert "2026/first.mp3" in stdout
    assert not (out / "calls" / "first").exists()

    status, stdout, _ = ridealong("batch", recordings, "--out", out, *ARGUMENTS, "--dry-run", "--json")
    told = json.loads(stdout)["plan"]
    assert (status, told["forgotten"], told["to_do"]) == (0, 1, 1)


def test_batch_scores_anew_what_was_deleted(ridealong, recordings, tmp_path):
    out = tmp_path / "out"
    (recordings / "bad.mp3").unlink()
    assert ridealong("batch", recordings, "--out", out, *ARGUMENTS)[0] == 0
    whole = {path: path.read_bytes() for path in (out / "calls").rglob("*") if path.is_file()}
    assert ridealong("retry", out, "--missing")[1] == f"Every call that is done has its scorecard in {out}.\n"
    shutil.rmtree(out / "calls")
    _, _, stderr = ridealong("batch", recordings, "--out", out, *ARGUMENTS)
    assert "There is no scorecard left in" in stderr and not (out / "calls").exists()
    assert ridealong("retry", out, "--missing")[1].startswith("2 calls wait again;")
    status, stdout, stderr = ridealong("batch", recordings, "--out", out, *ARGUMENTS)
    assert status == 0 and "its scorecard is gone" in stderr and "scored 2" in words(stdout)
    assert {path: path.read_bytes() for path in (out / "calls").rglob("*") if path.is_file()} == whole


def test_batch_failures_as_csv_and_json(ridealong, recordings, tmp_path):
    out = tmp_path / "out"
    write_fake(recordings / "=1+1.mp3", fail="=cmd|'/c calc'!A0")
    assert ridealong("batch", recordings, "--out", out, *ARGUMENTS)[0] == 1
    status, stdout, stderr = ridealong("failures", out, "--out", tmp_path / "f.csv")
    assert (status, stdout) == (0, "")
    assert f"2 calls written to {tmp_path / 'f.csv'}" in stderr
    rows = list(csv.DictReader((tmp_path / "f.csv").open(encoding="utf-8")))
    assert {row["key"] for row in rows} == {"bad.mp3", "'=1+1.mp3"}
    lines = [json.loads(line) for line in ridealong("failures", out, "--json")[1].splitlines()]
    assert {line["key"] for line in lines} == {"bad.mp3", "=1+1.mp3"}
    assert all(line["attempts"] == 1 and line["state"] == "failed" for line in lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["status", "{none}"], "no batch is known to have been scored here: there is no ledger"),
        (["status", "{out}", "--ledger", "redis://x"], "the ledger's URL cannot be used"),
        (["failures", "{none}"], "no batch is known to have been scored here"),
        (["retry", "{out}"], "Name the calls with --call ID (again for each), take all that failed with --all, or"),
        (["retry", "{out}", "--all", "--call", "first"], "Name the calls with --call ID"),
        (["retry", "{out}", "--all", "--missing"], "those whose scorecards are gone with --missing"),
        (["retry", "{out}", "--call", "nobody"], "nobody: there is no such call in"),
        (["retry", "{out}", "--call", "first"], "first: this call has not failed (it is done)"),
        (["export", "{none}", "--to", "x.csv"], "there are no scorecards here"),
        (["export", "{out}", "--to", "x.xlsx"], "'.xlsx' names no format"),
        (["forget", "{none}", "--call", "first", "--yes"], "no batch is known to have been scored here"),
        (["forget", "{out}"], "nothing was named to be forgotten"),
        (["forget", "{out}", "--before", "soon"], "is no date"),
        (
            ["forget", "{out}", "--call", "first"],
            "there is no terminal to ask on. Look at them with --dry-run, then say",
        ),
        (
            ["batch", "{out}", "--out", "{none}", "--address", "tcp://x:1"],
            "--address tcp://x:1 needs --runner dask or ray",
        ),
        (["batch", "ftp://x/y", "--out", "{none}"], "ftp"),
        (["batch", "{out}", "--out", "{none}", "--workers", "0"], "--workers"),
    ],
)
def test_batch_wrong_usage_exits_2_and_says_why(ridealong, ledger_of_one, arguments, said):
    out = ledger_of_one
    status, stdout, stderr = ridealong(*(one.format(out=out, none=out.parent / "none") for one in arguments))
    assert (status, stdout) == (2, "")
    assert said in stderr
    assert not (out.parent / "none").exists()


@pytest.fixture(scope="module")
def ledger_of_one(tmp_path_factory):
    """A place with one scored call."""
    folder = tmp_path_factory.mktemp("one")
    (folder / "recordings").mkdir()
    write_fake(folder / "recordings" / "first.mp3")
    command = [
        sys.executable,
        "-m",
        "pipeline.cli",
        "batch",
        folder / "recordings",
        "--out",
        folder / "out",
        *ARGUMENTS,
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "scored 1" in words(done.stdout)
    return folder / "out"


def test_batch_forget_asks_on_a_terminal(ridealong, ledger_of_one, monkeypatch):
    class Terminal:
        def isatty(self):
            return True

        def readline(self):
            return "no\n"

    monkeypatch.setattr(sys, "stdin", Terminal())
    status, stdout, stderr = ridealong("forget", ledger_of_one, "--call", "first")
    assert (status, stdout) == (0, "")
    assert "Remove 1 call for good? Type yes: Nothing was removed." in stderr
    assert (ledger_of_one / "calls" / "first" / "scorecard.json").is_file()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "a service's stop"])
def test_batch_stops_cleanly_and_goes_on(tmp_path, sent, ridealong):
    folder, out = tmp_path / "recordings", tmp_path / "out"
    folder.mkdir()
    for number in range(200):
        write_fake(folder / f"{number}.mp3", seed=number, work=0.2)
    command = [sys.executable, "-m", "pipeline.cli", "batch", str(folder), "--out", str(out), *ARGUMENTS]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # as in a shell of one's own
    )
    wait_until(lambda: any(out.glob("calls/*/scorecard.json")), running)
    assert json.loads(ridealong("status", out, "--json")[1])["running"][0]["pid"] == running.pid
    running.send_signal(sent)
    stdout, stderr = running.communicate(timeout=30)
    assert running.returncode == 130
    assert stdout == ""
    assert "nothing is lost: the same command goes on from here" in words(stderr)
    assert "Traceback" not in stderr
    told = json.loads(ridealong("status", out, "--json")[1])
    assert told["running"] == [] and told["calls"]["claimed"] == 0
    assert told["calls"]["done"] + told["calls"]["pending"] == 200
    assert told["calls"]["done"] >= 1


def test_batch_errors_of_a_cluster_are_told_in_words():
    said = r"the runner dask fails \(OSError: nobody\\nis there\). What was finished is kept. Run the same command"
    with pytest.raises(RidealongError, match=said), _in_words("dask"):
        raise OSError("nobody\nis there")
    with pytest.raises(UsageError, match="as it is"), _in_words("dask"):
        raise UsageError("as it is")
    with pytest.raises(OSError, match="ours"), _in_words("local"):
        raise OSError("ours")


def wait_until(is_so, running, seconds=60.0):
    end = time.monotonic() + seconds
    while not is_so():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)
