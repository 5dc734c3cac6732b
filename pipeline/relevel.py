"""Scorecards of a folder under another rubric, and the bridge from the old levels to the new ones: a folder in, another
folder with the new scorecards, `bridge.json` and `bridge.html` out. The old folder is read only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from pipeline.archive.folder import check_writable, write_call, write_file
from pipeline.assess.bridge import Bridge, Moves
from pipeline.assess.relevel import relevelled
from pipeline.assess.rubric import Rubric
from pipeline.errors import CallError, UsageError
from pipeline.report.bridge_page import bridge_page

__all__ = ["BRIDGE", "relevel_folder"]

BRIDGE = "bridge"
"""The stem of the bridge's two files."""


def relevel_folder(
    scores: Path, out: Path, rubric: Rubric, *, progress: Callable[[str, int, int], None] | None = None
) -> Bridge:
    """The bridge from the levels in SCORES/calls to those in OUT/calls under `rubric`; the latter are written.

    A file that is no scorecard is recorded among the failures and the rest go on. Raises UsageError where there are no
    scorecards, where OUT is the same folder, or where the rubric is calibrated for another classifier.
    """
    files = sorted((scores / "calls").glob("*/scorecard.json"))
    if not files:
        raise UsageError(f"{scores}: no calls/*/scorecard.json in this folder; give one that ridealong score wrote")
    if out.resolve() == scores.resolve():
        raise UsageError(
            f"{out}: the old scorecards are kept, so the new ones need another folder; name one with --out"
        )
    check_writable(out)
    bridge = Bridge(rubric, tuple(Moves(one.name, one.title) for one in rubric.behaviours))
    for done, file in enumerate(files, 1):
        try:
            _relevel(file, out, bridge)
        except CallError as error:
            bridge.failures.append((file.parent.name, str(error)))
        if progress:
            progress("relevel", done, len(files))
    write_file(out / f"{BRIDGE}.json", json.dumps(bridge.to_dict(), ensure_ascii=False, indent=2) + "\n")
    write_file(out / f"{BRIDGE}.html", bridge_page(bridge))
    return bridge


def _relevel(file: Path, out: Path, bridge: Bridge) -> None:
    try:
        data = file.read_bytes()
        old = json.loads(data)
        new = relevelled(old, bridge.rubric, sha256=hashlib.sha256(data).hexdigest())
        given_by = f"{old['rubric']['id']} {old['rubric']['version']}"
        text = json.dumps(new, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CallError(
            f"{file}: cannot be read as a scorecard ({type(error).__name__}: {error}). Score the call again."
        ) from error
    write_call(out, file.parent.name, {"scorecard.json": text})
    bridge.calls += 1
    bridge.before[given_by] = bridge.before.get(given_by, 0) + 1
    for moves, behaviour in zip(bridge.moves, bridge.rubric.behaviours, strict=True):
        before = old["behaviours"].get(behaviour.name) or old["behaviours"].get(behaviour.judged_as)
        moves.count(before, new["behaviours"][behaviour.name])
