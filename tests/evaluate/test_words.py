"""Word errors: sums worked by hand, the best pairing against all pairings, and what the normaliser makes equal."""

from itertools import permutations

import numpy as np
import pytest

from pipeline.evaluate.normalise import words_of
from pipeline.evaluate.words import WordErrors, cp_wer, wer, word_errors


def counts(figure):
    return {name: int(count) for name, count in figure.counts.items()}


def test_wer_counts_worked_by_hand():
    found = wer(["we", "lose", "sixty", "visits", "a", "week"], ["we", "loose", "sixty", "six", "visits", "week"])
    assert counts(found) == {"substitutions": 1, "deletions": 1, "insertions": 1, "words": 6}
    assert found.value == pytest.approx(3 / 6)


def test_wer_of_silence_and_of_nothing_said():
    assert word_errors(["one", "two"], []) == WordErrors(deletions=2)
    assert word_errors([], ["one"]) == WordErrors(insertions=1)
    assert wer([], []).value is None


def test_cp_wer_pairs_speakers_whatever_they_are_called():
    said = {"Linda": ["hello", "frank"], "Frank": ["hello", "linda", "fine"]}
    heard = {"channel-2": ["hello", "frank"], "channel-1": ["hello", "linda", "find"]}
    found = cp_wer(said, heard)
    assert counts(found) == {
        "substitutions": 1, "deletions": 0, "insertions": 0, "words": 5, "missed_speakers": 0, "extra_speakers": 0,
    }  # fmt: skip


def test_cp_wer_a_word_at_the_wrong_person_is_two_errors():
    said = {"A": ["a", "b", "c"], "B": ["d", "e", "f"]}
    found = cp_wer(said, {"x": ["a", "b"], "y": ["c", "d", "e", "f"]})
    assert (found.part, found.counts["deletions"], found.counts["insertions"]) == (2, 1, 1)


def test_cp_wer_a_missing_and_an_extra_speaker_count_in_full():
    said = {"A": ["a", "b", "c"], "B": ["d", "e"]}
    missing = cp_wer(said, {"x": ["a", "b", "c"]})
    assert counts(missing)["deletions"] == 2 and missing.counts["missed_speakers"] == 1
    assert missing.value == pytest.approx(2 / 5)
    extra = cp_wer(said, {"x": ["a", "b", "c"], "y": ["d"], "z": ["e", "g", "h"]})
    # z stays alone, or y: e missing + 3 too many = 4; d missing + g, h too many + d too many = 4
    assert extra.part == 4 and extra.counts["extra_speakers"] == 1


def test_cp_wer_without_any_words_is_no_figure():
    assert cp_wer({"A": []}, {}).value is None
    assert cp_wer({}, {"x": ["hm"]}).part == 1


def test_cp_wer_is_the_least_over_all_pairings():
    chance = np.random.default_rng(5)
    for _ in range(20):
        said = {name: list(chance.choice(list("abcde"), chance.integers(1, 8))) for name in "PQR"}
        heard = {name: list(chance.choice(list("abcde"), chance.integers(1, 8))) for name in "xyz"}
        least = min(
            sum(word_errors(said[one], heard[other]).count for one, other in zip(said, order, strict=True))
            for order in permutations(heard)
        )
        assert cp_wer(said, heard).part == least


def test_words_english_writing_is_no_error():
    said = words_of("Uh, that's twenty two colour samples at $3.5 million, isn't it? [laughs]")
    assert said == words_of("that is 22 color samples at $3,500,000 is not it")
    assert words_of("Mm, hmm.") == []


def test_words_of_other_languages_keep_what_english_would_change():
    assert words_of("Ja, zweiundzwanzig Wägen – um 9!", "de") == ["ja", "zweiundzwanzig", "wägen", "um", "9"]
    assert words_of("你好吗", "zh-CN") == ["你", "好", "吗"]
