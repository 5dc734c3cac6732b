"""The stages of one recording, each from what the one before gave or from what is kept of it: listen, judge, level."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace

from pipeline.archive.kept import CALL, FINDINGS, call_json, call_of, findings_json, findings_of
from pipeline.archive.recordings import Done, Recording
from pipeline.archive.scores import Content
from pipeline.assess.scorecard import scored
from pipeline.batch.desk import Desk, patiently
from pipeline.batch.fetch import Fetched, named_for_people, row_for
from pipeline.errors import JudgeServerError, KeptError, StorageError
from pipeline.listen.media import Audio
from pipeline.listen.recording import no_progress
from pipeline.listening import listen, with_roles, with_row
from pipeline.records import Call, Finding, Scorecard
from pipeline.score import AUDIO, heard_files, judged, level_files

__all__ = [
    "Made",
    "borrowed",
    "done_of",
    "judged_anew",
    "levelled",
    "listened",
    "recalled",
]

HEARD_WITH = "heard-with.txt"
"""Beside a call that was listened to and could not be judged: with which engine and settings, as a fingerprint."""


@dataclass(frozen=True, slots=True)
class Made:
    """What is to be stored of a call: new files, the stored ones that stay, and the scorecard that tells of them."""

    scorecard: Scorecard
    files: dict[str, Content]
    keep: tuple[str, ...] = ()


# --- listen and judge -------------------------------------------------------------------------------


def listened(desk: Desk, recording: Recording, fetched: Fetched) -> tuple[Call, Audio | None]:
    """The call that is heard in the recording, and its sound.

    Raises CallError, and StorageError where the file was changed meanwhile.
    """
    call, audio = listen(fetched.row, desk.place.settings, None, no_progress)
    if audio is not None and audio.sha256 != fetched.sha256:
        where = named_for_people(recording.key)
        raise StorageError(f"{where}: was changed while it was read. It is tried again.", "unreachable")
    return replace(call, source=_name(recording), source_sha256=fetched.sha256), audio


def _name(recording: Recording) -> str:
    """The recording's name, as scorecards show it."""
    return named_for_people(recording.key.rpartition("/")[2])


def recalled(desk: Desk, recording: Recording, sha256: str) -> Call | None:
    """The kept call of a recording whose bytes and engine are as they were, by its row of today; None without one."""
    heard_with = recording.provenance.get("listening")  # `done_with` is gone where it was uploaded anew
    is_same = recording.sha256 == sha256 and heard_with == recording.wanted.listening
    was_tried = recording.attempts > 1 or recording.error is not None
    if not is_same and not (was_tried and _heard_with(desk, recording) == recording.wanted.listening):
        return None
    with suppress(KeptError):
        return with_roles(_kept_call(desk, replace(recording, sha256=sha256)), row_for(recording))
    return None


def borrowed(desk: Desk, recording: Recording, sha256: str) -> tuple[Call, bytes | None] | None:
    """The call and the sound that are kept of the same bytes under another key, by this recording's row; None without
    such: it had other versions of the judge or the rubric, or tells of other people."""
    other = desk.ledger.heard(recording.id, sha256, recording.wanted.listening)
    if other is None:
        return None
    with suppress(KeptError):
        call = with_roles(_kept_call(desk, other), row_for(recording))
        sound = _kept(desk, other, AUDIO) if AUDIO in _stored(desk, other) else None
        return replace(call, source=_name(recording)), sound
    return None


def judged_anew(
    desk: Desk, recording: Recording, call: Call | None = None, audio: Audio | None = None, sound: bytes | None = None
) -> Made:
    """The call judged: the one given, with the `sound` that is kept of it, or the kept one with the roles of its row.

    Raises KeptError where nothing usable is kept, JudgeServerError where a server judges and does not answer; what was
    heard is then kept, so that nobody must listen again.
    """
    is_new = audio is not None
    stored = () if is_new else _stored(desk, recording)
    if call is None:
        call = with_roles(_kept_call(desk, recording), row_for(recording))
    keep = tuple(name for name in (AUDIO,) if name in stored)
    heard = heard_files(call, audio) | ({} if sound is None else {AUDIO: sound})
    try:
        findings = judged(call, desk.classifier)
    except JudgeServerError:
        if "scorecard.json" not in stored:
            marked = {**heard, HEARD_WITH: recording.wanted.listening}
            patiently(lambda: desk.scores.write(recording.call_id, marked, keep=keep))
        raise
    files = {**heard, FINDINGS: findings_json(findings)}
    return _made(desk, call, findings, files, keep, has_sound=AUDIO in heard or bool(keep))


