"""The ledger's tables, the same on SQLite and PostgreSQL, and the database's clock.

Migrations make them (`migrations/`); a test compares both. Times are text, ISO 8601 in UTC with milliseconds, so that
they compare as text; structures are JSON text, because PostgreSQL's JSON refuses a NUL that a manifest may hold.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, Row, Table, Text, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"
"""A row of whatever columns were selected."""

metadata = MetaData()
_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys alone

recordings = Table(
    "recordings",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("source", Text, nullable=False),
    Column("key_hash", Text, nullable=False),  # SHA-256 of source and key
    Column("key", Text, nullable=False),  # percent-quoted: `ledger_text.quoted`
    Column("suffix", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("folder_key", Text, nullable=False),
    Column("asked_id", Text, nullable=False),  # the call_id asked for; `call_id` differs where that one was taken
    Column("row", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("need", Text),
    Column("why", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("wanted_listening", Text, nullable=False),
    Column("wanted_judging", Text, nullable=False),
    Column("wanted_levelling", Text, nullable=False),
    Column("done_listening", Text, nullable=False, default=""),
    Column("done_judging", Text, nullable=False, default=""),
    Column("done_levelling", Text, nullable=False, default=""),
    Column("done_need", Text),  # what was needed when it was last done: for estimates
    Column("sha256", Text),
    Column("copy_of", BigInteger),
    Column("provenance", Text, nullable=False, default="{}"),
    Column("generation", Integer, nullable=False, default=0),
    Column("claimed_generation", Integer),
    Column("attempts", Integer, nullable=False, default=0),
    Column("interruptions", Integer, nullable=False, default=0),
    Column("error", Text),
    Column("run", Text),
    Column("claim", Text),
    Column("audio_seconds", Double),
    Column("wall_seconds", Double),
    Column("device", Text),
    Column("first_seen", Text, nullable=False),
    Column("claimed_at", Text),
    Column("started_at", Text),
    Column("finished_at", Text),
    sqlite_autoincrement=True,  # an id is never given again, not even one that was forgotten
)


def columns(names: str) -> tuple[Column[Any], ...]:
    """Columns of `recordings` by their names."""
    return tuple(recordings.c[name] for name in names.split())


CLAIMED = recordings.c.state == "claimed"
Index("recordings_key_hash", recordings.c.key_hash, unique=True)
Index("recordings_folder_key", recordings.c.folder_key, unique=True)
Index(
    "recordings_queue",
    *(recordings.c[name] for name in ("state", "source", "plan", "need", "interruptions", "id")),
)
Index("recordings_claimed", recordings.c.run, recordings.c.claim, sqlite_where=CLAIMED, postgresql_where=CLAIMED)
Index("recordings_sha256", recordings.c.sha256, recordings.c.state, recordings.c.need)
Index("recordings_copy_of", recordings.c.copy_of)
Index("recordings_finished_at", recordings.c.finished_at)

contents = Table(
    "contents",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("versions", Text, primary_key=True),
    Column("recording", BigInteger, nullable=False),
)
Index("contents_recording", contents.c.recording)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("process_space", Text, nullable=False),  # process ids of two containers do not compare
    Column("pid", Integer, nullable=False),
    Column("pid_started", Double, nullable=False),
    Column("settings", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("heartbeat", Text, nullable=False),
    Column("ended_at", Text),
)
Index("runs_state", runs.c.state)

tombstones = Table(
    "tombstones",
    metadata,
    Column("key_hash", Text, primary_key=True),
    Column("etag", Text, primary_key=True),
    Column("sha256", Text),
    Column("why", Text, nullable=False),
    Column("forgotten_at", Text, nullable=False),
)
Index("tombstones_sha256", tombstones.c.sha256)

about = Table("about", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))


class Clock(FunctionElement[str]):
    """The database's time, minus so many seconds: the one clock that all machines share."""

    type = Text()
    inherit_cache = True

    def __init__(self, seconds_ago: float = 0) -> None:
        super().__init__(literal(float(seconds_ago), Double()))


@compiles(Clock, "sqlite")
def _sqlite_clock(element: Clock, compiler: Any, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', 'now', (-{seconds}) || ' seconds')"


@compiles(Clock, "postgresql")
def _postgres_clock(element: Clock, compiler: Any, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    moment = f"(clock_timestamp() - make_interval(secs => {seconds})) AT TIME ZONE 'UTC'"
    return f"""to_char({moment}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
