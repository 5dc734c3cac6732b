"""Words to speakers, and speakers' words to turns, worked by hand."""

from __future__ import annotations

import random
import time

import pytest
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


def test_a_word_said_over_the_other_goes_with_its_utterance_to_one_of_the_two() -> None:
    speech = [SpeechSegment("a", 0.0, 2.0), SpeechSegment("b", 1.0, 3.0), SpeechSegment("c", 3.0, 4.0)]
    words = [Word("so", 0.2, 0.6), Word("we", 1.1, 1.5), Word("lose", 1.55, 2.02), Word("no", 2.1, 2.4)]
    assert [speaker for speaker, _ in attribute_words(words, speech).words] == ["a", "a", "b", "b"]
    assert [speaker for speaker, _ in attribute_words([Word("hm", 1.2, 1.4)], speech).words] == ["a"]


def test_a_lone_word_at_the_edge_of_a_stretch_does_not_leave_its_utterance() -> None:
    speech = [SpeechSegment("a", 0.0, 1.22), SpeechSegment("b", 1.2, 1.4), SpeechSegment("a", 1.41, 3.0)]
    words = say("we cut the time to nine", 0.0)
    assert {speaker for speaker, _ in attribute_words([*words[:3], *words[4:]], speech).words} == {"a"}


def test_stretches_of_one_speaker_that_overlap_each_other_count_once() -> None:
    speech = [SpeechSegment("a", 0.0, 0.5), SpeechSegment("a", 0.1, 0.5), SpeechSegment("b", 0.5, 1.2)]
    assert attribute_words([Word("x", 0.1, 1.1)], speech).words[0][0] == "b"


def test_a_word_without_length_goes_to_the_voice_around_it() -> None:
    words = [Word("x", 1.0, 1.0), Word("y", 2.5, 2.5), Word("z", 3.5, 3.5)]
    found = attribute_words(words, [A, B])
    assert [speaker for speaker, _ in found.words] == ["a", "b", "b"]
    assert found.attributed == 3


def test_a_long_call_s_words_are_given_in_seconds() -> None:
    speech = [SpeechSegment("abcde"[n % 5], n * 2.0, n * 2.0 + 2.3) for n in range(5000)]
    words = [Word("w", n / 3, n / 3 + 0.3) for n in range(30_000)]
    began = time.process_time()
    found = attribute_words(words, speech)
    turns = make_turns(found.words)
    assert time.process_time() - began < 5  # one to two seconds; comparing each with each takes minutes
    assert len(found.words) == sum(len(turn.words) for turn in turns) == 30_000


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


def said(words: list[tuple[str, Word]]) -> list[str]:
    """Who has the floor, turn by turn."""
    return [turn.speaker for turn in make_turns(words)]


@pytest.mark.parametrize("heard", ["mm-hm", "Mm-hmm.", "uh huh", "Mhm,"])
def test_a_hum_in_a_pause_breaks_nothing_with_or_without_punctuation(heard: str) -> None:
    words = by("a", say("so we lose", 0), say("two weeks a month", 2.6)) + by("b", say(heard, 1.5, 0.3))
    assert said(words) == ["a", "b"]
    stopped = by("a", say("so we lose two weeks.", 0), say("Every month.", 3.4)) + by("b", say(heard, 2.3, 0.3))
    assert said(stopped) == ["a", "b"]


@pytest.mark.parametrize("heard", ["Yeah.", "Right, right.", "I see.", "Okay."])
def test_agreeing_in_a_pause_breaks_nothing_where_the_sentence_goes_on(heard: str) -> None:
    words = by("a", say("So we lose", 0), say("two weeks a month.", 2.6)) + by("b", say(heard, 1.5, 0.4))
    assert said(words) == ["a", "b"]


@pytest.mark.parametrize(
    ("before", "heard", "after", "why"),
    [
        ("Does that work?", "Yes.", "Then let us begin.", "a question was answered"),
        ("Does that work?", "Mm-hm.", "Then let us begin.", "a hum can answer, too"),
        ("I send it on Thursday.", "Okay.", "Then we meet.", "the sentence had ended: this agrees"),
        ("does that work", "yes", "then let us begin", "without punctuation it may be an answer"),
        ("So we lose", "eleven", "two weeks.", "words that say something"),
        ("So we lose", "well no actually not", "two weeks.", "too many words"),
    ],
)
def test_what_says_something_in_a_pause_takes_the_floor(before: str, heard: str, after: str, why: str) -> None:
    answer = say(heard, 2.6, 0.3)
    end = answer[-1].end
    first = say(before, 0, 2.2 / len(before.split()))
    assert said(by("a", first, say(after, end + 0.5)) + by("b", answer)) == ["a", "b", "a"], why


def test_a_back_channel_after_a_long_pause_or_between_two_people_takes_the_floor() -> None:
    assert said(by("a", say("so we lose", 0), say("two weeks", 5.0)) + by("b", [Word("mm-hm", 3.0, 3.4)])) == [*"aba"]
    other = by("a", say("so we lose", 0)) + by("b", [Word("mm-hm", 1.5, 1.8)]) + by("c", say("two weeks", 2.2))
    assert said(other) == ["a", "b", "c"]


def test_two_listeners_hums_in_one_pause_break_nothing() -> None:
    words = by("a", say("so we lose", 0), say("two weeks", 2.4))
    words += by("b", [Word("mm-hm", 1.4, 1.7)]) + by("c", [Word("uh-huh", 1.8, 2.1)])
    assert said(words) == ["a", "b", "c"]


def test_what_began_before_the_pause_is_no_answer_even_without_punctuation() -> None:
    words = by("a", say("so we lose", 0), say("two weeks", 2.1)) + by("b", [Word("right", 1.1, 1.5)])
    assert said(words) == ["a", "b"]


def test_a_quick_answer_to_a_question_takes_the_floor_although_no_breath_lies_between() -> None:
    words = by("a", say("Does that work?", 0), say("Great, let us begin.", 1.75)) + by("b", [Word("Yes.", 1.3, 1.6)])
    assert lines(words) == [("a", "Does that work?"), ("b", "Yes."), ("a", "Great, let us begin.")]


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


stretches = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(0, 60), st.floats(0.01, 9)).map(
        lambda row: SpeechSegment(row[0], row[1], row[1] + row[2])
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, derandomize=True, database=None)
@given(spoken, stretches, st.randoms(use_true_random=False))
def test_every_word_comes_out_once_in_order_with_a_voice_and_the_order_of_stretches_changes_nothing(
    named: list[tuple[str, Word]], speech: list[SpeechSegment], draw: random.Random
) -> None:
    words = sorted((word for _, word in named), key=lambda word: word.start)
    found = attribute_words(words, speech)
    assert [word for _, word in found.words] == words
    assert {speaker for speaker, _ in found.words} <= {one.speaker for one in speech}
    assert 0 <= found.attributed <= len(words)
    for speaker, word in found.words:
        around = {one.speaker for one in speech if one.start < word.end and one.end > word.start}
        assert not around or speaker in around
    mixed = list(speech)
    draw.shuffle(mixed)
    assert attribute_words(words, mixed) == found
