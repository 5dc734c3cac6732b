"""Whether a call is in English, by its commonest words: a `Call` in, the share of English function words out.

The classifier and its criteria are English. A call in another language is not at level 0, it cannot be judged; so it is
withheld. Only the selling side is looked at: its words are what is judged. A recogniser that was told to hear English
writes English words whatever is said, and that cannot be told here.
"""

from __future__ import annotations

import re

from pipeline.records import Call

__all__ = ["FEWEST_DIFFERENT", "LEAST_ENGLISH", "english_share", "is_foreign"]

FEWEST_DIFFERENT = 30
"""Fewer different words tell nothing about the language."""
LEAST_ENGLISH = 0.12
"""Least share of function words in English speech. Measured on the selling side: whole calls of the corpus have 0.32
and more, with 25 % of the words wrong 0.30, a spoken list of features 0.1; ten other languages have up to 0.02."""
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]+(?:['’][^\W\d_]+)*")
"""A word, or one sign of a script that is written without spaces."""
_COMMON = """
    the and you that it this with for have what your they there from would which are not just if know how when
    then them my our can will been think about because get got some did does should could who were their than
    yes yeah right well going want see look say make thing things here where really at be but all up out into
    back before after now only also more other two first need let take give put time day any every same much
    many one us has had him her his she being very too aye wee sure
"""
"""Common words of spoken English, without those that other languages have as well ("is", "to", "we", "of", "in"). Of a
contraction ("that's", "I'll") the first part counts."""
_ENGLISH = frozenset(_COMMON.split())


def english_share(call: Call) -> tuple[float, int]:
    """The share (0-1) of English function words among the selling side's words; how many different words it says."""
    said = " ".join(turn.text for turn in call.turns if call.side(turn) == "seller").lower()
    words = [re.split("['’]", word)[0] for word in _WORD.findall(said)]
    return sum(word in _ENGLISH for word in words) / max(1, len(words)), len(set(words))


def is_foreign(call: Call) -> bool:
    """Whether the selling side speaks another language than English; False where it says too little to tell."""
    share, different = english_share(call)
    return different >= FEWEST_DIFFERENT and share < LEAST_ENGLISH
