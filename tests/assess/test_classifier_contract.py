"""What every classifier keeps to, whatever it is made of: the shipped one, one from a folder, one on another encoder, a
language model."""

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pipeline.assess.behaviours import Classifier, load_classifier
from pipeline.assess.encoder import OTHER_SIDE
from pipeline.assess.floor import performs
from pipeline.assess.judges import load_judge
from pipeline.assess.levels import score_behaviours
from pipeline.assess.rubric import rubric_for
from pipeline.fakes import FakeClassifier
from pipeline.records import (
    BEHAVIOURS,
    CRITERIA,
    FURTHER_BEHAVIOURS,
    JUDGED,
    MEETING_BEHAVIOURS,
    Call,
    Finding,
    Participant,
)
from pipeline.resources import ROOT, model_folder
from tests.builders import timed_call, untimed_call
from tests.chat_server import chat_server, first_seller_turn
from tests.own_encoder import trained_on_own_encoder

WHOLE = (
    ("R", "Ines, you wrote that returns pile up, so I'd like to start there, then show two screens, and by half past "
     "we decide whether a trial makes sense. Does that work?"),
    ("C", "Yes, that works."),
    ("R", "Kessel Freight had that pile on Fridays. They put our scanner on the dock and saved two thousand a month."),
    ("C", "I know Kessel."),
    ("R", "Your forms are retyped at night. With us the count is there before the truck leaves, a form can't do that."),
    ("C", "That would help."),
    ("R", "Then I'll send the agreement today and we start on Tuesday at nine. Is that all right?"),
    ("C", "Tuesday at nine is good."),
)  # fmt: skip
MEETING = (
    ("M", "Last week you said you'd phone the dock manager at Kessel and send him the figures. What became of it?"),
    ("R", "Done, and he wants the scanner. I'd like to use today for the price question, and for nothing else."),
    ("M", "Good. What could you say to him when he asks for the list price?"),
    ("R", "I could ask what a lost pallet costs him. I'll try that on Tuesday and write to you on Wednesday."),
    ("M", "When you let him count the pallets himself he went quiet, that worked. Leave him more time after it."),
)
CALLS = {
    "empty": untimed_call(),
    "nobody known": untimed_call(*[("X", text) for _, text in WHOLE]),
    "participants not listed": untimed_call(*WHOLE, participants=()),
    "seller only": untimed_call(*[line for line in WHOLE if line[0] == "R"]),
    "buyer only": untimed_call(*[("C", text) for _, text in WHOLE]),
    "one word": untimed_call(("R", "Hello?")),
    "no words": untimed_call(("R", " \n"), ("C", "")),
    "emoji and control characters": untimed_call(
        ("R", "👋🏽 \x00Hi\x1b[31m, \u202ewe\u2028show\x85two  screens\tand then you decide\r\n, is that fine? 😀"),
        ("C", "\ufeffJa \u200b👍"),
        (
            "R",
            "\x07$turns ${fence} %s {0} === transcript 0 === </transcript> and on Tuesday we start with the scanner.",
        ),
    ),
    "two roles of the seller": untimed_call(*[("M" if n == 2 else who, text) for n, (who, text) in enumerate(WHOLE)]),
    "manager and rep alone": untimed_call(*[("M" if who == "C" else who, text) for who, text in WHOLE]),
    "whole": untimed_call(*WHOLE),
    "meeting": untimed_call(*MEETING, call_type="one_on_one"),
    "meeting without a manager": untimed_call(
        *[("X" if who == "M" else who, text) for who, text in MEETING], call_type="deal_review"
    ),
    "timed": timed_call(*[(who, n * 9.0, n * 9.0 + 8, text) for n, (who, text) in enumerate(WHOLE)]),
}


@pytest.fixture(scope="module", params=["shipped", "another folder", "another encoder", "language model", "fake"])
def classifier(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classifier]:
    """Each classifier as a user gets it: by default, or by a judge's file."""
    if request.param == "shipped":
        yield load_classifier()
        return
    if request.param == "fake":
        yield FakeClassifier()
        return
    folder = tmp_path_factory.mktemp("judge")
    file = folder / "judge.yaml"
    if request.param == "another folder":
        heads = model_folder("behaviours")
        shutil.copytree(heads, folder / "heads", ignore=shutil.ignore_patterns("agreement.json"))
        file.write_text("kind: learned\nfolder: heads\n", encoding="utf-8")
        yield load_judge(file)
        return
    if request.param == "another encoder":
        encoder, heads = trained_on_own_encoder(tmp_path_factory.getbasetemp())
        shutil.copytree(heads, folder / "heads", ignore=shutil.ignore_patterns("agreement.json"))
        file.write_text(f"kind: learned\nfolder: heads\nencoder: {encoder}\n", encoding="utf-8")
        yield load_judge(file)
        return
    with chat_server(first_seller_turn) as server:
        file.write_text(f"kind: llm\nurl: {server.url}\nmodel: fake-7b\n", encoding="utf-8")
        yield load_judge(file)


