"""Judges the five core behaviours of a call: a `Call` in, one `Finding` per behaviour out.

Whatever judges behaviours, a rule or a model, meets the protocol `Classifier`. The shipped one reads the call with the
sentence encoder and learned heads; a call's level comes from its best occurrence, and the words behind it are quoted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipeline import resources
from pipeline.assess.encoder import Encoder, base_encoder
from pipeline.assess.evidence import evidence_of
from pipeline.assess.features import Array, Ordinal, part_of_call, view_features
from pipeline.assess.passages import Line
from pipeline.assess.reading import Reading, read
from pipeline.errors import UsageError
from pipeline.records import BEHAVIOURS, CRITERIA, Agreement, Call, Finding

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Classifier", "LearnedClassifier", "load_classifier", "rounded"]

FEWEST_WORDS = 6
"""Fewer words of the selling side show no behaviour: the shortest attempt in the corpus has six, and what a model says
of "Hello?" is chance."""


class Classifier(Protocol):
    """Every rule or model that judges behaviours."""

    @property
    def version(self) -> str:
        """What goes into the scorecard's provenance: a hash of the weights, or a rule's own version."""
        ...

    @property
    def agreement(self) -> tuple[Agreement, ...]:
        """How well it agrees with people on calls that it was not made from; empty where that was not measured."""
        ...

    def __call__(self, call: Call) -> tuple[Finding, ...]:
        """One finding per core behaviour, in the order of BEHAVIOURS."""
        ...


@dataclass(frozen=True, slots=True)
class LearnedClassifier:
    """The shipped classifier: an encoder, heads on it, and an ordinal model per behaviour."""

    version: str
    encoder: Encoder
    heads: Mapping[str, Tensor]
    ordinals: Mapping[str, Ordinal]
    agreement: tuple[Agreement, ...] = ()

    def __call__(self, call: Call) -> tuple[Finding, ...]:
        """One finding per core behaviour, in the order of BEHAVIOURS; the same call gives the same answer."""
        lines = [Line(call.side(turn) == "seller", turn.text) for turn in call.turns]
        reading = read(self.encoder, self.heads, lines)
        features, _ = view_features(reading.view)
        enough = sum(len(line.text.split()) for line in lines if line.seller) >= FEWEST_WORDS and not _internal(call)
        return tuple(
            self._finding(call, reading, index, features[index] if enough else None) for index in range(len(BEHAVIOURS))
        )

    def _finding(self, call: Call, reading: Reading, index: int, features: Array | None) -> Finding:
        behaviour = BEHAVIOURS[index]
        searched = _searched(reading, behaviour)
        heard = searched and any(line.seller for line in reading.cut.lines[searched[0] : searched[1] + 1])
        if features is None or not heard:
            return Finding(behaviour, (1.0, 0.0, 0.0, 0.0), searched=searched)
        probabilities = rounded(self.ordinals[behaviour](features[None])[0])
        attempted = probabilities[0] < 0.5  # the median level is 1 or more
        evidence = evidence_of(call, reading, index) if attempted else ()
        if not evidence:
            return Finding(behaviour, probabilities, searched=searched)
        shown = {name for one in evidence for name in one.criteria}
        criteria = tuple(name for name in CRITERIA[behaviour] if name in shown)
        return Finding(behaviour, probabilities, criteria, evidence, searched)


def _internal(call: Call) -> bool:
    """Whether the selling side talks only to itself: several of its people speak and nobody else does.

    A manager meeting has no buyer to open a call with or to close; it talks *about* stories and next steps, which the
    model, taught on sales calls, takes for the thing itself.
    """
    spoken = {turn.speaker: call.side(turn) for turn in call.turns if turn.text.strip()}
    return len(spoken) >= 2 and set(spoken.values()) == {"seller"}


def rounded(probabilities: Sequence[float] | Array) -> tuple[float, float, float, float]:
    """Four probabilities rounded to 4 decimals that still add to one exactly: the largest takes what is left over."""
    units = [round(float(p) * 10000) for p in probabilities]
    units[units.index(max(units))] += 10000 - sum(units)
    first, second, third, fourth = (unit / 10000 for unit in units)
    return first, second, third, fourth


def _searched(reading: Reading, behaviour: str) -> tuple[int, int] | None:
    """The first and last turn that can hold the behaviour, None where no words were said there."""
    view = reading.view
    turns = [
        piece.line
        for piece, place, before in zip(reading.cut.pieces, view.places, view.words_before, strict=True)
        if part_of_call(behaviour, float(place), float(before))
    ]
    return (turns[0], turns[-1]) if turns else None


@lru_cache(maxsize=2)
def _load(folder: Path) -> LearnedClassifier:
    from pipeline import torch_runtime

    torch_runtime.prepare()
    from safetensors.torch import load

    config, weights = _files(folder)
    tensors = load(weights)
    heads = {name.removeprefix("heads."): t.float() for name, t in tensors.items() if name.startswith("heads.")}
    tuned = {name.removeprefix("encoder."): t for name, t in tensors.items() if name.startswith("encoder.")}
    ordinals = {behaviour: Ordinal.from_dict(config["ordinals"][behaviour]) for behaviour in BEHAVIOURS}
    digest = hashlib.sha256(weights + json.dumps(config, sort_keys=True).encode()).hexdigest()
    return LearnedClassifier(f"behaviours-{digest[:12]}", base_encoder(tuned), heads, ordinals, _agreement(folder))


def _agreement(folder: Path) -> tuple[Agreement, ...]:
    """What training measured, from agreement.json; empty for a model that was not measured."""
    path = folder / "agreement.json"
    if not path.is_file():
        return ()
    return tuple(Agreement(**row) for row in json.loads(path.read_text(encoding="utf-8")))


def _files(folder: Path) -> tuple[dict[str, Any], bytes]:
    """levels.json and the bytes of weights.safetensors. Raises UsageError where one is missing or broken."""
    try:
        return json.loads((folder / "levels.json").read_text(encoding="utf-8")), (
            folder / "weights.safetensors"
        ).read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder}: no usable behaviours model ({error}); restore levels.json and weights.safetensors from the "
            "repository, or train them: ridealong train"
        ) from error


def load_classifier(folder: Path | None = None) -> Classifier:
    """The classifier in `folder`, by default the shipped one; loaded once. Raises UsageError where it is broken."""
    return _load((folder or resources.model_folder("behaviours")).resolve())
