"""The records that stages hand to each other: Word, SpeechSegment, Turn, Call, Scorecard and their parts.

Frozen, tuples inside, standard library only. Times are float seconds from the start of the recording; `None`
means "not measured" and 0 means "measured: none". A record is never changed: `dataclasses.replace` makes a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["rep", "manager", "customer", "unknown"]
Side = Literal["seller", "buyer", "unknown"]
CallType = Literal["discovery", "demo", "joint", "one_on_one", "deal_review"]
RoleSource = Literal["manifest", "channel", "label", "others", "said", "unknown"]
Trigger = Literal["objection", "price", "competitor", "hesitation"]

ROLES: tuple[Role, ...] = ("rep", "manager", "customer", "unknown")
CALL_TYPES: tuple[CallType, ...] = ("discovery", "demo", "joint", "one_on_one", "deal_review")
BEHAVIOURS = ("agenda", "client_story", "differentiation", "value_proposition", "next_steps")
"""The five core behaviours of the assessment standard, in the order every page shows them."""
FURTHER_BEHAVIOURS = ("discovery", "insight", "vision", "objection_handling")
"""Behaviours of sales calls beyond the core that are judged by what is said."""
MEETING_BEHAVIOURS = ("meeting_purpose", "guiding", "feedback", "action_items", "reconciliation")
"""Behaviours of a manager's meeting with a rep that are judged by what is said."""
JUDGED = BEHAVIOURS + FURTHER_BEHAVIOURS + MEETING_BEHAVIOURS
"""Every behaviour that is judged by what is said."""
MEASURED_BEHAVIOURS = ("delivery", "active_listening", "one_topic")
"""The standard's other behaviours, judged by measures or by a whole meeting; people rate them, the machine does not."""
MEETINGS: tuple[CallType, ...] = ("one_on_one", "deal_review")
"""The call types in which a manager meets a rep and no buyer is there."""

CRITERIA: dict[str, tuple[str, ...]] = {
    "agenda": ("purpose", "plan", "agreement", "outcome", "tailored"),
    "client_story": ("client", "situation", "change", "result", "relevance"),
    "differentiation": ("contrast", "benefit", "need", "proof"),
    "value_proposition": ("problem", "outcome", "specific", "relevance"),
    "next_steps": ("action", "owner", "when", "commitment", "purpose"),
    "discovery": ("open", "situation", "problem", "impact", "priority", "follow_up", "quantify", "personalise"),
    "insight": ("surprise", "relevance", "evidence", "implication"),
    "vision": ("scene", "buyer", "payoff", "need"),
    "objection_handling": ("acknowledge", "clarify", "answer", "check"),
    "meeting_purpose": ("purpose", "plan"),
    "guiding": ("ask", "tell"),
    "feedback": ("specific", "balanced", "vague"),
    "action_items": ("action", "owner", "when"),
    "reconciliation": ("check",),
}
"""Behaviour -> its criteria, in the order of the assessment standard."""

LEVEL_NAMES = ("Not Present", "Needs Work", "Good", "Excellent")
"""Level 0-3 -> its name."""


def side_of(role: Role) -> Side:
    """The side that a role speaks for: rep and manager sell, the customer buys."""
    if role == "unknown":
        return "unknown"
    return "buyer" if role == "customer" else "seller"


# --- what listening makes -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word. `probability` is the engine's confidence in [0, 1], None where it gives none."""

    text: str
    start: float
    end: float
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A stretch in which `speaker` is heard; one line of RTTM. Segments of different speakers may overlap."""

    speaker: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says until the floor changes. `start` and `end` are None in a transcript without times;
    `words` is empty where only the text is known, as in most imported transcripts."""

    speaker: str
    text: str
    start: float | None = None
    end: float | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Participant:
    """One speaker of a call. `speaker` is the label that turns use, `name` the person's name or None.

    `role_from` is where the role comes from: the manifest's names, its channels, a label that says it, the roles of the
    `others`, or what is `said`. `confidence` is the probability (0-1) that the role is right, None where it was given.
    """

    speaker: str
    name: str | None
    role: Role
    role_from: RoleSource = "manifest"
    confidence: float | None = None

    @property
    def side(self) -> Side:
        """seller, buyer or unknown, by the role."""
        return side_of(self.role)


@dataclass(frozen=True, slots=True)
class ListeningQuality:
    """How far the call record can be trusted: who listened, how sure they were, and what went wrong.

    `word_confidence` is the mean word probability (0-1), None for an imported transcript or an engine without one.
    `speech_attributed` is the share (0-1) of spoken words that got a speaker. `diarization_trust` is low where voices
    were told apart without a model that was trained for it. `language` is an ISO 639-1 code with its probability (0-1),
    None where nobody detected or gave one. `dropped` are (reason, words) that the hallucination guards took away.
    `warnings` are sentences for people.
    """

    engine: str
    models: tuple[tuple[str, str], ...] = ()
    diarization: str = "none"
    diarization_trust: Literal["high", "low"] = "high"
    word_confidence: float | None = None
    speech_attributed: float | None = None
    language: str | None = None
    language_probability: float | None = None
    dropped: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A call: who said what when, and what is known about it. What assessing reads, whatever was listened to.

    `duration` is in seconds, None where a transcript has no times. `started_at` is ISO 8601 as the manifest
    gave it. `details` are the manifest's other columns (team among them), as (name, value) pairs.
    `source_sha256` is the hash of the bytes that were listened to. `told_sides` are the sides that a transcript tells
    of its speakers by itself. `assumed` are sentences about what the manifest did not say, `inferred` about roles that
    were not given; what listening had to say is in `quality`.
    """

    call_id: str
    call_type: CallType
    turns: tuple[Turn, ...]
    participants: tuple[Participant, ...]
    duration: float | None
    quality: ListeningQuality
    source: str = ""
    source_sha256: str = ""
    started_at: str | None = None
    speech: tuple[SpeechSegment, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    told_sides: tuple[tuple[str, Side], ...] = ()
    assumed: tuple[str, ...] = ()
    inferred: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """All sentences for people about this call: on its manifest row, on listening, on who is who."""
        return (*self.assumed, *self.quality.warnings, *self.inferred)

    @property
    def is_meeting(self) -> bool:
        """Whether this is a manager's meeting with a rep: nobody buys, and the manager's part is what is judged."""
        return self.call_type in MEETINGS

    def participant(self, speaker: str) -> Participant:
        """The participant with this speaker label; role unknown where the call lists none."""
        for one in self.participants:
            if one.speaker == speaker:
                return one
        return Participant(speaker, None, "unknown")

    def role(self, turn: Turn) -> Role:
        """The role of the turn's speaker."""
        return self.participant(turn.speaker).role

    def side(self, turn: Turn) -> Side:
        """The side of the turn's speaker."""
        return self.participant(turn.speaker).side


