"""The seller side's turns in order, and how much of it each of them holds. Call in, `SellerTurn`s and stretches out.

Two amounts are kept for every turn: its speech (seconds, or words where there are no times) and its `hold`, the part of
a full turn that it is. A long monologue is one full turn and a scrap is a fraction of one, so shares of hold are shares
of turns that a stray word cannot move.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from pipeline.assess.floor import is_back_channel, is_timed, spoken_seconds, word_count
from pipeline.assess.triggers import cuts_in
from pipeline.records import Call

FULL_TURN_WORDS = 15
"""Words from which a turn is a full one: a sentence or two; the median turn of the selling side in the labelled joint
calls has 12 words."""
FULL_TURN_SECONDS = 6.0
"""The same in speech, at 150 words a minute."""

CUTS_IN_GAIN = 2.0
"""What "let me jump in there" adds to the log-likelihood that a takeover begins in this turn. Of the labelled calls' 29
takeovers 25 begin so, and 6 other turns of their managers. That is worth over twice as much, but not every manager says
it, and it may be misheard."""


@dataclass(frozen=True, slots=True)
class SellerTurn:
    """One turn of rep or manager: its index in the call, who speaks, its speech (seconds or words), its hold (0-1),
    whether it is more than a back-channel, and whether it opens by taking the floor ("let me jump in")."""

    turn: int
    manager: bool
    speech: float
    hold: float
    counts: bool
    cuts_in: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """The manager's share (0-1) of a stretch of the seller side: of its speech, and of its hold."""

    speech: float
    hold: float

    @property
    def mean(self) -> float:
        """Both together: what one lacks the other makes up."""
        return (self.speech + self.hold) / 2


@dataclass(frozen=True, slots=True)
class Rise:
    """A turn of the manager, by its position on the seller side, from which on the manager's share is higher.

    `gain` is the log-likelihood of the holds, as counts of a binomial whose share changes there, over that of one
    without a change, and `CUTS_IN_GAIN` more where the manager says that they take the floor. `after` is the manager's
    share from there on, `part` (0-1) that stretch's part of all speech.
    """

    position: int
    gain: float
    after: Share
    part: float


def seller_side(call: Call) -> tuple[SellerTurn, ...]:
    """The turns of rep and manager with any speech, in order of time (of the transcript without times)."""
    timed = is_timed(call)
    order = (
        sorted(range(len(call.turns)), key=lambda i: call.turns[i].start or 0.0) if timed else range(len(call.turns))
    )
    roles = {one.speaker: one.role for one in reversed(call.participants)}
    amounts = spoken_seconds(call) if timed else [float(word_count(turn)) for turn in call.turns]
    full = FULL_TURN_SECONDS if timed else float(FULL_TURN_WORDS)
    return tuple(
        SellerTurn(
            turn=i,
            manager=role == "manager",
            speech=amounts[i],
            hold=min(1.0, amounts[i] / full),
            counts=not is_back_channel(call.turns[i]),
            cuts_in=role == "manager" and cuts_in(call.turns[i]),
        )
        for i in order
        if amounts[i] > 0 and (role := roles.get(call.turns[i].speaker)) in {"rep", "manager"}
    )


def share_of(turns: Sequence[SellerTurn]) -> Share:
    """The manager's share of those turns; 0 where there are none."""
    speech, hold = sum(one.speech for one in turns), sum(one.hold for one in turns)
    if not speech:
        return Share(0.0, 0.0)
    manager = [one for one in turns if one.manager]
    return Share(sum(one.speech for one in manager) / speech, sum(one.hold for one in manager) / hold)


def rises(turns: Sequence[SellerTurn]) -> list[Rise]:
    """The manager's turns from which on the manager's share is higher than before, the clearest first."""
    speech, hold = (list(accumulate(amounts, initial=0.0)) for amounts in _amounts(turns))
    by_manager, held = (
        list(
            accumulate(
                (amount if one.manager else 0.0 for one, amount in zip(turns, amounts, strict=True)), initial=0.0
            )
        )
        for amounts in _amounts(turns)
    )
    whole = _log_likelihood(held[-1], hold[-1])
    found = []
    for at, one in enumerate(turns):
        after, total = held[-1] - held[at], hold[-1] - hold[at]
        if one.manager and one.counts and after * hold[at] >= held[at] * total:
            gain = _log_likelihood(held[at], hold[at]) + _log_likelihood(after, total) - whole
            gain += CUTS_IN_GAIN * one.cuts_in
            said = speech[-1] - speech[at]
            found.append(
                Rise(at, gain, Share((by_manager[-1] - by_manager[at]) / said, after / total), said / speech[-1])
            )
    return sorted(found, key=lambda rise: (-rise.gain, rise.position))


def _amounts(turns: Sequence[SellerTurn]) -> tuple[list[float], list[float]]:
    return [one.speech for one in turns], [one.hold for one in turns]


def stretch(
    turns: Sequence[SellerTurn], *, manager: bool, least: float, share: float, first: int = 0
) -> tuple[int, int] | None:
    """(first, last) position of the earliest stretch in which one holds at least `share` of it; None without one.

    It begins with a turn of theirs that is more than a back-channel, at `first` or later, and is the shortest from
    there with a hold of `least` full turns or more.
    """
    totals = [0.0, *accumulate(one.hold for one in turns)]
    owned = [0.0, *accumulate(one.hold if one.manager == manager else 0.0 for one in turns)]
    for start in range(first, len(turns)):
        end = bisect_left(totals, totals[start] + least - 1e-9)
        if end > len(turns):
            return None
        if (
            turns[start].manager == manager
            and turns[start].counts
            and owned[end] - owned[start] >= share * (totals[end] - totals[start])
        ):
            return start, end - 1
    return None


def _log_likelihood(manager: float, total: float) -> float:
    """Log-likelihood of `manager` out of `total` under its own share, one added to each count so that 0 is allowed."""
    share = (manager + 1) / (total + 2)
    return manager * math.log(share) + (total - manager) * math.log(1 - share)


__all__ = ["Rise", "SellerTurn", "Share", "rises", "seller_side", "share_of", "stretch"]
