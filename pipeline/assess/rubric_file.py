"""Reading a rubric file: YAML in, plain values out, or a RubricError that lists every fault with its line and path."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pipeline import resources
from pipeline.errors import RubricError
from pipeline.records import CRITERIA, JUDGED

REMEDY = "Mend these and run again; docs/rubrics.md explains each field, and the shipped rubrics are examples."
MAX_BYTES = 1_000_000
Place = tuple[str | int, ...]


def read_faultless(path: Path) -> tuple[dict[str, Any], str]:
    """The values of a rubric file and the SHA-256 of its bytes. Raises RubricError with all faults at once."""
    data = _read(path)
    try:
        node = yaml.compose(data.decode("utf-8"), Loader=yaml.SafeLoader)
        values = yaml.safe_load(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RubricError(path, [f"byte {error.start}: not UTF-8 text"], REMEDY) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise RubricError(path, [_yaml_fault(error)], REMEDY) from error
    lines = dict(_lines(node)) if node else {}
    faults = [*_duplicates(node), *_schema_faults(values), *_meaning_faults(values)]
    if faults:
        ordered = sorted(faults, key=lambda fault: (_line(lines, fault[0]), fault[1]))
        raise RubricError(path, [_sentence(lines, place, text) for place, text in ordered], REMEDY)
    return values, hashlib.sha256(data).hexdigest()


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RubricError(path, [f"{path.stat().st_size} bytes: a rubric has at most {MAX_BYTES}"], REMEDY)
        return path.read_bytes()
    except OSError as error:
        raise RubricError(path, [f"cannot be read: {error.strerror}"], "Check the path and its permissions.") from error


def _yaml_fault(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "not valid YAML"
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else f"line 1: {problem}"


def _lines(node: yaml.Node, place: Place = ()) -> Iterator[tuple[Place, int]]:
    """Every place in the file with its line, counted from 1."""
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*place, key.value), key.start_mark.line + 1
            yield from ((inner, line) for inner, line in _lines(value, (*place, key.value)) if inner != place)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*place, index))


def _duplicates(node: yaml.Node | None, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """YAML keeps the last of two equal keys without a word; a rubric must not lose a line that way."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if key.value in seen:
                yield (*place, key.value), f"given twice (first on line {seen[key.value]}); keep one"
            seen.setdefault(key.value, key.start_mark.line + 1)
            yield from _duplicates(value, (*place, key.value))


def _schema_faults(values: Any) -> Iterator[tuple[Place, str]]:
    from jsonschema import Draft202012Validator

    schema = json.loads(resources.rubric_schema().read_text(encoding="utf-8"))
    for error in Draft202012Validator(schema).iter_errors(values):
        yield tuple(error.absolute_path), error.message


def _meaning_faults(values: Any) -> Iterator[tuple[Place, str]]:
    """What a schema cannot say: behaviours that nothing can judge, criteria that do not exist, ranges upside down."""
    if not isinstance(values, dict):
        return
    for name, entry in _mapping(values.get("behaviours")):
        if isinstance(entry, dict):
            yield from _behaviour_faults(str(name), entry)
    for name, usual in _mapping(values.get("talk")):
        if isinstance(usual, list) and len(usual) == 2 and all(isinstance(one, int | float) for one in usual):
            if usual[0] >= usual[1]:
                yield ("talk", name), f"the range {usual} is empty: write [low, high]"
            if name == "talk_share" and usual[1] > 1:
                yield ("talk", name), f"{usual[1]} is more than 1: talk_share is a share from 0 to 1, not a percentage"


def _behaviour_faults(name: str, entry: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    judged_as = entry.get("judged_as", name)
    if judged_as not in CRITERIA:
        place: Place = ("behaviours", name, "judged_as") if "judged_as" in entry else ("behaviours", name)
        yield place, f"no classifier judges {judged_as!r}; those that are judged: {', '.join(JUDGED)}"
        return
    for criterion, _ in _mapping(entry.get("criteria")):
        if criterion not in CRITERIA[judged_as]:
            allowed = ", ".join(CRITERIA[judged_as])
            yield ("behaviours", name, "criteria", criterion), f"not a criterion of {judged_as}; allowed: {allowed}"


def _mapping(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _line(lines: dict[Place, int], place: Place) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _sentence(lines: dict[Place, int], place: Place, text: str) -> str:
    where = ".".join(str(part) for part in place) or "the file"
    return f"line {_line(lines, place)}, {where}: {text}"
