"""Records built by hand for the tests: a call from (speaker, text) lines or (speaker, start, end, text) lines."""

from dataclasses import replace

from pipeline.assess.rubric import Rubric, rubric_for
from pipeline.records import BEHAVIOURS, Call, ListeningQuality, Participant, Turn

PEOPLE = {
    "R": Participant("R", "Tom Adeyemi", "rep"),
    "M": Participant("M", "Mara Lind", "manager"),
    "C": Participant("C", "Ines Roth", "customer"),
    "X": Participant("X", None, "unknown"),
}


def untimed_call(*lines: tuple[str, str], **fields) -> Call:
    """A call without times; speakers are R (rep), M (manager), C (customer) and X (unknown)."""
    return _call([Turn(speaker, text) for speaker, text in lines], None, fields)


def timed_call(*lines: tuple[str, float, float, str], **fields) -> Call:
    """A call whose turns have times in seconds."""
    turns = [Turn(speaker, text, start, end) for speaker, start, end, text in lines]
    return _call(turns, max((turn.end for turn in turns), default=0.0), fields)


def core_rubric(call_type: str, **changed) -> Rubric:
    """The shipped rubric of a sales call with the five core behaviours alone."""
    shipped = rubric_for(call_type)
    core = tuple(one for one in shipped.behaviours if one.name in BEHAVIOURS)
    return replace(shipped, behaviours=core, **changed)


def words(count: int) -> str:
    """That many words."""
    return " ".join(["word"] * count)


def _call(turns, duration, fields):
    people = tuple(PEOPLE[one] for one in dict.fromkeys(turn.speaker for turn in turns))
    defaults = {
        "call_id": "c1",
        "call_type": "joint",
        "participants": people,
        "duration": duration,
        "quality": ListeningQuality("by hand"),
        "source_sha256": "0" * 64,
    }
    return Call(turns=tuple(turns), **{**defaults, **fields})
