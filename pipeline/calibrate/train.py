"""Trains the classifier of the core behaviours: a labelled corpus in; weights, configuration and card out.

    python -m pipeline.calibrate.train data/corpus models/behaviours

Two stages. The heads (and the encoder's top layers, where `Settings.frozen_layers` leaves some) learn criteria and
passage levels from calls, snippets and contrast sets, clean and as a recogniser would hear them. Then, on readings of
calls that their model never saw (author groups held out in turn), small ordinal models learn P(level) of a whole call.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.assess.encoder import Encoder, base_encoder
from pipeline.assess.features import Array, Ordinal, view_features
from pipeline.assess.reading import Reading
from pipeline.calibrate.card import write_card, write_config
from pipeline.calibrate.corpus import Example, load_corpus
from pipeline.calibrate.figures import coverage, evidence_hits, figures, median_level
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
    samples_of,
)
from pipeline.calibrate.side_head import train_sides
from pipeline.records import BEHAVIOURS

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["NOISE", "Held", "held_out_readings", "train"]

NOISE = 0.15
"""Share of wrong words in the noisy half of the evaluation, which has no punctuation either."""
FOLDS = 4
_HEARING_SEED = 7


@dataclass(frozen=True, slots=True)
class Held:
    """Sales calls read by models that never saw their authors: `readings` by kind of text ("clean", "noisy")."""

    calls: tuple[Example, ...]
    readings: dict[str, list[Reading]]

    def features(self, kind: str) -> Array:
        """(calls, behaviours, features)."""
        return np.array([view_features(reading.view)[0] for reading in self.readings[kind]])

    def levels(self) -> Any:
        """(calls, behaviours) labelled levels."""
        return np.array([call.levels for call in self.calls], dtype=np.int64)

    def groups(self) -> Any:
        """(calls,) author groups."""
        return np.array([call.group for call in self.calls], dtype=np.int64)


def train(
    corpus: Path, out: Path, *, progress: Progress | None = None, settings: Settings | None = None
) -> dict[str, Any]:
    """The report of the run, after writing the model of `corpus` to the folder `out`."""
    from pipeline import torch_runtime

    torch_runtime.prepare()
    chosen = settings or Settings()
    examples = load_corpus(corpus)
    mishear = Mishearing(line.text for example in examples for line in example.lines)
    encoder = base_encoder()
    samples = [samples_of(encoder, examples, variant, chosen, mishear, progress) for variant in range(chosen.variants)]
    held = held_out_readings(encoder, examples, samples, mishear, chosen, progress)
    report = evaluate(held)
    tuned, heads = train_model(samples, set(range(len(examples))), chosen, progress)
    sides = train_sides(encoder, examples)
    report["sides"] = sides.report
    _write(out, tuned, heads, fit_levels(held, np.ones(len(held.calls), dtype=bool)), chosen, sides.tensors)
    write_config(out, corpus, asdict(chosen), report)
    write_card(out, examples, report)
    return report


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


def fit_levels(held: Held, used: Any) -> dict[str, Ordinal]:
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


def evaluate(held: Held) -> dict[str, Any]:
    """Figures on unseen authors, by kind of text and behaviour, and coverage by confidence."""
    levels = held.levels()
    report: dict[str, Any] = {"calls": len(held.calls), "noise": NOISE}
    for kind, probabilities in held_out_probabilities(held).items():
        rows = {}
        for i, b in enumerate(BEHAVIOURS):
            said = median_level(probabilities[:, i])
            rows[b] = figures(levels[:, i], said) | evidence_hits(held.calls, held.readings[kind], i, said)
        flat = levels.reshape(-1)
        sure = coverage(flat, probabilities.reshape(-1, 4))
        alone = {b: coverage(levels[:, i], probabilities[:, i]) for i, b in enumerate(BEHAVIOURS)}
        report[kind] = {"behaviours": rows, "coverage": sure, "coverage_by_behaviour": alone}
    return report


def _write(
    out: Path,
    encoder: Encoder,
    heads: dict[str, Tensor],
    ordinals: dict[str, Ordinal],
    settings: Settings,
    sides: dict[str, Tensor],
) -> None:
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    layers = [f"encoder.layer.{n}." for n in range(settings.frozen_layers, 6)]
    state = encoder.network.state_dict()
    tensors = {f"encoder.{name}": t.half().contiguous() for name, t in state.items() if name.startswith(tuple(layers))}
    tensors |= {f"heads.{name}": tensor.contiguous() for name, tensor in heads.items()}
    save_file(tensors, out / "weights.safetensors")
    save_file(sides, out / "sides.safetensors")
    text = json.dumps({"ordinals": {b: o.to_dict() for b, o in ordinals.items()}}, indent=1, sort_keys=True)
    (out / "levels.json").write_text(text + "\n", encoding="utf-8")


def _show(stage: str, done: int, total: int) -> None:
    if done == total or done % 50 == 0:
        sys.stderr.write(f"{stage} {done}/{total}\n")


if __name__ == "__main__":
    figures_of_run = train(Path(sys.argv[1]), Path(sys.argv[2]), progress=_show)
    sys.stdout.write(json.dumps(figures_of_run, indent=1, sort_keys=True) + "\n")