# --- what assessing makes -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage of one turn that shows a behaviour. `quote` is verbatim from `Call.turns[turn].text`."""

    turn: int
    start: float | None
    end: float | None
    speaker: str
    role: Role
    quote: str
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a classifier says of one behaviour on one call, before any rubric.

    `probabilities` are P(level = 0..3), four numbers that add to one. `criteria` are those shown anywhere in the
    evidence, in the standard's order. `searched` is the (first, last) turn that was looked at, None for no turns.
    `withheld` is a sentence that says why nothing can be said of this behaviour, None where something can.
    """

    behaviour: str
    probabilities: tuple[float, float, float, float]
    criteria: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    searched: tuple[int, int] | None = None
    withheld: str | None = None


@dataclass(frozen=True, slots=True)
class BehaviourScore:
    """One behaviour's line of the scorecard. `level` is 0-3, or None with the reason in `withheld`.

    `missing` are the rubric's criteria that no evidence shows; `searched` is the (first, last) turn looked at;
    `word_confidence` is the mean probability (0-1) of the words that it rests on, None where that is not known."""

    behaviour: str
    level: int | None
    probabilities: tuple[float, float, float, float]
    withheld: str | None = None
    criteria: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    searched: tuple[int, int] | None = None
    word_confidence: float | None = None

    @property
    def level_name(self) -> str | None:
        """The level's name, None where it is withheld."""
        return None if self.level is None else LEVEL_NAMES[self.level]


@dataclass(frozen=True, slots=True)
class TalkMeasures:
    """The conversation measures of the assessment standard for one speaker or side; None is "not measured".

    `talk_share` is this speaker's share (0-1) of all speaking time, `speaking_time`, `longest_monologue` and
    `patience` (median gap before answering the buyer; in a meeting the manager's before answering the rep) are
    seconds, `interruptions` counts overlaps taken over.
    """

    talk_share: float | None
    speaking_time: float | None
    longest_monologue: float | None
    turns: int
    words: int
    questions: int | None
    questions_per_minute: float | None
    words_per_minute: float | None
    patience: float | None
    interruptions: int | None


@dataclass(frozen=True, slots=True)
class Talk:
    """Talk measures by speaker and by side. `switches_per_minute` and `dead_air` (seconds in which nobody
    speaks) belong to the whole call. `basis` says what was measured: "time" or, without times, "words". `withheld` are
    (measure, reason) of those that this call's record is not good enough for; they are None everywhere."""

    basis: Literal["time", "words"]
    by_speaker: tuple[tuple[str, TalkMeasures], ...]
    by_side: tuple[tuple[Side, TalkMeasures], ...]
    switches_per_minute: float | None
    dead_air: float | None
    withheld: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Joint:
    """The manager's part in a joint call. Shares are manager / (rep + manager), 0-1: of speech (seconds, or words where
    there are no times) and, in `manager_turn_share`, of turns that are more than a back-channel.

    `takeover` is None where it cannot be told, for the reason in `withheld`. The rest is of a takeover and None without
    one: the manager's share before and after it began, `began_turn` from 0, `began_at` in seconds; `said_before`, the
    last thing said before it, by `said_before_by`, and its kind, `trigger` (None for none of those); whether the rep
    got the conversation back later, in `returned_turn`; for how long the rep was silent, in seconds and in turns.
    Of a manager who led for a while and gave the conversation back, `rep_returned` and `returned_turn` alone are told.
    """

    manager_share: float | None = None
    manager_turn_share: float | None = None
    takeover: bool | None = None
    share_before: float | None = None
    share_after: float | None = None
    began_turn: int | None = None
    began_at: float | None = None
    said_before: str | None = None
    said_before_by: str | None = None
    trigger: Trigger | None = None
    rep_returned: bool | None = None
    returned_turn: int | None = None
    rep_silent_for: float | None = None
    rep_silent_turns: int | None = None
    withheld: str | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well the machine's levels of one behaviour agree with people's: quadratically weighted kappa with its 95 %
    interval over `calls` that it was not trained on. `between_people` is the kappa of two people, None if unknown."""

    behaviour: str
    kappa: float
    low: float
    high: float
    calls: int
    between_people: float | None = None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The scorecard of one call: the product. `pipeline.assess.scorecard.to_json` writes it as the public format."""

    call: Call
    rubric_id: str
    rubric_version: str
    behaviours: tuple[BehaviourScore, ...]
    talk: Talk
    joint: Joint
    warnings: tuple[str, ...] = ()
    provenance: tuple[tuple[str, Any], ...] = field(default=())
    agreement: tuple[Agreement, ...] = ()
