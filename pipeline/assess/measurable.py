"""Which talk measures a call's record is good enough for. Call in, (measure, reason) of those that are withheld out.

A number that the record cannot bear is worse than none: it is None everywhere, and pages give the reason in its place.
"""

from __future__ import annotations

import re

from pipeline.assess.floor import is_timed, word_count
from pipeline.records import Call

BY_SIDE = "by_side"
"""The name under which all measures of the two sides are withheld; those of speakers are not."""
LEAST_ATTRIBUTED = 0.8
"""Share of the words with a speaker from which talk is measured, as the shipped rubrics ask for it. Under it the words
that are missing could move a talk share by more than ten points, the width of a third of the usual range."""
LEAST_WITH_SIDE = 0.9
"""Share of the words from a speaker of a known side from which sides are measured: a side's share is then at most ten
points off."""
LEAST_CONFIDENCE = 0.4
"""Mean word probability from which words are counted, as the shipped rubrics ask for it. Under it most of them were
not said as they stand, nor in that number."""
PUNCTUATED_SHARE = 0.2
"""Share of turns with sentence punctuation from which a transcript counts as punctuated. Without it questions are not
counted: a rule on question words found a third of the questions of the labelled calls, too few to show anybody."""

_NEED_TIMES = (
    "speaking_time",
    "longest_monologue",
    "questions_per_minute",
    "words_per_minute",
    "patience",
    "interruptions",
    "switches_per_minute",
    "dead_air",
)
_NEED_OVERLAPS = ("patience", "interruptions")
_NEED_SPEAKERS = ("talk_share", "questions", *(name for name in _NEED_TIMES if name != "dead_air"))
_NEED_WORDS = ("questions", "questions_per_minute", "words_per_minute")
_PUNCTUATION = re.compile(r"[.?!。？！؟]")


def withheld_measures(call: Call) -> tuple[tuple[str, str], ...]:
    """(measure, reason) in the order of their reasons, one reason a measure; none for a call without turns."""
    if not call.turns:
        return ()
    found: dict[str, str] = {}
    for names, reason in _reasons(call):
        for name in names:
            found.setdefault(name, reason)
    return tuple(found.items())


def is_punctuated(call: Call) -> bool:
    """Whether the transcript has sentence punctuation, so that its question marks can be counted."""
    marked = sum(bool(_PUNCTUATION.search(turn.text)) for turn in call.turns)
    return bool(call.turns) and marked >= PUNCTUATED_SHARE * len(call.turns)


def _reasons(call: Call) -> list[tuple[tuple[str, ...], str]]:
    found: list[tuple[tuple[str, ...], str]] = []
    attributed = call.quality.speech_attributed
    if attributed is not None and attributed < LEAST_ATTRIBUTED:
        found.append((
            _NEED_SPEAKERS,
            f"Only {attributed:.0%} of the words have a speaker; at least {LEAST_ATTRIBUTED:.0%} are needed.",
        ))  # fmt: skip
    if not is_timed(call):
        found.append((_NEED_TIMES, _no_times(call)))
    confidence = call.quality.word_confidence
    if confidence is not None and confidence < LEAST_CONFIDENCE:
        found.append((
            _NEED_WORDS if is_timed(call) else (*_NEED_WORDS, "talk_share"),
            "The words were not heard well enough to be counted: mean confidence "
            f"{confidence:.2f}, at least {LEAST_CONFIDENCE:.2f} is needed.",
        ))  # fmt: skip
    if not is_punctuated(call):
        found.append((
            ("questions", "questions_per_minute"),
            "The transcript has no sentence punctuation, so questions cannot be counted.",
        ))  # fmt: skip
    if call.quality.diarization_trust == "low":
        found.append((
            _NEED_OVERLAPS,
            "The voices were told apart without a model that was trained for it, so every moment has one voice: "
            "overlaps and short gaps cannot be heard.",
        ))  # fmt: skip
    if not call.is_meeting and (unknown := _without_side(call)) > 1 - LEAST_WITH_SIDE:
        who = "It is not known who sells and who buys."
        if unknown < LEAST_WITH_SIDE:
            who = f"The speakers of {unknown:.0%} of the words are not known to sell or to buy."
        found.append((
            (BY_SIDE, "patience"),
            f"{who} Name them in the manifest.",
        ))  # fmt: skip
    return found


def _no_times(call: Call) -> str:
    starts = sum(turn.start is not None for turn in call.turns)
    ends = sum(turn.start is not None and turn.end is not None for turn in call.turns)
    if not starts:
        return "The transcript has no times."
    if ends == len(call.turns):
        return "No turn of the transcript lasts any time."
    if not ends:
        return "The transcript says when turns begin, but not when they end."
    return f"Only {ends} of the {len(call.turns)} turns have a beginning and an end."


def _without_side(call: Call) -> float:
    """The share (0-1) of the words from speakers of whom it is not known whether they sell or buy."""
    total = sum(map(word_count, call.turns))
    unknown = sum(word_count(turn) for turn in call.turns if call.side(turn) == "unknown")
    return unknown / total if total else 0.0
