"""Cross-validation by author: corpus in; readings, predictions and figures of calls whose authors were held out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.assess.encoder import Encoder
from pipeline.assess.evidence import evidence_turns
from pipeline.assess.features import Array, Ordinal, view_features
from pipeline.assess.reading import Reading
from pipeline.calibrate.corpus import Example
from pipeline.calibrate.figures import calibration_error, coverage, evidence_hits, figures, kappa, median_level
from pipeline.calibrate.learn import train_model
from pipeline.calibrate.levels import fit_ordinal
from pipeline.calibrate.noise import Mishearing
from pipeline.calibrate.samples import (
    Progress,
    Sample,
    Settings,
    judge_call,
    noisy_lines,
    prepare_calls,
)
from pipeline.calibrate.thresholds import choose_risk
from pipeline.records import BEHAVIOURS, JUDGED

if TYPE_CHECKING:
    pass

__all__ = [
    "FOLDS",
    "KINDS",
    "NOISE",
    "TARGET_ERROR",
    "Held",
    "agreement",
    "evaluate",
    "fit_levels",
    "held_out_readings",
    "people_agree",
    "predictions",
]

NOISE = 0.15
"""Share of wrong words in the noisy half of the evaluation, which has no punctuation either."""
TARGET_ERROR = 0.04
"""Of the levels given, the share that may be two or more off: the shipped rubrics' `max_risk` comes from it."""
FOLDS = 3
"""Models trained for the held-out readings, each without a third of the authors."""
KINDS = ("clean", "noisy")
_HEARING_SEED = 7


@dataclass(frozen=True, slots=True)
class Held:
    """Whole calls read by models that never saw their authors: `readings` by kind of text ("clean", "noisy")."""

    calls: tuple[Example, ...]
    readings: dict[str, list[Reading]]

    def rated(self, behaviour: str) -> NDArray[np.int64]:
        """The numbers of the calls with a level of the behaviour."""
        return np.array([n for n, call in enumerate(self.calls) if call.level(behaviour) is not None], dtype=np.int64)

    def features(self, kind: str) -> Array:
        """(calls, behaviours, features)."""
        return np.array([view_features(reading.view)[0] for reading in self.readings[kind]])

    def groups(self) -> NDArray[np.str_]:
        """(calls,) author groups."""
        return np.array([call.group for call in self.calls])


def held_out_readings(
    encoder: Encoder,
    examples: Sequence[Example],
    samples: Sequence[Sequence[Sample]],
    mishear: Mishearing,
    settings: Settings,
    progress: Progress | None = None,
) -> Held:
    """Every whole call, clean and noisy, read by a model trained without its author's calls and passages."""
    calls = [example for example in examples if example.kind == "call" and not example.other]
    heard = {
        "clean": [call.lines for call in calls],
        "noisy": [noisy_lines(call, mishear, NOISE, _HEARING_SEED) for call in calls],
    }
    ready = {kind: prepare_calls(encoder, lines, settings.frozen_layers) for kind, lines in heard.items()}
    groups = by_author(calls)
    readings: dict[str, dict[int, Reading]] = {kind: {} for kind in heard}
    for fold in range(min(FOLDS, len(groups))):
        out = set(groups[fold::FOLDS])
        model, heads = train_model(samples, out, settings, progress, encoder.folder)
        for kind, prepared in ready.items():
            for number, call in enumerate(calls):
                if call.group in out:
                    readings[kind][number] = judge_call(model, heads, prepared[number], settings.frozen_layers)
    return Held(tuple(calls), {kind: [found[n] for n in range(len(calls))] for kind, found in readings.items()})


def by_author(calls: Sequence[Example]) -> list[str]:
    """The author groups in the order in which they are dealt out to folds: first those of the calls t, and then the
    letters, so that the two authors of meetings come into different folds."""
    return sorted({call.group for call in calls}, key=lambda group: (not group.startswith("t"), group))


def fit_levels(held: Held, without: str | None = None) -> dict[str, Ordinal]:
    """The ordinal model of each behaviour that has labelled calls, fitted on the clean and the noisy readings of the
    calls of every author but `without`."""
    groups = held.groups()
    clean, noisy = held.features("clean"), held.features("noisy")
    found = {}
    for index, behaviour in enumerate(JUDGED):
        used = [n for n in held.rated(behaviour) if groups[n] != without]
        if not used:
            continue
        levels = np.array([held.calls[n].level(behaviour) for n in used] * 2, dtype=np.int64)
        found[behaviour] = fit_ordinal(np.vstack([clean[used, index], noisy[used, index]]), levels)
    return found


def held_out_probabilities(held: Held) -> dict[str, Array]:
    """By kind of text: P(level) of every call, (calls, behaviours, 4), by ordinal models fitted on other authors."""
    groups = held.groups()
    found = {kind: np.zeros((len(groups), len(JUDGED), 4)) for kind in held.readings}
    features = {kind: held.features(kind) for kind in held.readings}
    for group in sorted(set(groups.tolist())):
        models = fit_levels(held, group)
        for kind, rows in found.items():
            for i, b in enumerate(JUDGED):
                if b in models:
                    rows[groups == group, i] = models[b](features[kind][groups == group, i])
    return found


