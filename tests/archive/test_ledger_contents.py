"""One content, one piece of work: who has it, who is a copy, and who takes over when the one who had it fails."""

from __future__ import annotations

from pipeline.archive.ledger import Ledger
from pipeline.archive.recordings import Recording, Versions
from tests.archive.ledgers import (
    ENGINE_2,
    FIRST,
    OTHER_SHA,
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
    url,
)

__all__ = ["ledger", "url"]


def copied(ledger: Ledger, run: str, key: str, original: Recording) -> Recording:
    """This recording, found to be a copy of the other."""
    each = claimed(ledger, run, key, versions=original.wanted)[key]
    has_it = ledger.claim_content(each.id, SHA, each.wanted, run)
    assert has_it is not None and has_it.id == original.id
    assert ledger.copied(each.id, run, original.id, SHA)
    return one(ledger, key)


def test_a_copy_of_what_is_done_is_recognised(ledger: Ledger) -> None:
    run = ledger.begin({})
    original = done(ledger, run, "a.wav")
    copy = copied(ledger, run, "b.wav", original)
    assert (copy.state, copy.copy_of, copy.sha256, copy.done_with) == ("copy", original.id, SHA, FIRST)
    assert (copy.need, copy.error) == (None, None)
    assert ledger.copied(copy.id, run, original.id, SHA)  # told again, after a connection that broke


def test_a_copy_of_what_is_being_done_is_recognised(ledger: Ledger) -> None:
    run = ledger.begin({})
    a, b = claimed(ledger, run, "a.wav", "b.wav").values()
    assert ledger.claim_content(a.id, SHA, FIRST, run) is None
    assert ledger.claim_content(a.id, SHA, FIRST, run) is None
    has_it = ledger.claim_content(b.id, SHA, FIRST, run)
    assert has_it is not None and has_it.id == a.id


def test_other_versions_are_other_work(ledger: Ledger) -> None:
    run = ledger.begin({})
    done(ledger, run, "a.wav")
    each = claimed(ledger, run, "b.wav", versions=RUBRIC_2)["b.wav"]
    assert ledger.claim_content(each.id, SHA, RUBRIC_2, run) is None


def test_a_claim_that_is_not_the_runs_takes_no_content(ledger: Ledger) -> None:
    run = ledger.begin({})
    a, b = claimed(ledger, run, "a.wav", "b.wav").values()
    assert ledger.claim_content(a.id, SHA, FIRST, "another run") is None
    assert ledger.claim_content(b.id, SHA, FIRST, run) is None


def test_a_content_whose_recording_failed_is_taken_over(ledger: Ledger) -> None:
    run = ledger.begin({})
    a, b, c = claimed(ledger, run, "a.wav", "b.wav", "c.wav").values()
    ledger.claim_content(a.id, SHA, FIRST, run)
    assert ledger.copied(b.id, run, a.id, SHA)
    assert ledger.failed(a.id, run, "bad", 3) == "failed"
    left = one(ledger, "b.wav")
    assert (left.state, left.need, left.why, left.copy_of) == ("pending", "listen", "its original is gone", None)
    assert left.done_with == Versions()
    assert ledger.claim_content(c.id, SHA, FIRST, run) is None


def test_a_copy_of_what_failed_meanwhile_waits_again(ledger: Ledger) -> None:
    run = ledger.begin({})
    a, b = claimed(ledger, run, "a.wav", "b.wav").values()
    ledger.claim_content(a.id, SHA, FIRST, run)
    assert ledger.claim_content(b.id, SHA, FIRST, run) is not None
    ledger.failed(a.id, run, "bad", 3)
    assert not ledger.copied(b.id, run, a.id, SHA)
    assert one(ledger, "b.wav").state == "pending"


