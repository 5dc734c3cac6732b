"""The ledger's figures: how many are in which state, how fast work goes, and every recording in turn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from pipeline.archive.ledger_database import Database
from pipeline.archive.ledger_rows import COLUMNS, MAX_IDS, recording_of
from pipeline.archive.ledger_tables import recordings
from pipeline.archive.recordings import Need, Recording, State
from pipeline.listen.call_rows import folder_key

_c = recordings.c


class Pace(NamedTuple):
    """What was finished since a time: recordings that were done, the seconds of their audio and of the work on them."""

    done: int
    audio_seconds: float
    wall_seconds: float


@dataclass(frozen=True, slots=True)
class Speed:
    """How long recordings took that needed this, on this device; audio seconds of those that have times."""

    need: Need
    device: str
    recordings: int
    audio_seconds: float
    wall_seconds: float


@dataclass(frozen=True, slots=True)
class Speeds:
    """What estimates rest on: work by need and device, and by the key's suffix the bytes of a second of audio."""

    work: tuple[Speed, ...]
    bytes_per_second: dict[str, float]


def counts(connection: Connection, source: str | None, plan: str | None) -> dict[State, int]:
    """By state, how many recordings are in it; a state that none is in is left out."""
    query = select(_c.state, func.count()).group_by(_c.state).order_by(_c.state)
    if source is not None:
        query = query.where(_c.source == source)
    if plan is not None:
        query = query.where(_c.plan == plan)
    return {state: count for state, count in connection.execute(query)}


def progress(connection: Connection, since: str) -> Pace:
    """What was done at `since` (ISO 8601 in UTC) and later."""
    sums = func.count(), func.coalesce(func.sum(_c.audio_seconds), 0.0), func.coalesce(func.sum(_c.wall_seconds), 0.0)
    row = connection.execute(select(*sums).where(_c.state == "done", _c.finished_at >= since)).one()
    return Pace(row[0], float(row[1]), float(row[2]))


def speeds(connection: Connection) -> Speeds:
    """How long what was done took, and how large a second of audio is."""
    sums = func.count(), func.coalesce(func.sum(_c.audio_seconds), 0.0), func.coalesce(func.sum(_c.wall_seconds), 0.0)
    done = _c.state == "done", _c.done_need.is_not(None), _c.device.is_not(None)
    work = select(_c.done_need, _c.device, *sums).where(*done).group_by(_c.done_need, _c.device)
    sizes = select(_c.suffix, func.sum(_c.size), func.sum(_c.audio_seconds)).where(_c.state == "done")
    sizes = sizes.where(_c.audio_seconds > 0).group_by(_c.suffix).order_by(_c.suffix)
    return Speeds(
        tuple(Speed(*row) for row in connection.execute(work.order_by(_c.done_need, _c.device))),
        {ending: float(size) / float(seconds) for ending, size, seconds in connection.execute(sizes)},
    )


def by_id(connection: Connection, ids: Sequence[int]) -> tuple[Recording, ...]:
    """The recordings of these ids, by id."""
    query = select(*COLUMNS).where(_c.id.in_(ids)).order_by(_c.id)
    return tuple(map(recording_of, connection.execute(query)))


def by_call_id(connection: Connection, call_id: str) -> Recording | None:
    """The recording of this call id, None where there is none."""
    query = select(*COLUMNS).where(_c.folder_key == folder_key(call_id))
    row = connection.execute(query).one_or_none()
    return None if row is None else recording_of(row)


def page(connection: Connection, after: int, states: Collection[State] | None, source: str | None) -> list[Recording]:
    """The next 1,000 recordings by id."""
    query = select(*COLUMNS).where(_c.id > after).order_by(_c.id).limit(MAX_IDS)
    if states is not None:
        query = query.where(_c.state.in_(states))
    if source is not None:
        query = query.where(_c.source == source)
    return [recording_of(row) for row in connection.execute(query)]


def every(database: Database, states: Collection[State] | None, source: str | None) -> Iterator[Recording]:
    """All recordings by id, page by page: no transaction stays open while the reader takes its time."""
    after = 0
    while found := database.read(page, after, states, source):
        yield from found
        after = found[-1].id
