"""Speakers to roles and names: by the manifest and the channels, else by labels, else by what is said.

Speakers in, participants and sentences for the scorecard out. What cannot be told stays `unknown`: nothing is assumed
from who speaks first. Every role that the user did not give is said in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.listen.call_rows import CallRow
from pipeline.listen.captions import UNKNOWN
from pipeline.listen.cues import WEIGHTS, SideWeights, is_english, managing, selling, side_cues
from pipeline.listen.introductions import Clue, find_clues
from pipeline.listen.people import label_role, participant_names, people_of
from pipeline.listen.role_chances import SIDES, Expected, named, role_chances
from pipeline.records import MEETINGS, Participant, Role, RoleSource, Side, Turn

__all__ = ["FEWEST_WORDS", "MOST_SURE", "SURE", "Roles", "SellerProbability", "assign_roles"]

SURE = 0.95
"""Probability from which what is said tells the role; under it the role stays unknown. On authors that nothing was
fitted on, at most 2 % of the roles so told are wrong (docs/roles.md)."""
MOST_SURE = 0.99
"""The highest confidence given: there were no real calls on which to measure more."""
FEWEST_WORDS = 15
"""Fewer words than this are a greeting, from which nobody can tell who sells."""

SellerProbability = Callable[[Mapping[str, Sequence[str]]], Mapping[str, float]]
"""Speaker -> turns in, speaker -> probability of being on the selling side out."""

_CHANNEL = re.compile(r"channel-([1-9][0-9]*)(?:-voice-[1-9][0-9]*)?")
_SELLING: frozenset[Role] = frozenset({"rep", "manager"})
_BUYING: frozenset[Role] = frozenset({"customer"})
_ANY: frozenset[Role] = frozenset(SIDES)


@dataclass(frozen=True, slots=True)
class Roles:
    """The participants in the order of the speakers, and a sentence for each thing that was not given but inferred."""

    participants: tuple[Participant, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Told:
    """A speaker's role, where it comes from, and how probable it is (None: it was given or follows from what was)."""

    role: Role
    role_from: RoleSource
    confidence: float | None = None


_NOBODY = _Told("unknown", "unknown")


@dataclass(frozen=True, slots=True)
class _Heard:
    """All that a role can be told from."""

    turns: Sequence[Turn]
    row: CallRow
    infer: SellerProbability
    sides: Mapping[str, Side]
    weights: SideWeights
    clues: Sequence[Clue] = field(default=())


def assign_roles(
    speakers: Sequence[str],
    turns: Sequence[Turn],
    row: CallRow,
    *,
    infer: SellerProbability,
    sides: Mapping[str, Side] | None = None,
    weights: SideWeights = WEIGHTS,
) -> Roles:
    """Who is who among the speakers. `infer` is asked only where neither channels, names nor labels tell.

    `sides` are those that a transcript tells of its speakers by itself: a buyer is a customer, the only seller the rep.
    """
    heard = _Heard(turns, row, infer, sides or {}, weights, find_clues(turns, people_of(row)))
    told = _given(speakers, heard)
    rest = [speaker for speaker in speakers if speaker not in told]
    found, warnings = _the_rest(rest, told, heard) if rest else ({}, [])
    told = {speaker: (told | found)[speaker] for speaker in speakers}
    names = participant_names({one: (it.role, it.role_from) for one, it in told.items()}, row, turns, heard.clues)
    participants = tuple(Participant(one, names[one], it.role, it.role_from, it.confidence) for one, it in told.items())
    return Roles(participants, tuple(warnings))


# --- what was given -------------------------------------------------------------------------------


def _given(speakers: Sequence[str], heard: _Heard) -> dict[str, _Told]:
    """The speakers whose role the channels, the manifest's names, their label or the transcript's sides tell."""
    told: dict[str, _Told] = {}
    sellers = [speaker for speaker in speakers if heard.sides.get(speaker) == "seller"]
    for speaker in speakers:
        roles = _channel_roles(speaker, heard.row)
        if len(roles) == 1:
            told[speaker] = _Told(next(iter(roles)), "channel")
        elif labelled := label_role(speaker, heard.row):
            told[speaker] = _Told(*labelled)
        elif heard.row.call_type in MEETINGS:
            continue
        elif heard.sides.get(speaker) == "buyer":
            told[speaker] = _Told("customer", "label")
        elif sellers == [speaker]:
            told[speaker] = _Told("rep", "label")
    return told


def _channel_roles(speaker: str, row: CallRow) -> frozenset[Role]:
    """The roles that the manifest gives to the channel on which this voice is heard; empty where it does not tell."""
    match = _CHANNEL.fullmatch(speaker)
    number = int(match.group(1)) if match else 0
    return frozenset(row.channels[number - 1]) & _ANY if 0 < number <= len(row.channels) else frozenset()


