"""Reads a whole conversation with the encoder and the heads: lines in, one `CallView` and the attention out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.assess.encoder import OUTPUTS, Batch, Encoder, batch_of, join, judge
from pipeline.assess.features import Array, CallView
from pipeline.assess.passages import Line, Piece, Window, cut_lines, windows_of, with_echo
from pipeline.records import JUDGED

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Cut", "Reading", "assemble", "cut", "read"]

_TOGETHER = 16
"""Windows per batch; they are of much the same length, so little is padded."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A conversation cut into pieces and windows."""

    lines: tuple[Line, ...]
    pieces: tuple[Piece, ...]
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model says of a conversation. `attention`: per piece, (characters of each token in its line, array
    (behaviours, tokens) of the share that each behaviour's attention gives it)."""

    cut: Cut
    view: CallView
    attention: tuple[tuple[list[tuple[int, int]], Array], ...]


def cut(encoder: Encoder, lines: Sequence[Line], offset: int = 0, before: Iterable[str] = ()) -> Cut:
    """The pieces and windows of a conversation; `offset` moves the cuts, `before` are words that the buyer had said."""
    pieces = with_echo(lines, cut_lines(lines, encoder.lengths([line.text for line in lines])), before)
    return Cut(tuple(lines), tuple(pieces), tuple(windows_of(pieces, offset=offset)))


def read(encoder: Encoder, heads: Mapping[str, Tensor], lines: Sequence[Line]) -> Reading:
    """Everything the model says of the conversation."""
    import torch

    made = cut(encoder, lines)
    batches = [batch_of(encoder, made.lines, made.pieces, window) for window in made.windows]
    judged = []
    with torch.inference_mode():
        for start in range(0, len(batches), _TOGETHER):
            batch = join(batches[start : start + _TOGETHER])
            judged.append((batch, *judge(heads, encoder.states(batch), batch)))
    return assemble(made, judged)


def assemble(made: Cut, judged: Sequence[tuple[Batch, Tensor, Tensor, Tensor]]) -> Reading:
    """The judged batches of a conversation's windows, in order, put together: each piece from its core window."""
    scores: list[Any] = []
    probabilities = np.zeros((len(made.pieces), len(JUDGED), OUTPUTS))
    attention: list[tuple[list[tuple[int, int]], Array]] = [([], np.zeros((len(JUDGED), 0)))] * len(made.pieces)
    for batch, logits, score, spread in judged:
        shown = (logits.sigmoid() * batch.allowed).double().numpy()
        for row, offsets in enumerate(batch.offsets):
            window = made.windows[len(scores)]
            scores.append(score[row].double().numpy())
            for piece in range(window.core_first, window.core_last):
                slot = piece - window.first
                probabilities[piece] = shown[row, slot]
                tokens = batch.pieces[row, slot].nonzero()[:, 0].tolist()
                attention[piece] = ([offsets[t] for t in tokens], spread[row, :, slot, tokens].double().numpy())
    places, before = _places(made)
    view = CallView(
        scores=np.array(scores).reshape(-1, len(JUDGED)),
        spans=tuple((window.first, window.last) for window in made.windows),
        probabilities=probabilities,
        places=places,
        words_before=before,
    )
    return Reading(made, view, tuple(attention))


def _places(made: Cut) -> tuple[Array, Array]:
    """For each piece: the share of the call's words before its middle, and the number of words before it."""
    words = np.array([len(made.lines[p.line].text[p.start : p.end].split()) for p in made.pieces], dtype=float)
    before = np.cumsum(words) - words
    return (before + words / 2) / max(1.0, float(words.sum())), before
