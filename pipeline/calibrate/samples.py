"""The corpus as training windows: examples in; windows with token states, labels of pieces and levels out.

Each variant of the corpus is cut, misheard and surrounded differently. The states below the tuned layers never change
while training, so they are computed once.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.assess.encoder import OUTPUTS, Batch, Encoder, batch_of, join, judge
from pipeline.assess.features import level_by_rule
from pipeline.assess.passages import Line, Window
from pipeline.assess.reading import Cut, Reading, assemble, cut
from pipeline.calibrate.corpus import MASKED, Example
from pipeline.calibrate.counterfactuals import EDITS
from pipeline.calibrate.noise import Mishearing, plain
from pipeline.records import CRITERIA, JUDGED, Call, ListeningQuality, Turn

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "Prepared",
    "Progress",
    "Sample",
    "Settings",
    "judge_call",
    "noisy_lines",
    "padded",
    "prepare_calls",
    "samples_of",
]

_REWORDINGS = ("gender words", "companies and places", "dialect words", "American spelling", "British spelling")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How training goes. `variants` are the differently cut, heard and surrounded versions of the corpus.
    `passage_share` of the snippets and contrast passages are in each of them, so that whole calls, which are what is
    judged, have their weight. `threads` is fixed because sums in another order give other last digits."""

    frozen_layers: int = 4
    variants: int = 3
    epochs: int = 5
    batch: int = 24
    rate_layers: float = 2.5e-4
    rate_heads: float = 4e-3
    decay: float = 0.05
    dropout: float = 0.0
    empty_share: float = 0.3
    passage_share: float = 0.3
    piece_weight: float = 0.5
    seed: int = 20
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """One training window: its batch of one, the states below the tuned layers, labels of pieces and levels; `authors`
    are the groups of those who wrote it, its surroundings included."""

    authors: frozenset[str]
    batch: Batch
    states: Tensor
    labels: Tensor
    levels: Tensor


def heard(example: Example, mishear: Mishearing, chance: random.Random) -> Example:
    """The example as it is (45 %), without punctuation (15 %), or with 3-25 % of the words wrong."""
    draw = chance.random()
    if draw < 0.45:
        return example
    rate = 0.0 if draw < 0.6 else chance.uniform(0.03, 0.25)
    change = plain if rate == 0 else lambda text: mishear(text, rate, chance)
    return replace(example, lines=tuple(Line(line.seller, change(line.text)) for line in example.lines))


def reworded(example: Example, chance: random.Random) -> Example:
    """The example as it is (60 %), or with other names, gender words, spelling or dialect: its level stays the same."""
    if chance.random() < 0.6:
        return example
    said = tuple(Turn("", line.text) for line in example.lines)
    call = Call(example.name, "discovery", said, (), None, ListeningQuality("none"))
    turns = EDITS[chance.choice(_REWORDINGS)](call, chance).turns
    return replace(
        example, lines=tuple(Line(line.seller, turn.text) for line, turn in zip(example.lines, turns, strict=True))
    )


def surrounded(example: Example, fillers: Sequence[Example], chance: random.Random) -> tuple[Example, str]:
    """A passage put between turns of a call that show nothing, so that neither length nor context tells its level;
    and the author of that call, empty without one."""
    if chance.random() < 0.5:
        return example, ""
    filler = chance.choice([call for call in fillers if call.meeting == example.meeting and not call.other])
    parts = [_stretch(filler, chance) for _ in range(2)]
    silent = tuple(tuple(0 if row[0] != MASKED else MASKED for _ in range(OUTPUTS)) for row in example.labels[-1])
    before, after = parts
    made = replace(
        example,
        lines=(*before, *example.lines, *after),
        labels=((silent,) * len(before)) + example.labels + ((silent,) * len(after)),
    )
    return made, filler.group


def _stretch(call: Example, chance: random.Random) -> tuple[Line, ...]:
    """Up to four neighbouring turns of a call in which nothing is labelled."""
    empty = [i for i, rows in enumerate(call.labels) if not any(row[0] == 1 for row in rows)]
    if not empty:
        return ()
    start = chance.choice(empty)
    stop, most = start, chance.randint(0, 4)
    while stop in empty and stop - start < most:
        stop += 1
    return call.lines[start:stop]


def labels_of(example: Example, made: Cut, window: Window) -> tuple[list[list[tuple[int, ...]]], list[int]]:
    """Labels of the window's pieces and the levels that the window shows, each masked where it is not known."""
    whole: dict[int, int] = {}
    for piece in made.pieces:
        whole[piece.line] = whole.get(piece.line, 0) + 1
    rows = []
    for piece in made.pieces[window.first : window.last]:
        known = example.labels[piece.line]
        rows.append([_part(row) for row in known] if whole[piece.line] > 1 else list(known))
    seen = {piece.line for piece in made.pieces[window.first : window.last]}
    levels = [_window_level(example, index, seen) for index in range(len(JUDGED))]
    return rows, levels


def _part(row: tuple[int, ...]) -> tuple[int, ...]:
    """The labels of a part of a turn: what the turn shows may be in another part."""
    return tuple(MASKED if label == 1 else label for label in row)


