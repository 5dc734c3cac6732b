"""The ledger's records: one recording of a bucket, what it was last done with, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["pending", "claimed", "done", "copy", "failed", "quarantined"]
"""pending: to be done · claimed: a run has it · done · copy: the same content as another recording, which has the
scorecard · failed: cannot be scored, tried again by the next run · quarantined: failed too often, waits for `retry`."""
Need = Literal["listen", "assess", "level"]
"""What must be done again: listening and all after it, judging and all after it, or the levels alone."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What a result rests on, as three fingerprints (hex): of the engine and the settings it listens with, of the judge
    with who is who, of the rubric with what else the manifest says. Empty where the stage was never done."""

    listening: str = ""
    judging: str = ""
    levelling: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """What versions begin with where nothing but their recording's own facts is part of what follows: any of
    `listening`, `judging`, and by call type one of `levelling`. Plans
    of the rules that make them begin with `plan`."""

    plan: str
    listening: tuple[str, ...]
    judging: str
    levelling: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A recording as listing, manifest and settings have it now, compared with the ledger.

    `need` is None where nothing is to be done, else `why` says it in words (`new`, `recording changed`, `engine
    changed`, `judge changed`, `rubric changed`, `manifest changed`, `transcript or RTTM changed`, `asked for`, `failed
    before`); `versions` are those wanted. `row` is the manifest's row as plain values, keys in place of paths, and
    without the fields that have their default; it names people.
    """

    key: str
    etag: str
    size: int
    call_id: str
    row: dict[str, Any]
    versions: Versions
    need: Need | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """A ledger's row. Times are ISO 8601 in UTC; `sha256` is None until its bytes were read; `audio_seconds`,
    `wall_seconds` and `device` are of the last time it was done; `first_seen` is when a listing first showed it."""

    id: int
    key: str
    call_id: str
    etag: str
    size: int
    state: State
    need: Need | None
    why: str
    row: dict[str, Any]
    wanted: Versions
    done_with: Versions = Versions()
    sha256: str | None = None
    generation: int = 0
    attempts: int = 0
    interruptions: int = 0
    error: str | None = None
    copy_of: int | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    audio_seconds: float | None = None
    wall_seconds: float | None = None
    device: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    first_seen: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What a worker tells the ledger of a recording that it has finished. `provenance` names the versions of code,
    engine, model and rubric in words; seconds of audio (None without times) and of work; device as cpu or cuda."""

    sha256: str
    versions: Versions
    provenance: dict[str, Any]
    audio_seconds: float | None
    wall_seconds: float
    device: str
