"""Sentences, times, quantities and owners in what was said, by spaCy rules: text in, spans and three flags out.

A blank English pipeline: nothing is downloaded. The flags are hints to the learned heads, never a judgement: a date
alone is no next step. All patterns work on lower-case words, so a recogniser's text without punctuation is read too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Cues", "cues", "sentences"]

_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "tomorrow", "tonight", "today"]
_MONTHS = ["january", "february", "march", "april", "june", "july", "august", "september", "october", "november"]
_MONTHS += ["december"]  # "may" is far more often the verb
_UNITS = ["day", "days", "week", "weeks", "month", "months", "hour", "hours", "minute", "minutes", "quarter", "year"]
_UNITS += ["fortnight", "morning", "afternoon", "evening"]
_NUMBERS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"]
_NUMBERS += ["fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty"]
_NUMBERS += ["fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "million", "dozen", "half"]
_MEASURES = ["percent", "pounds", "dollars", "euros", "rand", "grand", "quid", "times", "per", "%", "$", "£", "€"]

_ORDINALS = [
    f"{n}{'st' if n in (1, 21, 31) else 'nd' if n in (2, 22) else 'rd' if n in (3, 23) else 'th'}" for n in range(1, 32)
]
_WHEN: list[list[dict[str, Any]]] = [
    [{"LOWER": {"IN": _DAYS + _MONTHS}}],
    [{"LOWER": {"IN": ["next", "this"]}}, {"LOWER": {"IN": _UNITS}}],
    [{"LOWER": {"IN": ["in", "within", "for"]}}, {"LOWER": {"IN": ["a", "an", *_NUMBERS]}}, {"LOWER": {"IN": _UNITS}}],
    [{"LOWER": {"IN": _ORDINALS}}],
    [{"LOWER": "at"}, {"LIKE_NUM": True}],
    [{"LIKE_NUM": True}, {"LOWER": {"IN": ["am", "pm", "o'clock", "a.m.", "p.m.", "oclock"]}}],
    [{"LOWER": {"IN": _NUMBERS}}, {"LOWER": {"IN": ["thirty", "fifteen"]}}],
    [
        {"LOWER": "end"},
        {"LOWER": "of"},
        {"LOWER": {"IN": ["the", "this", "next"]}, "OP": "?"},
        {"LOWER": {"IN": _UNITS}},
    ],
    [{"LOWER": {"IN": ["half", "quarter", "ten", "twenty"]}}, {"LOWER": {"IN": ["past", "to"]}}, {"LIKE_NUM": True}],
]
_FIGURE: list[list[dict[str, Any]]] = [
    [{"LIKE_NUM": True}],
    [{"LOWER": {"IN": [*_MEASURES[:7], "twice", "halved", "doubled", "tripled", "third", "half", "dozen"]}}],
]
_OWNER: list[list[dict[str, Any]]] = [
    [{"LOWER": {"IN": ["i", "we", "you", "he", "she", "they"]}}, {"LOWER": {"IN": ["'ll", "’ll", "will", "ll"]}}],
    [{"LOWER": {"IN": ["ill", "youll", "well"]}}, {"LOWER": {"IN": ["send", "get", "put", "bring", "call", "come"]}}],
    [{"LOWER": {"IN": ["i", "we", "you"]}}, {"LOWER": {"IN": ["'m", "'re", "am", "are"]}}, {"LOWER": "going"}],
    [{"LOWER": {"IN": ["let", "lemme"]}}, {"LOWER": "me"}],
    [{"LOWER": {"IN": ["can", "could", "would"]}}, {"LOWER": "you"}],
    [{"LOWER": "from"}, {"LOWER": {"IN": ["my", "your", "our"]}}, {"LOWER": {"IN": ["side", "end"]}}],
]


@dataclass(frozen=True, slots=True)
class Cues:
    """What a text mentions: a date or time, a quantity, somebody who will do something."""

    when: bool
    figure: bool
    owner: bool


@lru_cache(maxsize=1)
def _pipeline() -> tuple[Any, Any]:
    """The blank English pipeline with its sentence splitter, and the matcher; loaded once."""
    import spacy
    from spacy.matcher import Matcher

    language = spacy.blank("en")
    language.add_pipe("sentencizer")
    matcher = Matcher(language.vocab)
    for name, patterns in (("when", _WHEN), ("figure", _FIGURE), ("owner", _OWNER)):
        matcher.add(name, patterns)
    return language, matcher


def cues(texts: Sequence[str]) -> list[Cues]:
    """The cues of each text, in order."""
    language, matcher = _pipeline()
    found = []
    for text in texts:
        names = {language.vocab.strings[match[0]] for match in matcher(language.make_doc(text))}
        found.append(Cues("when" in names, "figure" in names, "owner" in names))
    return found


def sentences(text: str) -> list[tuple[int, int]]:
    """The (start, end) characters of each sentence, without outer spaces; one span where nothing marks an end."""
    language, _ = _pipeline()
    spans = []
    for sentence in language(text).sents:
        start, end = sentence.start_char, sentence.end_char
        piece = text[start:end]
        start += len(piece) - len(piece.lstrip())
        end -= len(piece) - len(piece.rstrip())
        if end > start:
            spans.append((start, end))
    return spans
