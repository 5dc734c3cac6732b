"""The manager's part in a joint call: how much of the selling was theirs, and whether and where they took it over.

Call and rubric in, Joint out. After the assessment standard a takeover is when the manager holds the seller side for
most of the call, or steps in and the rep does not get the conversation back. Both are measured in speech (seconds, or
words where there are no times) and in turns, so that neither one long answer nor a rep's stray words decide alone.
Where it began is the manager's turn that best splits the seller side into two parts with different shares. A meeting of
a manager and a rep has no buyer: nothing is sold there, and nothing can be taken over.
"""

from __future__ import annotations

import math
from dataclasses import replace

from pipeline.assess.floor import is_back_channel, is_timed, sells_alone, speech_of, union, word_count
from pipeline.assess.rubric import Rubric
from pipeline.assess.seller_side import Rise, SellerTurn, Share, rises, seller_side, share_of, stretch
from pipeline.assess.triggers import said_before, trigger_of
from pipeline.records import Call, Joint, Role

LASTING_PART = 0.2
"""The part of seller-side speech that must still follow for "steps in for good"; less is a manager's closing word."""
RETURN_PART, RETURN_SHARE = 0.1, 0.5
"""The rep has the conversation back who holds this share of a stretch of at least this part of the seller side."""
LEAST_WORDS = 50
"""Words of the seller side under which nobody holds it: less than half a minute."""
LEAST_ATTRIBUTED = 0.8
"""Share of the words with a speaker under which the rest could turn the answer round (the shipped rubrics' minimum)."""
LEAST_CONFIDENCE = 0.8
"""Probability of a role under which it is too much of a guess to say of anybody that they took a call over."""
LOW_TRUST_MARGIN = 0.1
"""How far over or under a limit a share must be where voices were told apart without a model trained for it: about the
share of speech that such a fallback gives to the wrong one of two voices on the samples (DER under 0.15)."""


def manager_part(call: Call, rubric: Rubric) -> Joint:
    """The manager's share and takeover; `withheld` says why where it cannot be told.

    Every field is None in a meeting and where nobody but the selling side speaks: there is nothing to take over.
    """
    if call.is_meeting or sells_alone(call):
        return Joint()
    seller = seller_side(call)
    reason = _cannot_tell(call, rubric, seller)
    if reason:
        return Joint(withheld=reason)
    counting = [one for one in seller if one.counts]
    joint = Joint(
        manager_share=_speech_share(call),
        manager_turn_share=_rounded(sum(one.manager for one in counting) / len(counting)) if counting else None,
    )
    entry, whole = _entry(seller, rubric), share_of(seller)
    taken = entry is not None and (_lasts(entry, rubric) or whole.mean >= rubric.takeover_total)
    if call.quality.diarization_trust == "low" and _is_close(seller, whole, rubric):
        return replace(joint, withheld=_LOW_TRUST)
    if entry is None or not taken:
        back = _gave_back(seller, rubric)
        returned = None if back is None else True
        return replace(joint, takeover=False, rep_returned=returned, returned_turn=back)
    return _takeover(call, joint, seller, entry.position)


# --- whether it can be told -----------------------------------------------------------------------

_LOW_TRUST = (
    "The voices were told apart without a model that was trained for it, and the manager's share is too close to the "
    "limit: a recording with a channel for each party, or a diarization model, would tell."
)


def _cannot_tell(call: Call, rubric: Rubric, seller: tuple[SellerTurn, ...]) -> str | None:
    """A sentence that says why nothing can be told of the manager's part; None where something can."""
    heard = {turn.speaker for turn in call.turns if turn.text.strip()}
    roles: dict[Role, list[str]] = {}
    for speaker in sorted(heard):
        roles.setdefault(call.participant(speaker).role, []).append(speaker)
    missing = [role for role in ("rep", "manager") if role not in roles]
    if missing == ["manager"] and any(_confidence(call, one) < LEAST_CONFIDENCE for one in roles["rep"]):
        return "It is not known who of the selling side is the rep and who the manager. Name them in the manifest."
    if missing:
        return _unknown_people(missing, len(roles.get("unknown", ())))
    least = max(LEAST_ATTRIBUTED, rubric.min_speech_attributed)
    attributed = call.quality.speech_attributed
    if attributed is not None and attributed < least:
        return f"Only {attributed:.0%} of the words have a speaker; at least {least:.0%} are needed."
    sure = min(_confidence(call, speaker) for role in ("rep", "manager") for speaker in roles[role])
    if sure < LEAST_CONFIDENCE:
        return (
            f"Who is the rep and who the manager is inferred, with a probability of {sure:.2f}; at least "
            f"{LEAST_CONFIDENCE} is needed. Name them in the manifest."
        )
    spoken = sum(word_count(call.turns[one.turn]) for one in seller)
    if spoken < LEAST_WORDS:
        return f"Rep and manager say only {spoken} words; at least {LEAST_WORDS} are needed."
    return None


def _unknown_people(missing: list[str], unknown: int) -> str:
    if not unknown:
        return f"No {' and no '.join(missing)} speaks on this call."
    who = "one speaker's role is" if unknown == 1 else f"the roles of {unknown} speakers are"
    return f"No speaker is known to be the {' or the '.join(missing)}, and {who} unknown. Name them in the manifest."


def _confidence(call: Call, speaker: str) -> float:
    confidence = call.participant(speaker).confidence
    return 1.0 if confidence is None else confidence


