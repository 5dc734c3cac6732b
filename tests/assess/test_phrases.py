import pytest

from pipeline.assess.phrases import Cues, content_words, cues, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'll send it over on Tuesday", Cues(True, False, True, 0)),
        ("let me put the invite in for the fourteenth of march", Cues(True, True, True, 0)),
        ("we will be there at nine", Cues(True, True, True, 0)),
        ("It went from 31 percent to four", Cues(False, True, False, 0)),
        ("they cut it by twelve percent", Cues(False, True, False, 0)),
        ("could you ask Priya", Cues(False, False, True, 1)),
        ("what you’d have is your own, and you're done", Cues(False, False, False, 3)),
        ("It is a lovely building", Cues(False, False, False, 0)),
        ("", Cues(False, False, False, 0)),
    ],
)
def test_cues_of_clean_and_recognised_text(text: str, expected: Cues) -> None:
    assert cues([text]) == [expected]


def test_cues_come_in_the_order_of_the_texts() -> None:
    assert [one.when for one in cues(["Friday then", "no", "monday"])] == [True, False, True]


def test_sentences_are_spans_of_the_text_without_outer_spaces() -> None:
    text = "  Morning. How are you?  We have half an hour."
    assert [text[a:b] for a, b in sentences(text)] == ["Morning.", "How are you?", "We have half an hour."]


def test_text_without_punctuation_is_one_sentence() -> None:
    text = "so what i would like to do is look at the dock and then talk money"
    assert sentences(text) == [(0, len(text))]


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_said_has_no_sentences(text: str) -> None:
    assert sentences(text) == []


def test_content_words_are_what_a_buyer_can_be_taken_at() -> None:
    assert content_words("Well, I think the returns in Tilburg are piling up, 40 pallets today.") == {
        "return", "tilburg", "piling", "40", "pallet",
    }  # fmt: skip


def test_fillers_and_stop_words_carry_nothing() -> None:
    assert content_words("yeah okay so that would be, you know, what we were about") == set()
