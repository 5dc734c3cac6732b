"""What tests of the ledger share: an empty ledger on either database, and recordings to put into it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import make_url

from pipeline.archive.ledger import Ledger, open_ledger
from pipeline.archive.recordings import Done, Recording, Seen, Versions
from tests.archive.postgres import new_database

SOURCE = "s3://bucket/calls"
PLAN = "plan"
FIRST = Versions("engine-1", "judge-1", "rubric-1")
RUBRIC_2 = replace(FIRST, levelling="rubric-2")
ENGINE_2 = replace(FIRST, listening="engine-2")
SHA = "a" * 64
OTHER_SHA = "b" * 64


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of either kind, an empty ledger in it: a copy, since that is faster than making one."""
    if request.param == "postgresql":
        return new_database(like=_pattern())
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    (tmp_path / "ledger.db").write_bytes(_file())
    return url


@cache
def _pattern() -> str:
    """The name of a PostgreSQL database with an empty ledger in it."""
    url = new_database()
    open_ledger(url).close()
    return str(make_url(url).database)


@cache
def _file() -> bytes:
    """SQLite's file of an empty ledger."""
    with tempfile.TemporaryDirectory() as folder:
        open_ledger(Path(folder) / "ledger.db").close()
        return (Path(folder) / "ledger.db").read_bytes()


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """An empty ledger on either database."""
    with open_ledger(url) as opened:
        yield opened


def seen(key: str, **changes: object) -> Seen:
    """A new recording of the listing."""
    one = Seen(key, f"etag of {key}", 1000, key.removesuffix(".wav"), {"rep": "Jane Doe"}, FIRST, "listen", "new")
    return replace(one, **changes)  # type: ignore[arg-type]


def recorded(ledger: Ledger, *keys: str, **changes: object) -> dict[str, Recording]:
    """These recordings, written down as pending; by key."""
    ledger.record(SOURCE, [seen(key, **changes) for key in keys], PLAN)
    return ledger.compare(keys, SOURCE)


def one(ledger: Ledger, key: str) -> Recording:
    """What the ledger has of the key."""
    return ledger.compare([key], SOURCE)[key]


def claimed(ledger: Ledger, run: str, *keys: str, start: bool = True, **changes: object) -> dict[str, Recording]:
    """These recordings, written down, claimed and started by the run; by key."""
    recorded(ledger, *keys, **changes)
    got = {each.key: each for each in ledger.claim(run, SOURCE, 1000, PLAN)}
    assert set(got) == set(keys)
    return {key: ledger.start(each.id, run) or each for key, each in got.items()} if start else got


def result(sha256: str = SHA, versions: Versions = FIRST, seconds: float | None = 60.0) -> Done:
    """What a worker says of a recording that it has finished."""
    return Done(sha256, versions, {"code": "0.9", "engine": "sphinx"}, seconds, 2.0, "cpu")


def done(ledger: Ledger, run: str, key: str, sha256: str = SHA, **changes: object) -> Recording:
    """This recording, listened to by the run, with its content."""
    each = claimed(ledger, run, key, **changes)[key]
    assert ledger.claim_content(each.id, sha256, each.wanted, run) is None
    assert ledger.finish(each.id, run, result(sha256, each.wanted))
    return one(ledger, key)
