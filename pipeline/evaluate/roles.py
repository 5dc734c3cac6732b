"""Role accuracy: does each heard word stand under the right role? Who has which role in the reference is settled here
too, and never by the output that is judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.evaluate.figures import Figure
from pipeline.evaluate.spoken import Spoken, label_key, role_of_label
from pipeline.records import Role, side_of

Said = Sequence[tuple[str, Role]]
"""Normalised words, each with the role of who said it."""


def with_roles(reference: Spoken, heard: Spoken, names: Mapping[str, Role]) -> tuple[Spoken, Spoken]:
    """Both with the roles of everybody's labels.

    In the reference a label that is a role has it; a name has that of `names` (`label_key` -> role, from the manifest),
    else that of the RTTM stretches, labelled by role, that its turns overlap most. A label of the output for which no
    role is stated, not even unknown, has that of the same name in the reference.
    """
    by_time = _by_time(reference)
    true: dict[str, Role] = {}
    for label in sorted(reference.labels):
        key = label_key(label)
        role = role_of_label(label) or names.get(key) or by_time.get(key)
        true |= {key: role} if role else {}
    return replace(reference, roles=true), replace(heard, roles={**_names_only(true), **heard.roles})


def _names_only(roles: Mapping[str, Role]) -> dict[str, Role]:
    return {key: role for key, role in roles.items() if role_of_label(key) is None}


def _by_time(spoken: Spoken) -> dict[str, Role]:
    """Transcript's speaker -> the role whose stretches the turns overlap most."""
    stretches = [(one, role) for one in spoken.speech or () if (role := role_of_label(one.speaker))]
    overlaps: dict[str, dict[Role, float]] = {}
    for turn in spoken.turns or ():
        if turn.start is None or turn.end is None:
            continue
        shares = overlaps.setdefault(label_key(turn.speaker), {})
        for one, role in stretches:
            overlap = min(turn.end, one.end) - max(turn.start, one.start)
            if overlap > 0:
                shares[role] = shares.get(role, 0.0) + overlap
    return {label: max(shares, key=lambda role: shares[role]) for label, shares in overlaps.items() if shares}


def role_accuracy(reference: Said, heard: Said) -> tuple[Figure, Figure]:
    """The share of aligned words that carry the right role, and the share that carry the right side.

    jiwer aligns the call's words, whoever speaks; a reference word that was heard, or heard as another, is compared.
    Counts: `right`, `wrong`, `unknown` (the output knows no role; not right either), and `not_heard`, reference words
    without a partner, which are in neither part. Reference words without a role are left out.
    """
    pairs = _aligned(reference, heard)
    known = sum(role != "unknown" for _, role in reference)
    compared = [(reference[row][1], heard[column][1]) for row, column in pairs if reference[row][1] != "unknown"]
    sides = [(side_of(said), side_of(got)) for said, got in compared]
    return _figure(compared, known), _figure(sides, known)


def _aligned(reference: Said, heard: Said) -> list[tuple[int, int]]:
    """Index pairs of words that stand for each other."""
    if not reference or not heard:
        return []
    import jiwer

    said, got = (" ".join(word for word, _ in words) for words in (reference, heard))
    [chunks] = jiwer.process_words(said, got).alignments
    pairs: list[tuple[int, int]] = []
    for chunk in chunks:
        if chunk.type in ("equal", "substitute"):
            rows = range(chunk.ref_start_idx, chunk.ref_end_idx)
            pairs += zip(rows, range(chunk.hyp_start_idx, chunk.hyp_end_idx), strict=True)
    return pairs


def _figure(compared: Sequence[tuple[str, str]], known: int) -> Figure:
    right = sum(said == got for said, got in compared)
    unknown = sum(got == "unknown" for _, got in compared)
    counts = {
        "right": right,
        "wrong": len(compared) - right - unknown,
        "unknown": unknown,
        "not_heard": known - len(compared),
    }
    return Figure(right, len(compared), counts)
