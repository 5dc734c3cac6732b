"""Whether the channels of the manifest are swapped: what is said on them in, a warning out.

The manifest is not overruled: what is said may be wrong, and the user is asked to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.listen.role_chances import role_chances
from pipeline.listen.role_evidence import Heard, channel_roles, expected, scores
from pipeline.records import MEETINGS, side_of

__all__ = ["SWAPPED", "swapped_channels"]

SWAPPED = 0.97
"""Probability of the other side, for both sides' voices, from which a warning is given (docs/roles.md)."""


def swapped_channels(speakers: Sequence[str], heard: Heard) -> list[str]:
    """A warning where what is said on a seller's channel sounds like the customer, and the other way about."""
    given = {speaker: channel_roles(speaker, heard.row) for speaker in speakers}
    sides = {one: {side_of(role) for role in roles} for one, roles in given.items()}
    sellers = [one for one, theirs in sides.items() if theirs == {"seller"}]
    buyers = [one for one, theirs in sides.items() if theirs == {"buyer"}]
    if not sellers or not buyers or heard.row.call_type in MEETINGS:
        return []
    # the learned head takes a second or so: it is asked only where names and phrases speak against the manifest
    without_head = replace(heard, infer=lambda said: dict.fromkeys(said, 0.5))
    if not _is_swapped(sellers, buyers, without_head, 0.5) or not _is_swapped(sellers, buyers, heard, SWAPPED):
        return []
    role = next(one for one in ("rep", "manager") if one in given[sellers[0]])
    return [
        f"{_channel(sellers[0])} is named as {role} in the manifest, but what is said there sounds like the customer, "
        f"and {_channel(buyers[0]).lower()} like the selling side: the channels may be swapped. The manifest was "
        "followed: check its column channels."
    ]


def _is_swapped(sellers: Sequence[str], buyers: Sequence[str], heard: Heard, least: float) -> bool:
    """Whether every voice that should sell is a customer with the probability, and a voice that should buy sells."""
    anyone = replace(heard, row=replace(heard.row, channels=()))
    chances = role_chances(scores([*sellers, *buyers], anyone), (), expected(anyone.row))
    sounds_buying = [chances[one]["customer"] for one in sellers]
    sounds_selling = [1 - chances[one]["customer"] for one in buyers]
    return min(sounds_buying) >= least and max(sounds_selling) >= least


def _channel(speaker: str) -> str:
    return f"Channel {speaker.split('-')[1]}"