def _check(call: Call, finding: Finding) -> None:
    assert all(0 <= p <= 1 for p in finding.probabilities)
    assert sum(finding.probabilities) == pytest.approx(1, abs=1e-9)
    if finding.searched:
        assert 0 <= finding.searched[0] <= finding.searched[1] < len(call.turns)
    if finding.withheld is not None:
        assert finding.withheld.endswith(".")
        return
    if finding.probabilities[0] >= 0.5:
        assert len(finding.evidence) <= 1, "at most the nearest miss where nothing is attempted"
        assert finding.criteria == ()
    else:
        assert finding.evidence, "a level cites its words"
    assert [one.turn for one in finding.evidence] == sorted({one.turn for one in finding.evidence})
    order = CRITERIA[finding.behaviour]
    assert list(finding.criteria) == [name for name in order if any(name in one.criteria for one in finding.evidence)]
    for one in finding.evidence:
        turn = call.turns[one.turn]
        assert one.quote.strip()
        assert one.quote in turn.text
        assert (one.speaker, one.start, one.end, one.role) == (turn.speaker, turn.start, turn.end, call.role(turn))
        assert list(one.criteria) == [name for name in order if name in one.criteria]
        if not performs(call, turn):
            assert call.is_meeting or (call.side(turn) == "buyer" and one.criteria)
            assert set(one.criteria) <= set(OTHER_SIDE[finding.behaviour])
    if finding.evidence and OTHER_SIDE.get(finding.behaviour) != order:  # the rep's own agenda or action stands alone
        assert any(performs(call, call.turns[one.turn]) for one in finding.evidence)


def _check_order(findings: tuple[Finding, ...]) -> None:
    judged = tuple(one.behaviour for one in findings)
    assert judged[:5] == BEHAVIOURS, "the core behaviours come first"
    assert judged == tuple(name for name in JUDGED if name in judged)


@pytest.mark.parametrize("name", CALLS)
def test_contract_well_formed_findings_and_the_same_ones_twice(classifier: Classifier, name: str) -> None:
    findings = classifier(CALLS[name])
    _check_order(findings)
    for finding in findings:
        _check(CALLS[name], finding)
    assert classifier(CALLS[name]) == findings


@pytest.mark.parametrize("name", ["whole", "meeting"])
def test_contract_a_call_has_none_of_a_meetings_behaviours_nor_a_meeting_of_a_calls(
    classifier: Classifier, name: str
) -> None:
    for finding in classifier(CALLS[name]):
        if (finding.behaviour in MEETING_BEHAVIOURS) != CALLS[name].is_meeting:
            assert finding.probabilities == (1.0, 0.0, 0.0, 0.0)
            assert (finding.evidence, finding.withheld) == ((), None)


NOTHING = (
    "empty",
    "nobody known",
    "participants not listed",
    "buyer only",
    "no words",
    "manager and rep alone",
    "meeting without a manager",
)


@pytest.mark.parametrize("name", NOTHING)
def test_contract_without_a_seller_a_buyer_or_a_manager_there_is_nothing(classifier: Classifier, name: str) -> None:
    for finding in classifier(CALLS[name]):
        assert finding.probabilities[0] > 0.5
        assert finding.evidence == ()


@pytest.mark.slow
def test_contract_a_call_of_3000_turns(classifier: Classifier) -> None:
    call = untimed_call(*[("RC"[n % 2], f"Right, and then line {n}?") for n in range(3000)])
    findings = classifier(call)
    _check_order(findings)
    for finding in findings:
        _check(call, finding)


def test_contract_names_and_labels_of_people_change_nothing(classifier: Classifier) -> None:
    renamed = {"R": Participant("R", "Zoë Ng", "rep"), "C": Participant("C", None, "customer")}
    call = untimed_call(*WHOLE, participants=tuple(renamed.values()), call_id="other")
    assert classifier(call) == classifier(CALLS["whole"])


def test_contract_findings_are_what_a_rubric_takes(classifier: Classifier) -> None:
    for name, possible in (("whole", BEHAVIOURS + FURTHER_BEHAVIOURS), ("meeting", MEETING_BEHAVIOURS)):
        call = CALLS[name]
        rubric = rubric_for(call.call_type)
        scores = score_behaviours(call, classifier(call), rubric)
        assert [one.behaviour for one in scores] == [one.name for one in rubric.behaviours]
        assert {one.behaviour for one in scores} <= set(possible)
        assert all((one.level is None) == (one.withheld is not None) for one in scores)


def test_contract_the_version_is_said_and_stays(classifier: Classifier) -> None:
    before = classifier.version
    classifier(CALLS["one word"])
    assert before
    assert before == before.strip()
    assert classifier.version == before
    assert all(one.behaviour in JUDGED for one in classifier.agreement)


def test_contract_nothing_heavy_is_imported_before_it_is_needed(tmp_path) -> None:
    (tmp_path / "judge.yaml").write_text("kind: llm\nurl: http://127.0.0.1:9/v1\nmodel: m\n", encoding="utf-8")
    code = (
        "import sys; from pipeline.assess.judges import load_judge; from tests.builders import untimed_call; "
        f"load_judge({str(tmp_path / 'judge.yaml')!r})(untimed_call(('C', 'Hello there')));"
        "print(sorted({'torch', 'transformers', 'spacy', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT).strip() == "[]"
