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
from pipeline.calibrate.figures import coverage, evidence_hits, figures, kappa, median_level
from pipeline.calibrate.learn import train_model
from pipeline.calibrate.levels import fit_ordinal
from pipeline.calibrate.noise import Mishearing
from pipeline.calibrate.samples import (
    Prepared,
    Progress,
    Sample,
    Settings,
    judge_call,
    noisy_lines,
    prepare_calls,
)
from pipeline.records import BEHAVIOURS

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "FOLDS",
    "KINDS",
    "NOISE",
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
FOLDS = 4
"""Models trained for the held-out readings, each without a quarter of the authors."""
KINDS = ("clean", "noisy")
_HEARING_SEED = 7


@dataclass(frozen=True, slots=True)
class Held:
    """Sales calls read by models that never saw their authors: `readings` by kind of text ("clean", "noisy")."""

    calls: tuple[Example, ...]
    readings: dict[str, list[Reading]]

    def features(self, kind: str) -> Array:
        """(calls, behaviours, features)."""
        return np.array([view_features(reading.view)[0] for reading in self.readings[kind]])

    def levels(self) -> NDArray[np.int64]:
        """(calls, behaviours) labelled levels."""
        return np.array([call.levels for call in self.calls], dtype=np.int64)

    def groups(self) -> NDArray[np.int64]:
        """(calls,) author groups."""
        return np.array([call.group for call in self.calls], dtype=np.int64)


def held_out_readings(
    encoder: Encoder,
    examples: Sequence[Example],
    samples: Sequence[Sequence[Sample]],
    mishear: Mishearing,
    settings: Settings,
    progress: Progress | None = None,
) -> Held:
    """Every sales call, clean and noisy, read by a model trained without its author's calls."""
    numbers = [i for i, example in enumerate(examples) if example.kind == "call" and example.group >= 0]
    calls = [examples[i] for i in numbers]
    heard = {
        "clean": [call.lines for call in calls],
        "noisy": [noisy_lines(call, mishear, NOISE, _HEARING_SEED) for call in calls],
    }
    ready = {kind: prepare_calls(encoder, lines, settings.frozen_layers) for kind, lines in heard.items()}
    groups = sorted({call.group for call in calls})
    readings: dict[str, dict[int, Reading]] = {kind: {} for kind in heard}
    for fold in range(min(FOLDS, len(groups))):
        out = {i for i in numbers if examples[i].group in groups[fold::FOLDS]}
        model, heads = train_model(samples, set(range(len(examples))) - out, settings, progress)
        for kind, prepared in ready.items():
            readings[kind].update(_read(model, heads, prepared, numbers, out, settings))
    return Held(tuple(calls), {kind: [found[i] for i in numbers] for kind, found in readings.items()})


def _read(
    model: Encoder,
    heads: dict[str, Tensor],
    prepared: Sequence[Prepared],
    numbers: Sequence[int],
    chosen: set[int],
    settings: Settings,
) -> dict[int, Reading]:
    return {
        i: judge_call(model, heads, call, settings.frozen_layers)
        for i, call in zip(numbers, prepared, strict=True)
        if i in chosen
    }


def fit_levels(held: Held, used: NDArray[np.bool_]) -> dict[str, Ordinal]:
    """The ordinal model of each behaviour, fitted on the clean and the noisy readings of the calls in `used`."""
    features = np.vstack([held.features("clean")[used], held.features("noisy")[used]])
    levels = np.concatenate([held.levels()[used]] * 2)
    return {b: fit_ordinal(features[:, i], levels[:, i]) for i, b in enumerate(BEHAVIOURS)}


def held_out_probabilities(held: Held) -> dict[str, Array]:
    """By kind of text: P(level) of every call, (calls, behaviours, 4), by ordinal models fitted on other authors."""
    groups = held.groups()
    found = {kind: np.zeros((len(groups), len(BEHAVIOURS), 4)) for kind in held.readings}
    for group in sorted(set(groups.tolist())):
        models = fit_levels(held, groups != group)
        for kind, rows in found.items():
            features = held.features(kind)
            for i, b in enumerate(BEHAVIOURS):
                rows[groups == group, i] = models[b](features[groups == group, i])
    return found


def predictions(held: Held) -> list[dict[str, Any]]:
    """One JSON-ready row a call: id, author group and, by kind of text and behaviour, probabilities and cited turns."""
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
                for i, b in enumerate(BEHAVIOURS)
            }
        rows.append(row)
    return rows


def people_agree(corpus: Path, examples: Sequence[Example]) -> dict[str, float]:
    """By behaviour, the weighted kappa of the labels and the second rater's blind levels of the same sales calls; empty
    where nobody rated a second time."""
    labels = {example.name: example.levels for example in examples if example.kind == "call" and example.group >= 0}
    lines = [
        line for path in sorted((corpus / "ratings").glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]
    second = {row["call_id"]: row["levels"] for row in map(json.loads, lines) if row["call_id"] in labels}
    found: dict[str, float] = {}
    for i, b in enumerate(BEHAVIOURS if second else ()):
        pairs = np.array([(labels[name][i], levels[b]) for name, levels in second.items()], dtype=np.int64)
        found[b] = round(kappa(pairs[:, 0], pairs[:, 1]), 3)
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
        for b in BEHAVIOURS
    ]


def evaluate(rows: Sequence[Mapping[str, Any]], examples: Sequence[Example]) -> dict[str, Any]:
    """Figures of the predictions against the corpus, by kind of text and behaviour, and coverage by confidence."""
    by_name = {example.name: example for example in examples}
    calls = [by_name[row["call_id"]] for row in rows]
    levels = np.array([call.levels for call in calls], dtype=np.int64)
    report: dict[str, Any] = {"calls": len(calls), "noise": NOISE}
    for kind in KINDS:
        chances = np.array([[row[kind][b]["probabilities"] for b in BEHAVIOURS] for row in rows])
        table = {}
        for i, b in enumerate(BEHAVIOURS):
            said = median_level(chances[:, i])
            cited = [set(row[kind][b]["turns"]) for row in rows]
            table[b] = figures(levels[:, i], said) | evidence_hits(calls, cited, i, said)
        report[kind] = {
            "behaviours": table,
            "coverage": coverage(levels.reshape(-1), chances.reshape(-1, 4)),
            "coverage_by_behaviour": {b: coverage(levels[:, i], chances[:, i]) for i, b in enumerate(BEHAVIOURS)},
        }
    return report
