"""What a role can be told from: names, phrases and what sentences are like in; log-odds of each speaker's roles out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.listen.call_rows import CallRow
from pipeline.listen.cues import SideWeights, is_english, managing, selling, side_cues
from pipeline.listen.introductions import Clue
from pipeline.listen.people import names_of, people_of
from pipeline.listen.role_chances import SIDES, Expected, named
from pipeline.records import MEETINGS, Role, Side, Turn

__all__ = ["FEWEST_WORDS", "Heard", "SellerProbability", "channel_roles", "expected", "may_be", "scores"]

FEWEST_WORDS = 15
"""Fewer words than this are a greeting, from which nobody can tell who sells."""

SellerProbability = Callable[[Mapping[str, Sequence[str]]], Mapping[str, float]]
"""Speaker -> turns in, speaker -> probability of being on the selling side out."""

_CHANNEL = re.compile(r"channel-([1-9][0-9]*)(?:-voice-[1-9][0-9]*)?")
_SELLING: frozenset[Role] = frozenset({"rep", "manager"})
_BUYING: frozenset[Role] = frozenset({"customer"})
_ANY: frozenset[Role] = frozenset(SIDES)


@dataclass(frozen=True, slots=True)
class Heard:
    """All that a role can be told from."""

    turns: Sequence[Turn]
    row: CallRow
    infer: SellerProbability
    sides: Mapping[str, Side]
    weights: SideWeights
    clues: Sequence[Clue] = field(default=())


def channel_roles(speaker: str, row: CallRow) -> frozenset[Role]:
    """The roles that the manifest gives to the channel on which this voice is heard; empty where it does not tell."""
    match = _CHANNEL.fullmatch(speaker)
    number = int(match.group(1)) if match else 0
    return frozenset(row.channels[number - 1]) & _ANY if 0 < number <= len(row.channels) else frozenset()


def may_be(speaker: str, heard: Heard) -> frozenset[Role]:
    """The roles that a speaker may have."""
    if on_channel := channel_roles(speaker, heard.row):
        return on_channel
    if heard.row.call_type in MEETINGS:
        return _SELLING
    return {"seller": _SELLING, "buyer": _BUYING}.get(heard.sides.get(speaker, "unknown"), _ANY)


def expected(row: CallRow) -> Expected:
    """Who is to be expected on the call by its manifest row."""
    reps, managers, customers = (len(names_of(row, role)) for role in SIDES)
    return Expected(row.call_type in MEETINGS, row.call_type == "joint", (reps, managers, customers))


def scores(voices: Sequence[str], heard: Heard) -> dict[str, dict[Role, float]]:
    """Speaker -> role that they may have -> log-odds by all that is said."""
    by_name = named(heard.clues, people_of(heard.row))
    sells = dict.fromkeys(voices, 0.0)
    manages = dict.fromkeys(voices, 0.0)
    if heard.row.call_type not in MEETINGS and _can_be_read(voices, heard):
        sells.update(_selling(voices, heard))
        manages.update(managing(heard.turns, voices))
    parts: dict[str, dict[Role, float]] = {
        one: {"rep": sells[one], "manager": sells[one] + manages[one], "customer": 0.0} for one in voices
    }
    return {
        one: {role: parts[one][role] + by_name.get((one, role), 0.0) for role in SIDES if role in may_be(one, heard)}
        for one in voices
    }


def _can_be_read(voices: Sequence[str], heard: Heard) -> bool:
    """Whether English phrases can tell anything of what these speakers say."""
    said = [turn for turn in heard.turns if turn.speaker in voices]
    return heard.row.language in (None, "en") and is_english(said)


def _selling(voices: Sequence[str], heard: Heard) -> dict[str, float]:
    """Log-odds of selling of those who say more than a greeting."""
    said = {one: [turn.text for turn in heard.turns if turn.speaker == one] for one in voices}
    spoken = {one: texts for one, texts in said.items() if len(" ".join(texts).split()) >= FEWEST_WORDS}
    if not spoken or not any(len(may_be(one, heard) & _BUYING) and may_be(one, heard) & _SELLING for one in voices):
        return {}
    return selling(side_cues(heard.turns, spoken), heard.infer(spoken), heard.weights)
