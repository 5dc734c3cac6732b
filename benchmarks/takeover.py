"""How well are takeovers and their beginnings found on the labelled joint calls, and on damaged copies of them?

    python benchmarks/takeover.py

Every joint call of `data/corpus/` is read five ways: as the transcript is, without times; with times made from its
words (150 a minute, pauses of 0.3-0.7 s); and both again, and harder, with what a recogniser and a diarizer do to a
call: turns split and run together, back-channels put in, turns given to the wrong speaker, words lost. The damage is
seeded by call and copy. Prints a row a reading and which trigger was named how often, and writes results/takeover.json.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.assess.rubric import rubric_for
from pipeline.assess.takeover import manager_part
from pipeline.assess.triggers import trigger_of
from pipeline.records import Call, Joint, ListeningQuality, Participant, SpeechSegment, Turn

ROOT = Path(__file__).resolve().parent.parent
COPIES = 20
WITHIN_TURNS, WITHIN_SECONDS = 3, 10.0
BACK_CHANNELS = ("mm-hm", "right", "yeah okay", "sure")
REASONS = {
    "objection": r"object|pushed on|brush|worr|refus|already rings|stopped him|why should",
    "price": r"price|pay more|payback|cost|minimum|a third lower",
    "competitor": r"rival|competitor|integrator|compares|why not|why them|merchandisers|salesman|second fib",
    "hesitation": r"hesitat|slow to|stall|could not answer|think aloud|look for a drawing|still starting|read out the",
}
"""Trigger -> words of the labelled reasons ("buyer pushed on price ...") that name it. A reason may name several."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A joint call, whether the manager takes it over, in which turn, and why, in words."""

    call: Call
    takeover: bool
    turn: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Damage:
    """The probability that a turn goes to a wrong speaker, is run into the one before, is split, is followed by a
    back-channel, and that a word is lost."""

    wrong: float = 0.05
    merged: float = 0.05
    split: float = 0.25
    back_channel: float = 0.1
    lost: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One reading of all calls. Errors are |found - labelled| of the beginnings of takeovers that were found."""

    reading: str
    calls: int
    takeovers: int
    missed: int
    false_alarms: int
    withheld: int
    largest_turn_error: int
    within_3_turns: int
    largest_error_seconds: float | None
    within_10_seconds: int | None


def main() -> None:
    calls = corpus()
    rows = [row(name, reading) for name, reading in readings(calls)]
    for one in rows:
        print(in_words(one))
    triggers = trigger_agreement(calls)
    print(f"trigger agrees with the labelled reason on {triggers['agree']} of {triggers['takeovers']} takeovers")
    print("  named:", ", ".join(f"{name} {count}" for name, count in triggers["named"].items()))
    results = ROOT / "benchmarks" / "results" / "takeover.json"
    answer = {"copies": COPIES, "readings": [asdict(one) for one in rows], "triggers": triggers}
    results.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {results.relative_to(ROOT)}", file=sys.stderr)


def corpus() -> list[Labelled]:
    """The labelled joint calls, in the order of their names."""
    files = sorted((ROOT / "data" / "corpus" / "calls").glob("*.json"))
    labelled = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    return [_labelled(one) for one in labelled if one["type"] == "joint"]


def _labelled(one: dict[str, Any]) -> Labelled:
    people = tuple(Participant(who["speaker"], who["name"], who["role"]) for who in one["participants"])
    turns = tuple(Turn(turn["speaker"], turn["text"]) for turn in one["turns"])
    call = Call(one["id"], "joint", turns, people, None, ListeningQuality("by hand"))
    return Labelled(call, one["manager_takeover"], one["takeover_turn"], one["takeover_reason"])


def readings(calls: list[Labelled]) -> Iterator[tuple[str, list[Labelled]]]:
    """(name, calls) of every way in which the corpus is read."""
    usual, hard = Damage(), Damage(wrong=0.1, merged=0.1, lost=0.1)
    yield "as it is, without times", calls
    yield "as it is, with times", [timed(one, 0) for one in calls]
    damaged = [damage(one, usual, copy) for copy in range(COPIES) for one in calls]
    yield f"damaged ({COPIES} copies), without times", damaged
    yield f"damaged ({COPIES} copies), with times", [timed(one, at) for at, one in enumerate(damaged)]
    yield f"badly damaged ({COPIES} copies)", [damage(one, hard, copy) for copy in range(COPIES) for one in calls]


def timed(one: Labelled, seed: int) -> Labelled:
    """The call with times from its words, speech segments included."""
    chance, now, turns = random.Random(f"{one.call.call_id} {seed} times"), 1.0, []
    for turn in one.call.turns:
        end = now + max(0.3, len(turn.text.split()) * 60 / 150)
        turns.append(replace(turn, start=round(now, 3), end=round(end, 3)))
        now = end + chance.uniform(0.3, 0.7)
    speech = tuple(SpeechSegment(turn.speaker, turn.start or 0.0, turn.end or 0.0) for turn in turns)
    return replace(one, call=replace(one.call, turns=tuple(turns), speech=speech, duration=now))


def damage(one: Labelled, how: Damage, copy: int) -> Labelled:
    """The call as a recogniser might have it. The labelled turn is the one that holds the first word of the old one."""
    chance = random.Random(f"{one.call.call_id} {copy}")
    people = sorted({turn.speaker for turn in one.call.turns})
    made: list[tuple[str, str]] = []
    began = None
    for index, turn in enumerate(one.call.turns):
        speaker, words = turn.speaker, turn.text.split()
        if chance.random() < how.wrong:
            speaker = chance.choice([name for name in people if name != speaker])
        words = [word for word in words if chance.random() >= how.lost] or words[:1]
        if made and chance.random() < how.merged:
            made[-1] = (made[-1][0], f"{made[-1][1]} {' '.join(words)}")
            began = len(made) - 1 if index == one.turn else began
            continue
        began = len(made) if index == one.turn else began
        made += _pieces(speaker, words, people, how, chance)
    turns = tuple(Turn(speaker, text) for speaker, text in made)
    return replace(one, call=replace(one.call, turns=turns), turn=began)


def _pieces(
    speaker: str, words: list[str], people: list[str], how: Damage, chance: random.Random
) -> list[tuple[str, str]]:
    """A turn as one or two, with a back-channel of somebody else within or behind it."""
    others = [name for name in people if name != speaker]
    pieces = [(speaker, " ".join(words))]
    if len(words) > 12 and chance.random() < how.split:
        cut = chance.randint(4, len(words) - 4)
        pieces = [(speaker, " ".join(words[:cut])), (speaker, " ".join(words[cut:]))]
        if chance.random() < 0.5:
            pieces.insert(1, (chance.choice(others), chance.choice(BACK_CHANNELS)))
    if chance.random() < how.back_channel:
        pieces.append((chance.choice(others), chance.choice(BACK_CHANNELS)))
    return pieces


def row(name: str, calls: list[Labelled]) -> Row:
    rubric = rubric_for("joint")
    answers = [(one, manager_part(one.call, rubric)) for one in calls]
    found = [(one, joint) for one, joint in answers if one.takeover and joint.takeover]
    turns = [abs((joint.began_turn or 0) - (one.turn or 0)) for one, joint in found]
    seconds = [_seconds_off(one, joint) for one, joint in found if joint.began_at is not None]
    return Row(
        reading=name,
        calls=len(calls),
        takeovers=sum(one.takeover for one in calls),
        missed=sum(one.takeover and not joint.takeover for one, joint in answers),
        false_alarms=sum(not one.takeover and bool(joint.takeover) for one, joint in answers),
        withheld=sum(joint.takeover is None for _, joint in answers),
        largest_turn_error=max(turns, default=0),
        within_3_turns=sum(error <= WITHIN_TURNS for error in turns),
        largest_error_seconds=round(max(seconds), 1) if seconds else None,
        within_10_seconds=sum(error <= WITHIN_SECONDS for error in seconds) if seconds else None,
    )


def in_words(one: Row) -> str:
    found = one.takeovers - one.missed
    beginnings = f"{one.within_3_turns} of {found} beginnings within 3 turns (largest error {one.largest_turn_error})"
    if one.within_10_seconds is not None:
        beginnings += f", {one.within_10_seconds} within 10 s (largest error {one.largest_error_seconds} s)"
    return (
        f"{one.reading}: {one.calls} calls, {found} of {one.takeovers} takeovers found, {one.missed} missed, "
        f"{one.false_alarms} false alarms on {one.calls - one.takeovers} partners; {beginnings}"
    )


def _seconds_off(one: Labelled, joint: Joint) -> float:
    return abs((joint.began_at or 0.0) - (one.call.turns[one.turn or 0].start or 0.0))


def trigger_agreement(calls: list[Labelled]) -> dict[str, Any]:
    """How often the trigger is one that the labelled reason names, or None where the reason names none."""
    named, agree, disagree = Counter[str](), 0, []
    takeovers = [one for one in calls if one.takeover]
    for one in takeovers:
        kind = trigger_of(one.call, one.turn or 0)
        meant = {name for name, words in REASONS.items() if re.search(words, one.reason or "", re.IGNORECASE)}
        named[kind or "none"] += 1
        if kind in meant or (kind is None and not meant):
            agree += 1
        else:
            disagree.append({"call": one.call.call_id, "named": kind, "reason_names": sorted(meant)})
    return {"takeovers": len(takeovers), "agree": agree, "named": dict(sorted(named.items())), "disagree": disagree}


if __name__ == "__main__":
    main()
