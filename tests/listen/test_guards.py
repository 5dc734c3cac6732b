"""What engines invent is dropped and counted; what people say is kept, whatever it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.listen.guards import (
    INVENTED,
    LOOPED,
    NO_SOUND,
    NO_SPEECH,
    OUTSIDE,
    TOO_FAST,
    Segment,
    guarded,
    total_dropped,
)
from pipeline.listen.loops import too_often
from pipeline.records import Word

SPEECH = ((0.0, 1000.0),)


def said(text: str, start: float = 0.0, *, step: float = 0.3, probability: float | None = 0.9) -> tuple[Word, ...]:
    """The words of a text, `step` seconds each."""
    return tuple(
        Word(word, round(start + index * step, 3), round(start + (index + 1) * step, 3), probability)
        for index, word in enumerate(text.split())
    )


def text_of(words: tuple[Word, ...]) -> str:
    return " ".join(word.text for word in words)


CLEAN = said("Good morning, this is Ann from Bracken. Thank you for your time. Yeah, yeah, yeah. No, no, no, no.")


def test_clear_speech_is_kept_whole() -> None:
    kept = guarded([Segment(CLEAN, no_speech=0.1, log_probability=-0.3, compression=1.2, seconds=6)], SPEECH)
    assert kept.words == CLEAN
    assert kept.dropped == ()
    assert guarded([], SPEECH).words == ()


def test_words_away_from_speech_are_dropped_and_those_beside_it_are_kept() -> None:
    words = said("one two three four five six seven", step=1.0)
    kept = guarded([Segment(words)], [(2.2, 2.8), (6.0, 7.0)])
    assert text_of(kept.words) == "two three four six seven"
    assert kept.dropped == ((OUTSIDE, 2),)
    assert guarded([Segment(words)], []).dropped == ((OUTSIDE, 7),)


@pytest.mark.parametrize(
    ("no_speech", "log_probability", "kept"),
    [(0.9, -1.4, False), (0.9, -0.4, True), (0.3, -1.4, True), (None, None, True)],
)
def test_a_segment_goes_where_the_engine_doubts_both_speech_and_words(
    no_speech: float | None, log_probability: float | None, kept: bool
) -> None:
    doubtful = Segment(said("we sell pumps"), no_speech, log_probability)
    result = guarded([doubtful, Segment(said("and valves", 5))], SPEECH)
    assert text_of(result.words) == ("we sell pumps and valves" if kept else "and valves")
    assert result.dropped == (() if kept else ((NO_SPEECH, 3),))


def test_what_is_read_from_the_last_moment_of_a_window_is_dropped() -> None:
    result = guarded([Segment(said("real words"), seconds=0.5), Segment(said("you", 2), seconds=0.49)], SPEECH)
    assert (text_of(result.words), result.dropped) == ("real words", ((NO_SOUND, 1),))


@pytest.mark.parametrize(
    "phrase",
    [
        "Thanks for watching!",
        "Subtitles by the Amara.org community",
        "Untertitel im Auftrag des ZDF für funk, 2017",
        "Sous-titres réalisés para la communauté d'Amara.org",
        "Please subscribe to my channel.",
        "ご 視 聴 あ り が と う ご ざ い ま し た",
    ],
)
def test_an_invented_phrase_goes_where_speech_is_doubtful_and_stays_where_it_is_spoken(phrase: str) -> None:
    before, after = said("That is it.", 0), said("Next topic please.", 10)
    for doubtful in (said(phrase, 4, probability=0.5), said(phrase, 4, step=0.01)):
        short = [(0.0, 2.0), (4.0, 4.2), (10.0, 12.0)]
        result = guarded([Segment((*before, *doubtful, *after))], short)
        assert result.words == (*before, *after)
        assert result.dropped == ((INVENTED, len(phrase.split())),)
    spoken = (*before, *said(phrase, 4), *after)
    assert guarded([Segment(spoken)], SPEECH).words == spoken


def test_a_thank_you_stays_unless_hardly_anything_speaks_for_it() -> None:
    for probability, kept in ((0.9, True), (0.5, True), (0.2, False)):
        result = guarded([Segment(said("Thank you.", probability=probability))], SPEECH)
        assert bool(result.words) is kept
    in_silence = Segment(said("Thank you.", 4, probability=0.9))
    assert guarded([in_silence], [(3.6, 3.9)]).dropped == ((INVENTED, 2),)
    unsure_engine = Segment(said("Thank you.", probability=0.9), no_speech=0.8, log_probability=-0.7)
    assert guarded([unsure_engine], SPEECH).dropped == ((INVENTED, 2),)
    assert guarded([in_silence], [(3.6, 3.9)], invents_phrases=False).dropped == ()


def test_a_phrase_within_a_sentence_is_not_looked_at() -> None:
    words = said("I want to say thank you for watching our demo today.", probability=0.2)
    assert guarded([Segment(words)], SPEECH).words == words


def test_an_echo_of_the_terms_to_expect_goes_where_speech_is_doubtful() -> None:
    prompt = ("Sarah Okafor", "Bracken Flow", "Ridgeway")
    faint = Segment(said("Okafor, Bracken Flow, Ridgeway.", probability=0.5))
    assert guarded([faint], SPEECH, prompt=prompt).dropped == ((INVENTED, 4),)
    assert guarded([faint], SPEECH).dropped == ()
    for spoken in ("Okafor, Bracken Flow, Ridgeway.", "Hi, Sarah Okafor here.", "Bracken Flow."):
        words = said(spoken)
        assert guarded([Segment(words)], SPEECH, prompt=prompt).words == words


@pytest.mark.parametrize(
    ("loop", "times", "left"),
    [
        ("no", 8, "no"),
        ("thank you, Mr President,", 5, "thank you, Mr President,"),
        ("I'm going to be a bad person.", 4, "I'm going to be a bad person."),
    ],
)
def test_a_loop_keeps_its_first_occurrence(loop: str, times: int, left: str) -> None:
    words = said("So " + f"{loop} " * times + "Okay then.")
    result = guarded([Segment(words)], SPEECH)
    assert text_of(result.words) == f"So {left} Okay then."
    assert result.dropped == ((LOOPED, (times - 1) * len(loop.split())),)


def test_the_cut_off_end_of_a_loop_goes_with_it() -> None:
    words = said("we can do that for you " * 4 + "we can do")
    assert text_of(guarded([Segment(words)], SPEECH).words) == "we can do that for you"


@pytest.mark.parametrize("natural", ["no " * 5, "yeah yeah okay " * 3, "that is right, " * 3, "thirty eight " * 3])
def test_people_repeat_themselves(natural: str) -> None:
    words = said(natural)
    assert guarded([Segment(words)], SPEECH).words == words


def test_a_listener_who_agrees_again_and_again_is_no_loop() -> None:
    words = tuple(word for index in range(20) for word in said("yeah", index * 3.0))
    assert guarded([Segment(words)], SPEECH).words == words


def test_text_that_compresses_as_loops_do_needs_fewer_repeats() -> None:
    words = said("and then we go to the next one " * 2 + "which is the part that I would like to show you now")
    assert guarded([Segment(words, compression=1.9)], SPEECH).dropped == ()
    assert guarded([Segment(words, compression=2.5)], SPEECH).dropped == ((LOOPED, 8),)
    short = said("yeah yeah yeah yeah yeah yeah yeah")
    assert guarded([Segment(short, compression=2.8)], SPEECH).words == short
    assert all(too_often(size, True) <= too_often(size) for size in range(1, 31))


def test_words_faster_than_a_mouth_are_dropped() -> None:
    burst = tuple(replace(word, text=f"w{index}") for index, word in enumerate(said("x " * 15, 3, step=0.05)))
    slow = said("this is how people talk")
    result = guarded([Segment((*slow, *burst))], SPEECH)
    assert (result.words, result.dropped) == (slow, ((TOO_FAST, 15),))
    characters = tuple(replace(word, text=f"字{index}") for index, word in enumerate(said("x " * 15, 3, step=0.07)))
    assert guarded([Segment(characters)], SPEECH, language="zh").words == characters
    assert guarded([Segment(characters)], SPEECH, language="en").dropped != ()


def test_each_word_is_counted_once_and_counts_add_up() -> None:
    noise = Segment(said("Thanks for watching!", 50, probability=0.1), no_speech=0.9, log_probability=-2.0)
    result = guarded([Segment(CLEAN), noise], [(0.0, 10.0)])
    assert result.dropped == ((NO_SPEECH, 3),)
    assert total_dropped([result.dropped, ((LOOPED, 2), (NO_SPEECH, 1)), ()]) == ((NO_SPEECH, 4), (LOOPED, 2))


TEXTS = st.sampled_from(
    ["so", "yeah", "Thank", "you.", "Thanks", "for", "watching!", "no", "price", "pump,", "...", "字"]
)
WORDS = st.builds(
    lambda text, gap, length, probability: (text, gap, length, probability),
    TEXTS,
    st.floats(0, 2),
    st.floats(0, 1),
    st.one_of(st.none(), st.floats(0, 1)),
)


def laid_out(parts: list[tuple[str, float, float, float | None]]) -> tuple[Word, ...]:
    words, at = [], 0.0
    for text, gap, length, probability in parts:
        words.append(Word(text, at + gap, at + gap + length, probability))
        at += gap + length
    return tuple(words)


@given(
    st.lists(WORDS, max_size=60),
    st.integers(1, 10),
    st.lists(st.floats(0.01, 5), max_size=20),
    st.one_of(st.none(), st.floats(0, 1)),
    st.one_of(st.none(), st.floats(-3, 0)),
)
def test_nothing_is_invented_reordered_or_lost_without_a_count(
    parts: list[tuple[str, float, float, float | None]],
    size: int,
    steps: list[float],
    no_speech: float | None,
    log_probability: float | None,
) -> None:
    words = laid_out(parts)
    segments = [
        Segment(words[at : at + size], no_speech, log_probability, 2.5, 10) for at in range(0, len(words), size)
    ]
    times = [sum(steps[: index + 1]) for index in range(len(steps))]
    stretches = list(zip(times[::2], times[1::2], strict=False))
    result = guarded(segments, stretches, prompt=("price pump", "so yeah no"))
    rest = iter(words)
    assert all(any(word is other for other in rest) for word in result.words)
    assert len(result.words) + sum(count for _, count in result.dropped) == len(words)
    assert all(count > 0 for _, count in result.dropped)
    assert guarded(segments, stretches, prompt=("price pump", "so yeah no")) == result


@given(st.lists(st.integers(0, 10_000), max_size=80, unique=True), st.floats(0.15, 1.0))
def test_clean_segments_lose_nothing(numbers: list[int], step: float) -> None:
    words = said(" ".join(f"word{number}" for number in numbers), step=step)
    result = guarded([Segment(words, no_speech=0.2, log_probability=-0.4, compression=1.5, seconds=30)], SPEECH)
    assert (result.words, result.dropped) == (words, ())
