"""The ledger's first tables: recordings, contents, runs, tombstones and what the database serves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


NAMING = ("key", "call_id", "folder_key", "asked_id", "row", "error")
"""Columns of recordings that may name people."""


def upgrade() -> None:
    """Create the tables."""
    _recordings()
    _keep_no_statistics()
    _contents()
    _runs()
    _tombstones()
    _about()
    if op.get_bind().dialect.name == "postgresql":
        for name in NAMING:  # the server's statistics would hold samples of them, and forgetting could not reach those
            op.execute(f"ALTER TABLE recordings ALTER COLUMN {name} SET STATISTICS 0")


def _recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("suffix", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("folder_key", sa.Text(), nullable=False),
        sa.Column("asked_id", sa.Text(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("need", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("wanted_listening", sa.Text(), nullable=False),
        sa.Column("wanted_judging", sa.Text(), nullable=False),
        sa.Column("wanted_levelling", sa.Text(), nullable=False),
        sa.Column("done_listening", sa.Text(), nullable=False),
        sa.Column("done_judging", sa.Text(), nullable=False),
        sa.Column("done_levelling", sa.Text(), nullable=False),
        sa.Column("done_need", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("copy_of", sa.BigInteger(), nullable=True),
        sa.Column("provenance", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("claimed_generation", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("interruptions", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("run", sa.Text(), nullable=True),
        sa.Column("claim", sa.Text(), nullable=True),
        sa.Column("audio_seconds", sa.Double(), nullable=True),
        sa.Column("wall_seconds", sa.Double(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("first_seen", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.Text(), nullable=True),
        sa.Column("started_at", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "recordings_claimed",
        "recordings",
        ["run", "claim"],
        sqlite_where=sa.text("state = 'claimed'"),
        postgresql_where=sa.text("state = 'claimed'"),
    )
    op.create_index("recordings_copy_of", "recordings", ["copy_of"])
    op.create_index("recordings_finished_at", "recordings", ["finished_at"])
    op.create_index("recordings_folder_key", "recordings", ["folder_key"], unique=True)
    op.create_index("recordings_key_hash", "recordings", ["key_hash"], unique=True)
    op.create_index("recordings_queue", "recordings", ["state", "source", "plan", "need", "interruptions", "id"])
    op.create_index("recordings_sha256", "recordings", ["sha256", "state", "need"])


def _keep_no_statistics() -> None:
    """The planner of PostgreSQL keeps samples of columns, which outlive the rows: of these, which name people, none."""
    if op.get_bind().dialect.name == "postgresql":
        for column in ("key", "call_id", "folder_key", "asked_id", "row", "error", "provenance"):
            op.execute(f'ALTER TABLE recordings ALTER COLUMN "{column}" SET STATISTICS 0')


def _contents() -> None:
    op.create_table(
        "contents",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("recording", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "versions"),
    )
    op.create_index("contents_recording", "contents", ["recording"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("process_space", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("pid_started", sa.Double(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("heartbeat", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("runs_state", "runs", ["state"])


def _tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("forgotten_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", "etag"),
    )
    op.create_index("tombstones_sha256", "tombstones", ["sha256"])


def _about() -> None:
    op.create_table(
        "about",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
