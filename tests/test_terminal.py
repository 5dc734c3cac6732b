"""The terminal's summary: sales calls and meetings in tables of their own, whole words on 80 columns."""

import io

import pytest
from rich.console import Console

from pipeline.terminal import _tables
from tests.report.judged import one_on_one, six


def printed(cards):
    console = Console(width=80, file=io.StringIO())
    for table in _tables(cards):
        console.print(table)
    return console.file.getvalue()


def test_terminal_meetings_have_a_table_of_their_own_without_a_takeover():
    sold, met = printed([one_on_one(), six()]).split("1 meeting scored")
    assert "1 call scored" in sold
    assert "agenda" in sold and "over" in sold and "2:23" in sold
    assert "guiding" in met and "manager" in met and "40%" in met
    assert "agenda" not in met and "take" not in met and "seller" not in met


@pytest.mark.parametrize("card", [six(), one_on_one()], ids=["six behaviours", "a meeting"])
def test_terminal_no_word_of_the_table_is_cut(card):
    assert "…" not in printed([card])


def test_terminal_of_nothing_scored_says_so():
    assert "0 calls scored" in printed([])
