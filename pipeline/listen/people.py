"""The people whom the manifest names: which label is whom, and which name a participant gets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from pipeline.listen.call_rows import CallRow
from pipeline.listen.introductions import Clue, introduced_as
from pipeline.listen.role_chances import SIDES, name_scores
from pipeline.records import Role, RoleSource, Turn

__all__ = ["label_role", "names_of", "participant_names", "people_of"]

_LABEL_WORDS: dict[Role, frozenset[str]] = {
    "rep": frozenset({"rep", "seller", "sales", "salesperson", "ae", "sdr", "agent", "representative"}),
    "manager": frozenset({"manager", "coach"}),
    "customer": frozenset({"customer", "buyer", "client", "prospect", "caller"}),
}
_GENERIC = frozenset({"channel", "channels", "voice", "speaker", "unknown", "s"}).union(*_LABEL_WORDS.values())
_TITLE = re.compile(
    r"\b(?:customer|client)\s+(?:success|services?|support|care|experience|relations|solutions|partner)\b(?:\s+[^\W\d_]+)?"
    r"|\b(?!sales\b|the\b|our\b|my\b)[^\W\d_]+\s+(?:manager|agent|representative|coach)\b",
    re.IGNORECASE,
)
"""Somebody's job ("Facility manager", "Customer Success Manager"), which either side may have."""
_SURE_OF_NAME = 2.5
"""Log-odds from which what is said tells a name: one introduction, or being spoken to by it and never saying it."""
_AHEAD = 2.0
"""By how much a name must be ahead of the other speakers that could have it, and of the speaker's other names."""


def names_of(row: CallRow, role: Role) -> tuple[str, ...]:
    """The names that the manifest gives for a role; several in one cell stand apart by semicolons."""
    given = {"rep": (row.rep,), "manager": (row.manager,), "customer": row.customers}.get(role, ())
    return tuple(part.strip() for name in given if name for part in name.split(";") if part.strip())


def people_of(row: CallRow) -> dict[str, frozenset[Role]]:
    """Each name of the manifest and the roles that it stands for."""
    names = dict.fromkeys(name for role in SIDES for name in names_of(row, role))
    return {name: frozenset(role for role in SIDES if name in names_of(row, role)) for name in names}


def label_role(label: str, row: CallRow) -> tuple[Role, RoleSource] | None:
    """The role that a speaker's label tells: as a name of the manifest, or as a word for the role. None for neither,
    and where it fits two roles."""
    matching = {role for role in SIDES for name in names_of(row, role) if is_same_person(label, name)}
    source: RoleSource = "manifest"
    if not matching:
        said = _tokens(_TITLE.sub(" ", label))
        matching, source = {role for role, words in _LABEL_WORDS.items() if said & words}, "label"
    return (matching.pop(), source) if len(matching) == 1 else None


def is_same_person(label: str, name: str) -> bool:
    """Whether a label means that person: all words of the shorter one stand in the other ("Tom" in "Tom Adeyemi"). A
    generic label must be the whole name: "Speaker 2" is nobody's first name."""
    one, other = _tokens(label), _tokens(name)
    if is_generic(label):
        return bool(one) and one == other
    return bool(one) and bool(other) and (one <= other or other <= one)


def _tokens(text: str) -> frozenset[str]:
    """The words in it; an underscore parts them as a space does, for which RTTM writes it."""
    return frozenset(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold()))


def is_generic(label: str) -> bool:
    """Whether a label is a machine's or a role's ("channel-1", "SPEAKER_00", "B", "Customer"), not a name."""
    words = _tokens(label.replace("_", " ").replace("-", " "))
    return all(word in _GENERIC or re.fullmatch(r"[a-z]|s?\d+", word) for word in words)


# --- names of participants ------------------------------------------------------------------------


def participant_names(
    told: Mapping[str, tuple[Role, RoleSource]], row: CallRow, turns: Sequence[Turn], clues: Sequence[Clue]
) -> dict[str, str | None]:
    """Speaker -> name: by their label, else by what is said, else the manifest's names of their role where only one
    way of giving them remains (or channels give it). None where the name is not known."""
    found: dict[str, str | None] = {}
    for role in dict.fromkeys(role for role, _ in told.values()):
        members = [speaker for speaker, (theirs, _) in told.items() if theirs == role]
        in_order = all(told[speaker][1] == "channel" and "voice" not in speaker for speaker in members)
        found.update(_names_of_role(members, names_of(row, role), clues, in_order=in_order))
    return {one: found[one] or (introduced_as(turns, one) if is_generic(one) and not row.rep else None) for one in told}


def _names_of_role(
    members: Sequence[str], names: Sequence[str], clues: Sequence[Clue], *, in_order: bool
) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for speaker in members:
        matching = [name for name in names if is_same_person(speaker, name)]
        if len(matching) == 1:
            found[speaker] = matching[0]
        elif not is_generic(speaker):
            found[speaker] = speaker
    left = [speaker for speaker in members if speaker not in found]
    free = [name for name in names if name not in found.values()]
    if left == list(members) and len(members) == 1:
        return {members[0]: ", ".join(names) or None}
    if in_order and len(left) == len(free) == len(members):
        return dict(zip(members, names, strict=True))
    said = _by_what_is_said(left, free, clues)
    if len(left) - len(said) == len(free) - len(said) == 1:  # the last voice has the last name
        (voice,), (name,) = ([x for x in left if x not in said], [x for x in free if x not in said.values()])
        said[voice] = name
    return {**dict.fromkeys(left), **found, **said}


def _by_what_is_said(speakers: Sequence[str], names: Sequence[str], clues: Sequence[Clue]) -> dict[str, str]:
    """The names that are clearly one speaker's."""
    scores = name_scores(clues)
    found = {}
    for speaker in speakers:
        for name in names:
            own = scores.get((speaker, name), 0.0)
            rivals = [scores.get((other, name), 0.0) for other in speakers if other != speaker]
            rivals += [scores.get((speaker, other), 0.0) for other in names if other != name]
            if own >= _SURE_OF_NAME and all(own - rival >= _AHEAD for rival in rivals):
                found[speaker] = name
    return found
