"""The labelled corpus as training examples: JSON files in; conversations with per-turn and per-call labels out.

Three kinds share one record: whole calls, single passages ("snippets") and contrast sets (one buyer situation at
levels 0 to 3). What a text says nothing about is masked: a snippet of one behaviour is silent on the others.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.assess.encoder import OTHER_SIDE, OUTPUTS
from pipeline.assess.passages import Line
from pipeline.assess.phrases import content_words
from pipeline.errors import UsageError
from pipeline.records import BEHAVIOURS, CALL_TYPES, CRITERIA, JUDGED, MEETING_BEHAVIOURS, MEETINGS

__all__ = ["AUTHOR_GROUPS", "MASKED", "Example", "author_group", "load_corpus"]

MASKED = -1
"""The label of what is not known; labels are 0 and 1 otherwise, levels 0 to 3."""
EXCLUSIVE = (*BEHAVIOURS, "insight", "vision")
"""A passage is scored for the job that it does: of the turns of whole calls that show one of these, one or two in a
hundred show another as well."""
AUTHOR_GROUPS = 16
"""Calls t01-t16 are one author's, t17-t32 the next one's, and so on."""
_SILENT = (MASKED,) * OUTPUTS
_NOTHING = (0,) * OUTPUTS


@dataclass(frozen=True, slots=True)
class Example:
    """A conversation or passage with labels.

    `labels` has a row per line, and in it a row per behaviour: attempted, then its criteria, padded with masks.
    `levels` are the levels by behaviour (MASKED: not known),
    `delivery` is that of the one behaviour which is judged by measures. `group` is the author's, empty where it is not
    known. `before` are the buyer's words from before the passage. `meeting`: no buyer is there, a manager meets a rep.
    `other`: nobody sells, as at a doctor's or in a lesson; taught as such, and counted in no figure.
    """

    name: str
    kind: Literal["call", "snippet", "contrast"]
    group: str
    lines: tuple[Line, ...]
    speakers: tuple[str, ...]
    labels: tuple[tuple[tuple[int, ...], ...], ...]
    levels: tuple[int, ...]
    delivery: int = MASKED
    before: frozenset[str] = frozenset()
    meeting: bool = False
    other: bool = False

    def level(self, behaviour: str) -> int | None:
        """The level of a whole call, None where the behaviour does not apply or nobody judged it."""
        applies = (behaviour in MEETING_BEHAVIOURS) == self.meeting and not self.other
        level = self.levels[JUDGED.index(behaviour)]
        return level if applies and level != MASKED else None

    @property
    def sales_call(self) -> bool:
        """Whether this is a whole call with a buyer."""
        return self.kind == "call" and not self.meeting and not self.other


def author_group(name: str) -> str:
    """The author of a call: t01-t16 are t0, t17-t32 are t1, and so on; every other letter is one author."""
    letters = name.rstrip("0123456789")
    return f"t{(int(name.removeprefix('t')) - 1) // AUTHOR_GROUPS}" if letters == "t" else letters


def load_corpus(folder: Path) -> list[Example]:
    """All examples of the corpus in `folder`, in a fixed order. Raises UsageError where it cannot be read."""
    calls = [_call(read) for read in _each(sorted((folder / "calls").glob("*.json"), key=_by_number))]
    if not calls:
        raise UsageError(f"{folder}: no calls/*.json in this folder; give the folder of a labelled corpus")
    passages = [
        example
        for path in (*sorted((folder / "snippets").glob("*.jsonl")), *sorted((folder / "contrast").glob("*.jsonl")))
        for row in _lines(path)
        if row["behaviour"] in JUDGED
        for example in (_contrast(row, path.stem) if "passages" in row else [_snippet(row)])
    ]
    return calls + passages


def _by_number(path: Path) -> tuple[str, int]:
    letters = path.stem.rstrip("0123456789")
    return letters, int(path.stem.removeprefix(letters) or 0)


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
    """A whole call or meeting. What says nothing about a behaviour is silent on it: a meeting on agendas and next steps
    (its plans and actions are labelled otherwise), a call on meetings, and a call with levels but without turn labels
    of the further behaviours on those, unless the level says that there is nothing to label."""
    meeting = read["type"] in MEETINGS
    level = {b: _level(read["levels"].get(b), b, meeting) for b in JUDGED}
    labelled = {label.partition(".")[0] for turn in read["turns"] for label in turn["labels"]}
    silent = {b for b in JUDGED if level[b] == MASKED or (level[b] > 0 and b not in labelled)}
    labels = tuple(
        tuple(_SILENT if b in silent else _row(b, _named(turn["labels"], b)) for b in JUDGED) for turn in read["turns"]
    )
    first = {
        one["speaker"]
        for one in read["participants"]
        if (one["role"] == "manager" if meeting else one["side"] == "seller")
    }
    lines = tuple(Line(turn["speaker"] in first, turn["text"]) for turn in read["turns"])
    speakers = tuple(turn["speaker"] for turn in read["turns"])
    delivery = MASKED if read["levels"].get("delivery") is None else read["levels"]["delivery"]
    return Example(
        read["id"], "call", author_group(read["id"]), lines, speakers, labels, tuple(level[b] for b in JUDGED),
        delivery, meeting=meeting, other=read["type"] not in CALL_TYPES,
    )  # fmt: skip


def _level(given: int | None, behaviour: str, meeting: bool) -> int:
    """The level of a whole call for training: MASKED where it does not apply, 0 where a meeting can't have it."""
    if given is not None:
        return given
    return 0 if meeting and behaviour in BEHAVIOURS and behaviour not in ("agenda", "next_steps") else MASKED