def _window_level(example: Example, index: int, seen: set[int]) -> int:
    """The level of one behaviour as far as these lines show it."""
    behaviour, level = JUDGED[index], example.levels[index]
    if level == MASKED or example.kind != "call":
        return level
    rows = [example.labels[line][index] for line in sorted(seen)]
    if any(row[0] == MASKED for row in rows):
        return MASKED
    criteria = CRITERIA[behaviour]
    names = {name for row in rows for name, label in zip(criteria, row[1:], strict=False) if label == 1}
    return min(level, level_by_rule(behaviour, names, attempted=any(row[0] == 1 for row in rows)))


def samples_of(
    encoder: Encoder,
    examples: Sequence[Example],
    variant: int,
    settings: Settings,
    mishear: Mishearing,
    progress: Progress | None = None,
) -> list[Sample]:
    """All training windows of one variant of the corpus; the first variant's calls are as written."""
    chance = random.Random(settings.seed * 1000 + variant)  # noqa: S311 -- training noise, not a secret
    calls = [example for example in examples if example.kind == "call"]
    samples = []
    for example in examples:
        if example.kind != "call" and chance.random() > settings.passage_share:
            continue
        placed, filler = (example, "") if example.kind == "call" else surrounded(example, calls, chance)
        made_from = heard(reworded(placed, chance), mishear, chance)
        made = cut(encoder, made_from.lines, chance.randint(0, 80), made_from.before)
        if example.kind != "call":  # its level belongs to the whole passage
            made = replace(made, windows=(Window(0, len(made.pieces), 0, len(made.pieces)),))
        for window in made.windows:
            rows, levels = labels_of(made_from, made, window)
            empty = not any(row[0] == 1 for piece in rows for row in piece)
            dull = example.kind == "call" and empty and not example.other
            if dull and chance.random() > settings.empty_share:
                continue
            samples.append(_sample(encoder, {example.group, filler} - {""}, made, window, rows, levels))
    states = lower_states(encoder, [sample.batch for sample in samples], settings.frozen_layers, progress)
    return [replace(sample, states=one) for sample, one in zip(samples, states, strict=True)]


def _sample(
    encoder: Encoder,
    authors: set[str],
    made: Cut,
    window: Window,
    rows: list[list[tuple[int, ...]]],
    levels: list[int],
) -> Sample:
    import torch

    batch = batch_of(encoder, made.lines, made.pieces, window)
    return Sample(frozenset(authors), batch, torch.empty(0), torch.tensor([rows]), torch.tensor([levels]))


def lower_states(
    encoder: Encoder, batches: Sequence[Batch], layers: int, progress: Progress | None = None
) -> list[Tensor]:
    """The states of every batch of one after the first `layers` layers, computed in bfloat16, kept as float16."""
    import torch

    small = Encoder(encoder.tokenizer, copy.deepcopy(encoder.network).bfloat16())
    order = sorted(range(len(batches)), key=lambda i: batches[i].ids.shape[1])
    found: list[Tensor] = [torch.empty(0)] * len(batches)
    for start in range(0, len(order), 24):
        chosen = order[start : start + 24]
        together = join([batches[i] for i in chosen])
        with torch.no_grad():
            states = small.embed(together, layers).half()
        for row, i in enumerate(chosen):
            found[i] = states[row : row + 1, : batches[i].ids.shape[1]].clone()
        if progress:
            progress("read", min(start + 24, len(order)), len(order))
    return found


def padded(states: Sequence[Tensor], wide: int) -> Tensor:
    """States of several windows as one tensor of `wide` tokens."""
    out = states[0].new_zeros(len(states), wide, states[0].shape[-1]).float()
    for row, one in enumerate(states):
        out[row, : one.shape[1]] = one[0].float()
    return out


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call cut and read up to the tuned layers, ready to be judged by several models."""

    cut: Cut
    samples: tuple[tuple[Batch, Tensor], ...]


def prepare_calls(encoder: Encoder, calls: Sequence[Sequence[Line]], layers: int) -> list[Prepared]:
    """Each call's windows with their states after the first `layers` layers."""
    cuts = [cut(encoder, lines) for lines in calls]
    batches = [[batch_of(encoder, made.lines, made.pieces, w) for w in made.windows] for made in cuts]
    states = iter(lower_states(encoder, [batch for call in batches for batch in call], layers))
    return [
        Prepared(made, tuple((batch, next(states)) for batch in call)) for made, call in zip(cuts, batches, strict=True)
    ]


def judge_call(encoder: Encoder, heads: dict[str, Tensor], call: Prepared, layers: int) -> Reading:
    """What the model says of a prepared call."""
    import torch

    judged = []
    with torch.inference_mode():
        for start in range(0, len(call.samples), 16):
            part = call.samples[start : start + 16]
            batch = join([one for one, _ in part])
            with torch.autocast("cpu", torch.bfloat16):
                states = encoder.finish(padded([states for _, states in part], batch.ids.shape[1]), batch, layers)
            judged.append((batch, *judge(heads, states.float(), batch)))
    return assemble(call.cut, judged)


def noisy_lines(example: Example, mishear: Mishearing, rate: float, seed: int) -> tuple[Line, ...]:
    """The lines of an example as heard with `rate` of the words wrong and no punctuation."""
    chance = random.Random(f"{seed}-{example.name}")  # noqa: S311 -- test noise, not a secret
    return tuple(Line(line.seller, mishear(line.text, rate, chance)) for line in example.lines)
