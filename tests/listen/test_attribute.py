"""Words to speakers, and speakers' words to turns, worked by hand."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.listen.attribute import attribute_words, make_turns
from pipeline.records import SpeechSegment, Word


def say(text: str, start: float, step: float = 0.4) -> list[Word]:
    """Words one after another, each `step` long."""
    return [
        Word(one, round(start + n * step, 3), round(start + (n + 1) * step, 3)) for n, one in enumerate(text.split())
    ]


def by(speaker: str, *said: list[Word]) -> list[tuple[str, Word]]:
    return [(speaker, word) for words in said for word in words]


def lines(words) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in make_turns(words)]


A = SpeechSegment("a", 0.0, 2.0)
B = SpeechSegment("b", 2.0, 4.0)


def test_each_word_goes_to_the_voice_it_overlaps_most() -> None:
    words = [Word("one", 0.5, 0.9), Word("two", 1.5, 2.2), Word("three", 1.9, 2.5)]
    found = attribute_words(words, [A, B])
    assert [speaker for speaker, _ in found.words] == ["a", "a", "b"]
    assert found.attributed == 3


def test_a_word_in_a_gap_goes_with_its_utterance_and_one_between_two_voices_too() -> None:
    speech = [SpeechSegment("a", 0.0, 1.0), SpeechSegment("b", 3.0, 4.0)]
    words = [Word("so", 0.8, 1.0), Word("um", 1.2, 1.4), Word("well", 3.2, 3.5)]
    assert [speaker for speaker, _ in attribute_words(words, speech).words] == ["a", "a", "b"]
    both = [SpeechSegment("a", 0.0, 2.0), SpeechSegment("b", 1.0, 2.0)]
    assert [s for s, _ in attribute_words([Word("x", 0.2, 0.6), Word("y", 1.1, 1.5)], both).words] == ["a", "a"]


def test_a_word_far_from_any_voice_goes_to_the_nearest_and_is_not_counted() -> None:
    found = attribute_words([Word("hello", 0.5, 0.9), Word("ghost", 9.0, 9.4)], [A, B])
    assert [speaker for speaker, _ in found.words] == ["a", "b"]
    assert found.attributed == 1
    assert attribute_words([Word("x", 0, 1)], []).words == ()


def test_a_turn_lasts_until_the_floor_changes_whatever_the_pause() -> None:
    words = by("a", say("good morning", 0), say("are you there", 6)) + by("b", say("yes here we are", 9))
    assert lines(words) == [("a", "good morning are you there"), ("b", "yes here we are")]
    first = make_turns(words)[0]
    assert (first.start, first.end, len(first.words)) == (0.0, 7.2, 5)


def test_a_back_channel_inside_an_utterance_is_a_turn_of_its_own_and_breaks_nothing() -> None:
    long = say("we cut the time from eight weeks to nine days in the end", 0) + say("and then they stayed", 6.0)
    words = by("a", long) + by("b", [Word("mm-hm", 2.0, 2.4)])
    assert lines(words) == [
        ("a", "we cut the time from eight weeks to nine days in the end and then they stayed"),
        ("b", "mm-hm"),
    ]


def test_an_answer_in_the_other_ones_pause_takes_the_floor() -> None:
    words = by("a", say("does that work", 0), say("great then let us begin", 3)) + by("b", [Word("yes", 1.8, 2.2)])
    assert lines(words) == [("a", "does that work"), ("b", "yes"), ("a", "great then let us begin")]


def test_a_real_interruption_breaks_the_turn() -> None:
    words = by("a", say("so the price is of course", 0), say("as i was saying", 6))
    words += by("b", say("wait what price do you mean exactly", 2.0))
    assert [speaker for speaker, _ in lines(words)] == ["a", "b", "a"]


def test_no_words_no_turns() -> None:
    assert make_turns([]) == ()


def timed(rows: list[tuple[str, float, float]]) -> list[tuple[str, Word]]:
    """Words of which no two start together."""
    starts = [start + n / 1000 for n, (_, start, _) in enumerate(rows)]
    return [(who, Word(f"w{n}", starts[n], starts[n] + length)) for n, (who, _, length) in enumerate(rows)]


spoken = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 60).map(float), st.floats(0.05, 1.0)), max_size=40
).map(timed)


@settings(deadline=None, derandomize=True, database=None)
@given(spoken, st.randoms(use_true_random=False))
def test_turns_keep_every_word_once_are_sorted_and_do_not_depend_on_order_or_names(
    words: list[tuple[str, Word]], draw: random.Random
) -> None:
    turns = make_turns(words)
    assert sorted((t.speaker, w.text) for t in turns for w in t.words) == sorted((s, w.text) for s, w in words)
    assert [turn.start for turn in turns] == sorted(turn.start or 0 for turn in turns)
    for turn in turns:
        assert turn.text == " ".join(word.text for word in turn.words)
        assert turn.start == min(word.start for word in turn.words)
        assert turn.end == max(word.end for word in turn.words)
    mixed = list(words)
    draw.shuffle(mixed)
    assert make_turns(mixed) == turns
