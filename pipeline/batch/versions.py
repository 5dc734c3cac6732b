"""What a result rests on, as fingerprints: engine, judge and rubric with what the manifest says, in; `Versions` out.

Two parts of 16 hex digits each: the rule (an engine, a judge, a rubric) and the facts of the row that the stage heeds,
so that a plan can say which of both changed. What listening heeds is what `pipeline.listening.expected_of` takes from a
row; an imported transcript is listened to by nobody, so no engine is part of its versions.

The code's version is not part of them: an upgrade must not listen to a million calls again. Whoever changes what a
stage makes of the same input raises that stage's number below by hand; the code's version is in the provenance.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.archive.recordings import Marks, Need, Versions
from pipeline.assess.calibration import Calibration, load_calibration
from pipeline.assess.judge_file import read_judge
from pipeline.assess.rubric import Rubric, calibrated, load_rubric, rubric_for
from pipeline.batch.identify import Models, models_of
from pipeline.batch.rows import row_of
from pipeline.errors import UsageError
from pipeline.listening import expected_of
from pipeline.records import CALL_TYPES
from pipeline.settings import ListenSettings

__all__ = ["JUDGING", "LEVELLING", "LISTENING", "Rule", "Rules", "needed", "rules_of", "versions_of", "with_files_of"]

LISTENING = "1"
"""Raised by hand when the code hears other words, voices or times in the same recording, or reads a transcript anew."""
JUDGING = "1"
"""Raised by hand when the code tells other roles, or when a judge of the same version finds something else."""
LEVELLING = "1"
"""Raised by hand when the code makes other levels, measures or pages of the same findings."""

_MARK = 16  # hex digits: 64 bits, so that two of a million differ surely
_ENCODE = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode
_FILE_NAMED = ("call_id was not given", "the transcript ")
"""How the assumptions begin that a file's name is part of: a copy under another name has the same scorecard."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An engine, a judge or a rubric: its fingerprint (16 hex digits) and its name for people."""

    mark: str
    words: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What all recordings of a run are done with. `rubrics` are by call type; one in `faults` (call type, reason)
    cannot be used for its type of call, which matters where there is such a call. `notes` are sentences for people."""

    engine: Rule
    judge: Rule
    rubrics: tuple[tuple[str, Rule], ...]
    settings: ListenSettings
    hears_names: bool = False
    faults: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def plan(self) -> str:
        """One fingerprint of all of them: two runs that would make other results of a recording differ in it."""
        marks = [self.engine.mark, self.judge.mark, *([name, rule.mark] for name, rule in self.rubrics)]
        return _mark([marks, self.settings.speakers, self.settings.language])

    @property
    def marks(self) -> Marks:
        """What the versions of recordings begin with under these rules."""
        levelling = tuple((name, rule.mark) for name, rule in self.rubrics)
        return Marks(self.plan, (self.engine.mark, _imported()), self.judge.mark, levelling)

    def rubric(self, call_type: str) -> Rule:
        """The rubric for calls of this type. Raises UsageError where the calibration is not made for it."""
        found = dict(self.rubrics).get(call_type)
        if found is None:
            raise UsageError(dict(self.faults)[call_type])
        return found


# --- rules ----------------------------------------------------------------------------------------


def rules_of(
    settings: ListenSettings,
    rubric: str | Path | None = None,
    judge: str | Path | None = None,
    calibration: str | Path | None = None,
) -> Rules:
    """What these settings mean, with everything that they name loaded once, in a process of its own.

    Raises UsageError where the request is wrong (an unknown rubric, a judge's file with faults, a calibration for
    another classifier), ListeningError where the engine or the weights that are asked for cannot be had.
    """
    used = None if calibration is None else load_calibration(calibration)
    one = None if rubric is None else load_rubric(rubric)
    rubrics, faults = _rubrics(one, used)
    if judge is not None:
        read_judge(Path(judge))  # every fault of the file, before anything is loaded
    models = models_of(settings, judge)
    if used is not None:
        used.check_classifier(models.judge)
    return Rules(
        engine=_engine(settings, models),
        judge=Rule(_mark([JUDGING, models.judge, models.judge_facts]), models.judge),
        rubrics=rubrics,
        settings=settings,
        hears_names=models.hears_names,
        faults=faults,
        notes=models.notes,
    )


def _engine(settings: ListenSettings, models: Models) -> Rule:
    """The engine with the settings that change what it hears. Limits and seconds only say when it gives up; language
    and number of speakers are part of what a row tells, or not."""
    vocabulary = settings.vocabulary if models.hears_names else ()
    words = ", ".join(f"{name} {version}" for name, version in models.engine_models)
    return Rule(_mark([LISTENING, models.engine, models.engine_models, vocabulary]), f"{models.engine}: {words}")


def _rubrics(
    rubric: Rubric | None, calibration: Calibration | None
) -> tuple[tuple[tuple[str, Rule], ...], tuple[tuple[str, str], ...]]:
    """By call type the rubric, or why there is none. Raises UsageError where there is none for any type."""
    rules, faults = [], []
    for call_type in CALL_TYPES:
        used = rubric or rubric_for(call_type)
        try:
            rules.append((call_type, _rubric(used if calibration is None else calibrated(used, calibration))))
        except UsageError as error:
            faults.append((call_type, str(error)))
    if not rules:
        raise UsageError(faults[0][1])
    return tuple(rules), tuple(faults)


def _rubric(rubric: Rubric) -> Rule:
    calibration = rubric.calibration.id if rubric.calibration else None
    words = f"{rubric.id} {rubric.version}" + (f" with {calibration}" if calibration else "")
    return Rule(_mark([LEVELLING, rubric.id, rubric.version, rubric.sha256, calibration]), words)


# --- versions -------------------------------------------------------------------------------------


def versions_of(row: Mapping[str, Any], rules: Rules, files: Mapping[str, str] | None = None) -> Versions:
    """The versions of a recording with this row (`rows.row_dict`). `files` are the etags, by key, of the transcript and
    the RTTM file that it names beside the recording."""
    companions = [row[name] for name in ("transcript", "rttm") if row["recording"] and row.get(name)]
    beside = _mark([[key, (files or {}).get(key, "")] for key in companions]) if companions else ""
    return Versions(
        listening=f"{_listening(row, rules)}{beside}",
        judging=f"{rules.judge.mark}{_facts(row, 'call_type', 'rep', 'manager', 'customers', 'channels', 'language')}",
        levelling=f"{rules.rubric(row['call_type']).mark}{_levelling(row)}",
    )


def with_files_of(wanted: Versions, done: Versions) -> Versions:
    """The versions wanted of a recording that is gone with what lay beside it: those files count as they were read."""
    return replace(wanted, listening=f"{wanted.listening[: 2 * _MARK]}{done.listening[2 * _MARK :]}")


def _listening(row: Mapping[str, Any], rules: Rules) -> str:
    if row.get("transcript"):
        return f"{_imported()}{_facts(row, 'language')}"
    told = {name: value for name, value in row.items() if name in _HEEDED}
    if not rules.hears_names:
        told = _numbered(told)
    return f"{rules.engine.mark}{_expected(_ENCODE(told), rules.settings, rules.hears_names)}"


_HEEDED = ("call_type", "rep", "manager", "customers", "channels", "speakers", "language", "products", "rttm")


def _numbered(told: dict[str, Any]) -> dict[str, Any]:
    """What is told, with a number for each name: an engine that expects no names heeds how many there are. Most rows
    of a manifest are then the same."""
    numbers: dict[str, str] = {}

    def number(cell: str) -> str:
        names = (part.strip() for part in cell.split(";"))
        return ";".join(numbers.setdefault(name, str(len(numbers))) for name in names if name)

    people: dict[str, Any] = {name: number(told[name]) for name in ("rep", "manager") if name in told}
    return {**told, **people, "customers": [number(name) for name in told.get("customers", ())], "products": []}


@lru_cache(maxsize=4096)
def _expected(told: str, settings: ListenSettings, hears_names: bool) -> str:
    """The fingerprint of what listening heeds of a row."""
    values = {**json.loads(told), "call_id": "-"}
    rttm = Path(values.pop("rttm")) if values.get("rttm") else None
    expected = expected_of(row_of(values, rttm=rttm), settings)
    heeded = (one.name for one in fields(expected) if hears_names or one.name != "terms")
    return _mark([[name, getattr(expected, name)] for name in heeded])


@lru_cache(maxsize=1)
def _imported() -> str:
    return _mark([LISTENING, "imported"])


def _levelling(row: Mapping[str, Any]) -> str:
    assumed = [said for said in row.get("defaults", ()) if not said.startswith(_FILE_NAMED)]
    return _cached(_ENCODE([assumed, row.get("started_at"), row.get("details")]))


def _facts(row: Mapping[str, Any], *names: str) -> str:
    return _cached(_ENCODE([row.get(name) for name in names]))


@lru_cache(maxsize=4096)
def _cached(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_MARK]


def _mark(value: Any) -> str:
    return hashlib.sha256(_ENCODE(value).encode()).hexdigest()[:_MARK]


# --- what has to be done --------------------------------------------------------------------------


def needed(done: Versions, wanted: Versions) -> tuple[Need | None, str]:
    """What has to be done of a recording that was done with other versions, and why; (None, "") where nothing has."""
    if done.listening != wanted.listening:
        return "listen", _why(done.listening, wanted.listening, "engine changed")
    if done.judging != wanted.judging:
        return "assess", _why(done.judging, wanted.judging, "judge changed")
    if done.levelling != wanted.levelling:
        return "level", _why(done.levelling, wanted.levelling, "rubric changed")
    return None, ""


def _why(done: str, wanted: str, rule: str) -> str:
    """Which part of a version differs."""
    if not done:
        return "new"
    if done[:_MARK] != wanted[:_MARK]:
        return rule
    same_row = done[_MARK : 2 * _MARK] == wanted[_MARK : 2 * _MARK]
    return "transcript or RTTM changed" if same_row else "manifest changed"
