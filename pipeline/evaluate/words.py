"""Word errors: normalised words of a reference and of what was heard in, WER and cpWER with their counts out.

jiwer aligns and counts. cpWER (concatenated minimum-permutation WER) is that of the CHiME-6 challenge (Watanabe et al.
2020), in the form of meeteval (von Neumann et al. 2023): each speaker's words are put together, reference and heard
speakers are paired so that errors are fewest, and a speaker without a partner counts in full. A word that went to the
wrong person is an error twice: it lacks there, and is too many here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.evaluate.figures import Figure

Words = Sequence[str]


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Errors of one alignment: reference words replaced or left out, and words that are not in the reference."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return self.substitutions + self.deletions + self.insertions


def word_errors(reference: Words, heard: Words) -> WordErrors:
    """The errors of the alignment with the fewest."""
    if not reference or not heard:  # jiwer refuses an empty reference
        return WordErrors(deletions=len(reference), insertions=len(heard))
    import jiwer

    found = jiwer.process_words(" ".join(reference), " ".join(heard))
    return WordErrors(found.substitutions, found.deletions, found.insertions)


def wer(reference: Words, heard: Words) -> Figure:
    """Word error rate over the whole call, whoever speaks: errors / reference words."""
    return _figure([word_errors(reference, heard)], len(reference))


def cp_wer(reference: Mapping[str, Words], heard: Mapping[str, Words]) -> Figure:
    """cpWER of the speakers' words, each speaker's put together in the order of time.

    `missed_speakers` and `extra_speakers` are those of the reference and of the output that stay without a partner.
    """
    said = [words for words in reference.values() if words]
    got = [words for words in heard.values() if words]
    found = _paired(said, got)
    extra = {"missed_speakers": max(0, len(said) - len(got)), "extra_speakers": max(0, len(got) - len(said))}
    return _figure(found, sum(map(len, said)), extra)


def _paired(said: Sequence[Words], got: Sequence[Words]) -> list[WordErrors]:
    """The errors of every pair of the best pairing; whoever is missing on a side is a speaker without words."""
    size = max(len(said), len(got))
    if not size:
        return []
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    rows = [*said, *([()] * (size - len(said)))]
    columns = [*got, *([()] * (size - len(got)))]
    errors = [[word_errors(row, column) for column in columns] for row in rows]
    costs = np.array([[one.count for one in row] for row in errors])
    return [errors[row][column] for row, column in zip(*linear_sum_assignment(costs), strict=True)]


def _figure(found: Sequence[WordErrors], words: int, extra: Mapping[str, int] | None = None) -> Figure:
    counts = {
        "substitutions": sum(one.substitutions for one in found),
        "deletions": sum(one.deletions for one in found),
        "insertions": sum(one.insertions for one in found),
        "words": words,
        **(extra or {}),
    }
    return Figure(sum(one.count for one in found), words, counts)
