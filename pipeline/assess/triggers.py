"""What had just been said when a manager took over, and its kind. Call and turn in, words and a Trigger out.

Rules on words: they read the last things that the buyer and the rep said, newest first, and say None rather than guess.
"""

from __future__ import annotations

import re

from pipeline.assess.floor import is_back_channel, word_count
from pipeline.records import Call, Trigger, Turn

LOOK_BACK = 3
"""Turns of buyer and rep that are read. What came earlier is no longer what the manager answers."""

_PRICE = re.compile(
    r"\b(?:pric\w*|cost\w*|charg\w*|expens\w*|cheap\w*|afford\w*|budget\w*|discount\w*|fees?\b|quot(?:e|es|ed)\b"
    r"|pay(?:s|ing|back)?\b|pay(?:ment)s?\b|how much (?:is|are|would|does|do|for|more|money)|dollars?|euros?|pounds?"
    r"|quid|bucks?|rupees?|ringgit|pesos?|dirhams?|crowns?|francs?|yen|rand|naira"
    r"|per (?:seat|user|month|head|licen[cs]e)|a month|minimum|money)|[$€£₹¥]\s?\d",
    re.IGNORECASE,
)
_COMPETITOR = re.compile(
    r"\b(?:competitors?|compet(?:e|ing|ition)|rivals?|vendors?|suppliers?|other (?:quote|offer|bid|company|firm|lot)s?"
    r"|another (?:quote|offer|bid|company|firm|provider)|(?:an|the|his|their) (?:quote|offer|bid) from|already (?:have|has"
    r"|use|uses|using|got|work with)|we (?:use|have always used)|in[- ]house|ourselves|do it by hand"
    r"|(?:the|that|this) (?:\w+ )?(?:salesman|salesperson|rep|fella|fellow|bloke|outfit|crowd)"
    r"|compared? (?:to|with)|versus|instead of|rather than|different from|better than"
    r"|why (?:you|not|should(?:n't| not) I|shouldn't we))\b",
    re.IGNORECASE,
)
_OBJECTION = re.compile(
    r"\b(?:but|however|no,|not (?:sure|convinced|happy|interested|going to|for us)|(?:don't|dont|do not|can't|cant|cannot"
    r"|won't|wont) (?:believe|see|think|need|want|do|know|accept|trust|work|have (?:the )?time)|worr(?:y|ies|ied)|afraid"
    r"|scare[sd]?|concern\w*|problem is|trouble is|thing is|the issue|risk\w*|doubt\w*|skeptic\w*|sceptic\w*"
    r"|too (?:much|expensive|late|big|small|complicated|hard|long|slow|dear)|why (?:would|should|do|does) (?:i|we|it|he"
    r"|she|they)\b|what (?:if|happens (?:if|when|in))|already (?:know|tried|been)|tried (?:that|it|this)|said no|say no"
    r"|never (?:works?|going)|not (?:again|a chance)|finished)\b",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"\b(?:u+[hm]+|e+[rm]+|a+hm?|hmm+|erm+|sort of|kind of|how do i say|let me (?:see|think|check))\b", re.I
)
_NOT_KNOWN = re.compile(
    r"\b(?:(?:i|we)(?:'d| would|'ll| will)? (?:have to|need to|must) (?:look|check|ask|see|find|get back)|i(?:'m| am)? not"
    r" (?:quite |really |totally )?sure|i (?:don't|dont|do not) (?:know|have (?:the|that|it))|i believe it|i think it|it "
    r"depends|good question|come back to you|get back to you|one moment|i look where)\b",
    re.IGNORECASE,
)
_BREAKS_OFF = re.compile(
    r"(?:[—–-]|\.\.\.|…)\s*$|\b(?:the|a|an|and|so|that|is|of|to|on|at|for|with|very|what|it|each)[.,]?\s*$", re.I
)
_FILLERS_FOR_A_SHORT_TURN = 25
"""Words up to which one filler makes an answer hesitant; a longer one needs two."""


def said_before(call: Call, began: int) -> int | None:
    """The turn of the last thing that the buyer or the rep said before turn `began`, more than a back-channel."""
    before = _heard(call, began)
    return before[0] if before else None


def trigger_of(call: Call, began: int) -> Trigger | None:
    """What the manager's turn `began` came upon: the rep's hesitation, else what the buyer had just raised."""
    before = _heard(call, began)[:LOOK_BACK]
    for index in before:
        if call.role(call.turns[index]) == "rep" and index == before[0] and hesitates(call.turns[index]):
            return "hesitation"
        if call.role(call.turns[index]) != "rep":
            kind = raised_in(call.turns[index].text)
            if kind or index != before[0]:
                return kind
    return None


def hesitates(turn: Turn) -> bool:
    """Whether a rep's turn is an answer that does not come: fillers, "I'd have to look", or a broken end."""
    text, fillers = turn.text, len(_FILLER.findall(turn.text))
    if _NOT_KNOWN.search(text) or _BREAKS_OFF.search(text):
        return True
    return fillers >= (1 if word_count(turn) <= _FILLERS_FOR_A_SHORT_TURN else 2)


def raised_in(text: str) -> Trigger | None:
    """What a buyer's words raise: a competitor or another way, a price, an objection, or none of them."""
    if _COMPETITOR.search(text):
        return "competitor"
    if _PRICE.search(text):
        return "price"
    return "objection" if _OBJECTION.search(text) else None


def _heard(call: Call, began: int) -> list[int]:
    """Turns of others than managers before `began` that are more than a back-channel, newest first."""
    return [
        index
        for index in range(began - 1, -1, -1)
        if call.role(call.turns[index]) != "manager" and not is_back_channel(call.turns[index])
    ]
