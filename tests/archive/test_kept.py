"""Calls and findings come back from what is kept exactly as they were."""

import json
import math
import time
from dataclasses import fields as fields_of
from dataclasses import replace
from types import UnionType
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import resources
from pipeline.archive.kept import call_json, call_of, findings_json, findings_of
from pipeline.assess.behaviours import load_classifier
from pipeline.assess.rubric import rubric_for
from pipeline.assess.scorecard import assess, scored, to_json
from pipeline.errors import KeptError
from pipeline.listen.manifest import read_manifest
from pipeline.listening import listen
from pipeline.records import Call, Evidence, Finding, ListeningQuality, Participant, SpeechSegment, Turn, Word
from pipeline.settings import ListenSettings
from tests.builders import timed_call, untimed_call

TEXT = st.text(st.characters(), max_size=12)  # every character, half pairs and NUL too
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


def inferred(kind, **fields):
    """A strategy that fills every field by its type hint, those with defaults too."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{one.name: fields.get(one.name, _of_type(hints[one.name])) for one in fields_of(kind)})


def _of_type(hint):
    """Values of the type; no NaN, and text of every character."""
    if hint is str:
        return TEXT
    if hint is float:
        return NUMBER
    parts = get_args(hint)
    if get_origin(hint) is tuple:
        return tuples(_of_type(parts[0])) if parts[1:] == (...,) else st.tuples(*map(_of_type, parts))
    return st.one_of(*map(_of_type, parts)) if get_origin(hint) is UnionType else st.from_type(hint)


def tuples(strategy):
    return st.lists(strategy, max_size=3).map(tuple)


CALLS = inferred(
    Call,
    turns=tuples(inferred(Turn, words=tuples(inferred(Word)))),
    participants=tuples(inferred(Participant)),
    quality=inferred(ListeningQuality),
    speech=tuples(inferred(SpeechSegment)),
)
FINDINGS = tuples(inferred(Finding, evidence=tuples(inferred(Evidence))))


@settings(max_examples=60, deadline=None)
@given(CALLS)
def test_kept_call_comes_back_equal_in_every_field(call):
    again = call_of(call_json(call))
    assert again == call and repr(again) == repr(call)
    assert call_json(again) == call_json(call)


@settings(max_examples=60, deadline=None)
@given(FINDINGS)
def test_kept_findings_come_back_equal_in_every_field(findings):
    again = findings_of(findings_json(findings))
    assert again == findings and repr(again) == repr(findings)


def test_kept_call_is_judged_like_the_original():
    samples = resources.ROOT / "data" / "samples"
    row = next(one for one in read_manifest(samples / "calls.csv").rows if one.call_id == "hardware-demo")
    call, _ = listen(row, ListenSettings(), None, lambda *_: None)
    classifier, rubric = load_classifier(), rubric_for(call.call_type)
    findings = classifier(call)
    card = to_json(scored(call, findings, rubric, classifier))
    again = call_of(call_json(call))
    assert again == call and len(call.turns) > 10
    assert to_json(assess(again, rubric, classifier)) == card
    assert to_json(scored(again, findings_of(findings_json(findings)), rubric, classifier)) == card


def test_kept_file_is_readable_json_with_a_format():
    call = timed_call(("R", 0, 2.5, "Grüße"), ("C", 3, 4, "Ja."))
    turn = replace(call.turns[0], words=(Word("Grü", 0.1, 0.5, 0.9), Word("ße", 0.5, 1.0)))
    kept = json.loads(call_json(replace(call, turns=(turn, call.turns[1]))))
    assert kept["format"] == 1 and kept["call"]["call_id"] == "c1"
    words = [["Grü", "ße"], [0.1, 0.5], [0.5, 1.0], [0.9, None]]
    assert kept["call"]["turns"] == [["R", "Grüße", 0, 2.5, *words], ["C", "Ja.", 3, 4]]


def test_kept_call_without_a_finite_number_is_refused():
    call = replace(untimed_call(("R", "Hello.")), duration=math.nan)
    with pytest.raises(KeptError, match=r"c1: holds a number that is not finite.*Listen again"):
        call_json(call)
    with pytest.raises(KeptError, match="not finite"):
        findings_json([Finding("agenda", (math.inf, 0.0, 0.0, 0.0))])


WHOLE = call_json(timed_call(("R", 0, 2, "Hello.")))
DAMAGED = [
    b"",
    b"\xff\xfe\x00",
    b"[]",
    b"null",
    b"{}",
    WHOLE[:-20],
    WHOLE.replace(b'"format":1', b'"format":2'),
    WHOLE.replace(b'"speech"', b'"speeches"'),
    WHOLE.replace(b'["R","Hello.",0,2]', b'["R","Hello.",0,2,["a"],[0],[1]]'),
    WHOLE.replace(b'["R","Hello.",0,2]', b"7"),
    b"[" * 100_000,
]


@pytest.mark.parametrize("data", DAMAGED, ids=range(len(DAMAGED)))
def test_kept_file_that_cannot_be_read_says_listen_again(data):
    with pytest.raises(KeptError, match=r"call\.json: cannot be read .*Listen to the call again"):
        call_of(data)
    with pytest.raises(KeptError, match=r"findings\.json: cannot be read .*Judge the call again"):
        findings_of(data)


def test_kept_hour_with_ten_thousand_words_is_read_in_a_moment():
    words = tuple(Word(f"word{n}", n * 0.36, n * 0.36 + 0.3, 1 / (n + 1)) for n in range(10_000))
    turns = tuple(Turn("R", "said", None, None, words[n : n + 25]) for n in range(0, 10_000, 25))
    data = call_json(replace(untimed_call(("R", "Hello.")), turns=turns))
    assert len(data) < 1_000_000
    spent = []
    for _ in range(5):
        before = time.process_time()
        call_of(data)
        spent.append(time.process_time() - before)
    assert min(spent) < 0.05
