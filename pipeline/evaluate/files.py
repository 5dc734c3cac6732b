"""Files of one call -> what was said in it: a transcript (WebVTT, SubRip, STM), speakers (RTTM), or both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import TranscriptError
from pipeline.evaluate.spoken import Spoken, label_key
from pipeline.listen.captions import read_transcript
from pipeline.listen.rttm import read_rttm
from pipeline.listen.stm import read_stm
from pipeline.records import ROLES, Role, SpeechSegment, Turn

TRANSCRIPTS = (".stm", ".vtt", ".srt")
"""Suffixes of transcripts, the one that is taken first where there are several."""

SPEAKERS = ".rttm"

_NO_SPEAKERS = "The speakers' times are those of the transcript's cues: there is no RTTM file."


@dataclass(frozen=True, slots=True)
class CallFiles:
    """The files of one call; None for what is not there."""

    transcript: Path | None = None
    speakers: Path | None = None
    scorecard: Path | None = None


def read_call(files: CallFiles) -> Spoken:
    """What the files say. Raises TranscriptError where one cannot be read, or they hold neither words nor times."""
    turns = None if files.transcript is None else _turns(files.transcript, is_scored=files.scorecard is not None)
    speech, notes = _speech(files.speakers, turns)
    if turns is None and speech is None:
        named = files.speakers or files.scorecard
        raise TranscriptError(f"{named}: there is neither a transcript nor a speaker's time for this call. Add one.")
    card = {} if files.scorecard is None else _card(files.scorecard)
    return Spoken(turns, speech, dict(_roles(card)), _language(card), notes)


def _turns(path: Path, *, is_scored: bool) -> tuple[Turn, ...]:
    """The transcript's turns; none where scoring understood no word and so wrote a file without cues."""
    if path.suffix.lower() == ".stm":
        return read_stm(path)
    try:
        return read_transcript(path).turns
    except TranscriptError:
        if is_scored and path.read_bytes().strip() == b"WEBVTT":
            return ()
        raise


def _speech(
    path: Path | None, turns: tuple[Turn, ...] | None
) -> tuple[tuple[SpeechSegment, ...] | None, tuple[str, ...]]:
    """The speakers' times: those of the RTTM file, else of a transcript in which every turn has them."""
    if path is not None and (not path.is_file() or path.stat().st_size):  # scoring writes an empty one without times
        return read_rttm(path), ()
    timed = [
        SpeechSegment(turn.speaker, turn.start, turn.end)
        for turn in turns or ()
        if turn.start is not None and turn.end is not None
    ]
    if not turns or len(timed) < len(turns):
        return None, ()
    return tuple(timed), (_NO_SPEAKERS,)


def _card(path: Path) -> Mapping[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TranscriptError(f"{path}: cannot be read ({error}). Score the call again.") from error
    if not isinstance(card, dict):
        raise TranscriptError(f"{path}: not a scorecard, which is a JSON object. Score the call again.")
    return card


def _roles(card: Mapping[str, Any]) -> Iterator[tuple[str, Role]]:
    """Every label that a participant of the scorecard may have in its files, with the role."""
    participants = card.get("participants")
    for one in participants if isinstance(participants, list) else ():
        speaker, name, role = (one.get(key) if isinstance(one, dict) else None for key in ("speaker", "name", "role"))
        if role in ROLES:
            labels = (speaker, name, f"{name} ({speaker})")  # the last tells two people of one name apart
            yield from ((label_key(label), role) for label in labels if isinstance(label, str) and label)


def _language(card: Mapping[str, Any]) -> str | None:
    quality = card.get("quality")
    language = quality.get("language") if isinstance(quality, dict) else None
    return language if isinstance(language, str) else None
