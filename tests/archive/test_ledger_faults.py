"""A database that is away, full, locked, read-only or none of ours: waited for where that helps, else said in words."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.archive.ledger import open_ledger
from pipeline.archive.ledger_database import parse, shown
from pipeline.errors import LedgerError, UsageError
from tests.archive.ledgers import PLAN, SHA, SOURCE, claimed, one, recorded, result, seen
from tests.archive.postgres import Server, new_database, server


@pytest.fixture
def stoppable() -> Iterator[Server]:
    """The server, which runs again whatever the test did to it."""
    yield server()
    server().start()


def test_work_goes_on_when_the_server_comes_back(stoppable: Server) -> None:
    with open_ledger(new_database(), patience=30) as ledger:
        run = ledger.begin({})
        each = claimed(ledger, run, "a.wav")["a.wav"]
        stoppable.stop()
        later = threading.Timer(1.0, stoppable.start)
        later.start()
        assert ledger.finish(each.id, run, result())
        later.join()
        assert one(ledger, "a.wav").sha256 == SHA


def test_a_server_that_crashed_between_two_calls_is_met_again(stoppable: Server) -> None:
    with open_ledger(new_database(), patience=30) as ledger:
        recorded(ledger, "a.wav")
        stoppable.stop()
        stoppable.start()
        assert one(ledger, "a.wav").state == "pending"


def test_a_server_that_stays_away_is_said_in_words(stoppable: Server) -> None:
    with open_ledger(new_database().replace("postgres:@", "postgres:s3cret@"), patience=1) as ledger:
        recorded(ledger, "a.wav")
        stoppable.stop()
        began = time.monotonic()
        with pytest.raises(LedgerError, match=r"the server was not there for 1 s\. Start it") as raised:
            ledger.counts()
        assert 0.9 < time.monotonic() - began < 15
    assert "postgresql://postgres:***@" in str(raised.value) and "s3cret" not in str(raised.value)
    assert "nothing is lost: the same command goes on from there" in str(raised.value)


def test_no_server_at_all_is_said_in_words() -> None:
    with pytest.raises(LedgerError, match=r"the server was not there for 0 s"):
        open_ledger("postgresql://user:pw@127.0.0.1:9/ledger", patience=0.1)


def test_a_database_that_is_not_there_is_said_at_once() -> None:
    url = server().url("nowhere")
    began = time.monotonic()
    with pytest.raises(LedgerError, match=r"refuses the user, the password or the database.*nowhere"):
        open_ledger(url, patience=30)
    assert time.monotonic() - began < 10


def test_a_server_that_only_lets_it_be_read_is_said() -> None:
    url = new_database()
    open_ledger(url).close()
    with (
        open_ledger(f"{url}&options=-c%20default_transaction_read_only%3Don") as ledger,
        pytest.raises(LedgerError, match="the server only lets it be read"),
    ):
        recorded(ledger, "a.wav")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://host/db", "'mysql' is none of its databases"),
        ("ledger.db", "it cannot be read as a URL"),
        ("sqlite://", "the workers' processes need a file"),
        ("sqlite:///:memory:", "the workers' processes need a file"),
    ],
)
def test_a_url_of_another_kind_is_refused(url: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as raised:
        open_ledger(url)
    assert "Give sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/DATABASE" in str(raised.value)


def test_passwords_are_masked_and_drivers_are_not_shown() -> None:
    assert shown(parse("postgres://u:secret@h:1/d")) == "postgresql://u:***@h:1/d"
    assert parse("postgresql://h/d").drivername == "postgresql+psycopg"


@pytest.mark.parametrize("name", ["a b.db", "100%.db", "what?.db", "#1.db", "ü.db"])
def test_a_file_of_any_name_serves(tmp_path: Path, name: str) -> None:
    file = tmp_path / "new folder" / name
    with open_ledger(f"sqlite:///{file}") as ledger:
        recorded(ledger, "a.wav")
    assert file.is_file()
    with open_ledger(file) as ledger:
        assert one(ledger, "a.wav").state == "pending"


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_text("call_id,rep\n" * 200)
    with pytest.raises(LedgerError, match=r"calls\.csv: the file is not a ledger\. Name another --ledger"):
        open_ledger(file)
    assert file.read_text() == "call_id,rep\n" * 200


def test_a_database_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE recordings (band TEXT)")
    with pytest.raises(LedgerError, match="holds tables of something else by the same names"):
        open_ledger(file)
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("recordings",)]


def test_a_folder_in_place_of_the_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"the file cannot be opened\. See that its folder exists"):
        open_ledger(tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="its folder cannot be made"):
        open_ledger(tmp_path / "file" / "sub" / "ledger.db")


def test_a_lock_that_is_never_let_go_is_said(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.db", patience=0.3) as ledger:
        holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match=r"another process has kept it locked for 0 s\. End that one"):
            recorded(ledger, "a.wav")
        assert ledger.counts() == {}
        holder.execute("ROLLBACK")
        holder.close()
        assert recorded(ledger, "a.wav")


def test_a_disk_that_is_full_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    """A database that may not grow any more, as on a full disk; it says SQLITE_FULL."""
    with open_ledger(tmp_path / "ledger.db") as ledger:
        recorded(ledger, "a.wav")
        with ledger._database._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        ledger.close()
        ledger._database._engine.dispose()
        with ledger._database._engine.connect() as connection:  # the pool gives this connection again
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError, match=r"the disk is full\. Free some space there"):
            ledger.record(SOURCE, [seen(f"{n}.wav") for n in range(2000)], PLAN)
        assert ledger.counts() == {"pending": 1}


READ_ONLY = """
import os, sys
from pipeline.archive.ledger import open_ledger
from pipeline.archive.recordings import Seen, Versions
from pipeline.errors import LedgerError
open_ledger(sys.argv[1]).close()  # what is imported late is imported now
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
try:
    open_ledger(sys.argv[1], patience=1).begin({})
except LedgerError as error:
    print(error)
"""


def test_a_file_that_cannot_be_written_is_said() -> None:
    """As a user who may read and not write; root may always, so it becomes nobody."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'ledger.db'}"
        open_ledger(url).close()
        (folder / "ledger.db").chmod(0o444)
        folder.chmod(0o555)
        done = subprocess.run([sys.executable, "-c", READ_ONLY, url], capture_output=True, text=True, check=False)
        folder.chmod(0o700)
    assert "ledger.db: it cannot be written to. Allow writing" in done.stdout, done.stderr


def test_names_are_in_no_message_and_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with open_ledger(tmp_path / "ledger.db") as ledger:
        recorded(ledger, "a.wav")
        with ledger._database._engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE contents")
        run = ledger.begin({})
        each = claimed(ledger, run, "a.wav", row={"rep": "Zebulon Quark"})["a.wav"]
        with pytest.raises(LedgerError, match="SQLite cannot do what it was asked to") as raised:
            ledger.failed(each.id, run, "Zebulon Quark has no sound", 3)
    cause = raised.value.__cause__
    assert "Quark" not in f"{raised.value} {cause} {caplog.text}"
