"""Role accuracy: does each heard word stand under the right role? Words with roles in, share of the right ones out."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.evaluate.figures import Figure
from pipeline.records import Role, side_of

Spoken = Sequence[tuple[str, Role]]
"""Normalised words, each with the role of who said it."""


def role_accuracy(reference: Spoken, heard: Spoken) -> tuple[Figure, Figure]:
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


def _aligned(reference: Spoken, heard: Spoken) -> list[tuple[int, int]]:
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
