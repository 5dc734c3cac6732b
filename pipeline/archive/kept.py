"""What is kept of a call for later: the call as it was heard and what was found in it, as JSON and back, without loss.

With these two files a changed judge or rubric needs nobody to listen again. Words are kept in columns: the 10,000
words of a long hour are some 500 kB.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from pipeline.errors import KeptError
from pipeline.records import Call, Evidence, Finding, ListeningQuality, Participant, SpeechSegment, Turn, Word

__all__ = ["CALL", "FINDINGS", "FORMAT", "call_json", "call_of", "findings_json", "findings_of"]

CALL = "call.json"
FINDINGS = "findings.json"
FORMAT = 1
"""Raised by one with every change after which an older file no longer gives the same record."""

_NESTED = ("turns", "speech", "participants", "quality")
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_Record = TypeVar("_Record", Participant, ListeningQuality, Evidence, Finding)


def call_json(call: Call) -> bytes:
    """The call as JSON, the same bytes for the same call. Raises KeptError for a number that is not finite."""
    kept = {
        **{name: value for name, value in _plain(call).items() if name not in _NESTED},
        "quality": _plain(call.quality),
        "participants": [_plain(one) for one in call.participants],
        "turns": [_turn_list(turn) for turn in call.turns],
        "speech": [(one.speaker, one.start, one.end) for one in call.speech],
    }
    return _bytes({"format": FORMAT, "call": kept}, call.call_id)


def call_of(data: bytes) -> Call:
    """The call that `call_json` wrote, equal to the original in every field. Raises KeptError."""
    try:
        kept = _content(data, "call")
        return Call(
            turns=tuple(_turn(*one) for one in kept.pop("turns")),
            speech=tuple(SpeechSegment(*one) for one in kept.pop("speech")),
            participants=tuple(_record(Participant, one) for one in kept.pop("participants")),
            quality=_record(ListeningQuality, kept.pop("quality")),
            **{name: _tuples(value) for name, value in kept.items()},
        )
    except _DAMAGED as error:
        raise _unreadable(CALL, error, "Listen to the call again.") from error


def findings_json(findings: Iterable[Finding]) -> bytes:
    """The findings as JSON, the same bytes for the same findings. Raises KeptError for a number that is not finite."""
    kept = [{**_plain(one), "evidence": [_plain(passage) for passage in one.evidence]} for one in findings]
    return _bytes({"format": FORMAT, "findings": kept}, "findings")


def findings_of(data: bytes) -> tuple[Finding, ...]:
    """The findings that `findings_json` wrote, equal to the originals in every field. Raises KeptError."""
    try:
        return tuple(_finding(one) for one in _content(data, "findings"))
    except _DAMAGED as error:
        raise _unreadable(FINDINGS, error, "Judge the call again, or listen to it again.") from error


def _finding(kept: dict[str, Any]) -> Finding:
    evidence = tuple(_record(Evidence, one) for one in kept.pop("evidence"))
    return Finding(evidence=evidence, **{name: _tuples(value) for name, value in kept.items()})


def _turn_list(turn: Turn) -> tuple[Any, ...]:
    """The turn as a list: its fields, then one column a field of its words."""
    words = turn.words
    columns = (
        [word.text for word in words],
        [word.start for word in words],
        [word.end for word in words],
        [word.probability for word in words],
    )
    return (turn.speaker, turn.text, turn.start, turn.end, *(columns if words else ()))


def _turn(
    speaker: str,
    text: str,
    start: float | None,
    end: float | None,
    texts: Sequence[str] = (),
    starts: Sequence[float] = (),
    ends: Sequence[float] = (),
    probabilities: Sequence[float | None] = (),
) -> Turn:
    words = tuple(map(Word, texts, starts, ends, probabilities))
    if not len(words) == len(texts) == len(starts) == len(ends) == len(probabilities):
        raise ValueError("a turn's words are not complete")
    return Turn(speaker, text, start, end, words)


def _plain(record: Any) -> dict[str, Any]:
    """Field -> value; a field that a record gets later is kept as well."""
    return {one.name: getattr(record, one.name) for one in fields(record)}


def _record(kind: type[_Record], kept: dict[str, Any]) -> _Record:
    return kind(**{name: _tuples(value) for name, value in kept.items()})


def _tuples(value: Any) -> Any:
    """The value with each list as a tuple: records hold no lists."""
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _bytes(kept: dict[str, Any], named: str) -> bytes:
    try:
        text = json.dumps(kept, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise KeptError(f"{named}: holds a number that is not finite, which cannot be kept. Listen again.") from error
    return text.encode("utf-8", "surrogatepass")  # half a pair from a bad transcript comes back as it was


def _content(data: bytes, name: str) -> Any:
    kept = json.loads(data)
    if kept["format"] != FORMAT:
        raise ValueError(f"format {kept['format']!r}; this version reads format {FORMAT}")
    return kept[name]


def _unreadable(name: str, error: Exception, remedy: str) -> KeptError:
    return KeptError(f"{name}: cannot be read ({type(error).__name__}: {str(error)[:200]}). {remedy}")
