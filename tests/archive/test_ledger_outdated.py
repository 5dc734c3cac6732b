"""What other rules than today's made, found without a listing, on either database."""

from __future__ import annotations

import pytest

from pipeline.archive.ledger import Ledger
from pipeline.archive.recordings import Marks
from tests.archive.ledgers import PLAN, SOURCE, claimed, ledger, recorded, result, seen, url

__all__ = ["ledger", "url"]

TODAY = Marks(PLAN, ("engine-1", "imported"), "judge-1", (("demo", "rubric-1"), ("joint", "rubric-1")))
JUDGE_2 = Marks("plan-2", ("engine-1", "imported"), "judge-2", TODAY.levelling)
ENGINE_2 = Marks("plan-2", ("engine-2", "imported"), "judge-2", TODAY.levelling)
RUBRIC_2 = Marks("plan-2", TODAY.listening, "judge-1", (("demo", "rubric-2"), ("joint", "rubric-1")))


@pytest.fixture
def ids(ledger: Ledger) -> dict[str, int]:
    """The ids of recordings: two that are done, by the type of their call, one that waits and one of another source."""
    run = ledger.begin({})
    found = {}
    for number, (key, kind) in enumerate((("demo.wav", "demo"), ("joint.wav", "joint"))):
        one = claimed(ledger, run, key, row={"call_type": kind, "details": 'a "call_type":"x_%" in words'})[key]
        assert ledger.finish(one.id, run, result(f"{number:064x}"))
        found[key] = one.id
    found["new.wav"] = recorded(ledger, "new.wav")["new.wav"].id
    ledger.record("s3://other", [seen("other.wav")], PLAN)
    return found


def test_nothing_is_outdated_under_the_same_rules(ledger: Ledger, ids: dict[str, int]) -> None:
    assert ledger.outdated(SOURCE, TODAY) == ([], 0)


def test_a_longer_plan_of_the_same_rules_is_none_of_others(ledger: Ledger, ids: dict[str, int]) -> None:
    shorter = Marks(PLAN[:2], ("another",), "another", TODAY.levelling)
    assert ledger.outdated(SOURCE, shorter) == ([], 0)


def test_another_judge_makes_all_outdated_that_is_done(ledger: Ledger, ids: dict[str, int]) -> None:
    assert ledger.outdated(SOURCE, JUDGE_2) == ([ids["demo.wav"], ids["joint.wav"]], 0)
    assert ledger.outdated(SOURCE, JUDGE_2, {ids["demo.wav"]}) == ([ids["joint.wav"]], 0)


def test_another_rubric_makes_calls_of_its_type_outdated(ledger: Ledger, ids: dict[str, int]) -> None:
    assert ledger.outdated(SOURCE, RUBRIC_2) == ([ids["demo.wav"]], 0)


def test_another_engine_is_counted_alone(ledger: Ledger, ids: dict[str, int]) -> None:
    assert ledger.outdated(SOURCE, ENGINE_2) == ([], 2)
    assert ledger.outdated(SOURCE, ENGINE_2, {ids["demo.wav"]}) == ([], 1)


def test_what_waits_with_something_stored_is_found_under_all_rules(ledger: Ledger, ids: dict[str, int]) -> None:
    known = ledger.compare(["demo.wav"], SOURCE)["demo.wav"]
    again = seen("demo.wav", need="level", why="rubric changed", etag=known.etag, row=known.row)
    ledger.record(SOURCE, [again], PLAN)
    for marks in (TODAY, JUDGE_2, ENGINE_2):
        assert ids["demo.wav"] in ledger.outdated(SOURCE, marks)[0]


def test_what_was_forgotten_is_not_found(ledger: Ledger, ids: dict[str, int]) -> None:
    ledger.forget([ids["demo.wav"]], "call")
    assert ledger.outdated(SOURCE, JUDGE_2) == ([ids["joint.wav"]], 0)