def _may_be(speaker: str, heard: _Heard) -> frozenset[Role]:
    """The roles that a speaker may have."""
    if on_channel := _channel_roles(speaker, heard.row):
        return on_channel
    if heard.row.call_type in MEETINGS:
        return _SELLING
    return {"seller": _SELLING, "buyer": _BUYING}.get(heard.sides.get(speaker, "unknown"), _ANY)


# --- by what is known of the others, and by what is said ------------------------------------------


def _the_rest(rest: Sequence[str], known: Mapping[str, _Told], heard: _Heard) -> tuple[dict[str, _Told], list[str]]:
    """The roles of the speakers of whom nothing was given, and what is to be said of each."""
    voices = [speaker for speaker in rest if speaker != UNKNOWN]
    roles = [one.role for one in known.values()]
    if len(voices) == 1 and (found := _by_the_others(voices[0], roles, heard)):
        told, said = {voices[0]: found[0]}, [found[1]]
    else:
        chances = role_chances(_scores(voices, heard), roles, _expected(heard.row)) if voices else {}
        told = {speaker: _decided(chances[speaker], heard.row.call_type in MEETINGS) for speaker in voices}
        said = _sentences(told, roles)
    if UNKNOWN in rest:
        told[UNKNOWN] = _NOBODY
        said += [] if voices or known else _sentences({UNKNOWN: _NOBODY}, [])
    return told, said


def _by_the_others(speaker: str, known: Sequence[Role], heard: _Heard) -> tuple[_Told, str] | None:
    """The role of the last speaker, where those of the others leave only one; None where they leave several."""
    row, may_be = heard.row, _may_be(speaker, heard)
    if row.call_type in MEETINGS:
        left = {"rep": "manager", "manager": "rep"}.get(known[0] if len(set(known)) == 1 else "")
        reason = f"the {known[0]} of this meeting is known" if known else ""
    else:
        sellers_known = "rep" in known and (not row.manager or "manager" in known)
        left = "customer" if sellers_known and "customer" not in known else None
        reason = "the selling side is known"
    for role in SIDES:
        if role == left and role in may_be:
            return _Told(role, "others"), f"{speaker} is taken as {role}: {reason}."
    return None


def _expected(row: CallRow) -> Expected:
    return Expected(row.call_type in MEETINGS, row.call_type == "joint" or bool(row.manager), bool(row.rep))


def _scores(voices: Sequence[str], heard: _Heard) -> dict[str, dict[Role, float]]:
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
        one: {role: parts[one][role] + by_name.get((one, role), 0.0) for role in SIDES if role in _may_be(one, heard)}
        for one in voices
    }


def _can_be_read(voices: Sequence[str], heard: _Heard) -> bool:
    """Whether English phrases can tell anything of what these speakers say."""
    said = [turn for turn in heard.turns if turn.speaker in voices]
    return heard.row.language in (None, "en") and is_english(said)


def _selling(voices: Sequence[str], heard: _Heard) -> dict[str, float]:
    """Log-odds of selling of those who say more than a greeting."""
    said = {one: [turn.text for turn in heard.turns if turn.speaker == one] for one in voices}
    spoken = {one: texts for one, texts in said.items() if len(" ".join(texts).split()) >= FEWEST_WORDS}
    if not spoken or not any(len(_may_be(one, heard) & _BUYING) and _may_be(one, heard) & _SELLING for one in voices):
        return {}
    return selling(side_cues(heard.turns, spoken), heard.infer(spoken), heard.weights)


def _decided(chances: Mapping[Role, float], meeting: bool) -> _Told:
    """The role that is sure; rep, with its lower confidence, where only the selling side is; else unknown."""
    role = max(sorted(chances), key=lambda one: chances[one])
    if chances[role] >= SURE:
        return _Told(role, "said", round(min(chances[role], MOST_SURE), 3))
    if not meeting and sum(chances.get(one, 0.0) for one in _SELLING) >= SURE:
        return _Told("rep", "said", round(min(chances.get("rep", 0.0), MOST_SURE), 3))
    return _NOBODY


# --- sentences ------------------------------------------------------------------------------------


def _sentences(told: Mapping[str, _Told], known: Sequence[Role]) -> list[str]:
    sentences = []
    for speaker, one in told.items():
        if one.role == "unknown":
            sentences.append(
                f"It could not be told which role {speaker} has: name the roles in the manifest "
                "(columns rep, manager, customer and channels), or label the speakers in the transcript."
            )
        elif one.confidence is not None and one.confidence >= SURE:
            sentences.append(
                f"{speaker} taken as {one.role} from what is said (probability {one.confidence:.2f}); "
                "no role was given."
            )
        else:
            sentences.append(
                f"{speaker} sells by what is said and is taken as rep, but may be the manager: "
                "name both in the manifest (columns rep and manager)."
            )
    if sum(role == "rep" for role in (*known, *(one.role for one in told.values()))) > 1:
        sentences.append("Two speakers sell and it could not be told which one is the manager.")
    return sentences
