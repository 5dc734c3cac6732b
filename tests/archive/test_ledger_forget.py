"""What is forgotten lies in no row and in no file of the database, and does not come back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest

from pipeline.archive.ledger import Ledger, open_ledger
from pipeline.errors import LedgerError, UsageError
from tests.archive.ledgers import (
    FIRST,
    OTHER_SHA,
    PLAN,
    SHA,
    SOURCE,
    claimed,
    done,
    ledger,
    recorded,
    seen,
    url,
)
from tests.archive.postgres import server

__all__ = ["ledger", "url"]

NAME = "Zebulon Quark"
PERSON = {"call_id": "zebulon quark 1", "row": {"rep": NAME, "customers": ["zebulon QUARK"]}}


def filled(ledger: Ledger) -> int:
    """A ledger that holds the name in key, call id, row and error, and the id of the recording."""
    run = ledger.begin({})
    done(ledger, run, "b.wav", OTHER_SHA)
    each = done(ledger, run, f"{NAME}.wav", **PERSON)
    recorded(ledger, f"{NAME}.wav", etag="new bytes", **PERSON)
    ledger.claim(run, SOURCE, 9, PLAN)
    assert ledger.failed(each.id, run, f"{NAME}.wav: broken", 3)
    return each.id


@pytest.mark.parametrize("spelling", [NAME, NAME.lower(), "quark"])
def test_a_name_is_found_wherever_it_stands(ledger: Ledger, spelling: str) -> None:
    filled(ledger)
    assert ledger.search(spelling) == {"recordings": 1}
    assert ledger.search("Nobody Else") == {}


@pytest.mark.parametrize("name", ["Jürgen Groß", 'Jo "Bo" O\'Neil', "Zoë\\", "陈 伟", "100%", "a\tb"])
def test_a_name_of_any_letters_is_found(ledger: Ledger, name: str) -> None:
    recorded(ledger, "a.wav", row={"rep": f"Dr. {name.upper()}"})
    recorded(ledger, f"{name} call.wav", call_id="b")
    assert ledger.search(name) == {"recordings": 2}


def test_nothing_of_a_forgotten_recording_is_left_in_any_file(url: str, ledger: Ledger) -> None:
    id = filled(ledger)
    for _ in range(20):  # old versions of the row lie about in the database's files
        ledger.retry([id])
        ledger.record(SOURCE, [seen(f"{NAME}.wav", etag="new bytes", why=NAME, **PERSON)], PLAN)
        run = ledger.begin({})
        ledger.claim(run, SOURCE, 9, PLAN)
        ledger.failed(id, run, NAME, 3)
    assert holding(url)
    assert ledger.forget([id], "person") == 1
    assert ledger.search(NAME) == {}
    assert holding(url) == []
    assert list(ledger.compare(["b.wav", f"{NAME}.wav"], SOURCE)) == ["b.wav"]


def holding(url: str) -> list[str]:
    """The database's files that hold the name, whatever its case; the log of a server, which it reuses, apart."""
    folder = Path(url.removeprefix("sqlite:///")).parent
    if url.startswith("postgresql"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ANALYZE")  # as the server does by itself now and then
            connection.execute("CHECKPOINT")  # the tables' files are as the server's memory is
            row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        folder = server().folder / "data" / "base" / str(row[0] if row else "")
    return sorted(file.name for file in folder.iterdir() if NAME.lower().encode() in file.read_bytes().lower())


def test_a_tombstone_keeps_the_recording_out(ledger: Ledger) -> None:
    run = ledger.begin({})
    each = done(ledger, run, "a.wav")
    assert ledger.forgotten(["a.wav"], SOURCE) == {}
    ledger.forget([each.id], "call")
    assert ledger.forgotten(["a.wav", "b.wav"], SOURCE) == {"a.wav": "etag of a.wav"}
    assert ledger.is_forgotten(SHA) and not ledger.is_forgotten(OTHER_SHA)
    assert ledger.record(SOURCE, [seen("a.wav")], PLAN) == 0
    assert ledger.compare(["a.wav"], SOURCE) == {}
    assert ledger.record(SOURCE, [seen("a.wav", etag="another recording")], PLAN) == 1


def test_what_was_forgotten_twice_has_the_later_etag(ledger: Ledger) -> None:
    for etag in ("first", "second"):
        each = recorded(ledger, "a.wav", etag=etag)["a.wav"]
        ledger.forget([each.id], "before")
    assert ledger.forgotten(["a.wav"], SOURCE) == {"a.wav": "second"}
    assert ledger.record(SOURCE, [seen("a.wav", etag="first")], PLAN) == 0


def test_copies_go_with_their_original(ledger: Ledger) -> None:
    run = ledger.begin({})
    original = done(ledger, run, "a.wav")
    copy = claimed(ledger, run, "b.wav")["b.wav"]
    ledger.copied(copy.id, run, original.id, SHA)
    assert ledger.forget([original.id], "call") == 2
    assert ledger.counts() == {}
    assert set(ledger.forgotten(["a.wav", "b.wav"], SOURCE)) == {"a.wav", "b.wav"}


def test_a_recording_that_is_being_worked_on_is_gone_for_its_worker(ledger: Ledger) -> None:
    run = ledger.begin({})
    each = claimed(ledger, run, "a.wav")["a.wav"]
    ledger.forget([each.id], "call")
    assert ledger.start(each.id, run) is None
    assert ledger.failed(each.id, run, "bad", 3) is None
    assert ledger.claim_content(each.id, SHA, FIRST, run) is None


def test_a_worker_that_meets_forgotten_bytes_lets_them_go(ledger: Ledger) -> None:
    run = ledger.begin({})
    ledger.forget([done(ledger, run, "a.wav").id], "call")
    each = claimed(ledger, run, "b.wav")["b.wav"]
    assert ledger.is_forgotten(SHA)
    assert ledger.forget_copy(each.id, run, SHA)
    assert set(ledger.forgotten(["b.wav"], SOURCE)) == {"b.wav"} and ledger.counts() == {}


def test_ids_are_never_given_again(ledger: Ledger) -> None:
    each = recorded(ledger, "a.wav")["a.wav"]
    ledger.forget([each.id], "call")
    assert recorded(ledger, "b.wav")["b.wav"].id > each.id


def test_a_reason_that_could_name_somebody_is_refused(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="a tombstone's reason is one of call, person, before"):
        ledger.forget([1], NAME)  # type: ignore[arg-type]


def test_a_reader_that_keeps_the_log_from_being_emptied_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    with open_ledger(file, patience=0.2) as ledger:
        each = recorded(ledger, "a.wav")["a.wav"]
        reader = sqlite3.connect(file)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM recordings").fetchone()
        with pytest.raises(LedgerError, match="its log could not be emptied while another process reads it"):
            ledger.forget([each.id], "call")
        reader.close()
        assert ledger.forget([each.id], "call") == 0
