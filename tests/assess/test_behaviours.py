import json
from pathlib import Path

import pytest

from pipeline.assess.behaviours import Classifier, load_classifier, rounded
from pipeline.errors import UsageError
from pipeline.records import CRITERIA, JUDGED, MEETING_BEHAVIOURS, Call, Finding, ListeningQuality, Participant, Turn
from pipeline.resources import ROOT, model_folder
from tests.builders import timed_call, untimed_call

OPENING = (
    ("R", "Morning Ines, thanks for making the time."),
    ("C", "Of course, good to see you."),
    ("R", "You wrote that returns pile up at the Tilburg dock, so I'd like to start there, then show you two screens, "
     "and by half past we decide whether a trial makes sense. Does that work for you?"),
    ("C", "Yes, that works."),
)  # fmt: skip
MIDDLE = (
    ("R", "How many pallets come back in a week?"),
    ("C", "About sixty. Nobody looks at them until Friday, and then we pay for the storage."),
    ("R", "And what does that storage cost you?"),
    ("C", "Two thousand a month or so."),
)
STORY = (
    ("R", "Kessel Freight in Venlo were in the same place, sixty pallets waiting every week and nobody looking. They "
     "put our scanner on the dock in March, and by June the pile was gone and they saved nineteen hundred euros a "
     "month on storage. That is the same Friday pile you just told me about."),
    ("C", "I know Kessel, they are big."),
)  # fmt: skip
CLOSE = (
    ("R", "Then I'll send the trial agreement today, and we put the scanner on your dock on Tuesday the fourteenth at "
     "nine. Is that all right?"),
    ("C", "Tuesday at nine is good, I'll have Joost at the dock."),
    ("R", "Great, speak on Tuesday."),
)  # fmt: skip
WHOLE = OPENING + MIDDLE + STORY + MIDDLE + CLOSE


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier()


def _by_name(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.behaviour: finding for finding in findings}


def _likeliest(finding: Finding) -> int:
    return finding.probabilities.index(max(finding.probabilities))


