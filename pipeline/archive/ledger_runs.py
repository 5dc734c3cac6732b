"""Who is working: a run begins, beats, ends, or is found dead and what it had claimed is given back.

A run is dead where its process is gone, which its own machine sees at once and others by its silence.
"""

from __future__ import annotations

import os
import platform
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Connection, insert, select, update

from pipeline.archive.ledger_tables import AnyRow, Clock, runs
from pipeline.archive.ledger_text import json_text

SILENCE = 300.0
"""Seconds without a heartbeat after which a run of another machine is taken for dead."""
REBOOT = 60.0
"""The same for a run of this machine before it was last started: two machines may have one name by mistake."""
SAME_START = 2.0
"""Seconds by which the start of one process may seem to differ between two looks at it."""

_c = runs.c


@dataclass(frozen=True, slots=True)
class Run:
    """A run that works or did. Times are ISO 8601 in UTC; `settings` are those that it began with."""

    id: str
    state: str
    host: str
    pid: int
    settings: str
    started_at: str
    heartbeat: str
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class Machine:
    """Where this process runs: the machine's name, this boot of it, and the space in which process ids count."""

    host: str
    boot: str
    process_space: str


@cache
def this_machine() -> Machine:
    """The machine of this process."""
    return Machine(socket.gethostname() or platform.node() or "unknown", _boot(), _process_space())


def begin(connection: Connection, id: str, settings: dict[str, Any]) -> None:
    """Write the run down as live; once, however often it is asked."""
    if connection.scalar(select(_c.id).where(_c.id == id)) is not None:
        return
    machine = this_machine()
    values = {
        "id": id,
        "state": "live",
        "host": machine.host,
        "boot": machine.boot,
        "process_space": machine.process_space,
        "pid": os.getpid(),
        "pid_started": psutil.Process().create_time(),
        "settings": json_text(settings),
        "started_at": Clock(),
        "heartbeat": Clock(),
    }
    connection.execute(insert(runs).values(values))


def beat(connection: Connection, id: str) -> bool:
    """Whether the run still counts as live; its heartbeat is now."""
    told = update(runs).where(_c.id == id, _c.state == "live").values(heartbeat=Clock())
    return connection.execute(told).rowcount == 1


def end(connection: Connection, id: str, state: str) -> None:
    """Write down that the run ended, and how."""
    told = update(runs).where(_c.id == id, _c.state == "live").values(state=state, heartbeat=Clock(), ended_at=Clock())
    connection.execute(told)


def live_runs(connection: Connection) -> tuple[Run, ...]:
    """The runs that neither ended nor died, in the order in which they began."""
    found = connection.execute(select(runs).where(_c.state == "live").order_by(_c.started_at, _c.id)).all()
    return tuple(_run(row) for row in found if _breathes(connection, row))


def is_alive(connection: Connection, id: str | None) -> bool:
    """Whether there is such a run and it works."""
    row = connection.execute(select(runs).where(_c.id == id, _c.state == "live")).one_or_none()
    return row is not None and _breathes(connection, row)


def bury(connection: Connection) -> None:
    """Write down as dead the runs that did not end and work no more."""
    found = connection.execute(select(runs).where(_c.state == "live").order_by(_c.id).with_for_update()).all()
    dead = [row.id for row in found if not _breathes(connection, row)]
    if dead:
        connection.execute(update(runs).where(_c.id.in_(dead)).values(state="dead", ended_at=Clock()))


def _breathes(connection: Connection, row: AnyRow) -> bool:
    machine = this_machine()
    here = row.host == machine.host
    if here and (row.boot, row.process_space) == (machine.boot, machine.process_space):
        return _process_lives(row.pid, row.pid_started)
    rebooted = here and row.boot != machine.boot
    oldest = connection.scalar(select(Clock(REBOOT if rebooted else SILENCE)))
    return oldest is not None and bool(row.heartbeat >= oldest)


def _process_lives(pid: int, started: float) -> bool:
    """Whether the process is there, and is not another one that was given the same number later."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < SAME_START
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _run(row: AnyRow) -> Run:
    return Run(row.id, row.state, row.host, row.pid, row.settings, row.started_at, row.heartbeat, row.ended_at)


def _boot() -> str:
    """What changes each time this machine is started."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return f"{psutil.boot_time():.0f}"


def _process_space() -> str:
    """What differs between two containers of one machine; empty where there is no such thing."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
