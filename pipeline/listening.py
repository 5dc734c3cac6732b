"""A call's row of the manifest in, the call out: who said what when, with roles, from a recording or a transcript."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from pipeline.assess.sides import seller_probability
from pipeline.errors import ListeningError
from pipeline.fakes import ENGINE, FakeEngine, fake_call, no_side
from pipeline.listen.call_rows import CallRow
from pipeline.listen.captions import UNKNOWN, read_transcript
from pipeline.listen.manifest_cells import MOST_SPEAKERS
from pipeline.listen.media import Audio, decode
from pipeline.listen.people import people_of
from pipeline.listen.recording import Progress, hear
from pipeline.listen.roles import assign_roles
from pipeline.listen.rttm_diarizer import RttmDiarizer
from pipeline.listen.tracks import Expected
from pipeline.listen.transcribe import Transcriber, choose_engine
from pipeline.listen.vocabulary import terms_for
from pipeline.records import MEETINGS, Call, ListeningQuality, Turn, side_of
from pipeline.settings import ListenSettings

computing = threading.Lock()
"""One call at a time has its roles told and is judged: the encoder uses all cores by itself."""
_loading = threading.Lock()
_JOINT = 3  # a rep, a manager and a customer


def engine_for(settings: ListenSettings) -> tuple[Transcriber, str | None]:
    """The engine that listens, loaded once, and a sentence where it is not the one hoped for."""
    with _loading:
        return _engine(settings)


@lru_cache(maxsize=1)
def _engine(settings: ListenSettings) -> tuple[Transcriber, str | None]:
    if settings.engine == "fake":
        return FakeEngine(), FakeEngine.warnings[0]
    return choose_engine(settings)


def listen(
    row: CallRow, settings: ListenSettings, transcriber: Transcriber | None, tell: Progress
) -> tuple[Call, Audio | None]:
    """The call, and its sound where there is a recording. Raises CallError where it cannot be listened to."""
    fake = settings.engine == "fake" and transcriber is None
    audio = None
    if row.recording is not None and not fake:
        tell("decode", 0, 1)
        audio = decode(row.recording, settings.limits)
    if row.transcript is not None:
        return _imported(row, row.transcript, audio), audio
    if row.recording is not None and fake:
        return with_roles(fake_call(row, row.recording), row), None
    if audio is None:
        raise ListeningError(f"{row.call_id}: the manifest row has neither a recording nor a transcript; give one.")
    return _heard(row, audio, settings, transcriber, tell), audio


def with_roles(call: Call, row: CallRow) -> Call:
    """The call with everybody's role and name by this row, whatever row it had when it was listened to: what listening
    itself would give with it, as long as nothing in the row is new that listening heeds (`expected_of`)."""
    return _with_roles(with_row(call, row), [one.speaker for one in call.participants], row)


def with_row(call: Call, row: CallRow) -> Call:
    """The call with what the row tells of it apart from roles: id, type, date, details, and what had to be assumed."""
    return replace(
        call,
        call_id=row.call_id,
        call_type=row.call_type,
        started_at=row.started_at,
        details=row.details,
        assumed=row.defaults,
    )


def _known(row: CallRow) -> Call:
    """The call as far as its row tells, before anybody has listened."""
    return with_row(Call(row.call_id, row.call_type, (), (), None, ListeningQuality(engine="none")), row)


def _imported(row: CallRow, transcript: Path, audio: Audio | None) -> Call:
    """A call whose words come from a transcript file."""
    imported = read_transcript(transcript)
    quality = ListeningQuality(
        engine=f"imported transcript ({imported.format})",
        models=(("transcript", f"sha256:{imported.sha256}"),),
        diarization="transcript",
        word_confidence=imported.word_confidence,
        speech_attributed=_attributed(imported.turns),
        language=imported.language or row.language,
        warnings=imported.warnings,
    )
    call = replace(
        _known(row),
        turns=imported.turns,
        speech=imported.speech,
        duration=imported.duration if audio is None else audio.duration,
        quality=quality,
        source=transcript.name if audio is None else audio.path.name,
        source_sha256=imported.sha256 if audio is None else audio.sha256,
        told_sides=tuple(imported.sides),
    )
    return _with_roles(call, imported.speakers, row)


def _heard(
    row: CallRow, audio: Audio, settings: ListenSettings, transcriber: Transcriber | None, tell: Progress
) -> Call:
    """A call that an engine listened to."""
    engine, note = (transcriber, None) if transcriber else engine_for(settings)
    heard = hear(
        audio.path,
        audio=audio,
        transcriber=engine,
        settings=settings,
        expected=expected_of(row, settings),
        diarizer=None if row.rttm is None else RttmDiarizer(row.rttm, row.recording),
        progress=tell,
    )
    warnings = heard.quality.warnings if note is None else (note, *heard.quality.warnings)
    call = replace(
        _known(row),
        turns=heard.turns,
        speech=heard.speech,
        duration=heard.duration,
        quality=replace(heard.quality, warnings=warnings),
        source=audio.path.name,
        source_sha256=audio.sha256,
    )
    return _with_roles(call, heard.speakers, row)


def _with_roles(call: Call, speakers: Sequence[str], row: CallRow) -> Call:
    """The call with its participants, and with what had to be inferred about them."""
    infer = no_side if call.quality.engine == ENGINE else seller_probability
    with computing:
        roles = assign_roles(speakers, call.turns, row, infer=infer, sides=dict(call.told_sides))
    return replace(call, participants=roles.participants, inferred=roles.warnings)


def expected_of(row: CallRow, settings: ListenSettings) -> Expected:
    """What the row and the settings tell before anybody listens."""
    return Expected(
        channels=tuple(len(roles) for roles in row.channels),
        speakers=_people(row) or settings.speakers,
        terms=terms_for(people_of(row), row.products, settings.vocabulary),
        language=row.language or settings.language,
        together=row.rttm is not None,
    )


def _people(row: CallRow) -> tuple[int, int] | None:
    """The least and the most people on the call: as the manifest says, else those that it names where it names both
    sides, else what the type of call tells; None where nothing does. A manager who is named on a call that is neither
    joint nor a meeting may be the rep's superior, who is not on it."""
    if row.speakers is not None:
        return row.speakers
    people = people_of(row)
    selling = sum("seller" in map(side_of, roles) for roles in people.values())
    is_meeting = row.call_type in MEETINGS
    if (selling and len(people) > selling) or (is_meeting and selling > 1):
        most = min(len(people), MOST_SPEAKERS)
        absent = 0 if is_meeting or row.call_type == "joint" else sum(one == {"manager"} for one in people.values())
        return max(1, most - absent), most
    return (_JOINT, MOST_SPEAKERS) if row.call_type == "joint" else None


def _attributed(turns: Sequence[Turn]) -> float | None:
    """Share of words whose speaker the transcript names."""
    words = [(len(turn.text.split()), turn.speaker != UNKNOWN) for turn in turns]
    total = sum(count for count, _ in words)
    return sum(count for count, named in words if named) / total if total else None
