"""Trains the classifier of the core behaviours: a labelled corpus in; weights, configuration and card out.

    ridealong train --corpus data/corpus --out models/behaviours
    ridealong train --encoder FOLDER --out our-heads

Two stages. The heads (and the encoder's top layers, where `Settings.frozen_layers` leaves some) learn criteria and
passage levels from calls, snippets and contrast sets, clean and as a recogniser would hear them. Then, on readings of
calls that their model never saw (author groups held out in turn), small ordinal models learn P(level) of a whole call.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import resources
from pipeline.assess.encoder import Encoder, base_encoder
from pipeline.assess.encoder_folder import described, open_encoder
from pipeline.assess.features import Ordinal
from pipeline.calibrate.baseline import frozen_probabilities
from pipeline.calibrate.card import write_card, write_config
from pipeline.calibrate.corpus import load_corpus
from pipeline.calibrate.delivery import delivery_figures
from pipeline.calibrate.held_out import (
    FOLDS,
    agreement,
    evaluate,
    fit_levels,
    held_out_readings,
    people_agree,
    predictions,
)
from pipeline.calibrate.learn import train_model
from pipeline.calibrate.noise import Mishearing
from pipeline.calibrate.samples import Progress, Settings, samples_of
from pipeline.calibrate.side_head import train_sides
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["train"]

TUNED_LAYERS = 2
"""Layers at the top of another encoder that learn too, as many as of the packaged one's six."""


def train(
    corpus: Path,
    out: Path,
    *,
    encoder_folder: Path | None = None,
    progress: Progress | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """The report of the run, after writing the model of `corpus` to the folder `out`. The heads stand on the encoder in
    `encoder_folder`, None for the packaged one. Raises UsageError where the encoder or the corpus cannot be used."""
    if encoder_folder and out.resolve() == resources.model_folder("behaviours").resolve():
        raise UsageError(
            f"{out}: the shipped heads stand on the packaged encoder; give heads on another one their own --out"
        )
    from pipeline import torch_runtime

    torch_runtime.prepare()
    import torch

    encoder = open_encoder(encoder_folder)
    about = described(encoder_folder)
    chosen = settings or _settings(encoder)
    torch.set_num_threads(chosen.threads)
    examples = load_corpus(corpus)
    mishear = Mishearing(line.text for example in examples for line in example.lines)
    samples = [samples_of(encoder, examples, variant, chosen, mishear, progress) for variant in range(chosen.variants)]
    held = held_out_readings(encoder, examples, samples, mishear, chosen, progress)
    rows = predictions(held, frozen_probabilities(encoder, [call for call in held.calls if call.sales_call], FOLDS))
    report = evaluate(rows, examples)
    tuned, heads = train_model(samples, frozenset(), chosen, progress, encoder_folder)
    sides = train_sides(base_encoder() if encoder_folder else encoder, examples)  # sides are always told by that one
    report["sides"] = sides.report
    report["delivery"] = delivery_figures([call for call in held.calls if call.sales_call])
    report["between_people"] = people_agree(corpus, examples)
    _write(out, tuned, heads, fit_levels(held), chosen, sides.tensors)
    text = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows)
    (out / "held_out.jsonl").write_text(text, encoding="utf-8")
    (out / "agreement.json").write_text(json.dumps(agreement(report), indent=1) + "\n", encoding="utf-8")
    write_config(out, corpus, asdict(chosen), report, about)
    write_card(out, examples, report, about["name"].rpartition("/")[2], encoder.layers)
    return report


def _settings(encoder: Encoder) -> Settings:
    """The usual settings; another encoder's depth is its own, so its frozen layers are counted from the top."""
    return Settings() if encoder.folder is None else Settings(frozen_layers=max(0, encoder.layers - TUNED_LAYERS))


def _write(
    out: Path,
    encoder: Encoder,
    heads: dict[str, Tensor],
    ordinals: dict[str, Ordinal],
    settings: Settings,
    sides: dict[str, Tensor],
) -> None:
    from safetensors.torch import save

    out.mkdir(parents=True, exist_ok=True)
    layers = [f"encoder.layer.{n}." for n in range(settings.frozen_layers, encoder.layers)]
    state = encoder.network.state_dict()
    tensors = {f"encoder.{name}": t.half().contiguous() for name, t in state.items() if name.startswith(tuple(layers))}
    tensors |= {f"heads.{name}": tensor.contiguous() for name, tensor in heads.items()}
    (out / "weights.safetensors").write_bytes(save(tensors))
    (out / "sides.safetensors").write_bytes(save(sides))
    text = json.dumps({"ordinals": {b: o.to_dict() for b, o in ordinals.items()}}, indent=1, sort_keys=True)
    (out / "levels.json").write_text(text + "\n", encoding="utf-8")