def _only(behaviour: str, row: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """The labels of a turn in a passage that is about one behaviour: silent on the others, unless it shows the one and
    so, by `EXCLUSIVE`, not another."""
    other = row[0] == 1 and behaviour in EXCLUSIVE
    return tuple(row if b == behaviour else _row(b, ()) if other and b in EXCLUSIVE else _SILENT for b in JUDGED)


def _only_level(behaviour: str, level: int, lines: Sequence[Line], labels: Sequence[Any]) -> tuple[int, ...]:
    """The levels of a passage: 0 for the other exclusive behaviours where every turn of the seller shows this one."""
    index = JUDGED.index(behaviour)
    full = behaviour in EXCLUSIVE and all(
        rows[index][0] == 1 for line, rows in zip(lines, labels, strict=True) if line.seller
    )
    return tuple(level if b == behaviour else 0 if full and b in EXCLUSIVE else MASKED for b in JUDGED)


def _snippet(read: Mapping[str, Any]) -> Example:
    """One passage with what was said before it. Who showed the buyer's yes is not labelled: masked on both lines."""
    behaviour = read["behaviour"]
    names = set(read["criteria"]) or ({"weak"} if read["level"] else set())
    row = list(_row(behaviour, names))
    before = [MASKED] * OUTPUTS
    yes = () if behaviour in MEETING_BEHAVIOURS else OTHER_SIDE.get(behaviour, ())
    for name in names.intersection(yes) if read["context"] else ():
        row[1 + CRITERIA[behaviour].index(name)] = MASKED
    first = ("manager",) if behaviour in MEETING_BEHAVIOURS else ("rep", "manager")
    lines = [Line(read["speaker"] in first, read["text"])]
    labels = [_only(behaviour, tuple(row))]
    if read["context"]:
        lines.insert(0, Line(not lines[0].seller, read["context"]))
        labels.insert(0, _only(behaviour, tuple(before)))
    return Example(
        read["id"], "snippet", "", tuple(lines), tuple("seller" if line.seller else "buyer" for line in lines),
        tuple(labels), _only_level(behaviour, read["level"], lines, labels), meeting=behaviour in MEETING_BEHAVIOURS,
    )  # fmt: skip


def _contrast(read: Mapping[str, Any], author: str) -> list[Example]:
    """The passages of one buyer situation; the situation stands for what the buyer had said before."""
    behaviour = read["behaviour"]
    group = "" if author in JUDGED else author
    before = frozenset(content_words(read["situation"]))
    found = []
    for passage in read["passages"]:
        turns = passage["turns"]
        lines = tuple(Line(turn["speaker"] != "buyer", turn["text"]) for turn in turns)
        labels = tuple(_only(behaviour, _row(behaviour, _named(turn["labels"], behaviour))) for turn in turns)
        name = f"{read['id']}-{passage['level']}"
        speakers = tuple(turn["speaker"] for turn in turns)
        levels = _only_level(behaviour, passage["level"], lines, labels)
        found.append(Example(name, "contrast", group, lines, speakers, labels, levels, before=before))
    return found
