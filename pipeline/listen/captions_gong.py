"""Gong's transcript JSON: monologues of sentences -> cues. Speakers get their names and sides from `parties`.

The answer of the transcript request holds `callTranscripts`; the names are in `parties` of the request for the call's
details, which people put into the same object, or beside the call in question. Times are milliseconds, as Gong says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.listen.captions_cue import Cue, Parsed, check_times, counted, fault, language_code, plain, shown
from pipeline.records import Side

_SIDES: dict[str, Side] = {"internal": "seller", "external": "buyer"}
_SHAPE = "monologues {speakerId, sentences: [{start, end, text}]} with times in milliseconds"
_EXPORT = "Export the call's transcript again."

_Party = tuple[str, Side]
"""A party's name in the transcript, and its side."""


def is_gong(value: Any) -> bool:
    """Whether this is Gong's answer, one call of it, or a bare list of monologues."""
    if isinstance(value, Mapping):
        return isinstance(value.get("callTranscripts"), list) or _is_monologues(value.get("transcript"))
    return _is_monologues(value)


def parse_gong(path: Path, value: Any) -> Parsed:
    """The sentences as cues, those of a monologue one turn, and the sides of those whose affiliation is known.

    Raises TranscriptError for a file of several calls or none, and for a faulty monologue or sentence, naming it.
    """
    prefix, call = _one_call(path, value)
    monologues = call if isinstance(call, list) else call["transcript"]
    parties = _parties(value, call)
    cues: list[Cue] = []
    nameless: dict[str, str] = {}
    for index, monologue in enumerate(monologues):
        place = f"{prefix}[{index}]"
        speaker = _speaker_id(path, place, monologue)
        if speaker is not None and speaker not in parties:
            nameless.setdefault(speaker, place)
        name = None if speaker is None else parties.get(speaker, (speaker, "unknown"))[0]
        cues += _sentences(path, place, monologue, name)
    said = {cue.speaker for cue in cues}
    return Parsed(
        tuple(cues),
        warnings=tuple(_missing(nameless)),
        pieces=True,
        format="gong json",
        language=language_code(call.get("language")) if isinstance(call, Mapping) else None,
        sides=tuple((name, side) for name, side in parties.values() if side != "unknown" and name in said),
    )


def _is_monologues(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, Mapping) and isinstance(one.get("sentences"), list) for one in value)
    )


def _one_call(path: Path, value: Any) -> tuple[str, Any]:
    """The place and the value of the one call in the file."""
    if isinstance(value, list):
        return "item", value
    if not isinstance(value.get("callTranscripts"), list):
        return "transcript", value
    calls = value["callTranscripts"]
    if len(calls) != 1:
        wrong = f"the file holds {len(calls)} calls"
        remedy = "Write each object of callTranscripts to a file of its own, with its parties."
        raise fault(path, "callTranscripts", wrong, "one call a file", remedy)
    if not isinstance(calls[0], Mapping) or not isinstance(calls[0].get("transcript"), list):
        raise fault(path, "callTranscripts[0]", f"got {shown(calls[0])}", f"an object with {_SHAPE}", _EXPORT)
    return "callTranscripts[0].transcript", calls[0]


def _parties(value: Any, call: Any) -> dict[str, _Party]:
    """Speaker id -> name and side, from the first list of parties in the file; two of one name are told apart."""
    found: dict[str, _Party] = {}
    for party in _listed_parties(value, call):
        speaker = _id(party.get("speakerId"))
        given = party.get("name")
        if speaker is None:
            continue
        name = plain(given) if isinstance(given, str) else ""
        side = _SIDES.get(str(party.get("affiliation")).lower(), "unknown")
        taken = {other for other, _ in found.values()}
        found[speaker] = (speaker if not name else f"{name} ({speaker})" if name in taken else name, side)
    return found


def _listed_parties(value: Any, call: Any) -> Sequence[Mapping[str, Any]]:
    for holder in _holders(value, call):
        parties = holder.get("parties")
        if isinstance(parties, list):
            return [party for party in parties if isinstance(party, Mapping)]
    return []


def _holders(value: Any, call: Any) -> Iterator[Mapping[str, Any]]:
    """The objects that may hold the parties: the call, the file, and the file's list of calls by their id."""
    for holder in (call, value):
        if isinstance(holder, Mapping):
            yield holder
    calls = value.get("calls") if isinstance(value, Mapping) else None
    for one in calls if isinstance(calls, list) else []:
        details = one.get("metaData") if isinstance(one, Mapping) else None
        if isinstance(details, Mapping) and _id(details.get("id")) == _id(call.get("callId")):
            yield one


def _id(value: Any) -> str | None:
    """An id as text: Gong writes them as strings, tools in between as numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return plain(value) or None if isinstance(value, str) else None


def _speaker_id(path: Path, place: str, monologue: Any) -> str | None:
    if not isinstance(monologue, Mapping) or not isinstance(monologue.get("sentences"), list):
        raise fault(path, place, f"got {shown(monologue)}", _SHAPE, _EXPORT)
    return _id(monologue.get("speakerId"))


def _sentences(path: Path, place: str, monologue: Mapping[str, Any], speaker: str | None) -> list[Cue]:
    cues: list[Cue] = []
    for index, sentence in enumerate(monologue["sentences"]):
        where = f"{place}.sentences[{index}]"
        if not isinstance(sentence, Mapping) or not isinstance(sentence.get("text"), str):
            raise fault(path, where, f"got {shown(sentence)}", "an object {start, end, text}", _EXPORT)
        start, end = (_seconds(path, where, name, sentence.get(name)) for name in ("start", "end"))
        check_times(path, where, start, end)
        cues.append(Cue(where, plain(sentence["text"]), start, end, speaker, goes_on=any(cue.text for cue in cues)))
    return cues


def _seconds(path: Path, place: str, name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, int) and value > 10**15):
        raise fault(path, f"{place}.{name}", f"got {shown(value)}", "milliseconds as a number, or null", _EXPORT)
    return value / 1000


def _missing(nameless: Mapping[str, str]) -> list[str]:
    if not nameless:
        return []
    who = counted(len(nameless), "speaker", next(iter(nameless.values())))
    return [f"{who} without a name among the parties: called by the id, and their side is not known"]