def predictions(held: Held, frozen: Array) -> list[dict[str, Any]]:
    """One JSON-ready row a call: id, author group and, by kind of text and behaviour, probabilities and cited turns;
    for sales calls also what the frozen encoder says (`frozen`: sales calls in order, core behaviours, 4)."""
    simple = iter(frozen)
    chances = held_out_probabilities(held)
    rows = []
    for number, call in enumerate(held.calls):
        row: dict[str, Any] = {"call_id": call.name, "group": call.group}
        for kind in KINDS:
            row[kind] = {
                b: {
                    "probabilities": [round(float(p), 4) for p in chances[kind][number, i]],
                    "turns": list(evidence_turns(held.readings[kind][number], i)),
                }
                for i, b in enumerate(JUDGED)
                if call.level(b) is not None and chances[kind][number, i].any()
            }
        if call.sales_call:
            chance = next(simple)
            row["frozen"] = {b: [round(float(p), 4) for p in chance[i]] for i, b in enumerate(BEHAVIOURS)}
        rows.append(row)
    return rows


def people_agree(corpus: Path, examples: Sequence[Example]) -> dict[str, float]:
    """By behaviour, the weighted kappa of the labels and the second rater's blind levels of the same sales calls; empty
    where nobody rated a second time."""
    calls = {example.name: example for example in examples if example.kind == "call"}
    lines = [
        line for path in sorted((corpus / "ratings").glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]
    second = {row["call_id"]: row["levels"] for row in map(json.loads, lines) if row["call_id"] in calls}
    found: dict[str, float] = {}
    for b in JUDGED:
        pairs = [(calls[name].level(b), levels.get(b)) for name, levels in second.items()]
        both = np.array([pair for pair in pairs if None not in pair], dtype=np.int64)
        if len(both):
            found[b] = round(kappa(both[:, 0], both[:, 1]), 3)
    return found


def agreement(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What scorecards say of the machine's agreement with people, from the figures on text as written."""
    rows = report["clean"]["behaviours"]
    return [
        {
            "behaviour": b,
            "kappa": rows[b]["kappa"],
            "low": rows[b]["kappa_low"],
            "high": rows[b]["kappa_high"],
            "calls": rows[b]["n"],
            "between_people": report["between_people"].get(b),
        }
        for b in rows
    ]


def evaluate(rows: Sequence[Mapping[str, Any]], examples: Sequence[Example]) -> dict[str, Any]:
    """Figures of the predictions against the corpus, by kind of text and behaviour, and coverage by confidence."""
    calls = {example.name: example for example in examples}
    report: dict[str, Any] = {
        "calls": sum(calls[row["call_id"]].sales_call for row in rows),
        "authors": len({row["group"] for row in rows if calls[row["call_id"]].sales_call}),
        "noise": NOISE,
        "baselines": _baselines(rows, calls),
    }
    for kind in KINDS:
        table, by_behaviour, core = {}, {}, []
        for b in JUDGED:
            rated = [row for row in rows if b in row[kind]]
            if not rated:
                continue
            true = np.array([calls[row["call_id"]].level(b) for row in rated], dtype=np.int64)
            chances = np.array([row[kind][b]["probabilities"] for row in rated])
            said = median_level(chances)
            cited = [set(row[kind][b]["turns"]) for row in rated]
            hits = evidence_hits([calls[row["call_id"]] for row in rated], cited, JUDGED.index(b), said)
            table[b] = figures(true, said) | hits | {"calibration_error": calibration_error(true, chances)}
            by_behaviour[b] = coverage(true, chances)
            if b in BEHAVIOURS:
                core.append((true, chances))
        report[kind] = {
            "behaviours": table,
            "risk": _risk(core),
            "coverage": coverage(np.concatenate([t for t, _ in core]), np.vstack([c for _, c in core])),
            "coverage_by_behaviour": by_behaviour,
        }
    return report


def _risk(core: Sequence[tuple[NDArray[np.int64], Array]]) -> dict[str, Any]:
    """The `max_risk` at which at most TARGET_ERROR of the given core levels are two or more off, and what it gives."""
    true = np.concatenate([levels for levels, _ in core])
    chances = np.vstack([rows for _, rows in core])
    names = [str(number) for number in range(len(true))]
    said = dict(zip(names, median_level(chances).tolist(), strict=True))
    rows = {name: tuple(row) for name, row in zip(names, chances.tolist(), strict=True)}
    found = choose_risk(rows, dict(zip(names, true.tolist(), strict=True)), said, TARGET_ERROR)
    return {
        "target": TARGET_ERROR,
        "max_risk": found.max_risk,
        "given": found.given,
        "of": found.calls,
        "off": found.off,
    }


def _baselines(rows: Sequence[Mapping[str, Any]], calls: Mapping[str, Example]) -> dict[str, dict[str, float]]:
    """By core behaviour: how often the commonest level is right, and the figures of the frozen encoder."""
    found = {}
    for b in BEHAVIOURS:
        rated = [row for row in rows if b in row.get("frozen", {})]
        if not rated:
            continue
        true = np.array([calls[row["call_id"]].level(b) for row in rated], dtype=np.int64)
        said = median_level(np.array([row["frozen"][b] for row in rated]))
        commonest = np.full(len(true), np.bincount(true).argmax())
        middle = np.full(len(true), round(float(np.median(true))))
        found[b] = {
            "majority_exact": round(float((commonest == true).mean()), 3),
            "majority_within_one": round(float((abs(middle - true) <= 1).mean()), 3),
            "frozen_kappa": round(kappa(true, said), 3),
            "frozen_exact": round(float((said == true).mean()), 3),
            "frozen_within_one": round(float((abs(said - true) <= 1).mean()), 3),
        }
    return found
