"""A content's hash in, the recording that has it out: equal bytes with equal versions are worked on once.

A content belongs to the recording that was first to claim it, while that one is done or worked on. One that failed,
waits again or now has other bytes loses it to the next that comes.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from pipeline.archive.ledger_rows import (
    CHANGED,
    COLUMNS,
    FREED,
    UNDONE,
    fingerprint,
    inserting,
    ours,
    recording_of,
    wants,
)
from pipeline.archive.ledger_runs import is_alive
from pipeline.archive.ledger_tables import Clock, contents, recordings
from pipeline.archive.recordings import Recording, Versions

_c = recordings.c


def claim_content(connection: Connection, id: int, sha256: str, versions: Versions, run: str) -> Recording | None:
    """None where the content is this recording's to work on, else the other recording that has it.

    Nothing is claimed where the recording itself is no longer the run's.
    """
    row = connection.execute(select(_c.sha256).where(ours(run), _c.id == id)).one_or_none()
    if row is None:
        return None
    key = and_(contents.c.sha256 == sha256, contents.c.versions == fingerprint(versions))
    if row.sha256 is not None:  # it had another content, or the same under other versions
        connection.execute(delete(contents).where(contents.c.recording == id, ~key))
    stored = _stored(connection, id, sha256, versions)
    if _take(connection, sha256, versions, stored or id) and stored is None:
        return None
    owner = connection.scalar(select(contents.c.recording).where(key).with_for_update())
    if owner == id:
        return None
    other = _holder(connection, owner, sha256, versions)
    if other is None:
        connection.execute(update(contents).where(key).values(recording=id))
    return other


def copied(connection: Connection, id: int, run: str, original: int, sha256: str) -> bool:
    """Whether the recording was the run's and its original is still there; it is then a copy of that one.

    Where the original failed or went meanwhile, or the recording has other bytes now, it waits again.
    """
    mine = and_(ours(run), _c.id == id)
    wanted = select(_c.wanted_listening, _c.wanted_judging, _c.wanted_levelling, CHANGED.label("changed"))
    row = connection.execute(wanted.where(mine).with_for_update()).one_or_none()
    if row is None:
        told = and_(_c.id == id, _c.run == run, _c.state == "copy", _c.copy_of == original)
        return connection.scalar(select(_c.id).where(told)) is not None
    if row.changed or not _is_there(connection, original):
        connection.execute(update(recordings).where(mine).values(FREED | {"attempts": _c.attempts - 1}))
        return False
    values = {
        "state": "copy",
        "need": None,
        "why": "",
        "error": None,
        "copy_of": original,
        "sha256": sha256,
        "done_listening": row.wanted_listening,
        "done_judging": row.wanted_judging,
        "done_levelling": row.wanted_levelling,
        "finished_at": Clock(),
    }
    connection.execute(update(recordings).where(_c.id == id).values(values))
    own = and_(_c.state == "copy", _c.copy_of == id)
    same = and_(_c.sha256 == sha256, wants(Versions(*row[:3])))
    connection.execute(update(recordings).where(own, same).values(copy_of=original))
    leave_alone(connection, own)  # those of what it was before
    release_contents(connection, [id])
    return True


def heard(connection: Connection, id: int, sha256: str, listening: str) -> Recording | None:
    """Another recording of the same bytes that was listened to in this way and is kept, whatever became of it since."""
    same = and_(_c.sha256 == sha256, _c.done_listening == listening, _c.state != "copy", _c.id != id)
    row = connection.execute(select(*COLUMNS).where(same).order_by(_c.id).limit(1)).one_or_none()
    return None if row is None else recording_of(row)


def take_contents(connection: Connection, done: Sequence[tuple[int, str, Versions]]) -> None:
    """The contents of recordings that are done belong to them."""
    rows = [{"sha256": sha256, "versions": fingerprint(versions), "recording": id} for id, sha256, versions in done]
    insert = inserting(connection, contents).values(sha256="", versions="", recording=0)
    keys = [contents.c.sha256, contents.c.versions]
    connection.execute(
        insert.on_conflict_do_update(index_elements=keys, set_={"recording": insert.excluded.recording}), rows
    )


def release_contents(connection: Connection, ids: Sequence[int]) -> None:
    """Contents that these recordings had are nobody's."""
    connection.execute(delete(contents).where(contents.c.recording.in_(ids)))


def release_copies(connection: Connection, ids: Sequence[int]) -> None:
    """Copies of these recordings must be listened to themselves."""
    leave_alone(connection, and_(_c.state == "copy", _c.copy_of.in_(ids)))


def leave_alone(connection: Connection, copies: ColumnElement[bool]) -> None:
    """Copies whose original has no scorecard for them any more wait to be listened to themselves."""
    values = {"need": "listen", "why": "its original is gone", "copy_of": None, "attempts": 0, "interruptions": 0}
    connection.execute(update(recordings).where(copies).values(FREED | UNDONE | values))


def _take(connection: Connection, sha256: str, versions: Versions, id: int) -> bool:
    """Whether nobody had the content; now the recording has it."""
    insert = inserting(connection, contents).values(sha256=sha256, versions=fingerprint(versions), recording=id)
    return connection.execute(insert.on_conflict_do_nothing()).rowcount == 1


def _stored(connection: Connection, id: int, sha256: str, versions: Versions) -> int | None:
    """Another recording with the same bytes and wishes that was listened to before and is being judged anew."""
    again = and_(_c.state.in_(("pending", "claimed")), _c.need.in_(("assess", "level")))
    same = and_(_c.sha256 == sha256, wants(versions), _c.id != id)
    return connection.scalar(select(_c.id).where(same, again).order_by(_c.id).limit(1))


def _holder(connection: Connection, id: int | None, sha256: str, versions: Versions) -> Recording | None:
    """The recording, where it has the content or is being worked on by a live run; else None."""
    row = connection.execute(select(*COLUMNS, _c.run).where(_c.id == id)).one_or_none()
    if row is None:
        return None
    found = recording_of(row)
    if found.state == "done":
        has_it = found.sha256 == sha256 and found.done_with == versions
    elif found.state == "claimed":
        has_it = is_alive(connection, row.run)
    else:  # one that waits to be judged anew will have it; one that waits to be listened to may be overtaken
        has_it = found.state == "pending" and found.need in ("assess", "level") and found.wanted == versions
    return found if has_it else None


def _is_there(connection: Connection, id: int) -> bool:
    """Whether a recording is still one that has a scorecard, or is about to."""
    state = connection.scalar(select(_c.state).where(_c.id == id).with_for_update())
    return state in ("done", "claimed", "pending")
