"""One recording from its claim to its ending, or many whose levels alone are needed. Ids in, results out."""

from __future__ import annotations

import errno
import logging
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipeline.archive.recordings import Done, Need, Recording
from pipeline.archive.temporary import temporary_folder
from pipeline.batch.desk import Desk, patiently
from pipeline.batch.fetch import Fetched, fetch, named_for_people, places_for
from pipeline.batch.stages import Made, borrowed, done_of, judged_anew, levelled, listened, recalled
from pipeline.batch.work import Ending, Result
from pipeline.errors import (
    CallError,
    JudgeAwayError,
    JudgeServerError,
    KeptError,
    RidealongError,
    StorageError,
    StorageFault,
)

__all__ = ["work_on_levels", "work_on_one"]

_log = logging.getLogger(__name__)
_FULL = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
_LOST = "It is no longer this run's: another run has it, or it was forgotten."
_MOST_SAID = 500  # characters of an unknown error's message


def work_on_one(desk: Desk, need: Need, id_: int, *, keep: bool = False) -> Result:
    """What became of a recording that must be listened to or judged. `keep` is that of `Job`."""
    recording = desk.ledger.start(id_, desk.place.run)
    if recording is None:
        return Result(id_, "lost", need, reason=_LOST)
    return _ended(desk, recording, recording.need or need, keep=keep)


def work_on_levels(desk: Desk, ids: Sequence[int]) -> tuple[Result, ...]:
    """What became of recordings that need new levels: started together and written down together, stored one by one.

    One of which nothing usable is kept is listened to again.
    """
    results = {id_: Result(id_, "lost", "level", reason=_LOST) for id_ in ids}
    done: dict[int, tuple[Recording, Done]] = {}
    for recording in desk.ledger.start_many(ids, desk.place.run):
        began = time.monotonic()
        if recording.need not in (None, "level"):  # another plan wants more of it meanwhile
            results[recording.id] = _ended(desk, recording, recording.need)
            continue
        try:
            with _own_fault():
                made = levelled(desk, recording)
                _store(desk, recording, made)
            sha256 = recording.sha256 or made.scorecard.call.source_sha256
            done[recording.id] = recording, done_of(desk, recording, made, sha256, time.monotonic() - began)
        except KeptError:
            results[recording.id] = _ended(desk, recording, "assess")
        except (CallError, StorageError) as error:
            results[recording.id] = _troubled(desk, recording, "level", error, began)
    ours = desk.ledger.finish_many(desk.place.run, {id_: one for id_, (_, one) in done.items()}) if done else ()
    for id_, (recording, one) in done.items():
        if id_ in ours:
            results[id_] = Result(id_, "done", "level", wall_seconds=one.wall_seconds)
        else:
            _tidy(desk, recording)
    return tuple(results[id_] for id_ in ids)


def _ended(desk: Desk, recording: Recording, need: Need, *, keep: bool = False) -> Result:
    """The recording done, or its trouble written down."""
    began = time.monotonic()
    try:
        with _own_fault():
            if need != "listen":
                try:
                    return _judge(desk, recording, need, began)
                except KeptError as error:
                    _log.info("recording %d is listened to again: %s", recording.id, type(error).__name__)
            return _listen(desk, recording, began)
    except (CallError, StorageError) as error:
        return _troubled(desk, recording, need, error, began, keep=keep)


def _judge(desk: Desk, recording: Recording, need: Need, began: float) -> Result:
    """The kept call judged anew. Raises KeptError where there is none."""
    made = judged_anew(desk, recording)
    sha256 = recording.sha256 or made.scorecard.call.source_sha256
    return _finished(desk, recording, need, made, sha256, began)


def _listen(desk: Desk, recording: Recording, began: float) -> Result:
    """The recording fetched, listened to and judged, unless another one has the same content."""
    with _private_folder(desk) as folder:
        places = places_for(recording, folder)
        with _named(places), _own_fault():
            fetched = fetch(desk, recording, places)
            other = _elsewhere(desk, recording, fetched.sha256)
            if other is not None:
                return Result(recording.id, other, "listen", reason=None if other == "copy" else _LOST)
            return _heard(desk, recording, fetched, began)


def _heard(desk: Desk, recording: Recording, fetched: Fetched, began: float) -> Result:
    call = recalled(desk, recording, fetched.sha256)
    if call is not None:  # uploaded anew without a change
        made = judged_anew(desk, recording, call)
        return _finished(desk, recording, "listen", made, fetched.sha256, began)
    if (kept := borrowed(desk, recording, fetched.sha256)) is not None:
        made = judged_anew(desk, recording, kept[0], sound=kept[1])
        return _finished(desk, recording, "listen", made, fetched.sha256, began)
    call, audio = listened(desk, recording, fetched)
    made = judged_anew(desk, recording, call, audio)
    return _finished(desk, recording, "listen", made, fetched.sha256, began, audio_seconds=call.duration)


