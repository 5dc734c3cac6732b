from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.assess.canonical import canonical
from pipeline.assess.passages import Line, Piece, cut_lines, windows_of


def _pieces(*tokens: int) -> list[Piece]:
    return [Piece(number, 0, 1, length) for number, length in enumerate(tokens)]


def test_a_turn_of_normal_length_is_one_piece() -> None:
    assert cut_lines([Line(True, "Hello there.")], [4]) == [Piece(0, 0, 12, 4)]


def test_a_turn_without_words_has_no_piece() -> None:
    assert [piece.line for piece in cut_lines([Line(True, " "), Line(False, "Yes.")], [1, 2])] == [1]


def test_a_long_turn_is_cut_alike_however_it_is_written_down() -> None:
    texts = (
        "First, we count the crates; then - um - we weigh them. Then we go home. And on Monday we do it again!",
        "first we count the crates then we weigh them then we go home and on monday we do it again",
    )
    cut = [[text[p.start : p.end] for p in cut_lines([Line(True, text)], [30], limit=15)] for text in texts]
    assert len(cut[0]) >= 3
    assert [canonical(part)[0].strip() for part in cut[0]] == [canonical(part)[0].strip() for part in cut[1]]


def test_a_long_turn_without_punctuation_is_cut_at_words() -> None:
    text = " ".join(["crate"] * 40)
    pieces = cut_lines([Line(True, text)], [80], limit=20)
    assert len(pieces) > 3
    assert " ".join(text[p.start : p.end] for p in pieces) == text


def test_windows_have_context_on_both_sides() -> None:
    windows = windows_of(_pieces(50, 50, 50, 50, 50), core=100, margin=50)
    assert [(w.first, w.core_first, w.core_last, w.last) for w in windows] == [(0, 0, 2, 3), (1, 2, 4, 5), (3, 4, 5, 5)]


def test_no_pieces_no_windows() -> None:
    assert windows_of([]) == []


@given(st.lists(st.integers(1, 200), max_size=40), st.integers(0, 100))
def test_every_piece_is_in_the_core_of_exactly_one_window(tokens: list[int], offset: int) -> None:
    windows = windows_of(_pieces(*tokens), offset=offset)
    cores = [n for window in windows for n in range(window.core_first, window.core_last)]
    assert cores == list(range(len(tokens)))
    assert all(w.first <= w.core_first < w.core_last <= w.last for w in windows)


@given(st.text(max_size=300), st.integers(1, 400))
def test_pieces_never_overlap_and_lose_no_letters(text: str, length: int) -> None:
    pieces = cut_lines([Line(True, text)], [length], limit=20)
    assert all(a.end <= b.start for a, b in pairwise(pieces))
    kept = "".join("".join(text[p.start : p.end].split()) for p in pieces)
    assert kept == ("".join(text.split()) if canonical(text)[0] else "")
