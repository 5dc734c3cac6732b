"""Evaluating, from folders to figures: an output and its references in, error figures per call and in total out.

The command without a terminal. What is computed is in `pipeline.evaluate`; this finds the files, reads and writes.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.archive.folder import check_folder, write_file
from pipeline.errors import TranscriptError, UsageError
from pipeline.evaluate.compare import compare
from pipeline.evaluate.figures import CallFigures, Total, totals
from pipeline.evaluate.files import SPEAKERS, TRANSCRIPTS, CallFiles, read_call
from pipeline.evaluate.spoken import label_key
from pipeline.listen.manifest import CallRow, read_manifest
from pipeline.listen.people import names_of
from pipeline.listen.role_chances import SIDES
from pipeline.records import Role
from pipeline.settings import keep_private

__all__ = ["Evaluation", "evaluate_files"]

_FORMS = "files named CALL_ID.vtt, .stm, .srt or .rttm"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The calls in both folders, by id, and their total: figure name -> total. `without_reference` and `without_output`
    are ids of calls that only one of them has."""

    calls: tuple[CallFigures, ...]
    total: Mapping[str, Total]
    without_reference: tuple[str, ...]
    without_output: tuple[str, ...]

    @property
    def failed(self) -> tuple[CallFigures, ...]:
        """The calls whose files could not be read."""
        return tuple(call for call in self.calls if call.error is not None)

    def total_dict(self) -> dict[str, Any]:
        """The last line of the results: pooled figures, and how many calls are and are not in them."""
        return {
            "total": True,
            "calls": len(self.calls) - len(self.failed),
            "failed": len(self.failed),
            "without_reference": list(self.without_reference),
            "without_output": list(self.without_output),
            **{name: total.to_dict() for name, total in self.total.items()},
        }

    def to_json(self) -> str:
        """Everything as JSON, with the versions of what computed it; the same bytes for the same files."""
        libraries = ("jiwer", "pyannote.metrics", "scipy", "transformers")
        content = {
            "calls": [call.to_dict() for call in self.calls],
            "total": self.total_dict(),
            "computed_by": {name: importlib.metadata.version(name) for name in libraries},
        }
        return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def evaluate_files(
    out: str | Path,
    *,
    references: str | Path,
    manifest: str | Path | None = None,
    language: str | None = None,
    results: str | Path | None = None,
) -> Evaluation:
    """How right the output in `out` is by the `references`; written as JSON to the file `results` where it is named.

    `out` is a folder as scoring writes it, or one of transcripts and RTTM files of any other system, like `references`.
    The `manifest` gives the people whom references call by name their roles.
    `language` (ISO 639-1) normalises all words in that language; None takes each call's own, or English. A call whose
    files cannot be read is kept with its reason. Raises UsageError where the folders cannot be compared at all.
    """
    keep_private()
    made, given = _output(Path(out)), _named_files(Path(references), "reference")
    both = sorted(made.keys() & given.keys())
    if not both:
        raise UsageError(
            f"{out}: none of its {len(made)} calls (the first is {min(made)}) has a reference in {references}, whose "
            f"first is {min(given)}. Name each reference after its call."
        )
    if results is not None:
        check_folder(Path(results).parent)
    listed = {} if manifest is None else {row.call_id: _roles(row) for row in read_manifest(Path(manifest)).rows}
    calls = tuple(
        _evaluated(call_id, given[call_id], made[call_id], language, listed.get(call_id, {})) for call_id in both
    )
    found = Evaluation(
        calls, totals(calls), tuple(sorted(made.keys() - given.keys())), tuple(sorted(given.keys() - made.keys()))
    )
    if results is not None:
        write_file(Path(results), found.to_json())
    return found


def _evaluated(
    call_id: str, reference: CallFiles, heard: CallFiles, language: str | None, names: Mapping[str, Role]
) -> CallFigures:
    try:
        return compare(call_id, read_call(reference), read_call(heard), language=language, names=names)
    except TranscriptError as error:
        return CallFigures(call_id, error=str(error))


def _roles(row: CallRow) -> dict[str, Role]:
    """The people whom the manifest names, with their roles."""
    return {label_key(name): role for role in SIDES for name in names_of(row, role)}


def _output(out: Path) -> dict[str, CallFiles]:
    """Call id -> its files, in a folder as scoring writes it or in a plain one. Raises UsageError for anything else."""
    scored = sorted((out / "calls").glob("*/scorecard.json")) if out.is_dir() else []
    if not scored:
        return _named_files(out, "output")
    return {
        card.parent.name: CallFiles(
            transcript=_there(card.with_name("transcript.vtt")),
            speakers=_there(card.with_name("speakers.rttm")),
            scorecard=card,
        )
        for card in scored
    }


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _named_files(folder: Path, what: str) -> dict[str, CallFiles]:
    """Call id -> the files that are named after it. Raises UsageError where there are none."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder. Name the folder of the {what} files.")
    by_suffix: dict[str, dict[str, Path]] = {suffix: {} for suffix in (*TRANSCRIPTS, SPEAKERS)}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in by_suffix and path.is_file():
            by_suffix[path.suffix.lower()].setdefault(path.stem, path)
    ids = sorted({stem for paths in by_suffix.values() for stem in paths})
    if not ids:
        scored = "a folder that `ridealong score --out` wrote, or " if what == "output" else ""
        raise UsageError(f"{folder}: there is no {what} of any call in it. Allowed: {scored}{_FORMS}.")
    return {
        stem: CallFiles(
            transcript=next((by_suffix[one][stem] for one in TRANSCRIPTS if stem in by_suffix[one]), None),
            speakers=by_suffix[SPEAKERS].get(stem),
        )
        for stem in ids
    }
