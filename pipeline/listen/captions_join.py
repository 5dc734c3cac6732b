"""Pieces of speech -> turns: the cues of one speaker in a row become one where nothing lies between them.

Meeting software and recognisers cut what somebody says into cues of a few seconds. Counted as turns they would break
sentences, and every measure that counts turns. The rule, in docs/transcripts.md too: a cue goes on with the turn of the
cue before where both name the same speaker and

- neither has times, or
- the pause between is at most `PAUSE`, or at most `LONG_PAUSE` where the cue before stops in mid-sentence, and nobody
  else speaks in it, or
- the pause is not known and the cue before stops in mid-sentence.

A word or two that somebody puts in while another still speaks ("okay") stay a turn of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.listen.captions_cue import UNKNOWN, Cue
from pipeline.records import SpeechSegment

PAUSE = 1.5
"""Seconds. Speakers pause for a breath or a thought that long inside a turn; captions are cut at shorter ones."""
LONG_PAUSE = 5.0
"""Seconds that somebody may search for the rest of a sentence."""

PUT_IN_WORDS = 2
"""Words that may be said while another speaks without taking the floor."""

_SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"'”’»)\]]*$")


def join_pieces(cues: Sequence[Cue]) -> list[Cue]:
    """The cues with those of one turn as one, in file order. Words are kept where every piece has them."""
    return [_one(pieces) for pieces in _runs(cues)]


def speech_in(cues: Sequence[Cue]) -> tuple[SpeechSegment, ...]:
    """Who speaks when, by the cues as they stand in the file; empty where not every cue has times."""
    found = []
    for cue in cues:
        if cue.start is None or cue.end is None:
            return ()
        if cue.end > cue.start:
            found.append(SpeechSegment(cue.speaker or UNKNOWN, cue.start, cue.end))
    return tuple(found)


def _runs(cues: Sequence[Cue]) -> Iterator[list[Cue]]:
    run: list[Cue] = []
    others: dict[str | None, float] = {}  # the two speakers with the latest ends, and those
    for cue in cues:
        if run and not _goes_on(run[-1], cue, _latest_of_others(others, cue.speaker)):
            yield run
            run = []
        run.append(cue)
        if cue.end is not None:
            others[cue.speaker] = max(cue.end, others.get(cue.speaker, 0.0))
            if len(others) > 2:
                del others[min(others, key=lambda name: others[name])]
    if run:
        yield run


def _latest_of_others(latest: dict[str | None, float], speaker: str | None) -> float:
    return max((end for name, end in latest.items() if name != speaker), default=0.0)


def _goes_on(before: Cue, cue: Cue, others_end: float) -> bool:
    """Whether the cue belongs to the turn of the cue before it; `others_end` is when somebody else last stopped."""
    if before.speaker != cue.speaker or (cue.speaker is None and not cue.goes_on):
        return False
    if cue.goes_on:
        return True
    if before.start is None and cue.start is None:
        return True
    is_open = _SENTENCE_END.search(before.text) is None
    if before.end is None or cue.start is None:
        return is_open
    if before.start is not None and cue.start < before.start:
        return False
    is_put_in = len(before.text.split()) <= PUT_IN_WORDS
    silent_from = before.start if is_put_in and before.start is not None else before.end
    return cue.start - before.end <= (LONG_PAUSE if is_open else PAUSE) and others_end <= silent_from


def _one(pieces: Sequence[Cue]) -> Cue:
    first = pieces[0]
    if len(pieces) == 1:
        return first
    ends = [piece.end for piece in pieces if piece.end is not None]
    return replace(
        first,
        text=" ".join(piece.text for piece in pieces),
        end=max(ends) if len(ends) == len(pieces) else None,
        words=tuple(word for piece in pieces for word in piece.words) if all(one.words for one in pieces) else (),
    )
