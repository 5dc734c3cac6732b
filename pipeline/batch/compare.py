"""A recording as it is now and as the ledger has it -> what has to be done of it, and why."""

from __future__ import annotations

from pipeline.archive.recordings import Need, Recording, Seen, Versions
from pipeline.batch.listing import Found
from pipeline.batch.versions import needed, with_files_of

__all__ = ["FAILED", "NEEDS", "seen_of"]

NEEDS: tuple[Need, ...] = ("listen", "assess", "level")
_STAGES = ("listening", "judging", "levelling")
"""The version that each need brings up to date."""
FAILED = "failed before"


def seen_of(found: Found, before: Recording | None, wanted: Versions) -> Seen:
    """The recording as it is now, with what it needs and why; `before` is what the ledger has of it."""
    etag, size = found.etag, found.size
    need: Need | None = None
    why = ""
    if before is not None and not etag and before.done_with.levelling:
        etag, size = before.etag, before.size  # it was done, and what was heard is kept
        if _is_alone(found, before):
            wanted = with_files_of(wanted, before.done_with)
    if before is None or found.etag or before.state != "copy":  # a copy that is gone has what its original has
        need, why = _need(etag, before, wanted)
    return Seen(found.key, etag, size, found.row["call_id"], found.row, wanted, need, why)


def _is_alone(found: Found, before: Recording) -> bool:
    """Whether the files that lay beside a recording that is gone are gone with it, and are those that were read."""
    same = all(found.row.get(name) == before.row.get(name) for name in ("transcript", "rttm"))
    return same and not any(found.files.values())


def _need(etag: str, before: Recording | None, wanted: Versions) -> tuple[Need | None, str]:
    if before is None:
        return "listen", "new"
    if before.etag != etag:
        return "listen", "recording changed" if before.done_with.listening or before.state != "pending" else "new"
    need, why = needed(before.done_with, wanted)
    if need is not None and before.state in ("failed", "quarantined") and _fails_again(before, wanted):
        return need, FAILED
    return need, before.why or why if need is not None and before.wanted == wanted else why


def _fails_again(before: Recording, wanted: Versions) -> bool:
    """Whether nothing changed for the stage at which this recording failed, nor for those before it: another rubric
    does not mend a recording that cannot be decoded."""
    stages = _STAGES[: NEEDS.index(before.need or "listen") + 1]
    return all(getattr(before.wanted, stage) == getattr(wanted, stage) for stage in stages)
