"""A scorecard in its public form in, one flat row out, for tables: a typed column a figure, none where not measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pipeline.records import JUDGED

__all__ = ["Kind", "Row", "columns_of", "row_of"]

Kind = Literal["text", "number", "count", "yes_no"]
Row = dict[str, Any]
"""Column -> value; what a call lacks is absent."""

_MEASURES: dict[str, Kind] = {
    "talk_share": "number",
    "speaking_time": "number",
    "longest_monologue": "number",
    "turns": "count",
    "words": "count",
    "questions": "count",
    "questions_per_minute": "number",
    "words_per_minute": "number",
    "patience": "number",
    "interruptions": "count",
}
_ABOUT: dict[str, Kind] = {
    "call_id": "text",
    "call_type": "text",
    "started_at": "text",
    "duration": "number",
    "team": "text",
    "rep": "text",
    "manager": "text",
    "customer": "text",
    "source": "text",
    "recording_sha256": "text",
    "rubric_id": "text",
    "rubric_version": "text",
    "calibration": "text",
    "code_version": "text",
    "judge": "text",
    "engine": "text",
    "diarization": "text",
    "language": "text",
    "word_confidence": "number",
    "speech_attributed": "number",
    "sides_known": "number",
    "warnings": "count",
}
_TALK: dict[str, Kind] = {"talk_basis": "text", "switches_per_minute": "number", "dead_air": "number"}
_JOINT: dict[str, tuple[str, Kind]] = {  # column -> the scorecard's field
    "joint_manager_share": ("manager_share", "number"),
    "joint_manager_turn_share": ("manager_turn_share", "number"),
    "takeover": ("takeover", "yes_no"),
    "takeover_withheld": ("withheld", "text"),
    "takeover_began_at": ("began_at", "number"),
    "takeover_began_turn": ("began_turn", "count"),
    "takeover_trigger": ("trigger", "text"),
    "takeover_said_before_by": ("said_before_by", "text"),
    "takeover_share_before": ("share_before", "number"),
    "takeover_share_after": ("share_after", "number"),
    "takeover_rep_returned": ("rep_returned", "yes_no"),
    "takeover_returned_turn": ("returned_turn", "count"),
    "takeover_rep_silent_for": ("rep_silent_for", "number"),
    "takeover_rep_silent_turns": ("rep_silent_turns", "count"),
}
_SPEAKERS = ("seller", "buyer", "rep", "manager")
_MEASURED: dict[str, Kind] = {f"{who}_{name}": kind for who in _SPEAKERS for name, kind in _MEASURES.items()}
_DETAIL = "detail_"


def columns_of(behaviours: Iterable[str], details: Iterable[str]) -> dict[str, Kind]:
    """Column -> kind of a table whose calls have these behaviours and details, in an order that does not depend on
    theirs: what the call is, levels, talk, takeover, details."""
    found = set(behaviours)
    ordered = [*(name for name in JUDGED if name in found), *sorted(found - set(JUDGED))]
    levels = {column: kind for name in ordered for column, kind in _behaviour_columns(name).items()}
    joint = {column: kind for column, (_, kind) in _JOINT.items()}
    detailed: dict[str, Kind] = {f"{_DETAIL}{name}": "text" for name in sorted(set(details) - {"team"})}
    return {**_ABOUT, **levels, **_TALK, **_MEASURED, **joint, **detailed}


def row_of(card: Mapping[str, Any]) -> Row:
    """The scorecard's row. Raises ValueError, TypeError, KeyError or AttributeError where it is no scorecard."""
    row = {**_about(card), **_talk(card), **_joint(card["joint"])}
    for name, one in card["behaviours"].items():
        row |= _behaviour(name, one)
    row |= {f"{_DETAIL}{name}": value for name, value in card["details"].items() if name != "team"}
    kinds = columns_of(card["behaviours"], card["details"])
    "".join(kinds).encode()  # UnicodeEncodeError for a name that no file can hold
    return {column: _checked(column, value, kinds[column]) for column, value in row.items() if value not in (None, "")}


def _about(card: Mapping[str, Any]) -> Row:
    quality, provenance = card["quality"], card["provenance"]
    return {
        "call_id": card["call_id"],
        **{name: card.get(name) for name in ("call_type", "started_at", "duration", "source")},
        "team": card["details"].get("team"),
        **{role: _named(card, role) for role in ("rep", "manager", "customer")},
        "recording_sha256": provenance.get("recording_sha256"),
        "rubric_id": card["rubric"]["id"],
        "rubric_version": card["rubric"]["version"],
        "calibration": provenance.get("calibration", {}).get("id"),
        "code_version": provenance.get("code"),
        "judge": provenance.get("models", {}).get("behaviours"),
        **{name: quality.get(name) for name in ("engine", "diarization", "language", "word_confidence")},
        **{name: quality.get(name) for name in ("speech_attributed", "sides_known")},
        "warnings": len(quality["warnings"]),
    }


def _named(card: Mapping[str, Any], role: str) -> str | None:
    """The names of the people in this role, `; ` between several; None where none is named."""
    names = [one["name"] for one in card["participants"] if one["role"] == role and one["name"]]
    return "; ".join(names) or None


def _behaviour_columns(name: str) -> dict[str, Kind]:
    chances: dict[str, Kind] = {f"{name}_p{level}": "number" for level in range(4)}
    return {f"{name}_level": "count", f"{name}_withheld": "text", **chances}


def _behaviour(name: str, one: Mapping[str, Any]) -> Row:
    values = (one["level"], one["withheld"], *one["probabilities"])
    return dict(zip(_behaviour_columns(name), values, strict=True))


def _talk(card: Mapping[str, Any]) -> Row:
    """Measures of each side, and of the rep and the manager where there is one of them and no more."""
    talk = card["talk"]
    row = {"talk_basis": talk["basis"], **{name: talk.get(name) for name in ("switches_per_minute", "dead_air")}}
    measured = {side: talk["by_side"].get(side) for side in ("seller", "buyer")}
    for role in ("rep", "manager"):
        speakers = [one["speaker"] for one in card["participants"] if one["role"] == role]
        measured[role] = talk["by_speaker"].get(speakers[0]) if len(speakers) == 1 else None
    for who, measures in measured.items():
        row |= {f"{who}_{name}": measures.get(name) for name in _MEASURES} if measures else {}
    return row


def _joint(joint: Mapping[str, Any]) -> Row:
    return {column: joint.get(field) for column, (field, _) in _JOINT.items()}


def _checked(column: str, value: Any, kind: Kind) -> Any:
    """The value as its column has it. Raises ValueError where it is of another kind."""
    if kind == "text" and isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")  # half a pair of surrogates is in no file format
    if kind == "yes_no" and isinstance(value, bool):
        return value
    if kind == "count" and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ValueError(f"{column} is {type(value).__name__}, where {kind} is meant")
