"""Judges the behaviours of a call: a `Call` in, one `Finding` per behaviour out.

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
from pipeline.assess.encoder import Encoder
from pipeline.assess.encoder_folder import check_fit, open_encoder, trained_on
from pipeline.assess.evidence import evidence_of, nearest_miss
from pipeline.assess.features import Array, Ordinal, part_of_call, view_features
from pipeline.assess.floor import can_have, performs
from pipeline.assess.passages import Line
from pipeline.assess.reading import Reading, read
from pipeline.errors import UsageError
from pipeline.records import CRITERIA, JUDGED, Agreement, Call, Finding

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Classifier", "LearnedClassifier", "classifier_identity", "load_classifier", "rounded"]

CARRIED_KAPPA = 0.5
"""Weighted kappa with people, on unseen authors, from which a behaviour is given at all: half of the disagreement that
chance would leave is gone. Below it the level is withheld, whatever a rubric asks."""
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
        """One finding per behaviour that it judges, the core ones first, in the order of JUDGED."""
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
        """One finding per behaviour that it was taught, in the order of JUDGED; the same call gives the same answer.

        A call has none of a meeting's behaviours and a meeting none of a call's, by rule: a meeting talks *about*
        stories and next steps, which is not the thing itself.
        """
        lines = [Line(performs(call, turn), turn.text) for turn in call.turns]
        reading = read(self.encoder, self.heads, lines)
        features, _ = view_features(reading.view)
        enough = sum(len(line.text.split()) for line in lines if line.seller) >= FEWEST_WORDS
        return tuple(
            self._finding(call, reading, index, features[index] if enough and can_have(call, b) else None)
            for index, b in enumerate(JUDGED)
            if b in self.ordinals
        )

    def _finding(self, call: Call, reading: Reading, index: int, features: Array | None) -> Finding:
        behaviour = JUDGED[index]
        searched = _searched(reading, behaviour)
        heard = searched and any(line.seller for line in reading.cut.lines[searched[0] : searched[1] + 1])
        if features is None or not heard:
            return Finding(behaviour, (1.0, 0.0, 0.0, 0.0), searched=searched)
        probabilities = rounded(self.ordinals[behaviour](features[None])[0])
        withheld = self.why_not_carried(behaviour)
        if probabilities[0] >= 0.5:  # the median level is 0
            return Finding(behaviour, probabilities, (), nearest_miss(call, reading, index), searched, withheld)
        evidence = evidence_of(call, reading, index)
        shown = {name for one in evidence for name in one.criteria}
        criteria = tuple(name for name in CRITERIA[behaviour] if name in shown)
        return Finding(behaviour, probabilities, criteria, evidence, searched, withheld)

    def why_not_carried(self, behaviour: str) -> str | None:
        """The reason why no level of this behaviour is given, None where it agrees with people well enough."""
        measured = next((one for one in self.agreement if one.behaviour == behaviour), None)
        if measured is None or measured.kappa >= CARRIED_KAPPA:
            return None
        return (
            f"The machine does not agree with people well enough on this behaviour: weighted kappa "
            f"{measured.kappa:.2f} on {measured.calls} calls, where at least {CARRIED_KAPPA:.2f} is asked."
        )


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
def _load(folder: Path, encoder_folder: Path | None) -> LearnedClassifier:
    from pipeline import torch_runtime

    torch_runtime.prepare()
    from safetensors.torch import load

    config, weights, version = _identified(folder, encoder_folder)
    tensors = load(weights)
    heads = {name.removeprefix("heads."): t.float() for name, t in tensors.items() if name.startswith("heads.")}
    tuned = {name.removeprefix("encoder."): t for name, t in tensors.items() if name.startswith("encoder.")}
    encoder = open_encoder(encoder_folder)
    check_fit(folder, encoder, heads, tuned)
    encoder.put(tuned)
    ordinals = {
        behaviour: Ordinal.from_dict(config["ordinals"][behaviour])
        for behaviour in JUDGED
        if behaviour in config["ordinals"]
    }
    return LearnedClassifier(version, encoder, heads, ordinals, _agreement(folder))


def _identified(folder: Path, encoder_folder: Path | None) -> tuple[dict[str, Any], bytes, str]:
    """levels.json, the bytes of weights.safetensors and the version that they make. Raises UsageError."""
    config, weights = _files(folder)
    identity = trained_on(folder, encoder_folder) or ""  # nothing is added for the packaged encoder
    digest = hashlib.sha256(weights + (json.dumps(config, sort_keys=True) + identity).encode()).hexdigest()
    return config, weights, f"behaviours-{digest[:12]}"


@lru_cache(maxsize=2)
def classifier_identity(folder: Path | None = None, encoder: Path | None = None) -> tuple[str, tuple[Agreement, ...]]:
    """Version and agreement of the classifier that `load_classifier` gives, without loading its network."""
    where = (folder or resources.model_folder("behaviours")).resolve()
    return _identified(where, encoder and encoder.resolve())[2], _agreement(where)


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


def load_classifier(folder: Path | None = None, encoder: Path | None = None) -> Classifier:
    """The classifier in `folder`, by default the shipped one; loaded once. `encoder` is the folder of the encoder that
    its heads were trained on, where that is not the packaged one. Raises UsageError where one is broken or another."""
    return _load((folder or resources.model_folder("behaviours")).resolve(), encoder and encoder.resolve())
