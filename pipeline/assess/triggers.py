"""What had just been said when a manager took over, and its kind. Call and turn in, words and a Trigger out.

Rules on words: they read the last things that the rep and the buyer said, newest first, and say None rather than guess.
"""

from __future__ import annotations

import re

from pipeline.assess.floor import is_back_channel, word_count
from pipeline.records import Call, Trigger, Turn

LOOK_BACK = 3
"""Things said by buyer and rep that are read. What came earlier is no longer what the manager answers."""
LONG_PAUSE = 3.0
"""Seconds of nobody speaking after the buyer from which the rep has hesitated; a usual answer comes within one."""
SHORT_ANSWER = 25
"""Words up to which one filler makes an answer hesitant; a longer one needs two."""


def _any_of(*patterns: str) -> re.Pattern[str]:
    """One pattern for any of these, from the start of a word; apostrophes are straight, see `_plain`."""
    return re.compile(rf"\b(?:{'|'.join(patterns)})", re.IGNORECASE)


_NOT = r"(?:don'?t|do not|can'?t|cannot|won'?t|wouldn'?t)"
_COMPETITOR = _any_of(
    r"(?:competitor|competition|competing|rival)",
    r"(?:an)?other (?:vendor|supplier|provider|quote|offer|bid|company|firm|outfit)",
    r"(?:quote|offer|bid|proposal) from ",
    r"(?:salesman|saleswoman|salesperson|fella|fellow|bloke|guy|crowd) (?:from|in|came|was)",
    r"(?:compared?|compares) (?:to|with)|how (?:does|do|would) \w+(?: \w+)? compare|versus|instead of you|over you",
    r"why (?:you\b(?! ask)|not (?:just |simply )?(?:use|take|stay|keep|buy|bring|do|go)|choose|pick)",
    r"(?:stay|stick|happy|fine) with (?:\w+ )?(?:them|him|her|what|our|my|the)|leave it with",
    r"in-?house\b|(?:do|build|doing|building) it (?:ourselves|myself|by hand)|build our own",
)
_PRICE = _any_of(
    r"pric(?:e|es|ed|ing|ey|y)\b|expensive|discount|budget|afford|cheap(?:er|est)?\b|fees?\b",
    r"(?:what|how much)(?:'s| is| does| do| would| will)? (?:that|it|this|you|they) (?:all )?(?:cost|come to|charge)",
    r"how much (?:is|are|for|more|a month|per)\b|cost (?:us|me|in all|altogether|per|a month)|costs? too",
    r"(?:am i|are we|do i|do we|should i|would i|would we) (?:to )?pay(?:ing)?\b|pay (?:you|more|for)\b|pay ?back\b",
    r"(?:a|one)[ -](?:third|quarter|half) (?:lower|higher|less|more|below|above)|minimum (?:fee|charge|of)",
    r"it says minimum",
)
_OBJECTION = _any_of(
    r"(?:i|we|you|he|she|they)(?: really| just| still)? "
    + _NOT
    + r" (?:believe|see (?:why|how|the)|think|need|want|trust|buy|like)",
    r"not (?:sure|convinced|interested|for us|for me|happy|worth)|no(?:t|body|thing) (?:\w+ )?ever works?",
    r"worr(?:y|ies|ied)|afraid|scare[sd]?\b|nervous|concern(?:s|ed)?\b|doubts?\b|sceptical|skeptical|risk(?:y|s)?\b",
    r"too (?:much|late|big|small|complicated|hard|long|slow|dear|good to be)",
    r"why (?:would|should|do|does) (?:i|we|it|my|our)\b|what(?:'s| is) the point",
    r"(?:already|all ready) (?:know|tried|been|have|do|got)|tried (?:that|it|this|one)|(?:said|say) no\b|that i can'?t",
    r"the (?:problem|trouble|issue|catch|snag) is|here'?s (?:my|the) (?:thing|problem)|(?:we'?re|i'?m) finished",
)
_FILLER = _any_of(r"u+h*m+\b|u+h+\b|e+r*m+\b|e+r+\b|a+hm+\b|hmm+\b|sort of|kind of|let me (?:see|think|check)")
_NOT_KNOWN = _any_of(
    r"(?:i|we)(?:'d| would|'ll| will)? (?:have to|need to|must) (?:look|check|ask|see|find|get back|come back)",
    r"i(?:'?m| am) not (?:\w+ )?sure|i " + _NOT + r" (?:know|have (?:the|that|it))|it (?:sort of )?depends\b",
    r"(?:come|get) back to you|one moment|off the top of my head",
)

_CUTS_IN = _any_of(
    r"(?:let me|lemme|(?:can|could|may) i|if i (?:may|can|could|might)|i might|i'?ll) (?:just )?"
    r"(?:take|jump|come|hop|step|pick|answer|add|say)",
    r"(?:jump|come|hop|step|cut|get) in (?:here|there|on)|if i may\b|i'?ll take (?:this|that)",
)
_OPENING = 120
"""Characters of a turn in which its speaker asks for the floor."""


def cuts_in(turn: Turn) -> bool:
    """Whether the turn opens by taking the floor: "let me jump in there", "I'll take that one", "if I may"."""
    return bool(_CUTS_IN.search(_plain(turn.text[:_OPENING])))


def said_before(call: Call, began: int) -> int | None:
    """The turn of the last thing that the buyer or the rep said before turn `began`, more than a back-channel."""
    return next((at for at in _before(call, began) if not is_back_channel(call.turns[at])), None)


def trigger_of(call: Call, began: int) -> Trigger | None:
    """What the manager's turn `began` came upon: a rep who hesitated, else what the buyer had just raised.

    A pause of `LONG_PAUSE` after the buyer, in a call with times, is hesitation where the words raise nothing.
    """
    before = _before(call, began)
    for at in before:  # the rep's own last words, "well, um" included, up to the buyer's
        if call.role(call.turns[at]) != "rep":
            break
        if hesitates(call.turns[at]):
            return "hesitation"
    heard = [at for at in before if not is_back_channel(call.turns[at])][:LOOK_BACK]
    raised = (raised_in(call.turns[at].text) for at in heard if call.role(call.turns[at]) != "rep")
    return next((kind for kind in raised if kind), "hesitation" if _pause(call, began) >= LONG_PAUSE else None)


def hesitates(turn: Turn) -> bool:
    """Whether a rep's turn is an answer that does not come: fillers, or "I'd have to look". Being cut off is not."""
    text = _plain(turn.text)
    return bool(_NOT_KNOWN.search(text)) or len(_FILLER.findall(text)) >= (1 if word_count(turn) <= SHORT_ANSWER else 2)


def raised_in(text: str) -> Trigger | None:
    """What a buyer's words raise: a competitor or another way to do it, the price, an objection, or none of them."""
    kinds: tuple[tuple[Trigger, re.Pattern[str]], ...] = (
        ("competitor", _COMPETITOR),
        ("price", _PRICE),
        ("objection", _OBJECTION),
    )
    return next((kind for kind, pattern in kinds if pattern.search(_plain(text))), None)


def _plain(text: str) -> str:
    return text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def _before(call: Call, began: int) -> list[int]:
    """Turns of others than managers before `began`, newest first."""
    return [at for at in range(began - 1, -1, -1) if call.role(call.turns[at]) != "manager"]


def _pause(call: Call, began: int) -> float:
    """Seconds between the turn before and the manager's; 0 without times."""
    if not began:
        return 0.0
    end, start = call.turns[began - 1].end, call.turns[began].start
    return 0.0 if end is None or start is None else start - end
