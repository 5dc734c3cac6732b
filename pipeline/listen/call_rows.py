"""What is known of a call before anyone listens: its row of the manifest, and the id that names its results' folder."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.listen.captions import TRANSCRIPT_FORMATS
from pipeline.records import CallType, Role

RECORDING_SUFFIXES = (".wav", ".mp3", ".m4a", ".mp4", ".ogg", ".opus", ".flac", ".webm")
"""File suffixes that a folder is searched for; a file that is named itself may have any."""

MAX_ID_CHARACTERS = 120
MAX_ID_BYTES = 240
"""Most file systems allow 255 bytes in a name; the rest is for a suffix."""

DEFAULT_CALL_TYPE: CallType = "discovery"
CALL_ID_ALLOWED = (
    "letters, digits, '-', '_', '.' and spaces, beginning and ending with none of '.' and space, "
    f"at most {MAX_ID_CHARACTERS} characters and {MAX_ID_BYTES} bytes, and no name that Windows reserves"
)

_PLAIN_ID = re.compile(rf"[\w-](?:[\w. -]{{0,{MAX_ID_CHARACTERS - 2}}}[\w-])?", re.ASCII)
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call to score. At least one of `recording` and `transcript` is given; all paths are absolute and resolved.

    `channels` are the roles by channel in order, each channel with one role or several, empty where they are not known.
    `speakers` is the least and the most people that speak, `rttm` a file that says who speaks when in the recording.
    `language` is an ISO 639-1 code, `products` are names worth expecting. `details` are the other columns with a value,
    in the manifest's order, and team. `defaults` are sentences for the scorecard: what was assumed.
    """

    recording: Path | None
    call_id: str
    call_type: CallType = DEFAULT_CALL_TYPE
    started_at: str | None = None
    team: str | None = None
    rep: str | None = None
    manager: str | None = None
    customers: tuple[str, ...] = ()
    channels: tuple[tuple[Role, ...], ...] = ()
    speakers: tuple[int, int] | None = None
    rttm: Path | None = None
    language: str | None = None
    products: tuple[str, ...] = ()
    transcript: Path | None = None
    details: tuple[tuple[str, str], ...] = ()
    defaults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """calls.csv: its rows in file order and its column names. `warnings` are sentences about doubtful columns."""

    path: Path
    rows: tuple[CallRow, ...]
    columns: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def default_row(path: Path) -> CallRow:
    """The row of a recording or transcript that no manifest describes; what is assumed is said in `defaults`."""
    is_transcript = path.suffix.lower() in TRANSCRIPT_FORMATS
    row = unlisted_row(path.stem)
    return replace(row, transcript=path.resolve()) if is_transcript else replace(row, recording=path.resolve())


def unlisted_row(stem: str) -> CallRow:
    """The row, without its file, of a call of which nothing is known but the stem of its file's name."""
    call_id = safe_call_id(stem)
    return CallRow(
        recording=None,
        call_id=call_id,
        defaults=(
            "there is no manifest row for this call: date, team, names and roles were not given",
            f"call_type was not given: taken as {DEFAULT_CALL_TYPE}",
            *changed_id(stem, call_id),
        ),
    )


def not_used(name: str) -> str:
    """The sentence about a transcript of that name beside the recording, where no manifest says which one counts."""
    return f"the transcript {name} beside the recording was not used: a manifest can name it"


def changed_id(stem: str, call_id: str) -> tuple[str, ...]:
    """The sentence about a call_id that differs from the file's stem; empty where it does not."""
    if stem == call_id:
        return ()
    return (f"call_id was not given: '{call_id}' was made from the file's name, which cannot name a folder as it is",)


def is_safe_call_id(call_id: str) -> bool:
    """Whether the id can name a folder on every system; `CALL_ID_ALLOWED` says the rule in words."""
    return call_id != "" and call_id == safe_call_id(call_id)


def safe_call_id(text: str) -> str:
    """The text as a call id: unchanged where it is one, else with every other character as `_`, trimmed and cut."""
    plain = _PLAIN_ID.fullmatch(text) is not None
    kept = text if plain else "".join(char if _is_allowed(char) else "_" for char in text).strip(" .")
    if kept.split(".")[0].rstrip().lower() in _RESERVED:
        kept = f"_{kept}"
    elif plain:
        return kept
    kept = kept[:MAX_ID_CHARACTERS].rstrip(" .")
    while len(kept.encode()) > MAX_ID_BYTES:
        kept = kept[:-1].rstrip(" .")
    return kept or "call"


def folder_key(call_id: str) -> str:
    """Equal for two ids that are one folder where letter case or Unicode composition makes no difference."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", call_id).casefold())


def numbered(call_id: str, number: int) -> str:
    """The id with `-number` at its end, still a safe one."""
    return ended(call_id, str(number))


def ended(call_id: str, ending: str) -> str:
    """The id with `-ending` at its end, cut so that it is still a safe one."""
    suffix = f"-{ending}"
    room = call_id[: MAX_ID_CHARACTERS - len(suffix)]
    while len(room.encode()) + len(suffix) > MAX_ID_BYTES:
        room = room[:-1]
    return f"{room}{suffix}"


def _is_allowed(char: str) -> bool:
    """Letters and digits of any script with their marks (Devanagari vowels are marks), and `-_. `."""
    return char in "-_. " or unicodedata.category(char) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"}
