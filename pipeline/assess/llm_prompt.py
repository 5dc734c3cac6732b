"""What an LLM judge is asked about one behaviour of one call: a `Call` in, chat messages out.

The words come from `models/llm_judge/`: `standard.yaml` holds the definitions, `prompt.yaml` the templates. A sales
call's sides are seller and buyer, a meeting's manager and rep. The transcript is untrusted text: it stands between two
fences that hold a hash of itself, so that no word in it can close them, one line a turn, so that no turn can pretend to
be several.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import Template
from typing import Any

import yaml

from pipeline import resources
from pipeline.assess.chat import Message
from pipeline.assess.encoder import OTHER_SIDE
from pipeline.records import CRITERIA, MEETING_BEHAVIOURS, Call, Turn

__all__ = [
    "NOT_MEASURED",
    "Prompt",
    "allowed_levels",
    "load_prompt",
    "sides_of",
    "speaks_alone",
    "transcript_of",
    "voice",
]

NOT_MEASURED = {"objection_handling": "the buyer raises no objection"}
"""Behaviours of which an answer may say that there was nothing to measure -> when."""
_KIND = {False: "a sales call", True: "a manager's meeting with a rep"}


@dataclass(frozen=True, slots=True)
class Prompt:
    """The templates, the standard, and a hash of both files."""

    templates: dict[str, str]
    standard: dict[str, dict[str, Any]]
    sha256: str

    def messages(self, transcript: str, behaviour: str, searched: tuple[int, int]) -> list[Message]:
        """The conversation that asks about `behaviour`; everything before its question is the call's."""
        return [
            {"role": "system", "content": self.templates["system"]},
            {"role": "user", "content": f"{transcript}\n{self._question(behaviour, searched)}"},
        ]

    def refused(self, faults: Sequence[str]) -> Message:
        """What is said to an answer with these faults."""
        return {"role": "user", "content": Template(self.templates["refused"]).substitute(faults="; ".join(faults))}

    def transcript(self, call: Call) -> str:
        """The call's turns between their fences, with what they are."""
        turns = transcript_of(call)
        fence = f"=== transcript {hashlib.sha256(turns.encode('utf-8', 'replace')).hexdigest()[:16]} ==="
        judged, other = sides_of(call.is_meeting)
        return Template(self.templates["transcript"]).substitute(fence=fence, turns=turns, judged=judged, other=other)

    def _question(self, behaviour: str, searched: tuple[int, int]) -> str:
        said = self.standard[behaviour]
        unmeasured = NOT_MEASURED.get(behaviour)
        return Template(self.templates["question"]).substitute(
            behaviour=behaviour,
            title=said["title"],
            what=said["what"],
            criteria="\n".join(f"- {name}: {said['criteria'][name]}" for name in CRITERIA[behaviour]),
            levels="\n".join(f"- {level}: {text}" for level, text in enumerate(said["levels"])),
            readings="\n".join(f"- {text}" for text in said["readings"]),
            sides=_sides_rule(behaviour),
            kind=_KIND[behaviour in MEETING_BEHAVIOURS],
            allowed=allowed_levels(behaviour),
            unmeasured="\n" + Template(self.templates["unmeasured"]).substitute(reason=unmeasured)
            if unmeasured
            else "",
            names=", ".join(CRITERIA[behaviour]),
            first=searched[0],
            last=searched[1],
        )


def allowed_levels(behaviour: str) -> str:
    """The levels that an answer can give, as the question lists them."""
    return '0, 1, 2, 3 or "not measured"' if behaviour in NOT_MEASURED else "0, 1, 2 or 3"


def sides_of(meeting: bool) -> tuple[str, str]:
    """What the side that is judged and the other side are called."""
    return ("manager", "rep") if meeting else ("seller", "buyer")


def voice(call: Call, turn: Turn) -> str:
    """Who speaks, as the transcript names it: seller or buyer, in a meeting manager or rep; else buyer or unknown."""
    role = call.role(turn)
    return role if call.is_meeting and role in sides_of(True) else call.side(turn)


def speaks_alone(behaviour: str) -> bool:
    """Whether the other side's words can show all of the behaviour: a rep's own agenda or action in a meeting."""
    return OTHER_SIDE.get(behaviour) == CRITERIA[behaviour]


def transcript_of(call: Call) -> str:
    """One line a turn: its number, who speaks and the words, with every run of spaces and line ends made one space."""
    return "\n".join(
        f"[{number}] {voice(call, turn)}: {' '.join(turn.text.split())}" for number, turn in enumerate(call.turns)
    )


def _sides_rule(behaviour: str) -> str:
    """Whose turns may be cited, as a sentence."""
    judged, other = sides_of(behaviour in MEETING_BEHAVIOURS)
    if speaks_alone(behaviour):
        return f"Only the {judged}'s and the {other}'s turns count."
    yes = ", ".join(OTHER_SIDE.get(behaviour, ()))
    allowed = f"A {other}'s turn may be cited for {yes} alone." if yes else f"A {other}'s turn is never evidence."
    return f"Only the {judged}'s turns count. {allowed}"


@lru_cache(maxsize=1)
def load_prompt() -> Prompt:
    """The shipped templates and standard."""
    folder = resources.model_folder("llm_judge")
    prompt, standard = ((folder / name).read_bytes() for name in ("prompt.yaml", "standard.yaml"))
    return Prompt(yaml.safe_load(prompt), yaml.safe_load(standard), hashlib.sha256(prompt + standard).hexdigest())
