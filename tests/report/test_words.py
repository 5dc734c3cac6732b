from dataclasses import replace

import pytest

from pipeline.records import Participant, SpeechSegment
from pipeline.report import words


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0:00"), (9.99, "0:09"), (754, "12:34"), (3754.2, "1:02:34"), (-3, "0:00")]
)
def test_clock(seconds, said):
    assert words.clock(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (1860, "31 min"),
        (3599, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_length(seconds, said):
    assert words.length(seconds) == said.replace(" ", words.SPACE)


@pytest.mark.parametrize(
    ("iso", "said"),
    [
        ("2026-03-02T10:00:00", "2 Mar 2026, 10:00"),
        ("2026-12-24T08:05:59+01:00", "24 Dec 2026, 08:05"),
        ("2026-03-02T10:00Z", "2 Mar 2026, 10:00"),
        ("2026-03-02", "2 Mar 2026"),
        ("20260302", "2 Mar 2026"),
        (None, "date not known"),
        ("", "date not known"),
        ("next Tuesday", "next Tuesday"),
    ],
)
def test_date_in_words(iso, said):
    assert words.date_in_words(iso) == said


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0 %"), (0.001, "under 1 %"), (0.617, "62 %"), (0.998, "over 99 %"), (1, "100 %")]
)
def test_percent(share, said):
    assert words.percent(share) == said.replace(" ", words.SPACE)


def test_numbers_and_counts():
    assert [words.number(value) for value in (3.0, 0.84, 1234.0)] == ["3", "0.8", "1,234"]
    assert [words.counted(many, "turn") for many in (0, 1, 2000)] == ["0 turns", "1 turn", "2,000 turns"]
    assert [words.spelled(many) for many in (0, 3, 12)] == ["none", "three", "12"]


def test_listing():
    assert [words.listing(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c"
    ]  # fmt: skip


def test_sentence():
    assert [words.sentence(text) for text in ("", " the words ", "Why?")] == ["", "The words.", "Why?"]


def test_people_without_names_are_named_by_role(joint):
    people = (
        Participant("A", None, "rep"), Participant("B", None, "customer"), Participant("C", "", "customer"),
        Participant("D", None, "unknown"),
    )  # fmt: skip
    call = replace(joint.call, participants=people, turns=(), speech=())
    assert words.display_names(call) == {"A": "Rep", "B": "Buyer B", "C": "Buyer C", "D": "Speaker D"}


def test_speakers_that_only_the_speech_knows_are_participants_too(joint):
    call = replace(joint.call, participants=(), turns=(), speech=(SpeechSegment("X", 0, 1),))
    assert words.participants(call) == (Participant("X", None, "unknown"),)


@pytest.mark.parametrize(
    ("name", "role", "word"),
    [("Tom", "rep", "rep"), ("Rep", "rep", ""), ("Buyer S2", "customer", ""), ("Repton", "rep", "rep")],
)
def test_role_is_not_said_twice(name, role, word):
    assert words.role_beside(name, role) == word