def _elsewhere(desk: Desk, recording: Recording, sha256: str) -> Ending | None:
    """`copy` where another recording has this content, `lost` where it was forgotten; None where it is ours to do."""
    run = desk.place.run
    if desk.ledger.is_forgotten(sha256):
        desk.scores.remove(recording.call_id)
        desk.ledger.forget_copy(recording.id, run, sha256)
        return "lost"
    other = desk.ledger.claim_content(recording.id, sha256, recording.wanted, run)
    if other is None:
        return None
    desk.scores.remove(recording.call_id)  # what it had before it became a copy
    return "copy" if desk.ledger.copied(recording.id, run, other.id, sha256) else "lost"


def _finished(
    desk: Desk,
    recording: Recording,
    need: Need,
    made: Made,
    sha256: str,
    began: float,
    *,
    audio_seconds: float | None = None,
) -> Result:
    """The call stored, and then the ledger told."""
    _store(desk, recording, made)
    seconds = time.monotonic() - began
    done = done_of(desk, recording, made, sha256, seconds)
    if desk.ledger.finish(recording.id, desk.place.run, done):
        return Result(recording.id, "done", need, audio_seconds=audio_seconds, wall_seconds=seconds)
    _tidy(desk, recording)
    return Result(recording.id, "lost", need, reason=_LOST)


def _store(desk: Desk, recording: Recording, made: Made) -> None:
    patiently(lambda: desk.scores.write(recording.call_id, made.files, keep=made.keep))


def _tidy(desk: Desk, recording: Recording) -> None:
    """Take away what was stored of a recording that was forgotten meanwhile; another run's is left as it is."""
    if not desk.ledger.get([recording.id]):
        desk.scores.remove(recording.call_id)


# --- trouble ------------------------------------------------------------------------------------------


def _troubled(
    desk: Desk, recording: Recording, need: Need, error: RidealongError, began: float, *, keep: bool = False
) -> Result:
    """The result of a recording that could not be done, with the ledger told."""
    reason, seconds = str(error), time.monotonic() - began
    if isinstance(error, StorageError):
        if not (keep and error.is_passing):
            desk.ledger.postponed(recording.id, desk.place.run, reason)
        return Result(recording.id, "postponed", need, reason, error.fault, wall_seconds=seconds)
    if isinstance(error, JudgeAwayError):  # what was heard is kept, so nobody listens again
        if not keep:
            desk.ledger.postponed(recording.id, desk.place.run, reason)
        return Result(recording.id, "postponed", need, reason, "unreachable", wall_seconds=seconds)
    at: Need | None = "assess" if isinstance(error, JudgeServerError) else None  # it was heard: another judge may help
    state = desk.ledger.failed(recording.id, desk.place.run, reason, desk.place.tries, need=at)
    ending: Ending = state if state in ("failed", "quarantined") else "lost"  # another recording by now, or not ours
    return Result(recording.id, ending, need, reason, wall_seconds=seconds)


@contextmanager
def _own_fault() -> Iterator[None]:
    """Whatever goes wrong, as a RidealongError: a full disk as StorageError, and what nobody foresaw as CallError, so
    that one odd file costs itself alone."""
    try:
        yield
    except RidealongError as error:
        if isinstance(error, CallError) and (full := _disk_full(error)):
            raise StorageError(f"The disk is full: {error}", "full") from full
        raise
    except MemoryError as error:
        raise CallError(
            "It needs more memory than this machine has left. Run fewer workers, or score it on a larger machine."
        ) from error
    except Exception as error:  # a library's own, of any class
        if full := _disk_full(error):
            raise StorageError(f"The disk is full ({error}). Make room and run the batch again.", "full") from full
        _log.debug("an error that nobody foresaw", exc_info=True)
        said = f"{type(error).__name__}: {error}"[:_MOST_SAID]
        raise CallError(f"It cannot be scored ({said}). The other calls are not affected.") from error


def _disk_full(error: BaseException) -> BaseException | None:
    """The error among this one and its causes that a full disk made; None where none is."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


@contextmanager
def _named(places: Mapping[str, tuple[str, Path]]) -> Iterator[None]:
    """Errors inside name keys, not temporary files."""
    try:
        yield
    except (CallError, StorageError) as error:
        said = str(error)
        for key, path in places.values():
            said = said.replace(str(path), named_for_people(key))
        if said == str(error):
            raise
        again = StorageError(said, error.fault) if isinstance(error, StorageError) else type(error)(said)
        raise again from error


@contextmanager
def _private_folder(desk: Desk) -> Iterator[Path]:
    """A folder that nobody else may read, gone afterwards. Raises StorageError where none can be made."""
    run_s = desk.temporary
    try:
        with ExitStack() as made:
            folder = made.enter_context(temporary_folder(run_s))
            kept = made.pop_all()
    except OSError as error:
        where = run_s or tempfile.gettempdir()
        fault: StorageFault = "full" if error.errno in _FULL else "denied"
        raise StorageError(
            f"{where}: no folder for recordings can be made ({error.strerror}). Make room there and allow writing, or "
            "name another folder in the variable TMPDIR.",
            fault,
        ) from error
    with kept:
        yield folder