def _heard_with(desk: Desk, recording: Recording) -> str:
    try:
        return patiently(lambda: desk.scores.read(recording.call_id, HEARD_WITH)).decode("ascii", "replace")
    except StorageError as error:
        if error.fault != "missing":
            raise
        return ""


# --- level ------------------------------------------------------------------------------------------


def levelled(desk: Desk, recording: Recording) -> Made:
    """New levels for what is kept of the call. Raises KeptError where nothing usable is."""
    kept = _kept_call(desk, recording)
    findings = findings_of(_kept(desk, recording, FINDINGS))
    call = with_row(kept, row_for(recording))
    files: dict[str, Content] = {} if call == kept else {CALL: call_json(call)}
    stored = _stored(desk, recording)
    keep = tuple(name for name in (CALL, FINDINGS, "transcript.vtt", "speakers.rttm", AUDIO) if name in stored)
    return _made(desk, call, findings, files, [one for one in keep if one not in files], has_sound=AUDIO in stored)


def _made(
    desk: Desk,
    call: Call,
    findings: tuple[Finding, ...],
    files: dict[str, Content],
    keep: Collection[str],
    *,
    has_sound: bool,
) -> Made:
    rubric = desk.rubric(call.call_type)
    scorecard = scored(call, findings, rubric, desk.judged_by)
    return Made(scorecard, {**files, **level_files(scorecard, rubric, has_sound=has_sound)}, tuple(keep))


def _kept_call(desk: Desk, recording: Recording) -> Call:
    """The call that was heard. Raises KeptError where it is not kept, or is that of other bytes."""
    call = call_of(_kept(desk, recording, CALL))
    if recording.sha256 not in (None, call.source_sha256):
        raise KeptError(f"{CALL} of {recording.call_id}: is that of another recording. Listen again.")
    return call


def _kept(desk: Desk, recording: Recording, name: str) -> bytes:
    """A stored file of the call. Raises KeptError where it is not there or damaged, StorageError as the store fails."""
    try:
        return patiently(lambda: desk.scores.read(recording.call_id, name))
    except StorageError as error:
        if error.fault == "missing":
            raise KeptError(f"{name} of {recording.call_id}: is not kept any more. Listen again.") from error
        if error.fault == "refused":  # by this call's files: another can be read
            raise KeptError(f"{name} of {recording.call_id}: is damaged ({error}). Listen again.") from error
        raise


def _stored(desk: Desk, recording: Recording) -> tuple[str, ...]:
    """The names of the call's files; none where the list of them is damaged, as all are written anew then."""
    try:
        return patiently(lambda: desk.scores.files(recording.call_id))
    except StorageError as error:
        if error.fault == "refused":
            return ()
        raise


def done_of(desk: Desk, recording: Recording, made: Made, sha256: str, seconds: float) -> Done:
    """What the ledger is told of a call that is stored."""
    call, card = made.scorecard.call, made.scorecard
    provenance = dict(card.provenance)
    return Done(
        sha256=sha256,
        versions=recording.wanted,
        provenance={
            "code": provenance["code"],
            "engine": call.quality.engine,
            "models": dict(call.quality.models),
            "judge": desk.judged_by.version,
            "rubric": f"{card.rubric_id} {card.rubric_version}",
            "listening": recording.wanted.listening,
        },
        audio_seconds=call.duration,
        wall_seconds=round(seconds, 3),
        device=_device(desk, call),
    )


def _device(desk: Desk, call: Call) -> str:
    """Where the call was listened to."""
    if call.quality.engine != "whisper":
        return "cpu"
    from pipeline.listen.whisper import device_and_precision

    return device_and_precision(desk.place.settings)[0]
