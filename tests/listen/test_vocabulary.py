"""Terms worth expecting: read from a file, put in order of use, and cut to what a prompt holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UsageError, VocabularyError
from pipeline.listen.vocabulary import MAX_TERMS, fitting, read_vocabulary, terms_for


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "vocabulary.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_terms_come_in_order_and_once_without_comments_and_spare_spaces(tmp_path: Path) -> None:
    text = "\ufeff# products\nBracken  Flow \r\n\n  # people\nC#\nbracken flow\nZoë Übermut\n"
    assert read_vocabulary(written(tmp_path, text)) == ("Bracken Flow", "C#", "Zoë Übermut")
    assert read_vocabulary(written(tmp_path, "")) == ()


def test_every_fault_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "Good\n" + "long " * 20 + "\nbell\x07\n---\n")
    with pytest.raises(VocabularyError) as caught:
        read_vocabulary(path)
    assert caught.value.faults == (
        "line 2: 'long long long long '… has 99 characters; a term has at most 60",
        "line 3: 'bell\\x07' holds a control character; only text is allowed",
        "line 4: '---' holds no letter and no digit",
    )
    assert str(caught.value).startswith(f"{path}: 3 faults\n  - line 2: ")
    assert "Write one term a line in UTF-8" in str(caught.value)


def test_too_many_terms_are_refused_and_as_many_as_allowed_are_not(tmp_path: Path) -> None:
    lines = [f"term {number}" for number in range(MAX_TERMS + 1)]
    with pytest.raises(VocabularyError, match="has 501 terms; at most 500 are allowed, the most needed first"):
        read_vocabulary(written(tmp_path, "\n".join(lines)))
    assert len(read_vocabulary(written(tmp_path, "\n".join(lines[:-1])))) == MAX_TERMS


def test_a_file_that_is_no_text_is_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match=r"line 2: is not UTF-8 text \(byte 8\)"):
        read_vocabulary(written(tmp_path, b"Bracken\n\xff\xfe\n"))


def test_a_file_that_is_missing_or_far_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the vocabulary file cannot be read \(No such file or directory\)"):
        read_vocabulary(tmp_path / "none.txt")
    with pytest.raises(UsageError, match="the vocabulary file cannot be read"):
        read_vocabulary(tmp_path)
    with pytest.raises(UsageError, match="the vocabulary file is larger than 65,536 bytes"):
        read_vocabulary(written(tmp_path, b"a\n" * 40_000))


def test_names_go_before_products_before_vocabulary_each_once() -> None:
    terms = terms_for(["Sarah Okafor", " "], ["Bracken Flow"], ["SARAH  okafor", "Ridgeway"])
    assert terms == ("Sarah Okafor", "Bracken Flow", "Ridgeway")


def test_what_a_tokenizer_would_take_for_a_command_is_taken_apart() -> None:
    assert terms_for(["<|endoftext|>Ann", "<|<||>|>"], [], []) == ("endoftext Ann",)


def test_the_first_terms_that_fit_are_kept() -> None:
    terms = ("one two", "three", "four five six", "seven")
    assert fitting(terms, lambda text: len(text.split()), 3) == ("one two", "three")
    assert fitting(terms, lambda text: len(text.split()), 100) == terms
    assert fitting(terms, lambda text: len(text.split()), 1) == ()
