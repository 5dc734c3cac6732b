"""What was said in a call, by whom and when: the shape that an output and a reference are brought into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.records import Role, SpeechSegment, Turn

_ROLE_LABEL = re.compile(r"(rep|manager|customer)(?:[-_ ]?\d+)?")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One call as an output or a reference has it.

    `turns` is None without a transcript, `speech` None where no times are known. The two may label speakers differently
    (names, channels); `roles` has labels of both, in the form of `label_key`. `language` is an ISO 639-1 code,
    None where it is not said. `notes` are sentences on what had to be assumed.
    """

    turns: tuple[Turn, ...] | None = None
    speech: tuple[SpeechSegment, ...] | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)
    language: str | None = None
    notes: tuple[str, ...] = ()

    def role(self, speaker: str) -> Role:
        """The role of a speaker label: what `roles` says, else what the label says itself ("rep", "customer-2")."""
        return self.roles.get(label_key(speaker)) or role_of_label(speaker) or "unknown"

    @property
    def labels(self) -> frozenset[str]:
        """The speaker labels of turns and speech."""
        return frozenset(one.speaker for part in (self.turns, self.speech) for one in part or ())

    @property
    def states_roles(self) -> bool:
        """Whether anything is said of anybody's role, even that it is not known."""
        return any(label_key(label) in self.roles or role_of_label(label) for label in self.labels)

    @property
    def knows_roles(self) -> bool:
        """Whether the role of anybody who speaks is known."""
        return any(self.role(label) != "unknown" for label in self.labels)


def label_key(label: str) -> str:
    """A label as names are compared: lower case, white space as `_`, as RTTM must write it."""
    return "_".join(label.split()).casefold()


def role_of_label(label: str) -> Role | None:
    """The role that a label says by itself ("rep", "Customer 2"), None for a name or a number."""
    match = _ROLE_LABEL.fullmatch(label.strip().casefold())
    roles: dict[str, Role] = {"rep": "rep", "manager": "manager", "customer": "customer"}
    return roles[match[1]] if match else None


def in_order(turns: tuple[Turn, ...]) -> list[Turn]:
    """The turns by start time where all have times, else as they stand."""
    if any(turn.start is None for turn in turns):
        return list(turns)
    return sorted(turns, key=lambda turn: (turn.start or 0.0, turn.end or 0.0))
