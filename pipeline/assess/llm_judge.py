"""Judges behaviours by a language model on a server of one's own: a `Call` in, one `Finding` per behaviour out.

One question per behaviour that this kind of call can have, nine for a sales call and five for a manager's meeting: an
answer that is refused costs that behaviour alone, small models keep to one short form, and the transcript stands first
in all of them, so that a server reads it once. A model says a level, not how likely it is: the distribution is all on
that level, and what could not be had in the asked form is withheld, never made up.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field

from pipeline.assess.chat import ask
from pipeline.assess.features import part_of_call
from pipeline.assess.floor import can_have, performs
from pipeline.assess.judge_file import LlmSettings
from pipeline.assess.llm_answer import Answer, Refused, read_answer
from pipeline.assess.llm_prompt import NOT_MEASURED, Prompt, load_prompt
from pipeline.records import CRITERIA, JUDGED, Agreement, Call, Finding

__all__ = ["LlmJudge"]

UNKNOWN = (0.25, 0.25, 0.25, 0.25)
_ABSENT = (1.0, 0.0, 0.0, 0.0)
_SURE = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class LlmJudge:
    """A classifier (`pipeline.assess.behaviours.Classifier`) that asks a chat server."""

    settings: LlmSettings
    prompt: Prompt = field(default_factory=load_prompt)
    agreement: tuple[Agreement, ...] = ()

    @property
    def version(self) -> str:
        """The model's name, and a hash of all that can change an answer: settings, templates and standard."""
        asked = {
            name: getattr(self.settings, name)
            for name in ("url", "model", "retries", "seed", "max_tokens", "max_characters")
        }
        digest = hashlib.sha256(json.dumps([asked, self.prompt.sha256], sort_keys=True).encode()).hexdigest()
        return f"llm-{re.sub(r'[^A-Za-z0-9.-]+', '-', self.settings.model)[:60]}-{digest[:12]}"

    def __call__(self, call: Call) -> tuple[Finding, ...]:
        """One finding per behaviour, in the order of JUDGED; level 0, unasked, for those that this kind of call cannot
        have. Raises JudgeServerError."""
        transcript = self.prompt.transcript(call)
        return tuple(self._finding(call, transcript, behaviour) for behaviour in JUDGED)

    def _finding(self, call: Call, transcript: str, behaviour: str) -> Finding:
        searched = searched_turns(call, behaviour)
        if searched is None or not _is_heard(call, searched) or not can_have(call, behaviour):
            return Finding(behaviour, _ABSENT, searched=searched)
        if len(transcript) > self.settings.max_characters:
            reason = (
                f"The transcript has {len(transcript)} characters, more than the judge is set to read "
                f"(max_characters: {self.settings.max_characters})."
            )
            return Finding(behaviour, UNKNOWN, searched=searched, withheld=reason)
        try:
            answer = self._answer(call, transcript, behaviour, searched)
        except Refused as refused:
            asked = "once" if self.settings.retries == 0 else f"{self.settings.retries + 1} times"
            reason = (
                f"The judge was asked {asked} and gave no answer that can be used; the last one: {refused.faults[0]}."
            )
            return Finding(behaviour, UNKNOWN, searched=searched, withheld=reason)
        if answer.level is None:
            reason = f"Not measured: {NOT_MEASURED[behaviour]}."
            return Finding(behaviour, UNKNOWN, searched=searched, withheld=reason)
        shown = {name for one in answer.evidence for name in one.criteria}
        criteria = tuple(name for name in CRITERIA[behaviour] if name in shown)
        return Finding(behaviour, _SURE[answer.level], criteria, answer.evidence, searched)

    def _answer(self, call: Call, transcript: str, behaviour: str, searched: tuple[int, int]) -> Answer:
        """The first answer that holds; the model is told of a refusal, or at temperature 0 it would repeat itself."""
        messages = self.prompt.messages(transcript, behaviour, searched)
        retries = self.settings.retries
        while True:
            text = ask(self.settings, messages)
            try:
                return read_answer(text, call, behaviour, searched)
            except Refused as refused:
                if retries == 0:
                    raise
                retries -= 1
                messages = [*messages[:2], {"role": "assistant", "content": text}, self.prompt.refused(refused.faults)]


def searched_turns(call: Call, behaviour: str) -> tuple[int, int] | None:
    """The first and last turn that can hold the behaviour, by its place in the call; None where no words are there."""
    counts = [len(turn.text.split()) for turn in call.turns]
    total, before, turns = max(1, sum(counts)), 0, []
    for number, count in enumerate(counts):
        if count and part_of_call(behaviour, (before + count / 2) / total, before):
            turns.append(number)
        before += count
    return (turns[0], turns[-1]) if turns else None


def _is_heard(call: Call, searched: tuple[int, int]) -> bool:
    """Whether the side that is judged says a word in these turns; without one it cannot show a behaviour."""
    first, last = searched
    return any(performs(call, turn) and turn.text.strip() for turn in call.turns[first : last + 1])