CALLS = {
    "empty": untimed_call(),
    "one turn": untimed_call(("R", "Hello?")),
    "wordless": untimed_call(("R", " "), ("C", "")),
    "buyer only": untimed_call(*[("C", text) for _, text in WHOLE]),
    "unknown only": untimed_call(*[("X", text) for _, text in WHOLE]),
    "seller only": untimed_call(*[line for line in WHOLE if line[0] == "R"]),
    "whole": untimed_call(*WHOLE),
    "recognised": untimed_call(*[(who, text.lower().replace(",", "").replace(".", "")) for who, text in WHOLE]),
    "timed": timed_call(*[(who, i * 9.0, i * 9.0 + 8, text) for i, (who, text) in enumerate(WHOLE)]),
    "one long turn": untimed_call(("R", " ".join(text for _, text in WHOLE * 6))),
    "other scripts": untimed_call(("R", "こんにちは、来週の火曜日に送ります。"), ("C", "Да, хорошо 👍")),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_call_gets_a_well_formed_finding_per_behaviour(classifier: Classifier, name: str) -> None:
    call = CALLS[name]
    findings = classifier(call)
    assert tuple(finding.behaviour for finding in findings) == JUDGED
    for finding in findings:
        assert sum(round(p * 10000) for p in finding.probabilities) == 10000
        assert min(finding.probabilities) >= 0
        if finding.probabilities[0] < 0.5:
            assert finding.evidence
        else:  # at most the nearest miss
            assert len(finding.evidence) <= 1
            assert finding.criteria == ()
        assert [one.turn for one in finding.evidence] == sorted({one.turn for one in finding.evidence})
        order = CRITERIA[finding.behaviour]
        assert list(finding.criteria) == [c for c in order if any(c in one.criteria for one in finding.evidence)]
        for one in finding.evidence:
            turn = call.turns[one.turn]
            assert one.quote
            assert one.quote in turn.text
            assert (one.speaker, one.start, one.end, one.role) == (turn.speaker, turn.start, turn.end, call.role(turn))
            if call.side(turn) != "seller":
                assert one.criteria in (("agreement",), ("commitment",))
        if finding.searched:
            assert 0 <= finding.searched[0] <= finding.searched[1] < len(call.turns)


@pytest.mark.parametrize("name", ["empty", "one turn", "wordless", "buyer only", "unknown only"])
def test_a_seller_who_says_nothing_relevant_is_at_level_0(classifier: Classifier, name: str) -> None:
    assert {_likeliest(finding) for finding in classifier(CALLS[name])} == {0}


def test_an_opening_in_which_only_the_buyer_speaks_has_no_agenda(classifier: Classifier) -> None:
    lines = [("C", "Let me tell you how the dock works, it is a long story. " * 20), *MIDDLE]
    assert _by_name(classifier(untimed_call(*lines)))["agenda"].probabilities == (1.0, 0.0, 0.0, 0.0)


def test_the_same_call_gives_the_same_findings(classifier: Classifier) -> None:
    assert classifier(CALLS["whole"]) == classifier(CALLS["whole"])


def test_times_and_labels_of_speakers_change_no_level(classifier: Classifier) -> None:
    plain = classifier(CALLS["whole"])
    assert [one.probabilities for one in plain] == [one.probabilities for one in classifier(CALLS["timed"])]
    renamed = Call(
        "c2",
        "discovery",
        tuple(Turn("S1" if who == "R" else "S2", text) for who, text in WHOLE),
        (Participant("S1", None, "manager"), Participant("S2", None, "customer")),
        None,
        ListeningQuality("by hand"),
    )
    assert [one.probabilities for one in plain] == [one.probabilities for one in classifier(renamed)]


@pytest.mark.parametrize("name", ["whole", "recognised"])
def test_what_was_done_well_is_found_where_it_was_said(classifier: Classifier, name: str) -> None:
    found = _by_name(classifier(CALLS[name]))
    for behaviour, turn, least in (("agenda", 2, 2), ("client_story", 8, 1), ("next_steps", 14, 2)):
        assert _likeliest(found[behaviour]) >= least, behaviour
        assert turn in [one.turn for one in found[behaviour].evidence], behaviour


TRAPS = {
    "agenda in small talk": ("agenda", [
        ("R", "Did you see the council meeting? It was on the agenda again, the bins."),
        ("C", "Every month, the bins."), ("R", "Every month. How was the drive?"), ("C", "Wet.")]),
    "next step in a workflow": ("next_steps", [
        ("R", "So that is the order screen. The next step in the workflow is you pick the vehicle."),
        ("C", "And then?"), ("R", "And then the next step is the damage screen, which saves."), ("C", "I see.")]),
    "the buyer's own story": ("client_story", [
        ("R", "How do you find out about a late truck?"),
        ("C", "The other vendor told us about a dairy in Kent, a customer of theirs, that cut its waste by half."),
        ("R", "Right. And who looks after that here?"), ("C", "I do.")]),
    "price alone": ("differentiation", [
        ("C", "What does it cost?"), ("R", "It's four hundred a month for ten users, billed quarterly."),
        ("C", "And with twenty?"), ("R", "Seven hundred and fifty, plus set-up."), ("C", "Okay.")]),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_words_alone_make_no_behaviour(classifier: Classifier, trap: str) -> None:
    behaviour, lines = TRAPS[trap]
    assert _likeliest(_by_name(classifier(untimed_call(*MIDDLE[:2], *lines, *MIDDLE[2:])))[behaviour]) == 0


@pytest.mark.parametrize("name", ["t39", "t44", "t48"])
def test_a_manager_meeting_is_no_sales_call(classifier: Classifier, name: str) -> None:
    read = json.loads((ROOT / "data" / "corpus" / "calls" / f"{name}.json").read_text(encoding="utf-8"))
    people = tuple(Participant(one["speaker"], one["name"], one["role"]) for one in read["participants"])
    turns = tuple(Turn(turn["speaker"], turn["text"]) for turn in read["turns"])
    findings = classifier(Call(name, read["type"], turns, people, None, ListeningQuality("by hand")))
    assert {_likeliest(one) for one in findings if one.behaviour not in MEETING_BEHAVIOURS} == {0}


def test_rounding_keeps_the_sum() -> None:
    assert rounded([1 / 3, 1 / 3, 1 / 3, 0]) == (0.3334, 0.3333, 0.3333, 0.0)
    assert rounded([0.99996, 0.00002, 0.00001, 0.00001]) == (1.0, 0.0, 0.0, 0.0)


def test_a_folder_without_a_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no usable behaviours model .* ridealong train"):
        load_classifier(tmp_path)


def test_the_version_is_a_hash_of_the_weights(classifier: Classifier) -> None:
    assert classifier.version.startswith("behaviours-")
    assert len(classifier.version) == len("behaviours-") + 12


def test_the_shipped_model_has_no_pickle_and_names_its_files() -> None:
    import hashlib

    import yaml

    folder = model_folder("behaviours")
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    assert {path.suffix for path in folder.iterdir()} <= {".safetensors", ".json", ".jsonl", ".yaml", ".md", ".svg"}
    for name, digest in config["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert json.loads((folder / "levels.json").read_text(encoding="utf-8"))["ordinals"].keys() == set(JUDGED)
