"""The manager's part in a joint call: how much of the selling was theirs, and whether and where they took it over.

A meeting of a manager and a rep has no buyer, so nothing is sold there and nothing can be taken over.
After the assessment standard: a takeover is when the manager holds the seller side for most of the call, or steps in
and the rep does not get the conversation back. Where it began is the manager's turn that best splits the seller side
into two parts with different shares: the maximum of the binomial likelihood of a single change point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.assess.floor import is_back_channel, is_timed, seconds, sells_alone, word_count
from pipeline.assess.rubric import Rubric
from pipeline.records import Call, Joint, Turn

LASTING_PART = 0.2
"""The part of seller-side speech that must still follow for "steps in for good"; less is a manager's closing word."""


@dataclass(frozen=True, slots=True)
class _Floor:
    """One seller-side turn: its index in the call, whether the manager speaks, how much (seconds or words)."""

    turn: int
    manager: bool
    amount: float


def manager_part(call: Call, rubric: Rubric) -> Joint:
    """The manager's share and takeover; every field None in a meeting, where nobody but the selling side speaks, and
    where the call has no known rep or no known manager."""
    if call.is_meeting or sells_alone(call):
        return Joint()
    seller = _seller_floor(call)
    by_manager = sum(one.amount for one in seller if one.manager)
    total = sum(one.amount for one in seller)
    if not total or {one.manager for one in seller} != {True, False}:
        return Joint()
    share = by_manager / total
    began = _change_point(seller)
    after = seller[began:] if began is not None else []
    after_total = sum(one.amount for one in after)
    after_share = sum(one.amount for one in after if one.manager) / after_total if after_total else 0.0
    lasting = after_share >= rubric.takeover_after and after_total >= LASTING_PART * total
    if began is None or not (lasting or share >= rubric.takeover_total):
        return Joint(manager_share=round(share, 4), takeover=False)
    return _takeover(call, share, seller[began].turn)


def _takeover(call: Call, share: float, began: int) -> Joint:
    turn = call.turns[began]
    return Joint(
        manager_share=round(share, 4),
        takeover=True,
        began_turn=began,
        began_at=turn.start,
        rep_silent_for=_silence(call, began),
        said_before=next((one.text for one in reversed(call.turns[:began]) if not is_back_channel(one)), None),
    )


def _seller_floor(call: Call) -> list[_Floor]:
    amount = seconds if is_timed(call) else word_count
    return [
        _Floor(index, call.role(turn) == "manager", float(amount(turn)))
        for index, turn in enumerate(call.turns)
        if call.side(turn) == "seller"
    ]


def _change_point(seller: list[_Floor]) -> int | None:
    """The position in `seller` at which the manager's share rises most clearly; None where it never rises."""
    best, best_score = None, -math.inf
    manager = [one.amount if one.manager else 0.0 for one in seller]
    amounts = [one.amount for one in seller]
    manager_before = total_before = 0.0
    for position, one in enumerate(seller):
        manager_after, total_after = sum(manager) - manager_before, sum(amounts) - total_before
        if one.manager and manager_after * total_before >= manager_before * total_after:
            score = _likelihood(manager_before, total_before) + _likelihood(manager_after, total_after)
            if score > best_score:
                best, best_score = position, score
        manager_before += manager[position]
        total_before += amounts[position]
    return best


def _likelihood(manager: float, total: float) -> float:
    """Log-likelihood of `manager` out of `total` under its own share, one added to each count so that 0 is allowed."""
    share = (manager + 1) / (total + 2)
    return manager * math.log(share) + (total - manager) * math.log(1 - share)


def _silence(call: Call, began: int) -> float | None:
    """Seconds from the takeover to the rep's next turn that is more than a back-channel, or to the end of the call."""
    start = call.turns[began].start
    if start is None:
        return None
    for turn in call.turns[began:]:
        if call.role(turn) == "rep" and turn.start is not None and turn.start >= start and not is_back_channel(turn):
            return round(turn.start - start, 3)
    end = call.duration if call.duration is not None else _last_end(call.turns)
    return None if end is None else round(max(0.0, end - start), 3)


def _last_end(turns: tuple[Turn, ...]) -> float | None:
    return max((turn.end for turn in turns if turn.end is not None), default=None)
