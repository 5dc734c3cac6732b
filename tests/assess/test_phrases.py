import pytest

from pipeline.assess.phrases import Cues, cues, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'll send it over on Tuesday", Cues(True, False, True)),
        ("let me put the invite in for the fourteenth of march", Cues(True, True, True)),
        ("we will be there at nine", Cues(True, True, True)),
        ("It went from 31 percent to four", Cues(False, True, False)),
        ("they cut it by twelve percent", Cues(False, True, False)),
        ("could you ask Priya", Cues(False, False, True)),
        ("It is a lovely building", Cues(False, False, False)),
        ("", Cues(False, False, False)),
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
