"""Speakers to roles and names: by the manifest and the channels, else by labels, else by what is said.

Speakers in, participants and sentences for the scorecard out. What cannot be told stays `unknown`: nothing is assumed
from who speaks first. Every role that the user did not give is said in a sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.listen.manifest import CallRow
from pipeline.records import MEETINGS, Participant, Role, Turn

SURE = 0.9
"""Probability from which what is said tells the side; under it the role stays unknown."""

FEWEST_WORDS = 15
"""Fewer words than this are a greeting, from which nobody can tell who sells."""

SellerProbability = Callable[[Mapping[str, Sequence[str]]], Mapping[str, float]]
"""Speaker -> turns in, speaker -> probability of being on the selling side out."""

_LABEL_WORDS: dict[Role, frozenset[str]] = {
    "rep": frozenset({"rep", "seller", "sales", "salesperson", "ae", "sdr", "agent", "representative"}),
    "manager": frozenset({"manager", "coach"}),
    "customer": frozenset({"customer", "buyer", "client", "prospect", "caller"}),
}


@dataclass(frozen=True, slots=True)
class Roles:
    """The participants in the order of the speakers, and a sentence for each thing that was not given but inferred."""

    participants: tuple[Participant, ...]
    warnings: tuple[str, ...] = ()


def assign_roles(speakers: Sequence[str], turns: Sequence[Turn], row: CallRow, *, infer: SellerProbability) -> Roles:
    """Who is who among the speakers. `infer` is asked only where neither channels, names nor labels tell."""
    roles = {**_by_label(speakers, row), **_by_channel(speakers, row)}
    warnings: list[str] = []
    rest = [speaker for speaker in speakers if speaker not in roles]
    if rest:
        guessed, said = _the_rest(rest, roles, turns, row, infer)
        roles.update(guessed)
        warnings += said
    return Roles(_named(speakers, roles, row), tuple(warnings))


def _by_channel(speakers: Iterable[str], row: CallRow) -> dict[str, Role]:
    """Roles of the speakers that are channels ("channel-2"), where the manifest names the roles by channel."""
    labels = {f"channel-{number}": roles[0] for number, roles in enumerate(row.channels, start=1) if len(roles) == 1}
    return {speaker: labels[speaker] for speaker in speakers if speaker in labels}


# --- by labels and names --------------------------------------------------------------------------


def _by_label(speakers: Iterable[str], row: CallRow) -> dict[str, Role]:
    """Roles of the speakers whose label is a name of the manifest or says the role."""
    sides: tuple[Role, ...] = ("rep", "manager", "customer")
    names = [(name, role) for role in sides for name in _names(row, role)]
    found: dict[str, Role] = {}
    for speaker in speakers:
        matching: set[Role] = {role for name, role in names if _same_person(speaker, name)}
        matching = matching or {role for role, words in _LABEL_WORDS.items() if _tokens(speaker) & words}
        if len(matching) == 1:
            found[speaker] = matching.pop()
    return found


def _names(row: CallRow, role: str) -> tuple[str, ...]:
    given = row.customers if role == "customer" else (row.rep if role == "rep" else row.manager,)
    return tuple(part.strip() for name in given if name for part in name.split(";") if part.strip())


def _same_person(label: str, name: str) -> bool:
    """Whether a label means that person: all words of the shorter one stand in the other ("Tom" in "Tom Adeyemi")."""
    one, other = _tokens(label), _tokens(name)
    return bool(one) and bool(other) and (one <= other or other <= one)


def _tokens(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


# --- by what is known of the others, and by what is said ------------------------------------------


def _the_rest(
    rest: Sequence[str], known: Mapping[str, Role], turns: Sequence[Turn], row: CallRow, infer: SellerProbability
) -> tuple[dict[str, Role], list[str]]:
    if row.call_type in MEETINGS:
        return _met(rest, known)
    sellers_named = "rep" in known.values() and (not row.manager or "manager" in known.values())
    if sellers_named and "customer" not in known.values():
        people = _listed(rest)
        return dict.fromkeys(rest, "customer"), [f"{people} taken as customer: the selling side is known."]
    said = {speaker: [turn.text for turn in turns if turn.speaker == speaker] for speaker in rest}
    spoken = {speaker: texts for speaker, texts in said.items() if len(" ".join(texts).split()) >= FEWEST_WORDS}
    seller = _two_party(infer(spoken), rest) if spoken else {}
    roles: dict[str, Role] = {speaker: _role(seller.get(speaker), known) for speaker in rest}
    return roles, _said(rest, roles, seller)


def _met(rest: Sequence[str], known: Mapping[str, Role]) -> tuple[dict[str, Role], list[str]]:
    """In a meeting nobody buys: whoever meets the known rep is the manager, and the other way about."""
    other: dict[Role, Role] = {"rep": "manager", "manager": "rep"}
    roles = set(known.values())
    if len(rest) == 1 and len(roles) == 1 and (role := roles.pop()) in other:
        return {rest[0]: other[role]}, [f"{rest[0]} is taken as {other[role]}: the {role} of this meeting is known."]
    guessed: dict[str, Role] = dict.fromkeys(rest, "unknown")
    return guessed, _said(rest, guessed, {})


def _two_party(probability: Mapping[str, float], unknown: Sequence[str]) -> dict[str, float]:
    """With two unknown speakers one sells and one buys, so what each says is evidence about both."""
    if len(unknown) != 2:
        return dict(probability)
    one, other = unknown
    p, q = probability.get(one, 0.5), probability.get(other, 0.5)
    total = p * (1 - q) + q * (1 - p)
    first = p * (1 - q) / total if total else 0.5
    return {one: first, other: 1 - first}


def _role(seller: float | None, known: Mapping[str, Role]) -> Role:
    if seller is None or 1 - SURE < seller < SURE:
        return "unknown"
    if seller <= 1 - SURE:
        return "customer"
    return "manager" if "rep" in known.values() and "manager" not in known.values() else "rep"


def _said(rest: Sequence[str], roles: Mapping[str, Role], seller: Mapping[str, float]) -> list[str]:
    sentences = []
    for speaker in rest:
        if roles[speaker] == "unknown":
            sentences.append(f"It could not be told which role {speaker} has: name the roles in the manifest.")
        else:
            sure = max(seller[speaker], 1 - seller[speaker])
            sentences.append(
                f"{speaker} taken as {roles[speaker]} from what is said (probability {sure:.2f}); no role was given."
            )
    if sum(role == "rep" for role in roles.values()) > 1:
        sentences.append("Two speakers sell and it could not be told which one is the manager.")
    return sentences


def _listed(speakers: Sequence[str]) -> str:
    return f"{', '.join(speakers)} {'is' if len(speakers) == 1 else 'are'}"


# --- names ----------------------------------------------------------------------------------------


def _named(speakers: Sequence[str], roles: Mapping[str, Role], row: CallRow) -> tuple[Participant, ...]:
    """Participants with names: a label that is a name keeps it, else the manifest's names of the role in order."""
    members = {role: [speaker for speaker in speakers if roles[speaker] == role] for role in set(roles.values())}
    return tuple(
        Participant(speaker, _name(speaker, roles[speaker], members, row), roles[speaker]) for speaker in speakers
    )


def _name(speaker: str, role: Role, members: Mapping[Role, Sequence[str]], row: CallRow) -> str | None:
    names = () if role == "unknown" else _names(row, role)
    matching = [name for name in names if _same_person(speaker, name)]
    if len(matching) == 1:
        return matching[0]
    if not _is_generic(speaker):
        return speaker
    if names and len(members[role]) == 1:
        return ", ".join(names)
    position = members[role].index(speaker)
    return names[position] if len(names) == len(members[role]) else None


def _is_generic(label: str) -> bool:
    """Whether a label is a machine's or a role's ("channel-1", "SPEAKER_00", "Speaker 2", "Customer"), not a name."""
    words = _tokens(label.replace("_", " ").replace("-", " "))
    generic = frozenset({"channel", "speaker", "unknown", "s"}).union(*_LABEL_WORDS.values())
    return all(word in generic or re.fullmatch(r"s?\d+", word) for word in words)
