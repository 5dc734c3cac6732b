"""A URL in, a database that can be asked and told: connections, transactions, waiting for one that is away.

SQLite has one writer: every writing transaction takes the lock as it begins and waits for it, so none fails half-way.
Whatever happens is a LedgerError in words; statements' parameters, which hold names, are in no message and no log.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, QueuePool, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from pipeline.archive.ledger_faults import in_words, is_passing
from pipeline.errors import UsageError

T = TypeVar("T")
P = ParamSpec("P")

PATIENCE = 60.0
"""Seconds for which a database that is away, or locked, is waited for: a server's restart takes less."""

IN_MEMORY = URL.create("sqlite", database=":memory:")
"""A database that is gone with the process, for trying out."""

_FILE = "sqlite:///"
_SQLITE = ("PRAGMA synchronous = NORMAL", "PRAGMA secure_delete = ON", "PRAGMA temp_store = MEMORY")
_POSTGRES = {
    "connect_timeout": 10,
    "keepalives_idle": 30,  # a server whose machine vanished is noticed, not waited for
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "prepare_threshold": None,  # statements prepared on one connection do not exist behind a connection pooler
}


class Database:
    """One process's door to the ledger's database; safe among threads. A forked child gets connections of its own."""

    def __init__(self, url: str | Path | URL, patience: float = PATIENCE) -> None:
        self._url = url if isinstance(url, URL) else parse(url)
        self.patience = patience
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self.url = shown(self._url)
        self._engine = _sqlite(self._url, patience) if self.is_sqlite else _postgres(self._url)
        self._pid = os.getpid()

    @property
    def path(self) -> Path | None:
        """SQLite's file; None of a server, and of a database in memory."""
        return Path(self._url.database or "") if self.is_sqlite and self._url != IN_MEMORY else None

    def read(self, work: Callable[Concatenate[Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        """What `work` gives, in one transaction that changes nothing. Raises LedgerError."""
        return self._patiently(lambda connection: work(connection, *given, **named), {})

    def write(self, work: Callable[Concatenate[Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        """What `work` gives, in one transaction. Raises LedgerError; then nothing was changed, or all of it was.

        A connection that breaks makes `work` run again, so it must be one that may: conditions, no counting up.
        """
        return self._patiently(lambda connection: work(connection, *given, **named), {"writing": True})

    def outside(self, work: Callable[Concatenate[Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        """What `work` gives, outside of any transaction, for VACUUM and its like. Raises LedgerError."""
        options = {"outside": True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        return self._patiently(lambda connection: work(connection, *given, **named), options)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def _patiently(self, work: Callable[[Connection], T], options: dict[str, Any]) -> T:
        retrying = Retrying(
            retry=retry_if_exception(is_passing),
            stop=stop_after_delay(self.patience),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            reraise=True,
        )
        try:
            given: T = retrying(self._once, work, options)
            return given
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise in_words(error, self.url, self.patience) from error

    def _once(self, work: Callable[[Connection], T], options: dict[str, Any]) -> T:
        if os.getpid() != self._pid:  # connections must not be shared with the process that this one was forked from
            self._engine.dispose(close=False)
            self._pid = os.getpid()
        with self._engine.connect().execution_options(**options) as connection, connection.begin():
            return work(connection)


def parse(url: str | Path) -> URL:
    """The URL as SQLAlchemy's, with our driver. Raises UsageError where it is not one of SQLite or PostgreSQL."""
    if isinstance(url, Path) or (url.startswith(_FILE) and url != f"{_FILE}:memory:"):
        return URL.create("sqlite", database=str(url).removeprefix(_FILE) or None)  # a path may hold "?" and "%"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UsageError(_not_a_url("it cannot be read as a URL")) from error
    backend = parsed.drivername.partition("+")[0]
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise UsageError(_not_a_url(f"'{backend}' is none of its databases"))
    if parsed.database in (None, "", ":memory:"):
        raise UsageError(_not_a_url("the workers' processes need a file, and it names none"))
    return parsed.set(drivername="sqlite")


def shown(url: URL) -> str:
    """The URL for people and logs, its password masked."""
    return url.render_as_string(hide_password=True).replace("+psycopg", "", 1)


def _not_a_url(why: str) -> str:
    return (
        f"the ledger's URL cannot be used: {why}. "
        "Give sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/DATABASE, with --ledger or RIDEALONG_LEDGER."
    )


def _postgres(url: URL) -> Engine:
    arguments = {name: value for name, value in _POSTGRES.items() if name not in url.query}
    return create_engine(url, connect_args=arguments, hide_parameters=True, poolclass=QueuePool, pool_size=2)


def _sqlite(url: URL, patience: float) -> Engine:
    one = {"poolclass": StaticPool} if url == IN_MEMORY else {"poolclass": QueuePool, "pool_size": 2}
    arguments = {"timeout": patience, "check_same_thread": False}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True, **one)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver's guess
        if connection.execute("PRAGMA journal_mode").fetchone() == ("delete",):
            connection.execute("PRAGMA journal_mode = WAL")
        for pragma in _SQLITE:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("outside"):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing") else "BEGIN")

    return engine
