"""What listening gets wrong, done to a call on purpose: words misheard, turns cut or run together, words given to the
wrong speaker. A call in, a worse one out; unlike a counterfactual, it may lose what was shown."""

from __future__ import annotations

import random
from dataclasses import replace

from pipeline.calibrate.noise import Mishearing
from pipeline.records import Call, Turn

__all__ = ["cut_turns", "joined_turns", "misheard", "wrong_speaker"]

_LONG = 8
"""Turns from this many words on are cut; a recogniser breaks long stretches."""
_SHORT = 3
"""Turns up to this many words get lost in the speech about them."""


def misheard(call: Call, mishearing: Mishearing, rate: float, chance: random.Random) -> Call:
    """The call as a recogniser with this word error rate (0-1) would write it, without punctuation and capitals."""
    return _with(call, [replace(turn, text=mishearing(turn.text, rate, chance), words=()) for turn in call.turns])


def cut_turns(call: Call, chance: random.Random, share: float = 0.5) -> Call:
    """`share` of the long turns are two turns, cut at any word."""
    turns: list[Turn] = []
    for turn in call.turns:
        words = turn.text.split()
        if len(words) >= _LONG and chance.random() < share:
            at = chance.randrange(1, len(words))
            turns += [_saying(turn, words[:at]), _saying(turn, words[at:])]
        else:
            turns.append(turn)
    return _with(call, turns)


def joined_turns(call: Call, chance: random.Random, share: float = 0.5) -> Call:
    """`share` of the short turns between two of another speaker are run together with them into one turn of theirs."""
    turns: list[Turn] = []
    number = 0
    while number < len(call.turns):
        turn = call.turns[number]
        between = call.turns[number - 1 : number + 2]
        if turns and len(between) == 3 and _is_lost(between) and chance.random() < share:
            turns[-1] = _saying(turns[-1], [part.text for part in (turns[-1], *between[1:])])
            number += 2
        else:
            turns.append(turn)
            number += 1
    return _with(call, turns)


def wrong_speaker(call: Call, chance: random.Random, rate: float = 0.05) -> Call:
    """About `rate` of the words are given to the neighbour: up to four words at a change of speakers."""
    said = [turn.text.split() for turn in call.turns]
    changes = [n for n in range(1, len(said)) if call.turns[n].speaker != call.turns[n - 1].speaker]
    mean = 2.5
    share = min(1.0, rate * sum(map(len, said)) / max(1.0, len(changes) * mean))
    for number in changes:
        if chance.random() >= share:
            continue
        count = chance.randint(1, 4)
        if chance.random() < 0.5:
            said[number - 1] += said[number][:count]
            said[number] = said[number][count:]
        else:
            said[number] = said[number - 1][-count:] + said[number]
            said[number - 1] = said[number - 1][:-count]
    return _with(call, [_saying(turn, words) for turn, words in zip(call.turns, said, strict=True)])


def _is_lost(between: tuple[Turn, ...]) -> bool:
    before, short, after = between
    return before.speaker == after.speaker != short.speaker and len(short.text.split()) <= _SHORT


def _saying(turn: Turn, words: list[str]) -> Turn:
    return replace(turn, text=" ".join(words), words=())


def _with(call: Call, turns: list[Turn]) -> Call:
    """The call with these turns, without those that have no words left."""
    return replace(call, turns=tuple(turn for turn in turns if turn.text.strip()))
