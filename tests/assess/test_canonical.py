import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assess.canonical import canonical


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("So, um, I'd LOVE to, you know, see $5.50 (maybe 12%).", "so i'd love to see $5 50 maybe 12%"),
        ("Carla’s 'plan'. Mm-hm. It's kind of, erm, an e-mail.", "carla's plan it's an e mail"),
        ("Umbrellas and errands, mmm.", "umbrellas and errands"),
        ("Um.", ""),
        ("", ""),
    ],
)
def test_marks_capitals_and_fillers_are_gone(written: str, plain: str) -> None:
    assert canonical(written)[0].strip() == plain


@given(st.text(max_size=200))
def test_every_character_knows_its_place(text: str) -> None:
    plain, places = canonical(text)
    assert len(plain) == len(places)
    assert places == sorted(set(places))
    assert all(0 <= place < max(1, len(text)) for place in places)
    assert "  " not in plain
