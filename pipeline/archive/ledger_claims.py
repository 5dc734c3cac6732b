"""Pending recordings in, claimed ones out, and what became of each.

Every step asks whether the recording is still the run's: one that was released or forgotten meanwhile stays untouched.
Each may run twice, after a connection broke as it was committing, and does its work once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, update
from sqlalchemy.sql.dml import Update

from pipeline.archive.ledger_contents import release_contents, release_copies
from pipeline.archive.ledger_rows import CHANGED, COLUMNS, FREED, UNDONE, ours, recording_of
from pipeline.archive.ledger_runs import bury
from pipeline.archive.ledger_tables import CLAIMED, Clock, recordings, runs
from pipeline.archive.ledger_text import reason_text
from pipeline.archive.recordings import Need, Recording, State

MAX_INTERRUPTIONS = 20
"""So often may a run die while it works on a recording; then that one is taken for the cause, and set aside."""

_c = recordings.c


def claim(
    connection: Connection, run: str, source: str, limit: int, plan: str | None, token: str
) -> tuple[Recording, ...]:
    """Up to `limit` pending recordings, now the run's: those first that were least often interrupted.

    `token` names this claim: asked again with the same one, it gives the same recordings.
    """
    mine = select(*COLUMNS).where(CLAIMED, _c.run == run, _c.claim == token)
    order = (_c.need, _c.interruptions, _c.id)
    if (claimed := connection.execute(mine.order_by(*order)).all()) == []:
        waiting = select(_c.id).where(_c.state == "pending", _c.source == source)
        if plan is not None:
            waiting = waiting.where(_c.plan == plan)
        waiting = waiting.order_by(*order).limit(limit).with_for_update(skip_locked=True)
        connection.execute(_claimed(run, token).where(_c.id.in_(waiting.scalar_subquery())))
        claimed = connection.execute(mine.order_by(*order)).all()
    return tuple(map(recording_of, claimed))


def _claimed(run: str, token: str) -> Update:
    return update(recordings).values(
        state="claimed",
        run=run,
        claim=token,
        claimed_generation=_c.generation,
        claimed_at=Clock(),
        started_at=None,
    )


def start(connection: Connection, run: str, ids: Sequence[int]) -> tuple[Recording, ...]:
    """Those of the recordings that are still the run's, each with one attempt more, by id."""
    fresh = and_(ours(run), _c.started_at.is_(None), _c.id.in_(ids))
    connection.execute(update(recordings).where(fresh).values(attempts=_c.attempts + 1, started_at=Clock()))
    found = connection.execute(select(*COLUMNS).where(ours(run), _c.id.in_(ids)).order_by(_c.id))
    return tuple(map(recording_of, found))


def give_back_these(connection: Connection, run: str, ids: Sequence[int]) -> tuple[Recording, ...]:
    """Those of the recordings that the run still had, pending again, as `give_back` has it."""
    return give_back(connection, and_(_c.run == run, _c.id.in_(ids)))


def give_back_all(connection: Connection, run: str) -> None:
    """Whatever the run still had is pending again."""
    give_back(connection, _c.run == run)


def release_dead(connection: Connection) -> tuple[Recording, ...]:
    """What dead runs had claimed, pending again."""
    bury(connection)
    return give_back(connection, or_(_c.run.is_(None), _c.run.not_in(select(runs.c.id).where(runs.c.state == "live"))))


def give_back(connection: Connection, condition: ColumnElement[bool]) -> tuple[Recording, ...]:
    """The claimed recordings that meet the condition, pending again; one that was started counts an interruption,
    and is set aside where it has too many."""
    ids = list(connection.scalars(select(_c.id).where(CLAIMED, condition).order_by(_c.id).with_for_update()))
    if not ids:
        return ()
    started = _c.started_at.is_not(None)
    times = _c.interruptions + case((started, 1), else_=0)
    broken = and_(started, times >= MAX_INTERRUPTIONS)
    why = (
        f"the run ended {MAX_INTERRUPTIONS} times while it worked on this recording, which may be the cause "
        "(out of memory, a crash of the machine)"
    )
    changed = FREED | {
        "interruptions": times,
        "state": case((broken, "quarantined"), else_="pending"),
        "error": case((broken, why), else_=_c.error),
    }
    connection.execute(update(recordings).where(_c.id.in_(ids)).values(changed))
    release_contents(connection, ids)
    found = connection.execute(select(*COLUMNS).where(_c.id.in_(ids)).order_by(_c.id))
    return tuple(map(recording_of, found))


def postponed(connection: Connection, id: int, run: str, reason: str) -> bool:
    """Whether the recording was the run's; it waits again, and this attempt does not count."""
    tried = case((_c.started_at.is_not(None), _c.attempts - 1), else_=_c.attempts)
    values = FREED | {"attempts": tried, "error": reason_text(reason)}
    mine = connection.execute(update(recordings).where(ours(run), _c.id == id).values(values)).rowcount == 1
    if mine:
        release_contents(connection, [id])
    return mine


def failed(
    connection: Connection, id: int, run: str, reason: str, tries: int, need: Need | None = None
) -> State | None:
    """The recording's state now: failed, or quarantined after `tries` failures; None where it is not the run's.

    Where it is another recording by now, or other versions are wanted, it is pending: those did not fail.
    """
    failures = _c.attempts - _c.interruptions
    values: dict[str, Any] = {
        "state": case((CHANGED, "pending"), (failures >= tries, "quarantined"), else_="failed"),
        "attempts": case((CHANGED, 0), else_=_c.attempts),
        "interruptions": case((CHANGED, 0), else_=_c.interruptions),
        "need": _c.need if need is None else case((CHANGED, _c.need), else_=need),
        "error": reason_text(reason),
        "finished_at": Clock(),
    }
    if connection.execute(update(recordings).where(ours(run), _c.id == id).values(values)).rowcount == 1:
        release_contents(connection, [id])
        release_copies(connection, [id])
    told = and_(_c.id == id, _c.run == run, _c.state.in_(("pending", "failed", "quarantined")))
    return connection.scalar(select(_c.state).where(told))


def retry(connection: Connection, ids: Sequence[int] | None) -> int:
    """How many failed and quarantined recordings wait again, as if they had never failed; `ids` None means all."""
    values = FREED | {"why": "asked for", "attempts": 0, "interruptions": 0}
    values["need"] = func.coalesce(_c.need, "listen")
    wanted: ColumnElement[bool] = _c.state.in_(("failed", "quarantined"))
    if ids is not None:
        wanted = and_(wanted, _c.id.in_(ids))
    return connection.execute(update(recordings).where(wanted).values(values)).rowcount


def lost(connection: Connection, ids: Sequence[int]) -> int:
    """How many of the recordings were done; since nothing of them is stored any more, they wait to be done anew."""
    values = FREED | UNDONE | {"need": "listen", "why": "its scorecard is gone", "attempts": 0, "interruptions": 0}
    done = and_(_c.state == "done", _c.id.in_(ids))
    return connection.execute(update(recordings).where(done).values(values)).rowcount
