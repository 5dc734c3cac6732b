"""Sentences, times, quantities, owners and content words, by spaCy rules: text in, spans, hints and words out.

A blank English pipeline: nothing is downloaded. All are hints to the learned heads, never a judgement: a date
alone is no next step. All patterns work on lower-case words, so a recogniser's text without punctuation is read too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Cues", "content_words", "cues", "sentences"]

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

_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?|\d+")
_YOU = frozenset(
    form.replace("'", mark)
    for form in ("you", "your", "yours", "yourself", "you'd", "you're", "you've", "you'll")
    for mark in ("'", "’", "")
)
_SMALL_TALK = frozenset(
    [
        "yeah",
        "okay",
        "right",
        "think",
        "know",
        "just",
        "like",
        "really",
        "going",
        "gonna",
        "well",
        "mean",
        "want",
        "thing",
        "good",
        "also",
        "kind",
        "sort",
        "actually",
        "maybe",
        "little",
        "look",
        "make",
        "sure",
        "time",
        "today",
        "week",
        "month",
        "year",
        "need",
        "people",
        "say",
        "come",
        "sound",
        "great",
        "thank",
        "thanks",
        "hello",
        "morning",
        "afternoon",
        "sorry",
        "hear",
        "talk",
        "call",
        "thought",
        "probably",
        "always",
        "never",
        "nice",
        "fine",
        "true",
        "exactly",
        "suppose",
        "guess",
        "first",
        "next",
        "last",
        "half",
        "hundred",
        "thousand",
        "much",
        "many",
        "more",
        "most",
        "said",
        "says",
        "tell",
        "told",
        "give",
        "gave",
        "take",
        "took",
        "work",
        "works",
    ]
)


@dataclass(frozen=True, slots=True)
class Cues:
    """What a text mentions: a date or time, a quantity, somebody who will do something; and how often it says "you"."""

    when: bool
    figure: bool
    owner: bool
    you: int


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
        you = sum(word in _YOU for word in _WORD.findall(text.lower()))
        found.append(Cues("when" in names, "figure" in names, "owner" in names, you))
    return found


def content_words(text: str) -> set[str]:
    """The words of `text` that carry meaning, in lower case and without a plural's s: no stop words, no small talk,
    nothing of under four letters; numbers stay."""
    words = {word for word in _WORD.findall(text.lower()) if len(word) > 3 or word.isdigit()} - _empty_words()
    return {word.rstrip("s") if len(word) > 4 else word for word in words}


@lru_cache(maxsize=1)
def _empty_words() -> frozenset[str]:
    from spacy.lang.en.stop_words import STOP_WORDS

    return frozenset(STOP_WORDS) | _SMALL_TALK


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
