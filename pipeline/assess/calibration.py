"""A calibration file: thresholds fitted to people's levels, for one version of a rubric and one classifier.

JSON, without a clock in it; its id is the hash of its content, so a file that was changed by hand is refused.
`ridealong calibrate` writes it, and scoring with it puts its thresholds in place of the rubric's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import CalibrationError, UsageError
from pipeline.records import Agreement

__all__ = ["FORMAT", "Calibration", "load_calibration", "with_id"]

FORMAT = 1
"""The version of the file's form; a reader refuses one that it does not know."""
MAX_BYTES = 5_000_000
_AGAIN = "Make it again: ridealong calibrate RATINGS --scores FOLDER --out FOLDER."
_NEEDED = ("format", "id", "rubric", "classifier", "ratings", "behaviours")


@dataclass(frozen=True, slots=True)
class Calibration:
    """What scoring needs of a calibration file. `thresholds` are those of the behaviours where fitted ones were kept.

    `agreement` is that of the machine with the raters' agreed level, on calls that the thresholds were not chosen on;
    its `between_people` is that of two raters."""

    id: str
    file: str
    rubric_id: str
    rubric_version: str
    classifier: str
    raters: int
    thresholds: tuple[tuple[str, tuple[float, float, float]], ...]
    agreement: tuple[Agreement, ...] = ()

    def check_classifier(self, version: str) -> None:
        """Raise UsageError unless this calibration was made for the classifier of that version."""
        if version != self.classifier:
            raise UsageError(
                f"{self.file}: made for the classifier {self.classifier}, and this one is {version}: its thresholds "
                "mean nothing here. Score the rated calls again with this classifier and calibrate on them, or leave "
                "out --calibration."
            )


def with_id(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with its format and, first, the id that its hash gives it."""
    body = {"format": FORMAT, **content}
    return {"id": _id(body), **body}


def load_calibration(path: str | Path) -> Calibration:
    """The calibration in a file. Raises CalibrationError with everything that is wrong with the file."""
    path = Path(path)
    values = _read(path)
    faults = _faults(values)
    if faults:
        raise CalibrationError(path, faults, _AGAIN)
    try:
        return _calibration(path.name, values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CalibrationError(path, [f"not a calibration: {error!r}"], _AGAIN) from error


def _calibration(name: str, values: Mapping[str, Any]) -> Calibration:
    kept = ((behaviour, one["thresholds"]) for behaviour, one in values["behaviours"].items() if one["kept"])
    return Calibration(
        id=values["id"],
        file=name,
        rubric_id=values["rubric"]["id"],
        rubric_version=values["rubric"]["version"],
        classifier=values["classifier"],
        raters=len(values["ratings"]["raters"]),
        thresholds=tuple(
            (behaviour, (float(low), float(middle), float(high))) for behaviour, (low, middle, high) in kept
        ),
        agreement=tuple(
            Agreement(behaviour, **one["held_out"])
            for behaviour, one in values["behaviours"].items()
            if one["held_out"]
        ),
    )


def _id(body: Mapping[str, Any]) -> str:
    text = json.dumps({name: value for name, value in body.items() if name != "id"}, sort_keys=True, ensure_ascii=False)
    return f"calibration-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CalibrationError(path, [f"{path.stat().st_size} bytes; allowed are {MAX_BYTES}"], _AGAIN)
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        fault = f"cannot be read: {error.strerror}"
        raise CalibrationError(path, [fault], "Check the path and its permissions.") from error
    except (ValueError, RecursionError) as error:
        raise CalibrationError(path, [f"not JSON: {error}"], _AGAIN) from error
    if not isinstance(values, dict):
        raise CalibrationError(path, ["not a calibration: the file holds no JSON object"], _AGAIN)
    return values


def _faults(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with a calibration; one that was written by `with_id` and not changed since has no faults."""
    missing = [name for name in _NEEDED if name not in values]
    if missing:
        return [f"not a calibration: there is no {name!r}" for name in missing]
    if values["format"] != FORMAT:
        return [f"format {values['format']!r}; this version of ridealong reads format {FORMAT}"]
    if values["id"] != _id(values):
        return [f"its content is not that of {values['id']!r}: the file was changed after it was written"]
    return []
