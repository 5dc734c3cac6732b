"""One Prefect server for all tests of flows, with a home of its own and the settings that the flows give it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HOME = Path(os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="prefect-home-")))
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")  # failures that tests make are looked for in the database

from flows.prefect_settings import prepare  # noqa: E402

prepare()

from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL  # noqa: E402
from prefect.testing.utilities import prefect_test_harness  # noqa: E402


@pytest.fixture(scope="session")
def harness() -> Iterator[Path]:
    """A server of Prefect; its database's file."""
    with prefect_test_harness(server_startup_timeout=120):
        yield Path(PREFECT_API_DATABASE_CONNECTION_URL.value().split("///")[1])