def _is_close(seller: tuple[SellerTurn, ...], whole: Share, rubric: Rubric) -> bool:
    """Whether a tenth of the speech on the wrong voice could turn the answer round.

    How far the call is over the limits of a takeover, or under them (negative), by whichever of the two ways is nearer:
    by the whole call's share, or by the share and the length of the part after one of the manager's turns.
    """
    limit = _limit_after(rubric)
    ways = [min(rise.after.mean - limit, rise.part - LASTING_PART) for rise in rises(seller)]
    return abs(max([whole.mean - rubric.takeover_total, *ways])) < LOW_TRUST_MARGIN


# --- whether and where the manager took over ------------------------------------------------------


def _entry(seller: tuple[SellerTurn, ...], rubric: Rubric) -> Rise | None:
    """Where the manager's share rises most clearly; if it does not last from there, the clearest rise that does.

    None where it never rises. A rise no clearer than chance (Schwarz 1978: half the logarithm of the number of turns)
    is none: the manager has held that part from their first turn on.
    """
    found = rises(seller)
    if found and found[0].gain < math.log(max(1.0, sum(one.hold for one in seller))) / 2:
        return min(found, key=lambda rise: rise.position)
    return next((rise for rise in found if _lasts(rise, rubric)), found[0] if found else None)


def _lasts(rise: Rise, rubric: Rubric) -> bool:
    """Whether the manager steps in there and the rep does not get the conversation back."""
    return rise.after.mean >= _limit_after(rubric) and rise.part >= LASTING_PART


def _limit_after(rubric: Rubric) -> float:
    return (rubric.takeover_after + rubric.takeover_turns_after) / 2


def _gave_back(seller: tuple[SellerTurn, ...], rubric: Rubric) -> int | None:
    """The turn in which the rep got the conversation back after a stretch that the manager led; None without one."""
    least = LASTING_PART * sum(one.hold for one in seller)
    led = stretch(seller, manager=True, least=least, share=_limit_after(rubric))
    back = _returned(seller, led[1]) if led else None
    return None if back is None else seller[back].turn


def _returned(seller: tuple[SellerTurn, ...], position: int) -> int | None:
    """The position after this one from which the rep holds a fair part of the seller side again."""
    least = RETURN_PART * sum(one.hold for one in seller)
    found = stretch(seller, manager=False, least=least, share=RETURN_SHARE, first=position + 1)
    return None if found is None else found[0]


# --- what is said of a takeover -------------------------------------------------------------------


def _takeover(call: Call, joint: Joint, seller: tuple[SellerTurn, ...], position: int) -> Joint:
    began = seller[position].turn
    timed = is_timed(call)
    at = call.turns[began].start if timed else None
    before = said_before(call, began)
    back = _returned(seller, position)
    silent_for, silent_turns = _silence(call, began)
    return replace(
        joint,
        takeover=True,
        share_before=_speech_share(call, last=began),
        share_after=_speech_share(call, first=began),
        began_turn=began,
        began_at=at,
        said_before=None if before is None else call.turns[before].text,
        said_before_by=None if before is None else call.turns[before].speaker,
        trigger=trigger_of(call, began),
        rep_returned=back is not None,
        returned_turn=None if back is None else seller[back].turn,
        rep_silent_for=silent_for if timed else None,
        rep_silent_turns=silent_turns,
    )


def _speech_share(call: Call, *, first: int | None = None, last: int | None = None) -> float | None:
    """manager / (rep + manager): of the speech from turn `first` on or before turn `last`; None for no speech."""
    if is_timed(call):
        low = -math.inf if first is None else call.turns[first].start or 0.0
        high = math.inf if last is None else call.turns[last].start or 0.0
        manager, rep = (_seconds_of(call, role, low, high) for role in ("manager", "rep"))
    else:
        turns = call.turns[first or 0 : last]
        manager, rep = (
            float(sum(word_count(turn) for turn in turns if call.role(turn) == role)) for role in ("manager", "rep")
        )
    return _rounded(manager / (manager + rep)) if manager + rep else None


def _seconds_of(call: Call, role: str, low: float, high: float) -> float:
    """Seconds of speech of everybody with this role, between two times."""
    speakers = [one.speaker for one in call.participants if one.role == role]
    spans = (span for name in speakers for span in union([one for one in speech_of(call) if one.speaker == name]))
    return sum(max(0.0, min(end, high) - max(start, low)) for start, end in spans)


def _silence(call: Call, began: int) -> tuple[float | None, int]:
    """Seconds and turns from the takeover to the rep's next turn that is more than a back-channel, or to the end.

    Turns are those of others that are more than a back-channel; seconds are None where the takeover has no time.
    """
    start, turns = call.turns[began].start, 0
    for turn in call.turns[began:]:
        if is_back_channel(turn):
            continue
        if call.role(turn) == "rep" and (start is None or (turn.start is not None and turn.start >= start)):
            return (None if start is None or turn.start is None else round(turn.start - start, 3)), turns
        turns += call.role(turn) != "rep"
    end = call.duration if call.duration is not None else _last_end(call)
    return (None if start is None or end is None else round(max(0.0, end - start), 3)), turns


def _last_end(call: Call) -> float | None:
    return max((turn.end for turn in call.turns if turn.end is not None), default=None)


def _rounded(value: float) -> float:
    return round(value, 4)
