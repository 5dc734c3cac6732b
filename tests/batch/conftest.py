"""What whole batches in tests share: an S3 server, and a runner that works in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipeline.batch.desk import desk_at
from pipeline.batch.work import Place, work
from pipeline.settings import ListenSettings
from tests.archive.s3_server import CREDENTIALS, S3Server, s3_server

FAKE = ListenSettings(engine="fake", threads=1)


@pytest.fixture(scope="session")
def s3_of_session() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(s3_of_session, monkeypatch, tmp_path) -> S3Server:
    """The server without faults, and credentials for it in the environment."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    s3_of_session.faults.clear()
    return s3_of_session


@contextmanager
def here(place: Place):
    """A runner without processes: faults that a test puts into this process are met."""
    yield lambda jobs: (work(place, job) for job in jobs)
    desk_at(place).ledger.close()
    desk_at.cache_clear()
