"""Temporary files of a worker, its libraries' too, lie in its run's folder, which is swept where the run is dead."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from pipeline.archive.ledger import open_ledger
from pipeline.archive.recordings import Seen, Versions
from pipeline.archive.scores_folder import FolderScores
from pipeline.archive.temporary import sweep_temporary, temporary_files_in
from pipeline.batch import desk as desks
from pipeline.batch.rows import default_dict
from pipeline.batch.work import Job, Place, work
from pipeline.fakes import write_fake
from tests.batch.conftest import FAKE


@pytest.fixture
def system(tmp_path, monkeypatch) -> Path:
    """The system's folder for temporary files."""
    folder = tmp_path / "system"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("need", ["listen", "level"])
@pytest.mark.parametrize("there", [True, False])
def test_temporary_files_of_a_job_lie_in_its_run_s_folder(system, tmp_path, monkeypatch, there, need):
    used = []
    write = FolderScores.write
    monkeypatch.setattr(FolderScores, "write", lambda *a, **k: (used.append(tempfile.gettempdir()), write(*a, **k)))
    folder = tmp_path / "run"
    if there:
        folder.mkdir()
    (tmp_path / "bucket").mkdir()
    write_fake(tmp_path / "bucket" / "a.wav")
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_ledger(url) as ledger:
        run, source = ledger.begin({}), str(tmp_path / "bucket")
        place = Place(source, str(tmp_path / "out"), url, run, settings=FAKE, temporary=str(folder))
        seen = Seen("a.wav", "1", 9, "a", default_dict("a.wav"), Versions("1", "1", "1"), "listen", "new")
        ledger.record(source, [seen], "plan")
        (claimed,) = ledger.claim(run, source, 1)
        (result,) = work(place, Job(need, (claimed.id,)))
    desks.desk_at.cache_clear()

    assert result.state == "done"
    assert used == [str(folder if there else system)]
    assert tempfile.gettempdir() == str(system)
    assert not list(system.iterdir())


def test_threads_that_share_a_folder_leave_the_system_s_behind(system, tmp_path):
    both = Barrier(2)

    def first():
        with temporary_files_in(str(tmp_path)):
            both.wait()  # the second one begins
            both.wait()
        both.wait()

    def second():
        both.wait()
        with temporary_files_in(str(tmp_path)):
            both.wait()
            both.wait()  # the first one is over

    with ThreadPoolExecutor(2) as pool:
        for done in (pool.submit(first), pool.submit(second)):
            done.result(timeout=10)
    assert tempfile.gettempdir() == str(system)


def test_a_fault_leaves_the_system_s_behind(system, tmp_path):
    with pytest.raises(OSError, match="on purpose"), temporary_files_in(str(tmp_path)):
        raise OSError("on purpose")
    assert tempfile.gettempdir() == str(system)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_temporary_files_of_a_killed_process_are_swept(system):
    script = (
        "import os, signal, tempfile; from pipeline.archive.temporary import temporary_files_in, temporary_folder\n"
        "with temporary_folder() as folder, temporary_files_in(str(folder)):\n"
        "    tempfile.NamedTemporaryFile(delete=False).write(b'voice'); tempfile.mkdtemp()\n"
        "    print(len(list(folder.iterdir())), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    environ = {"TMPDIR": str(system), "PATH": ""}
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], env=environ, cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "2\n")
    assert len(list(system.iterdir())) == 1

    sweep_temporary()
    assert not list(system.iterdir())
