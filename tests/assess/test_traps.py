"""Traps: words that sound like a behaviour, meetings of another kind, other languages, odd and very long calls."""

import random
import re
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.assess.behaviours import Classifier, load_classifier
from pipeline.assess.language import english_share, is_foreign
from pipeline.assess.levels import MEDIAN, level_of, score_behaviours
from pipeline.assess.rubric import rubric_for
from pipeline.calibrate.disturbances import misheard
from pipeline.calibrate.noise import Mishearing
from pipeline.calibrate.robustness import labelled_calls
from pipeline.listen.captions import read_transcript
from pipeline.records import BEHAVIOURS, Call, ListeningQuality, Participant, Turn
from pipeline.resources import ROOT
from tests.builders import untimed_call

FOLDER = Path(__file__).parent / "traps"
PEOPLE = (Participant("rep", "Tom Adeyemi", "rep"), Participant("buyer", "Ines Roth", "customer"))


@dataclass(frozen=True)
class Trap:
    """One variant of a trap: the call, and which behaviours must be at level 0 (or withheld)."""

    name: str
    behaviours: tuple[str, ...]
    wanted: str
    call: Call


def traps(wanted: str) -> list:
    """The variants of all trap files whose first line asks for `wanted`."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        head, *variants = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        behaviours, asked = re.fullmatch(r"# (\w+): (\w+)\s*", head).groups()
        names = BEHAVIOURS if behaviours == "all" else (behaviours,)
        for variant in variants:
            title, *lines = variant.strip().splitlines()
            turns = tuple(Turn(*line.split(": ", 1)) for line in lines)
            call = Call(title, "discovery", turns, PEOPLE, None, ListeningQuality("by hand"))
            found.append(Trap(f"{path.stem}: {title}", names, asked, call))
    return [pytest.param(one, id=one.name) for one in found if one.wanted == wanted]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier()


def scores(classifier: Classifier, call: Call) -> dict:
    return {one.behaviour: one for one in score_behaviours(call, classifier(call), rubric_for("discovery"))}


def levels(classifier: Classifier, call: Call) -> dict[str, int]:
    return {one.behaviour: level_of(one.probabilities, MEDIAN) for one in classifier(call)}


OTHER = [one.values[0] for one in traps("0") if one.values[0].name.startswith("other_meetings")]
WORDS = [one for one in traps("0") if not one.values[0].name.startswith("other_meetings")]
MOST_FOUND = 0.1
"""Of the pairs of a behaviour and a conversation in which nobody sells. Some hold what the standard says in words:
an appointment made with the family, a presenter's running order."""


def as_heard(call: Call) -> Call:
    """The call as a recogniser writes it down with one word in ten wrong."""
    return misheard(call, Mishearing(turn.text for turn in call.turns), 0.1, random.Random(1))


@pytest.mark.parametrize("trap", WORDS)
def test_traps_nothing_is_found(classifier: Classifier, trap: Trap) -> None:
    said = levels(classifier, trap.call)
    assert {name: said[name] for name in trap.behaviours} == dict.fromkeys(trap.behaviours, 0)


@pytest.mark.parametrize("trap", WORDS)
def test_traps_nothing_is_found_in_what_a_recogniser_writes_of_it(classifier: Classifier, trap: Trap) -> None:
    said = levels(classifier, as_heard(trap.call))
    assert {name: said[name] for name in trap.behaviours} == dict.fromkeys(trap.behaviours, 0)


@pytest.mark.parametrize("change", [lambda call: call, as_heard], ids=["as written", "as heard"])
def test_traps_next_to_nothing_is_found_where_nobody_sells(classifier: Classifier, change) -> None:
    found = {
        (trap.name, name): level
        for trap in OTHER
        for name, level in levels(classifier, change(trap.call)).items()
        if name in trap.behaviours and level
    }
    assert len(found) <= MOST_FOUND * sum(len(trap.behaviours) for trap in OTHER), found
    assert 3 not in found.values(), found


