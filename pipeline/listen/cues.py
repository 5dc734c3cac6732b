"""What sellers, buyers and managers say: turns in; log-odds of selling, and of managing, for each speaker out.

Everyday phrases, not topics: a seller speaks of "your" week and what "you'd" like, a buyer of "my" week and what "I've
got". They hold for any trade, and for a recogniser's text, which has neither capitals nor marks.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.records import Turn

__all__ = ["PHRASES", "WEIGHTS", "SideWeights", "is_english", "managing", "plain_words", "selling", "side_cues"]

PHRASES: dict[str, tuple[str, ...]] = {
    "addresses": ("your", "youd", "youve", "youll", "you can", "for you", "to you", "if you"),
    "explores": ("how many", "how", "^how", "is there", "what would", "what happens", "which", "do you", "can i",
                 "shall"),
    "offers": ("we do", "ours", "we can", "we offer", "we help", "our platform", "our system", "our customers"),
    "leads": ("let me", "tell you", "ill send", "send you", "show", "today", "the first", "first", "each", "before",
              "minutes", "okay so", "so you"),
    "prices": ("a month", "per month", "per user", "per seat", "a seat", "a head", "percent", "per cent", "we charge"),
    "tries": ("your platform", "your product", "your system", "your software", "your price", "your pricing",
              "your competitor", "your competitors", "your company", "do you support", "do you have", "do you offer",
              "how does", "does it", "can it", "can you", "will it", "would it"),
    "owns": ("my", "^my", "my boss", "ive got", "i have", "had a", "i cant", "i dont", "dont know"),
    "buys": ("how much", "whats it", "have to", "id have", "send me", "we have", "we use", "weve", "^but"),
}  # fmt: skip
"""Cue -> its phrases of one or two words, without apostrophes; ^ marks the first word of a turn."""


@dataclass(frozen=True, slots=True)
class SideWeights:
    """Log-odds of selling: `bias`, for each unit of the learned head's logit, and for each of `PHRASES`' cues."""

    bias: float
    head: float
    cues: tuple[float, ...]


WEIGHTS = SideWeights(bias=1.65, head=0.52, cues=(1.91, 1.22, 0.4, 1.26, 0.36, -0.35, -0.92, 0.07))
"""Fitted on data/corpus by `python benchmarks/roles.py --fit`."""
_USUAL = (-4.53, -4.69, -6.47, -4.62, -6.58, -6.63, -4.69, -5.75)
"""The logarithm of each cue's rate in the corpus, to which the rate of one who says little is drawn."""
_PRIOR_WORDS = 100
_HEAD_LIMIT = 0.0005
"""The head's probabilities are kept this far from 0 and 1: it was trained on written-out calls alone."""

_OPENING = 30
"""Turns of a call in which people say who is who; later "come in" and "with me" mean something else."""
_DEFERS = re.compile(
    r"\b(?:my|our) (?:\w+ )?(?:manager|boss|director|vp|lead|leader|supervisor|chief|colleague|head)\b"
    r"|\bwho i (?:work for|report to|answer to)\b"
    r"|\b(?:hes|shes|he|she|who) (?:runs|leads|heads|manages) (?:our|the|my)\b"
    r"|\b(?:brought|got|have) (?!you\b|us\b|to\b|a\b|the\b)\w+(?: \w+)? (?:with me|on (?:too|as well|the|with))\b"
)
_MANAGES = re.compile(
    r"\bmy (?:team|reps?)\b|\bi (?:run|lead|manage|look after|head) (?:the|our|this|sales)\b"
    r"|\b(?:here|just|only) to (?:listen|learn|watch)\b|\bim (?:just|only) listening\b"
    r"|\b(?:ill|ive promised to) (?:be|keep) quiet\b|\bdont mind me\b|\bignore me\b|\bpretend im not\b"
    r"|\b(?:jump|step|chip|cut|butt) in\b|\bjust to add\b|\bi(?:ll| will) let \w+ (?!know)"
)
_DEFERS_WEIGHT, _MANAGES_WEIGHT = -3.3, 2.5
"""Log-odds of being the manager rather than the rep: in the 61 joint calls of the corpus 43 reps and no manager
defer, and 12 managers and no rep speak as one who leads (as heard with 15 % of the words wrong: 36 and 0, 10 and 0)."""

