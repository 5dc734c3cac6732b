"""What an LLM judge is asked about one behaviour of one call: a `Call` in, chat messages out.

The words come from `models/llm_judge/`: `standard.yaml` holds the definitions, `prompt.yaml` the templates. The
transcript is untrusted text: it stands between two fences that hold a hash of itself, so that no word in it can close
them, one line a turn, so that no turn can pretend to be several.
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
from pipeline.records import CRITERIA, Call

__all__ = ["Prompt", "load_prompt", "transcript_of"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """The templates, the standard, and a hash of both files."""

    templates: dict[str, str]
    standard: dict[str, dict[str, Any]]
    sha256: str

    def messages(self, transcript: str, behaviour: str, searched: tuple[int, int]) -> list[Message]:
        """The conversation that asks about `behaviour`; everything before its question is the same for all of them."""
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
        return Template(self.templates["transcript"]).substitute(fence=fence, turns=turns)

    def _question(self, behaviour: str, searched: tuple[int, int]) -> str:
        said = self.standard[behaviour]
        yes = ", ".join(OTHER_SIDE.get(behaviour, ()))
        return Template(self.templates["question"]).substitute(
            behaviour=behaviour,
            title=said["title"],
            what=said["what"],
            criteria="\n".join(f"- {name}: {said['criteria'][name]}" for name in CRITERIA[behaviour]),
            levels="\n".join(f"- {level}: {text}" for level, text in enumerate(said["levels"])),
            readings="\n".join(f"- {text}" for text in said["readings"]),
            buyer=f"A buyer's turn may be cited for {yes} alone." if yes else "A buyer's turn is never evidence.",
            names=", ".join(CRITERIA[behaviour]),
            first=searched[0],
            last=searched[1],
        )


def transcript_of(call: Call) -> str:
    """One line a turn: its number, the side and the words, with every run of spaces and line ends made one space."""
    return "\n".join(
        f"[{number}] {call.side(turn)}: {' '.join(turn.text.split())}" for number, turn in enumerate(call.turns)
    )


@lru_cache(maxsize=1)
def load_prompt() -> Prompt:
    """The shipped templates and standard."""
    folder = resources.model_folder("llm_judge")
    prompt, standard = ((folder / name).read_bytes() for name in ("prompt.yaml", "standard.yaml"))
    return Prompt(yaml.safe_load(prompt), yaml.safe_load(standard), hashlib.sha256(prompt + standard).hexdigest())
