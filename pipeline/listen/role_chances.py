"""Who could be whom: scores of single speakers in, the probability of each role for each speaker out.

All ways of giving the speakers roles are weighed against each other, so that what one speaker says is evidence about
the others too: of two voices one sells and one buys, whoever speaks first.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.listen.introductions import Clue
from pipeline.records import Role

__all__ = ["SIDES", "Expected", "named", "role_chances"]

SIDES: tuple[Role, ...] = ("rep", "manager", "customer")

_STEPS: dict[str, tuple[float, ...]] = {
    "self": (3.0, 3.5),
    "maybe_self": (1.0,),
    "says": (-1.9, -2.9, -3.5),
    "answers": (1.3, 2.0, 2.5),
    "was_thanked": (1.0, 1.5),
}
"""Log-odds that a speaker is a person after one such clue, two, and so on: counted in the corpus, as written and as
heard with 15 % of the words wrong, the share of those with the clue among speakers who are the person and others."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Who is to be expected: a `meeting` is without buyers; `joint` calls have a rep and a manager. `people` are how
    many reps, managers and customers the manifest names."""

    meeting: bool = False
    joint: bool = False
    people: tuple[int, int, int] = (0, 0, 0)

    def log_weight(self, reps: int, managers: int, customers: int) -> float:
        """How plausible so many people of each role are before anything is said: a sum of logarithms, 0 for usual."""
        if self.meeting:
            return _IMPOSSIBLE * (customers > 0) + _UNLIKELY * ((managers != 1) + (reps == 0))
        weight = _IMPOSSIBLE * (not customers or not reps + managers)
        weight += _UNLIKELY * ((reps > 1) + (managers > 1))
        named = any(self.people[:2])
        two_sell = self.joint or all(self.people[:2])
        if not reps:
            weight += 0.0 if named and not self.people[0] else 1.5 * _UNLIKELY
        elif not managers:
            weight += 0.5 * _UNLIKELY * two_sell
        elif not two_sell:
            weight += 0.75 * _UNLIKELY if named else 0.3 * _UNLIKELY
        return weight


_UNLIKELY = -4.0
_IMPOSSIBLE = -12.0


def named(clues: Iterable[Clue], roles: Mapping[str, frozenset[Role]]) -> dict[tuple[str, Role], float]:
    """(speaker, role) -> log-odds by names: the mean over the people of that role of what says that it is them.
    `roles` are those of each name."""
    people = defaultdict(list)
    for name, theirs in roles.items():
        for role in theirs:
            people[role].append(name)
    scores = name_scores(clues)
    speakers = {speaker for speaker, _ in scores}
    return {
        (speaker, role): math.log(math.fsum(math.exp(scores.get((speaker, name), 0.0)) for name in names) / len(names))
        for speaker in speakers
        for role, names in people.items()
    }


def name_scores(clues: Iterable[Clue]) -> dict[tuple[str, str], float]:
    """(speaker, name) -> log-odds that the speaker is that person."""
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for clue in clues:
        counts[clue.speaker, clue.name][clue.kind] += 1
    return {
        key: math.fsum(_STEPS[kind][min(count, len(_STEPS[kind])) - 1] for kind, count in sorted(kinds.items()))
        for key, kinds in counts.items()
    }


def role_chances(
    scores: Mapping[str, Mapping[Role, float]], known: Iterable[Role], expected: Expected
) -> dict[str, dict[Role, float]]:
    """Speaker -> role -> probability (0-1, of the roles in their `scores`, which add to 1).

    `scores` are log-odds of the roles that each speaker may have; `known` are the roles of the other speakers.
    """
    roles = list(known)
    start = {(roles.count("rep"), roles.count("manager"), roles.count("customer")): 0.0}
    found = {}
    for speaker, own in scores.items():
        others = start
        for other, theirs in scores.items():
            if other != speaker:
                others = _joined(others, theirs)
        totals = {role: _total(_joined(others, {role: score}), expected) for role, score in own.items()}
        found[speaker] = _shares(totals)
    return found


_Counts = tuple[int, int, int]


def _joined(states: Mapping[_Counts, float], scores: Mapping[Role, float]) -> dict[_Counts, float]:
    """The states (how many reps, managers, customers) with one more speaker, each with its log weight."""
    found: dict[_Counts, list[float]] = defaultdict(list)
    for counts, weight in states.items():
        for role, score in scores.items():
            more = tuple(min(2, n + (side == role)) for n, side in zip(counts, SIDES, strict=True))
            found[more].append(weight + score)  # type: ignore[index]
    return {counts: _log_sum(weights) for counts, weights in found.items()}


def _total(states: Mapping[_Counts, float], expected: Expected) -> float:
    return _log_sum([weight + expected.log_weight(*counts) for counts, weight in sorted(states.items())])


def _shares(totals: Mapping[Role, float]) -> dict[Role, float]:
    total = _log_sum(list(totals.values()))
    return {role: math.exp(value - total) for role, value in totals.items()}


def _log_sum(values: list[float]) -> float:
    top = max(values)
    return top + math.log(math.fsum(math.exp(value - top) for value in values))