_WORD = re.compile(r"[^\W_]+")


def plain_words(text: str) -> str:
    """The text in lower case, its words apart by one space, apostrophes gone ("it's" is "its")."""
    return " ".join(_WORD.findall(re.sub("['’]", "", text.lower())))


_ALL = frozenset(phrase for phrases in PHRASES.values() for phrase in phrases)


def side_cues(turns: Sequence[Turn], speakers: Collection[str]) -> dict[str, tuple[float, ...]]:
    """Speaker -> for each cue of `PHRASES` the logarithm of how often it comes (turns with it per word), less the
    usual; all are about 0 for one who says little."""
    found = {speaker: Counter[str]() for speaker in speakers}
    words = dict.fromkeys(speakers, 0)
    for turn in turns:
        if turn.speaker in found:
            said = plain_words(turn.text).split()
            words[turn.speaker] += len(set(said))
            here = {*said, *map(" ".join, pairwise(said)), *(f"^{first}" for first in said[:1])}
            found[turn.speaker].update(here & _ALL)
    return {speaker: _rates(found[speaker], words[speaker]) for speaker in speakers}


def _rates(counts: Mapping[str, int], words: int) -> tuple[float, ...]:
    found = []
    for phrases, usual in zip(PHRASES.values(), _USUAL, strict=True):
        count = sum(counts.get(phrase, 0) for phrase in phrases)
        found.append(math.log((count + _PRIOR_WORDS * math.exp(usual)) / (words + _PRIOR_WORDS)) - usual)
    return tuple(found)


def selling(
    cues: Mapping[str, tuple[float, ...]], head: Mapping[str, float], weights: SideWeights = WEIGHTS
) -> dict[str, float]:
    """Speaker -> log-odds of selling by their cues and the head's probability."""
    found = {}
    for speaker, rates in cues.items():
        chance = min(max(head.get(speaker, 0.5), _HEAD_LIMIT), 1 - _HEAD_LIMIT)
        logit = math.log(chance / (1 - chance))
        found[speaker] = weights.bias + weights.head * logit + math.fsum(map(float.__mul__, weights.cues, rates))
    return found


def managing(turns: Sequence[Turn], speakers: Collection[str]) -> dict[str, float]:
    """Speaker -> log-odds of being the manager of two sellers, by who defers to whom in the call's beginning."""
    found = dict.fromkeys(speakers, 0.0)
    texts = {speaker: "" for speaker in speakers}
    for turn in turns[:_OPENING]:
        if turn.speaker in texts:
            texts[turn.speaker] += f" | {plain_words(turn.text)}"
    for speaker, text in texts.items():
        defers, manages = _DEFERS.search(text) is not None, _MANAGES.search(text) is not None
        found[speaker] = _DEFERS_WEIGHT * defers + _MANAGES_WEIGHT * manages
    return found


# --- the language ---------------------------------------------------------------------------------

_LEAST_ENGLISH, _FEWEST_DIFFERENT = 0.12, 30
_COMMON_WORDS = """
    the and you that it this with for have what your they there from would not just if how know when then my can
    been think about because get did does should could who were their than yeah right well going want see look say
    make thing things where at be but all up out back only other need let take give time day any
"""
_COMMON = frozenset(_COMMON_WORDS.split())
"""Common words of spoken English, without those that other languages have as well."""


def is_english(turns: Sequence[Turn]) -> bool:
    """Whether the phrases can tell anything: True for English, and for too few different words to tell."""
    words = [word for turn in turns for word in plain_words(turn.text).split() if word.isalpha()]
    return len(set(words)) < _FEWEST_DIFFERENT or sum(map(_COMMON.__contains__, words)) >= _LEAST_ENGLISH * len(words)
