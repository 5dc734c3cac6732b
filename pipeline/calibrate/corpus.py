"""The labelled corpus as training examples: JSON files in; conversations with per-turn and per-call labels out.

Three kinds share one record: whole calls, single passages ("snippets") and contrast sets (one buyer situation at
levels 0 to 3). What a text says nothing about is masked: a snippet of one behaviour is silent on the others.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.assess.encoder import BUYER_CRITERIA, OUTPUTS
from pipeline.assess.passages import Line
from pipeline.errors import UsageError
from pipeline.records import BEHAVIOURS, CRITERIA

__all__ = ["AUTHOR_GROUPS", "MASKED", "Example", "author_group", "load_corpus"]

MASKED = -1
"""The label of what is not known; labels are 0 and 1 otherwise, levels 0 to 3."""
AUTHOR_GROUPS = 16
"""Calls t01-t16 are one author's, t17-t32 the next one's, and so on."""
_SILENT = (MASKED,) * OUTPUTS
_NOTHING = (0,) * OUTPUTS


@dataclass(frozen=True, slots=True)
class Example:
    """A conversation or passage with labels.

    `labels` has a row per line, and in it a row per behaviour: attempted, then its criteria, padded with masks.
    `levels` are the levels by behaviour (MASKED: not known). `group` is the author's, -1 for passages and meetings.
    """

    name: str
    kind: Literal["call", "snippet", "contrast"]
    group: int
    lines: tuple[Line, ...]
    speakers: tuple[str, ...]
    labels: tuple[tuple[tuple[int, ...], ...], ...]
    levels: tuple[int, ...]


def author_group(name: str) -> int:
    """The author group of a call id: t01-t16 are 0, t17-t32 are 1, and so on."""
    return (int(name.removeprefix("t")) - 1) // AUTHOR_GROUPS


def load_corpus(folder: Path) -> list[Example]:
    """All examples of the corpus in `folder`, in a fixed order. Raises UsageError where it cannot be read."""
    calls = [_call(read) for read in _each(sorted((folder / "calls").glob("*.json"), key=_by_number))]
    if not calls:
        raise UsageError(f"{folder}: no calls/*.json in this folder; give the folder of a labelled corpus")
    passages = [
        example
        for behaviour in BEHAVIOURS
        for read in (
            _lines(folder / "snippets" / f"{behaviour}.jsonl"),
            _lines(folder / "contrast" / f"{behaviour}.jsonl"),
        )
        for row in read
        for example in (_contrast(row) if "passages" in row else [_snippet(row)])
    ]
    return calls + passages


def _by_number(path: Path) -> tuple[int, str]:
    digits = "".join(letter for letter in path.stem if letter.isdigit())
    return int(digits or 0), path.stem


def _each(paths: Iterable[Path]) -> Iterable[dict[str, Any]]:
    for path in paths:
        try:
            yield json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: not a readable JSON file ({error}); restore it from the repository") from error


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise UsageError(f"{path}: not JSON, one object a line ({error}); restore it from the repository") from error


def _row(behaviour: str, names: Collection[str]) -> tuple[int, ...]:
    """Attempted, then each criterion of the behaviour, padded with masks; `names` are criteria or "weak"."""
    criteria = CRITERIA[behaviour]
    padding = (MASKED,) * (OUTPUTS - 1 - len(criteria))
    return (int(bool(names)), *(int(name in names) for name in criteria), *padding)


def _named(labels: Iterable[str], behaviour: str) -> set[str]:
    return {label.partition(".")[2] for label in labels if label.startswith(f"{behaviour}.")}


def _call(read: Mapping[str, Any]) -> Example:
    """A whole call. In a manager meeting the core behaviours have no levels; what it says of plans and actions is
    labelled otherwise there, so agenda and next steps are silent and the others absent."""
    sides = {one["speaker"]: one["side"] for one in read["participants"]}
    meeting = "agenda" not in read["levels"]
    silent = {"agenda", "next_steps"} if meeting else set()
    labels = tuple(
        tuple(_SILENT if b in silent else _row(b, _named(turn["labels"], b)) for b in BEHAVIOURS)
        for turn in read["turns"]
    )
    levels = tuple(MASKED if b in silent else read["levels"].get(b, 0) for b in BEHAVIOURS)
    lines = tuple(Line(sides.get(turn["speaker"]) == "seller", turn["text"]) for turn in read["turns"])
    speakers = tuple(turn["speaker"] for turn in read["turns"])
    group = -1 if meeting else author_group(read["id"])
    return Example(read["id"], "call", group, lines, speakers, labels, levels)


def _only(behaviour: str, row: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(row if b == behaviour else _SILENT for b in BEHAVIOURS)


def _only_level(behaviour: str, level: int) -> tuple[int, ...]:
    return tuple(level if b == behaviour else MASKED for b in BEHAVIOURS)


def _snippet(read: Mapping[str, Any]) -> Example:
    """One passage with what was said before it. Who showed the buyer's yes is not labelled: masked on both lines."""
    behaviour = read["behaviour"]
    names = set(read["criteria"]) or ({"weak"} if read["level"] else set())
    row = list(_row(behaviour, names))
    yes = BUYER_CRITERIA.get(behaviour)
    before = [MASKED] * OUTPUTS
    if yes in names and read["context"]:
        row[1 + CRITERIA[behaviour].index(yes)] = MASKED
    lines = [Line(read["speaker"] in ("rep", "manager"), read["text"])]
    labels = [_only(behaviour, tuple(row))]
    if read["context"]:
        lines.insert(0, Line(False, read["context"]))
        labels.insert(0, _only(behaviour, tuple(before)))
    return Example(
        read["id"], "snippet", -1, tuple(lines), tuple("seller" if line.seller else "buyer" for line in lines),
        tuple(labels), _only_level(behaviour, read["level"]),
    )  # fmt: skip


def _contrast(read: Mapping[str, Any]) -> list[Example]:
    behaviour = read["behaviour"]
    found = []
    for passage in read["passages"]:
        turns = passage["turns"]
        lines = tuple(Line(turn["speaker"] != "buyer", turn["text"]) for turn in turns)
        labels = tuple(_only(behaviour, _row(behaviour, _named(turn["labels"], behaviour))) for turn in turns)
        name = f"{read['id']}-{passage['level']}"
        speakers = tuple(turn["speaker"] for turn in turns)
        levels = _only_level(behaviour, passage["level"])
        found.append(Example(name, "contrast", -1, lines, speakers, labels, levels))
    return found