@pytest.mark.parametrize("trap", traps("withheld"))
def test_traps_another_language_is_withheld_and_said(classifier: Classifier, trap: Trap) -> None:
    for one in scores(classifier, trap.call).values():
        assert one.level is None
        assert "does not speak English" in one.withheld


def test_language_no_call_of_the_corpus_or_the_samples_is_taken_for_another() -> None:
    calls = [one.call for one in labelled_calls(ROOT / "data" / "corpus")]
    for path in sorted((ROOT / "data" / "samples" / "reference").glob("*.vtt")):
        read = read_transcript(path)
        for speaker in read.speakers:
            turns = tuple(turn for turn in read.turns if turn.speaker == speaker)
            one = (Participant(speaker, None, "rep"),)
            calls.append(Call(f"{path.stem} {speaker}", "demo", turns, one, None, ListeningQuality("by hand")))
    mishearing = Mishearing(turn.text for call in calls for turn in call.turns)
    noisy = [misheard(call, mishearing, 0.15, random.Random(call.call_id)) for call in calls]
    assert [call.call_id for call in (*calls, *noisy) if is_foreign(call)] == []
    assert min(english_share(call)[0] for call in calls) > 0.25, "far from the threshold"


@pytest.mark.parametrize("text", ["Guten Morgen, ich rufe wegen der Retouren an.", "word " * 60, "Hello?", ""])
def test_language_too_few_different_words_tell_nothing(text: str) -> None:
    assert not is_foreign(untimed_call(("R", text)))


def test_language_only_the_selling_side_is_looked_at() -> None:
    german = next(one.values[0].call for one in traps("withheld") if "German" in one.id)
    swapped = Call("s", "demo", german.turns, (PEOPLE[0], Participant("buyer", None, "rep")), None, german.quality)
    assert is_foreign(german)
    assert is_foreign(swapped)
    buyer = tuple(Turn("buyer", turn.text) for turn in german.turns)
    seller = tuple(Turn("rep", "Right, and what would you say it takes to get that done here?") for _ in buyer)
    assert not is_foreign(Call("m", "demo", seller + buyer, PEOPLE, None, german.quality))


# --- empty, one-sided and very long -----------------------------------------------------------------


def test_traps_an_empty_call_is_withheld(classifier: Classifier) -> None:
    assert all(one.level is None for one in scores(classifier, untimed_call()).values())
    silent = untimed_call(("R", ""), ("C", " "))
    assert all("only 0 words" in one.withheld for one in scores(classifier, silent).values())


def test_traps_a_buyer_alone_shows_nothing(classifier: Classifier) -> None:
    call = untimed_call(
        *[("C", turn.text) for one in traps("0")[:6] for turn in one.values[0].call.turns], ("R", "Hi.")
    )
    assert all(one.level is None for one in scores(classifier, call).values())
    assert set(levels(classifier, call).values()) == {0}


def test_traps_a_seller_alone_gets_no_buyers_yes(classifier: Classifier) -> None:
    lines = [(turn.speaker, turn.text) for turn in traps("0")[0].values[0].call.turns if turn.speaker == "rep"]
    for finding in classifier(untimed_call(*[("R", text) for _, text in lines])):
        assert all(one.role == "rep" for one in finding.evidence)


@pytest.mark.slow
def test_traps_a_call_of_four_hours_is_judged_in_bounded_time_and_memory(classifier: Classifier) -> None:
    """4 hours at 150 words a minute are 36,000 words; the bounds are five times what two cores need."""
    turns = [turn for one in traps("0") for turn in one.values[0].call.turns]
    long, words = [], 0
    while words < 36_000:
        turn = turns[len(long) % len(turns)]
        long.append(turn)
        words += len(turn.text.split())
    call = Call("long", "discovery", tuple(long), PEOPLE, 4 * 3600.0, ListeningQuality("by hand"))
    classifier(untimed_call(("R", "Hello there, this loads everything.")))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    findings = classifier(call)
    assert time.monotonic() - started < 300
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 1500  # MB
    assert tuple(one.behaviour for one in findings)[:5] == BEHAVIOURS
