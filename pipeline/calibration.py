"""Calibrating, from files to files: ratings.csv and a folder of scorecards in, calibration.json and its page out.

The command without a terminal. What is computed is in `pipeline.calibrate`; this reads, checks and writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.archive.folder import check_folder, scorecard_files, write_file
from pipeline.assess.rubric import Rubric, load_rubric
from pipeline.calibrate.calibration import TARGET_ERROR, Calibrated, calibrate
from pipeline.calibrate.calibration_file import file_content
from pipeline.calibrate.machine import REMEDY, Machine, machine_of
from pipeline.calibrate.ratings import read_ratings
from pipeline.errors import CalibrationError, UsageError
from pipeline.records import JUDGED, MEASURED_BEHAVIOURS
from pipeline.report.calibration_page import calibration_page

__all__ = ["FILE", "PAGE", "calibrate_files"]

FILE, PAGE = "calibration.json", "calibration.html"


def calibrate_files(
    ratings: str | Path,
    *,
    out: str | Path,
    scores: str | Path | None = None,
    rubric: str | Path | None = None,
    target_error: float = TARGET_ERROR,
) -> Calibrated:
    """What the ratings say; OUT/calibration.html shows it and, with `scores`, OUT/calibration.json is for scoring.

    `scores` is a folder of scorecards as scoring writes it, `rubric` the one that judged them: a name or a file, by
    default the shipped one of the scorecards' rubric id. Raises UsageError where something of this cannot be used, with
    every fault of the ratings at once; then nothing is written.
    """
    if not 0.005 <= target_error <= 0.5:
        raise UsageError(f"--target-error {target_error}: a share of the given levels is wanted, from 0.005 to 0.5")
    chosen = None if rubric is None else load_rubric(rubric)
    machine = None if scores is None else machine_of(_cards(Path(scores)), scores, chosen.id if chosen else None)
    if machine is not None:
        chosen = _same_rubric(machine, chosen, scores)
    own = [one.name for one in chosen.behaviours] if chosen else []
    names = list(dict.fromkeys((*own, *JUDGED, *MEASURED_BEHAVIOURS)))
    found = calibrate(
        read_ratings(Path(ratings), names, None if machine is None else [*machine.said, *machine.others]),
        machine,
        chosen,
        target_error,
    )
    _write(found, Path(out))
    return found


def _cards(folder: Path) -> list[Mapping[str, Any]]:
    cards: list[Mapping[str, Any]] = []
    faults: list[str] = []
    if not folder.is_dir():
        raise CalibrationError(folder, ["there is no such folder"], REMEDY)
    for file in scorecard_files(folder):
        try:
            card = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            faults.append(f"{file.relative_to(folder)}: cannot be read ({error})")
            continue
        if isinstance(card, dict):
            cards.append(card)
        else:
            faults.append(f"{file.relative_to(folder)}: not a scorecard, which is a JSON object")
    if faults:
        raise CalibrationError(folder, faults, REMEDY)
    return cards


def _same_rubric(machine: Machine, chosen: Rubric | None, scores: object) -> Rubric:
    """The rubric that judged the scorecards. Raises UsageError where it is not at hand or another version."""
    if chosen is None:
        try:
            chosen = load_rubric(machine.rubric_id)
        except UsageError as error:
            raise UsageError(
                f"{scores}: the calls were judged by the rubric {machine.rubric_id}, which is none of the shipped "
                "ones. Name its file with --rubric."
            ) from error
    if chosen.version != machine.rubric_version:
        fault = (
            f"judged by the rubric {machine.rubric_id} {machine.rubric_version}, and the rubric given is of version "
            f"{chosen.version}"
        )
        raise CalibrationError(scores, [fault], "Score the calls again, or name the rubric's old file with --rubric.")
    return chosen


def _write(found: Calibrated, out: Path) -> None:
    check_folder(out)
    calibration_id = None
    if found.machine is not None:
        content = file_content(found)
        calibration_id = content["id"]
        write_file(out / FILE, json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
    write_file(out / PAGE, calibration_page(found, calibration_id))
