"""Speakers to roles and names: by the manifest and the channels, else by labels, else by what is said.

Speakers in, participants and sentences for the scorecard out. What cannot be told stays `unknown`: nothing is assumed
from who speaks first. Every role that the user did not give is said in a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.listen.call_rows import CallRow
from pipeline.listen.captions import UNKNOWN
from pipeline.listen.channel_check import swapped_channels
from pipeline.listen.cues import WEIGHTS, SideWeights
from pipeline.listen.introductions import find_clues
from pipeline.listen.people import label_role, participant_names, people_of
from pipeline.listen.role_chances import SIDES, role_chances
from pipeline.listen.role_evidence import Heard, SellerProbability, channel_roles, expected, may_be, scores
from pipeline.records import MEETINGS, Participant, Role, RoleSource, Side, Turn

__all__ = ["MOST_SURE", "SURE", "Roles", "SellerProbability", "assign_roles"]

SURE = 0.95
"""Probability from which what is said tells the role; under it the role stays unknown. On authors that nothing was
fitted on, at most 2 % of the roles so told are wrong (docs/roles.md)."""
MOST_SURE = 0.99
"""The highest confidence given: there were no real calls on which to measure more."""
_SELLING: frozenset[Role] = frozenset({"rep", "manager"})


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


def assign_roles(
    speakers: Sequence[str],
    turns: Sequence[Turn],
    row: CallRow,
    *,
    infer: SellerProbability,
    sides: Mapping[str, Side] | None = None,
    weights: SideWeights = WEIGHTS,
) -> Roles:
    """Who is who among the speakers. `infer` is asked only where neither channels, names nor labels tell, or where what
    is said speaks against the channels.

    `sides` are those that a transcript tells of its speakers by itself: a buyer is a customer, the only seller the rep.
    """
    heard = Heard(turns, row, infer, sides or {}, weights, find_clues(turns, people_of(row)))
    told = _given(speakers, heard)
    rest = [speaker for speaker in speakers if speaker not in told]
    found, warnings = _the_rest(rest, told, heard) if rest else ({}, [])
    told = {speaker: (told | found)[speaker] for speaker in speakers}
    names = participant_names({one: (it.role, it.role_from) for one, it in told.items()}, row, turns, heard.clues)
    participants = tuple(Participant(one, names[one], it.role, it.role_from, it.confidence) for one, it in told.items())
    return Roles(participants, (*swapped_channels(speakers, heard), *_voices_by_channel(speakers, row), *warnings))


# --- what was given -------------------------------------------------------------------------------


def _given(speakers: Sequence[str], heard: Heard) -> dict[str, _Told]:
    """The speakers whose role the channels, the manifest's names, their label or the transcript's sides tell."""
    told: dict[str, _Told] = {}
    sellers = [speaker for speaker in speakers if heard.sides.get(speaker) == "seller"]
    for speaker in speakers:
        roles = channel_roles(speaker, heard.row)
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


# --- by what is known of the others, and by what is said ------------------------------------------


def _the_rest(rest: Sequence[str], known: Mapping[str, _Told], heard: Heard) -> tuple[dict[str, _Told], list[str]]:
    """The roles of the speakers of whom nothing was given, and what is to be said of each."""
    voices = [speaker for speaker in rest if speaker != UNKNOWN]
    roles = [one.role for one in known.values()]
    if len(voices) == 1 and (found := _by_the_others(voices[0], roles, heard)):
        told, said = {voices[0]: found[0]}, [found[1]]
    else:
        chances = role_chances(scores(voices, heard), roles, expected(heard.row)) if voices else {}
        told = {speaker: _decided(chances[speaker], heard.row.call_type in MEETINGS) for speaker in voices}
        said = _sentences(told, roles)
    if UNKNOWN in rest:
        told[UNKNOWN] = _NOBODY
        said += [] if voices or known else _sentences({UNKNOWN: _NOBODY}, [])
    return told, said


def _by_the_others(speaker: str, known: Sequence[Role], heard: Heard) -> tuple[_Told, str] | None:
    """The role of the last speaker, where those of the others leave only one; None where they leave several."""
    row, possible = heard.row, may_be(speaker, heard)
    if row.call_type in MEETINGS:
        left = {"rep": "manager", "manager": "rep"}.get(known[0] if len(set(known)) == 1 else "")
        reason = f"the {known[0]} of this meeting is known" if known else ""
    else:
        sellers_known = "rep" in known and (not row.manager or "manager" in known)
        left = "customer" if sellers_known and "customer" not in known else None
        reason = "the selling side is known"
    for role in SIDES:
        if role == left and role in possible:
            return _Told(role, "others"), f"{speaker} is taken as {role}: {reason}."
    return None


def _decided(chances: Mapping[Role, float], meeting: bool) -> _Told:
    """The role that is sure; rep, with its lower confidence, where only the selling side is; else unknown."""
    role = max(sorted(chances), key=lambda one: chances[one])
    if chances[role] >= SURE:
        return _Told(role, "said", round(min(chances[role], MOST_SURE), 3))
    if not meeting and sum(chances.get(one, 0.0) for one in _SELLING) >= SURE:
        return _Told("rep", "said", round(min(chances.get("rep", 0.0), MOST_SURE), 3))
    return _NOBODY


def _voices_by_channel(speakers: Sequence[str], row: CallRow) -> list[str]:
    """A warning for each channel with fewer voices than the manifest names roles on it, or a seller's with more."""
    found = []
    for number, roles in enumerate(row.channels, start=1):
        voices = [one for one in speakers if one == f"channel-{number}" or one.startswith(f"channel-{number}-voice-")]
        heard = f"{len(voices)} voice{' was' if len(voices) == 1 else 's were'} heard"
        given = " and ".join(roles)
        if 0 < len(voices) < len(roles):
            found.append(
                f"The manifest names {given} on channel {number}, but only {heard} there: if all of them spoke, "
                "the words of two are taken as one person's."
            )
        elif len(voices) > len(roles) and _SELLING.intersection(roles):
            found.append(
                f"The manifest names only {given} on channel {number}, but {heard} there. If somebody else speaks "
                "there, say so in the column channels, as rep+manager."
            )
    return found


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
