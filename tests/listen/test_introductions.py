"""Introductions: who is called what, from what is said; as written and as a recogniser writes it."""

import pytest

from pipeline.listen.introductions import find_clues, introduced_as, is_misheard, name_words
from pipeline.records import Turn

NAMES = ("Emily Carter", "Robert Hale", "James Osei", "Linda Moss")


def clues(*said, names=NAMES):
    turns = [Turn(speaker, text) for speaker, text in said]
    return {(one.kind, one.speaker, one.name) for one in find_clues(turns, names)}


@pytest.mark.parametrize(
    "text",
    [
        "Hello, this is Emily from Steady Line.",
        "hi this is emily calling from steady line",
        "My name is Emily, I look after the north.",
        "my name's emily",
        "I'm Emily. I look after schools.",
        "Emily Carter, good morning.",
        "Hi James, Emily here.",
        "it's emily carter",
        "Good morning, Emily speaking.",
        "James? Emily Carter. We spoke in May.",
        "Hi, you can call me Emily.",
    ],
)
def test_introductions_of_oneself(text):
    assert ("self", "A", "Emily Carter") in clues(("A", text))


@pytest.mark.parametrize("heard", ["emely", "Emilly", "émily"])
def test_introductions_survive_a_misheard_or_accented_name(heard):
    assert ("self", "A", "Emily Carter") in clues(("A", f"hello this is {heard} from steady line"))


@pytest.mark.parametrize(
    "text",
    [
        "Is this Emily?",
        "Emily Carter?",
        "I've got my manager Emily with me today.",
        "So Emily, how did it go?",
        "We spoke to Emily last week about it.",
    ],
)
def test_introductions_another_name_is_not_ones_own(text):
    found = clues(("A", "Good to be here, all of us."), ("A", text))
    assert ("says", "A", "Emily Carter") in found
    assert ("self", "A", "Emily Carter") not in found


def test_introductions_whoever_is_greeted_answers():
    found = clues(("A", "Hi James, how are you?"), ("B", "Fine, thanks."))
    assert found == {("says", "A", "James Osei"), ("answers", "B", "James Osei")}


def test_introductions_whoever_is_asked_by_name_speaks_next():
    found = clues(("A", "Shall we look at it? Would you show us the rota, Robert?"), ("C", "With pleasure."))
    assert ("answers", "C", "Robert Hale") in found


def test_introductions_whoever_is_thanked_spoke_before():
    found = clues(("B", "That was it from me."), ("A", "Thanks, Linda."), ("C", "So, the price."))
    assert ("was_thanked", "B", "Linda Moss") in found


def test_introductions_this_is_may_be_another():
    assert clues(("A", "and this is robert who i work for")) == {("maybe_self", "A", "Robert Hale")}


@pytest.mark.parametrize(
    "text", ["Moss, good morning.", "yes moss", "hello linda moss", "Hi, Linda Moss, I hope I'm early."]
)
def test_introductions_a_first_word_that_may_be_ones_own_name_or_anothers_says_nothing(text):
    assert clues(("B", text), ("A", "Good morning.")) == set()


def test_introductions_the_speakers_name_in_somebody_elses_mouth_says_nothing():
    assert clues(("A", "Hello, come in please."), ("A", "and then he says Emily what is the next step")) == set()


def test_introductions_a_name_that_is_a_word_counts_only_where_a_name_must_stand():
    names = ("Will Grant",)
    assert clues(("A", "they will come"), ("A", "he will grant it"), names=names) == set()
    assert clues(("A", "hi will how are you"), ("B", "good"), names=names) == {
        ("says", "A", "Will Grant"),
        ("answers", "B", "Will Grant"),
    }


def test_introductions_a_name_inside_another_word_is_none():
    assert clues(("A", "yes yes yes"), ("A", "the annual plan for roberta's"), names=("Ann", "Robert")) == set()


def test_introductions_two_people_of_one_name_both_get_the_clue():
    found = clues(("A", "Hello, this is Chris from Orbit."), names=("Chris Hall", "Chris Bell"))
    assert found == {("self", "A", "Chris Hall"), ("self", "A", "Chris Bell")}


@pytest.mark.parametrize(
    "names", [(), ("",), ("  ",), ("???",), (".*",), ("(((",), ("a" * 5000,), ("Mr",), ("\u0301",)]
)
def test_introductions_hostile_names_give_no_clues(names):
    assert clues(("A", "Hello, this is Tom (from .* Orbit)."), ("B", "Hi Tom."), names=names) == set()


@pytest.mark.parametrize("text", ["", "   ", "...", "?", "👋", "\x00", "'", "—"])
def test_introductions_odd_turns_give_no_clues(text):
    assert clues(("A", text), ("B", text)) == set()


@pytest.mark.parametrize(
    ("word", "name", "same"),
    [
        ("emily", "emily", True),
        ("emely", "emily", True),
        ("tim", "tom", False),
        ("katherine", "catherine", True),
        ("kathryn", "catherine", False),
        ("oluchi", "olushi", True),
        ("roberta", "robert", True),
        ("marine", "mario", False),
    ],
)
def test_introductions_a_mishearing_is_near(word, name, same):
    assert is_misheard(word, name) is same


def test_introductions_names_without_titles_and_initials():
    assert name_words("Dr. Zoë M. O'Neil") == ("zoe", "oneil")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hi, this is Emily from Steady Line.", "Emily"),
        ("Good morning, my name is Jean Paul.", "Jean Paul"),
        ("My name is Tom and I look after the north.", "Tom"),
        ("I'm Tom Adeyemi with Orbit.", "Tom Adeyemi"),
        ("I'm calling from Orbit.", None),
        ("I'm not from here.", None),
        ("this is emily from steady line", None),
        ("It's great from here.", None),
        ("This is Anna with me.", None),
    ],
)
def test_introductions_a_name_that_nobody_gave(text, name):
    assert introduced_as([Turn("A", text)], "A") == name
