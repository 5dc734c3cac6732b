"""From an LLM judge's answer to evidence: text in; a level and passages out, or every fault of the answer.

Nothing is taken on trust. A quote must stand in its turn, the turn must be of the right side and in the right part of
the call, criteria must exist, and the level must be one that the cited criteria carry by the standard's rule.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.assess.encoder import OTHER_SIDE
from pipeline.assess.features import level_by_rule
from pipeline.assess.floor import performs
from pipeline.assess.llm_prompt import NOT_MEASURED, allowed_levels, sides_of, speaks_alone, voice
from pipeline.records import CRITERIA, Call, Evidence

__all__ = ["Answer", "Refused", "read_answer"]

MOST_PASSAGES = 20
"""More passages than this for one behaviour are a copy of the transcript, not evidence."""
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL)


class Refused(ValueError):
    """An answer that cannot be used; `faults` are short clauses that repeat nothing the model made up."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Answer:
    """A level and what carries it, one passage per turn, in turn order; None where there was nothing to measure."""

    level: int | None
    evidence: tuple[Evidence, ...]


def read_answer(text: str, call: Call, behaviour: str, searched: tuple[int, int]) -> Answer:
    """The checked answer. Raises Refused with all of its faults."""
    read = _parsed(text)
    level, cited = read.get("level"), read.get("evidence")
    if set(read) - {"level", "evidence"}:
        raise Refused("it has other fields than level and evidence")
    if level == "not measured" and behaviour in NOT_MEASURED:
        if cited != []:
            raise Refused("what is not measured has evidence")
        return Answer(None, ())
    if not isinstance(level, int) or isinstance(level, bool) or not 0 <= level <= 3:
        raise Refused(f"level is not {allowed_levels(behaviour)}")
    if not isinstance(cited, list) or len(cited) > MOST_PASSAGES:
        raise Refused(f"evidence is not a list of at most {MOST_PASSAGES} passages")
    faults = [
        f"passage {n}: {fault}" for n, one in enumerate(cited, 1) for fault in _faults(one, call, behaviour, searched)
    ]
    if faults:
        raise Refused(*faults)
    answer = Answer(level, _evidence(cited, call, behaviour))
    if fault := _level_fault(call, level, answer.evidence, behaviour):
        raise Refused(fault)
    return answer


def _parsed(text: str) -> dict[str, Any]:
    """The JSON object of an answer; a model's thoughts before it and a code fence about it are let pass."""
    bare = _THOUGHT.sub("", text).strip()
    fenced = _FENCED.match(bare)
    try:
        read = json.loads(fenced[1] if fenced else bare, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refused("it is not one JSON object") from None
    if not isinstance(read, dict):
        raise Refused("it is not one JSON object")
    return read


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a field is given twice")
    return dict(pairs)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _faults(one: Any, call: Call, behaviour: str, searched: tuple[int, int]) -> Iterator[str]:
    if not isinstance(one, dict) or set(one) != {"turn", "quote", "criteria"}:
        yield "it does not have the fields turn, quote and criteria"
        return
    turn, names = one["turn"], one["criteria"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        yield "criteria is not a list of names"
    elif set(names) - set(CRITERIA[behaviour]):
        yield f"it names a criterion that {behaviour} does not have"
    elif not isinstance(turn, int) or isinstance(turn, bool) or not 0 <= turn < len(call.turns):
        yield f"turn is not a number from 0 to {len(call.turns) - 1}"
    elif not searched[0] <= turn <= searched[1]:
        yield f"turn {turn} is outside the part of the call ({searched[0]} to {searched[1]}) that can hold {behaviour}"
    elif side_fault := _side_fault(call, turn, behaviour, names):
        yield side_fault
    elif not isinstance(one["quote"], str) or _found(one["quote"], call.turns[turn].text) is None:
        yield f"the quoted words do not stand in turn {turn}"


def _side_fault(call: Call, turn: int, behaviour: str, names: list[str]) -> str | None:
    judged, other = sides_of(call.is_meeting)
    yes = OTHER_SIDE.get(behaviour, ())
    if performs(call, call.turns[turn]):
        return None
    if not yes or voice(call, call.turns[turn]) != other:
        return f"turn {turn} is not the {judged}'s"
    if speaks_alone(behaviour) or (names and set(names) <= set(yes)):
        return None
    return f"turn {turn} is the {other}'s, whose words count for {', '.join(yes)} alone"


def _found(quote: str, text: str) -> tuple[int, int] | None:
    """The characters of `text` that hold the quote as whole words, whatever spaces are between them; None if none."""
    words = quote.split()
    if not any(character.isalnum() for character in quote):
        return None
    pattern = r"(?<!\w)" + r"\s+".join(map(re.escape, words)) + r"(?!\w)"
    match = re.search(pattern, text)
    return match.span() if match else None


def _evidence(cited: list[dict[str, Any]], call: Call, behaviour: str) -> tuple[Evidence, ...]:
    """One passage a turn, from its first quoted word to its last, in the turn's own words."""
    spans: dict[int, list[tuple[int, int]]] = {}
    names: dict[int, set[str]] = {}
    for one in cited:
        span = _found(one["quote"], call.turns[one["turn"]].text)
        if span is not None:
            spans.setdefault(one["turn"], []).append(span)
            names.setdefault(one["turn"], set()).update(one["criteria"])
    found = []
    for number in sorted(spans):
        turn = call.turns[number]
        quote = turn.text[min(start for start, _ in spans[number]) : max(end for _, end in spans[number])]
        shown = tuple(name for name in CRITERIA[behaviour] if name in names[number])
        found.append(Evidence(number, turn.start, turn.end, turn.speaker, call.role(turn), quote, shown))
    return tuple(found)


def _level_fault(call: Call, level: int, evidence: tuple[Evidence, ...], behaviour: str) -> str | None:
    """What is wrong between level and evidence. A lower level than the criteria allow is the judge's to give: they may
    be there and yet not work on this buyer."""
    if level == 0:
        return "level 0 has evidence" if evidence else None
    if not evidence:
        return f"level {level} cites no words"
    if not speaks_alone(behaviour) and not any(performs(call, call.turns[one.turn]) for one in evidence):
        return f"level {level} cites no words of the {sides_of(call.is_meeting)[0]}"
    carried = level_by_rule(behaviour, {name for one in evidence for name in one.criteria}, attempted=True)
    return f"level {level} is not carried by its criteria, which give {carried}" if level > carried else None