def test_a_content_that_was_given_back_is_taken_over_and_its_copies_follow(ledger: Ledger) -> None:
    run = ledger.begin({})
    a, b, c = claimed(ledger, run, "a.wav", "b.wav", "c.wav").values()
    ledger.claim_content(a.id, SHA, FIRST, run)
    ledger.copied(c.id, run, a.id, SHA)
    ledger.give_back(run, [a.id])
    assert ledger.claim_content(b.id, SHA, FIRST, run) is None
    again = claimed(ledger, run, "a.wav")["a.wav"]
    has_it = ledger.claim_content(again.id, SHA, FIRST, run)
    assert has_it is not None and has_it.id == b.id
    assert ledger.copied(again.id, run, b.id, SHA)
    assert one(ledger, "c.wav").copy_of == b.id


def test_a_recording_with_other_bytes_gives_its_content_up(ledger: Ledger) -> None:
    run = ledger.begin({})
    original = done(ledger, run, "a.wav")
    copied(ledger, run, "b.wav", original)
    again = claimed(ledger, run, "a.wav", etag="new bytes", why="recording changed")["a.wav"]
    assert ledger.claim_content(again.id, OTHER_SHA, FIRST, run) is None
    assert ledger.finish(again.id, run, result(OTHER_SHA))
    assert one(ledger, "b.wav").state == "pending"
    assert done(ledger, run, "b.wav").sha256 == SHA
    copied_now = claimed(ledger, run, "c.wav")["c.wav"]
    has_it = ledger.claim_content(copied_now.id, OTHER_SHA, FIRST, run)
    assert has_it is not None and has_it.key == "a.wav"


def test_under_a_new_rubric_a_copy_stays_one_of_what_is_judged_anew(ledger: Ledger) -> None:
    """The copy has nothing stored of its own, so its bytes are looked at again; its original still waits."""
    run = ledger.begin({})
    original = done(ledger, run, "a.wav")
    copied(ledger, run, "b.wav", original)
    recorded(ledger, "a.wav", need="level", versions=RUBRIC_2)
    assert recorded(ledger, "b.wav", need="level", versions=RUBRIC_2)["b.wav"].need == "listen"
    got = {each.key: each for each in ledger.claim(run, SOURCE, 9, PLAN)}
    ledger.start(got["b.wav"].id, run)
    has_it = ledger.claim_content(got["b.wav"].id, SHA, RUBRIC_2, run)
    assert has_it is not None and has_it.id == original.id
    assert ledger.copied(got["b.wav"].id, run, original.id, SHA)
    ledger.start(original.id, run)
    assert ledger.finish(original.id, run, result(versions=RUBRIC_2))
    assert one(ledger, "b.wav").state == "copy"


def test_a_copy_whose_original_has_other_versions_now_is_none(ledger: Ledger) -> None:
    run = ledger.begin({})
    original = done(ledger, run, "a.wav")
    copied(ledger, run, "b.wav", original)
    again = claimed(ledger, run, "a.wav", need="level", versions=RUBRIC_2)["a.wav"]
    assert ledger.finish(again.id, run, result(versions=RUBRIC_2))
    assert one(ledger, "b.wav").state == "pending"


def test_a_new_engine_listens_once_to_both(ledger: Ledger) -> None:
    run = ledger.begin({})
    copied(ledger, run, "b.wav", done(ledger, run, "a.wav"))
    a, b = claimed(ledger, run, "a.wav", "b.wav", versions=ENGINE_2, why="engine changed").values()
    assert ledger.claim_content(b.id, SHA, ENGINE_2, run) is None
    has_it = ledger.claim_content(a.id, SHA, ENGINE_2, run)
    assert has_it is not None and has_it.id == b.id
    assert ledger.copied(a.id, run, b.id, SHA)
    assert ledger.finish(b.id, run, result(versions=ENGINE_2))
    assert (one(ledger, "a.wav").state, one(ledger, "b.wav").state) == ("copy", "done")


def test_the_content_of_a_forgotten_recording_is_nobodys(ledger: Ledger) -> None:
    run = ledger.begin({})
    original = done(ledger, run, "a.wav")
    ledger.forget([original.id], "call")
    each = claimed(ledger, run, "b.wav")["b.wav"]
    assert ledger.claim_content(each.id, SHA, FIRST, run) is None
