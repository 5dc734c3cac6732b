"""Trains the heads and the encoder's top layers on windows: samples in, an encoder and heads out."""

from __future__ import annotations

import random
from collections.abc import Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.assess.encoder import Encoder, head_shapes, join, judge
from pipeline.assess.encoder_folder import open_encoder
from pipeline.calibrate.corpus import MASKED
from pipeline.calibrate.samples import Progress, Sample, Settings, padded
from pipeline.records import JUDGED

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["train_model"]


def train_model(
    samples: Sequence[Sequence[Sample]],
    without: Set[str],
    settings: Settings,
    progress: Progress | None = None,
    encoder_folder: Path | None = None,
) -> tuple[Encoder, dict[str, Tensor]]:
    """An encoder and heads, trained on the samples (by variant) of all authors but those in `without`. The samples'
    states are those of the encoder in `encoder_folder`, None for the packaged one."""
    import torch

    torch.manual_seed(settings.seed)
    encoder = open_encoder(encoder_folder)
    tuned = encoder.network.encoder.layer[settings.frozen_layers :]
    layers = [parameter for layer in tuned for parameter in layer.parameters()]
    if settings.dropout:
        for layer in tuned:  # the outputs only: dropping attention would take a slow way through the processor
            layer.attention.output.dropout.train().p = settings.dropout
            layer.output.dropout.train().p = settings.dropout
    for parameter in layers:
        parameter.requires_grad_(True)
    heads = _new_heads(encoder.width)
    groups = [{"params": list(heads.values()), "lr": settings.rate_heads, "weight_decay": settings.decay}]
    if layers:
        groups.append({"params": layers, "lr": settings.rate_layers, "weight_decay": 0.01})
    optimiser = torch.optim.AdamW(groups)
    learned = [*heads.values(), *layers]
    used = [[sample for sample in variant if not sample.authors & without] for variant in samples]
    order = random.Random(settings.seed)  # noqa: S311 -- order of training, not a secret
    plan = [
        batch for epoch in range(settings.epochs) for batch in _batches(used[epoch % len(used)], settings.batch, order)
    ]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _ramp(step, len(plan)))
    for done, chosen in enumerate(plan):
        loss = _loss(encoder, heads, chosen, settings)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimiser.step()
        schedule.step()
        if progress:
            progress("train", done + 1, len(plan))
    encoder.network.eval()
    for parameter in encoder.network.parameters():
        parameter.requires_grad_(False)
    return encoder, {name: tensor.detach() for name, tensor in heads.items()}


def _ramp(step: int, steps: int) -> float:
    """The learning rate's share: up over the first tenth, then down in a line."""
    warm = max(1, steps // 10)
    return (step + 1) / warm if step < warm else max(0.02, (steps - step) / max(1, steps - warm))


def _batches(samples: Sequence[Sample], size: int, order: random.Random) -> list[list[Sample]]:
    """The samples in random batches of similar length."""
    shuffled = list(samples)
    order.shuffle(shuffled)
    batches = []
    for start in range(0, len(shuffled), size * 16):
        block = sorted(shuffled[start : start + size * 16], key=lambda sample: sample.batch.ids.shape[1])
        batches += [block[i : i + size] for i in range(0, len(block), size)]
    order.shuffle(batches)
    return batches


def _new_heads(width: int) -> dict[str, Tensor]:
    """Untrained heads on an encoder of `width` numbers per token: attention flat, outputs unlikely."""
    import torch

    shapes = head_shapes(width)
    heads = {
        "attend": torch.randn(shapes["attend"]) * 0.02,
        "chosen": torch.randn(shapes["chosen"]) * 0.02,
        "mean": torch.randn(shapes["mean"]) * 0.02,
        "cues": torch.zeros(shapes["cues"]),
        "bias": torch.full(shapes["bias"], -2.0),
        "level_attend": torch.randn(shapes["level_attend"]) * 0.02,
        "level": torch.randn(shapes["level"]) * 0.02,
        "level_criteria": torch.full(shapes["level_criteria"], 0.7),
        "thresholds": torch.tensor([[0.0, 1.0, 1.0]] * len(JUDGED)),
    }
    return {name: tensor.requires_grad_(True) for name, tensor in heads.items()}


def _loss(encoder: Encoder, heads: dict[str, Tensor], chosen: Sequence[Sample], settings: Settings) -> Tensor:
    """Cross-entropy of the pieces' labels and of the windows' levels, over what is known."""
    import torch

    batch = join([sample.batch for sample in chosen])
    states = padded([sample.states for sample in chosen], batch.ids.shape[1])
    with torch.autocast("cpu", torch.bfloat16):
        states = encoder.finish(states, batch, settings.frozen_layers)
    states = torch.nn.functional.dropout(states.float(), 0.1)
    logits, scores, _ = judge(heads, states, batch)
    labels = torch.full(logits.shape, float(MASKED))
    for row, sample in enumerate(chosen):
        labels[row, : sample.labels.shape[1]] = sample.labels[0].float()
    known = (labels != MASKED) & (batch.allowed > 0)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels.clamp(min=0), reduction="none")
    piece_loss = (entropy * known).sum() / len(chosen)
    levels = torch.cat([sample.levels for sample in chosen])
    edges = heads["thresholds"][:, :1] + torch.cat(
        [torch.zeros(len(JUDGED), 1), heads["thresholds"][:, 1:].square().cumsum(-1)], dim=-1
    )
    reached = (levels[..., None] > torch.arange(3)).float()
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(scores[..., None] - edges, reached, reduction="none")
    counted = (levels != MASKED) & batch.seller.any(-1, keepdim=True)
    level_loss = (entropy.sum(-1) * counted).sum() / len(chosen)
    return settings.piece_weight * piece_loss + level_loss
