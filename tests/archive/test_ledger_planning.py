"""A listing written down over what the ledger knew: who waits anew, who stays, and which call ids are given."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.archive.ledger import Ledger
from pipeline.archive.ledger_text import json_text, key_hash, quoted, suffix, unquoted
from pipeline.archive.recordings import Versions
from tests.archive.ledgers import (
    ENGINE_2,
    PLAN,
    RUBRIC_2,
    SHA,
    SOURCE,
    claimed,
    done,
    ledger,
    one,
    recorded,
    result,
    seen,
    url,
)

__all__ = ["ledger", "url"]


def test_keys_of_any_kind_come_back_as_they_were(ledger: Ledger) -> None:
    keys = [
        "../../etc/passwd",
        "/abs.wav",
        "nul\0.wav",
        "\ud83d half.wav",
        "😀.wav",
        "k" * 1000,
        "A.wav",
        "a.wav",
        "%41.wav",
        "\n",
        "\x9b",
        "",
    ]
    row = {"rep": "nul \0 half \ud800 'quote\" Jürgen"}
    ledger.record(SOURCE, [seen(key, call_id=f"c{n}", row=row) for n, key in enumerate(keys)], PLAN)
    found = ledger.compare([*keys, "unknown"], SOURCE)
    assert set(found) == set(keys)
    assert all(found[key].key == key and found[key].row == row for key in keys)
    assert ledger.compare(keys, "s3://other") == {}


@given(st.text(st.characters()))
@example("%00%")
@example("\ud800\udc00")
def test_a_quoted_key_is_read_back(key: str) -> None:
    text = quoted(key)
    assert unquoted(text) == key
    assert "\0" not in text
    text.encode()


@pytest.mark.parametrize(
    ("key", "ending"),
    [("a/b.WAV", ".wav"), ("a.b/c", ""), ("a.", "."), ("x." + "y" * 11, ""), ("n.\0w", ".%00w"), ("", "")],
)
def test_the_suffix_is_that_of_the_last_part(key: str, ending: str) -> None:
    assert suffix(key) == ending


def test_a_source_and_a_key_have_one_hash() -> None:
    assert key_hash("s3://a", "b") != key_hash("s3://", "ab")
    assert json_text({"b": "é\udcff", "a": 1}) == '{"a":1,"b":"é\\udcff"}'


def test_only_what_is_needed_is_written_down(ledger: Ledger) -> None:
    assert ledger.record(SOURCE, [seen("a.wav"), seen("b.wav", need=None)], PLAN) == 1
    assert set(ledger.compare(["a.wav", "b.wav"], SOURCE)) == {"a.wav"}


def test_the_same_listing_again_changes_nothing(ledger: Ledger) -> None:
    before = recorded(ledger, "a.wav")
    assert ledger.record(SOURCE, [seen("a.wav")], PLAN) == 1
    assert recorded(ledger, "a.wav") == before


def test_another_plan_takes_what_waits(ledger: Ledger) -> None:
    recorded(ledger, "a.wav")
    ledger.record(SOURCE, [seen("a.wav", versions=RUBRIC_2)], "plan 2")
    run = ledger.begin({})
    assert ledger.claim(run, SOURCE, 9, PLAN) == ()
    (each,) = ledger.claim(run, SOURCE, 9, "plan 2")
    assert (each.wanted, each.generation) == (RUBRIC_2, 1)


def test_what_is_done_waits_anew_for_other_versions(ledger: Ledger) -> None:
    run = ledger.begin({})
    before = done(ledger, run, "a.wav")
    again = recorded(ledger, "a.wav", need="level", why="rubric changed", versions=RUBRIC_2)["a.wav"]
    assert (again.state, again.need, again.why) == ("pending", "level", "rubric changed")
    assert (again.generation, again.attempts, again.done_with) == (1, 0, before.done_with)
    assert again.sha256 == before.sha256


def test_a_plan_that_wants_what_is_there_takes_back_another_plans_wish(ledger: Ledger) -> None:
    """The settings were changed, the batch was stopped, and the settings were changed back."""
    run = ledger.begin({})
    before = done(ledger, run, "a.wav")
    recorded(ledger, "a.wav", need="level", versions=RUBRIC_2)
    assert ledger.record(SOURCE, [seen("a.wav", need=None)], PLAN) == 0
    again = one(ledger, "a.wav")
    assert (again.state, again.need, again.wanted) == ("done", None, before.wanted)


def test_a_changed_recording_that_was_not_listened_to_yet_is_not_taken_for_done(ledger: Ledger) -> None:
    """The batch was stopped after the change was seen; the versions alone would say that nothing is to be done."""
    run = ledger.begin({})
    done(ledger, run, "a.wav")
    again = recorded(ledger, "a.wav", etag="new bytes", why="recording changed")["a.wav"]
    assert (again.state, again.done_with) == ("pending", Versions())
    ledger.record(SOURCE, [seen("a.wav", etag="new bytes", need=None)], "plan 2")
    (each,) = ledger.claim(run, SOURCE, 9, "plan 2")
    assert (each.state, each.need, each.why) == ("claimed", "listen", "recording changed")


def test_a_recording_that_changes_while_it_is_listened_to_is_listened_to_again(ledger: Ledger) -> None:
    run = ledger.begin({})
    each = claimed(ledger, run, "a.wav")["a.wav"]
    ledger.record(SOURCE, [seen("a.wav", etag="new bytes", why="recording changed")], PLAN)
    assert one(ledger, "a.wav").state == "claimed"
    assert ledger.finish(each.id, run, result())
    again = one(ledger, "a.wav")
    assert (again.state, again.need, again.done_with, again.attempts) == ("pending", "listen", Versions(), 0)


def test_a_recording_that_changes_while_it_fails_or_is_found_a_copy_is_looked_at_again(ledger: Ledger) -> None:
    run = ledger.begin({})
    original = done(ledger, run, "c.wav")
    a, b = claimed(ledger, run, "a.wav", "b.wav").values()
    ledger.record(SOURCE, [seen("a.wav", etag="new bytes"), seen("b.wav", etag="new bytes")], PLAN)
    assert ledger.failed(a.id, run, "bad", 1) == "pending"
    assert not ledger.copied(b.id, run, original.id, SHA)
    again = ledger.claim(run, SOURCE, 9, PLAN)
    assert [(each.key, each.attempts, each.need) for each in again] == [("a.wav", 0, "listen"), ("b.wav", 0, "listen")]


def test_what_failed_waits_again_and_its_failures_count_on(ledger: Ledger) -> None:
    run = ledger.begin({})
    ledger.failed(claimed(ledger, run, "a.wav")["a.wav"].id, run, "bad", 3)
    again = recorded(ledger, "a.wav", why="failed before")["a.wav"]
    assert (again.state, again.attempts, again.error, again.generation) == ("pending", 1, "bad", 1)


@pytest.mark.parametrize("change", [{"etag": "new bytes"}, {"versions": ENGINE_2}])
def test_another_recording_or_version_counts_anew(ledger: Ledger, change: dict[str, object]) -> None:
    run = ledger.begin({})
    ledger.failed(claimed(ledger, run, "a.wav")["a.wav"].id, run, "bad", 1)
    assert recorded(ledger, "a.wav")["a.wav"].state == "quarantined"
    again = recorded(ledger, "a.wav", **change)["a.wav"]
    assert (again.state, again.attempts) == ("pending", 0)


def test_a_claim_outlives_another_plan_which_comes_after_it(ledger: Ledger) -> None:
    """Two runs with different settings: the one at work ends what it has, then the later plan has its way."""
    run = ledger.begin({})
    each = claimed(ledger, run, "a.wav")["a.wav"]
    ledger.record(SOURCE, [seen("a.wav", need="listen", versions=RUBRIC_2)], "plan 2")
    assert one(ledger, "a.wav").state == "claimed"
    ledger.record(SOURCE, [seen("a.wav", need="level", versions=RUBRIC_2)], "plan 2")
    assert ledger.finish(each.id, run, result())
    (again,) = ledger.claim(run, SOURCE, 9, "plan 2")
    assert (again.need, again.wanted, again.done_with.levelling) == ("level", RUBRIC_2, "rubric-1")
    assert ledger.finish(again.id, run, result(versions=RUBRIC_2))
    assert one(ledger, "a.wav").state == "done"


def test_a_later_plan_gets_at_least_what_the_result_lacks(ledger: Ledger) -> None:
    run = ledger.begin({})
    each = claimed(ledger, run, "a.wav")["a.wav"]
    ledger.record(SOURCE, [seen("a.wav", need="level", versions=ENGINE_2)], "plan 2")
    ledger.finish(each.id, run, result())
    assert one(ledger, "a.wav").need == "listen"


def test_two_keys_that_want_one_call_id_get_one_each(ledger: Ledger) -> None:
    keys = ["Call.wav", "call.wav", "x/call.wav"]
    first, second, third = (recorded(ledger, key, call_id=key.removesuffix(".wav").split("/")[-1])[key] for key in keys)
    assert first.call_id == "Call"
    assert second.call_id == f"call-{key_hash(SOURCE, 'call.wav')[:8]}"
    assert third.call_id == f"call-{key_hash(SOURCE, 'x/call.wav')[:8]}"


def test_call_ids_are_shared_out_within_one_listing(ledger: Ledger) -> None:
    found = recorded(ledger, "a.wav", "b.wav", "c.wav", call_id="é" * 120)
    assert len({each.call_id for each in found.values()}) == 3
    assert all(len(each.call_id.encode()) <= 240 for each in found.values())
    assert recorded(ledger, "a.wav", "b.wav", "c.wav", call_id="é" * 120) == found


def test_a_call_id_follows_the_manifest_until_something_lies_under_it(ledger: Ledger) -> None:
    run = ledger.begin({})
    done(ledger, run, "c.wav", call_id="kept")
    recorded(ledger, "b.wav", call_id="taken")
    assert recorded(ledger, "a.wav", call_id="right")["a.wav"].call_id == "right"
    assert recorded(ledger, "a.wav", call_id="taken")["a.wav"].call_id.startswith("taken-")
    assert recorded(ledger, "c.wav", call_id="other", versions=RUBRIC_2)["c.wav"].call_id == "kept"


def test_a_wish_that_failed_is_forgotten_when_it_is_no_longer_wanted(ledger: Ledger) -> None:
    run = ledger.begin({})
    done(ledger, run, "a.wav")
    ledger.failed(claimed(ledger, run, "a.wav", need="level", versions=RUBRIC_2)["a.wav"].id, run, "bad", 1)
    ledger.record(SOURCE, [seen("a.wav", need=None)], PLAN)
    again = one(ledger, "a.wav")
    assert (again.state, again.error, again.need) == ("done", None, None)
