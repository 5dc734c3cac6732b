"""Which side a speaker is on, from what they say: turns by speaker in, P(selling side) by speaker out.

The mean of a speaker's turns under the encoder's lower layers, and how it differs from the others', goes through one
logistic head. For transcripts and recordings that do not say who is who; the caller treats 0.1 to 0.9 as unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import resources
from pipeline.assess.encoder import Encoder, base_encoder

__all__ = ["SIDE_LAYERS", "TURNS", "chosen_turns", "seller_probability", "side_features"]

SIDE_LAYERS = 4
"""Layers of the encoder that are run: the lower ones suffice and are the same in every model."""
TURNS = 60
"""Turns of a speaker that are read at most, spread over the call; short ones say nothing about the side."""
_FEWEST_WORDS = 4

Array = NDArray[np.float64]


def chosen_turns(turns: Sequence[str]) -> list[str]:
    """Up to TURNS turns of some length, spread evenly; the short ones where there is nothing else."""
    spoken = [turn for turn in turns if turn.strip()]
    long = [turn for turn in spoken if len(turn.split()) >= _FEWEST_WORDS] or spoken
    if len(long) <= TURNS:
        return long
    return [long[int(i * len(long) / TURNS)] for i in range(TURNS)]


def side_features(vectors: Mapping[str, Array]) -> dict[str, Array]:
    """For each speaker: their mean turn, and how it differs from the mean of the other speakers (0 if alone)."""
    means = {speaker: rows.mean(axis=0) for speaker, rows in vectors.items()}
    features = {}
    for speaker, mean in means.items():
        others = [other for name, other in means.items() if name != speaker]
        contrast = mean - np.mean(others, axis=0) if others else np.zeros_like(mean)
        features[speaker] = np.concatenate([mean, contrast])
    return features


@lru_cache(maxsize=1)
def _head() -> tuple[Encoder, Array, float]:
    """The encoder as published, and the trained head's weights and bias."""
    from pipeline import torch_runtime

    torch_runtime.prepare()
    from safetensors.numpy import load_file

    tensors = load_file(Path(resources.model_folder("behaviours")) / "sides.safetensors")
    return base_encoder(), tensors["weights"].astype(float), float(tensors["bias"][0])


def seller_probability(turns_by_speaker: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """P(on the selling side) of each speaker, to 4 decimals; 0.5 for one who says nothing."""
    result = dict.fromkeys(turns_by_speaker, 0.5)
    texts = {speaker: chosen_turns(turns) for speaker, turns in turns_by_speaker.items()}
    texts = {speaker: chosen for speaker, chosen in texts.items() if chosen}
    if not texts:
        return result
    encoder, weights, bias = _head()
    vectors = {name: encoder.vectors(chosen, SIDE_LAYERS).double().numpy() for name, chosen in texts.items()}
    for speaker, features in side_features(vectors).items():
        result[speaker] = round(float(1 / (1 + np.exp(-(features @ weights + bias)))), 4)
    return result
