"""A person is forgotten, and no later batch brings the calls back: by key, by copy or from a worker's hands."""

import csv
import shutil
import time

import pytest

from pipeline.archive.ledger import open_ledger
from pipeline.archive.scores import open_scores
from pipeline.batch.run import score_bucket
from pipeline.fakes import write_fake
from pipeline.forget import find_forgettable, forget
from tests.batch.batches import Site, ended
from tests.batch.conftest import FAKE, here
from tests.batch.test_kill import wait_for_calls

NAME = "Zoë Quillfeather"


def manifest_of(folder, reps):
    path = folder / "calls.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["recording", "rep"], *reps.items()])
    return path


def forgotten(out, ledger=None, **asked):
    with open_ledger(ledger or out / "ledger.db") as book:
        scores = open_scores(out)
        return forget(book, scores, find_forgettable(book, scores, **asked), person=asked.get("person"))


def holding(out, *names):
    """The files below OUT in whose bytes or path one of the names stands."""
    lower = [name.lower() for name in names]
    wanted = [one.encode() for one in lower] + [one.encode("ascii", "backslashreplace") for one in lower]
    for path in out.rglob("*"):
        data = str(path.relative_to(out)).lower().encode() + (path.read_bytes().lower() if path.is_file() else b"")
        if any(one in data for one in wanted):
            yield path


def test_batch_does_not_bring_back_who_was_forgotten(tmp_path):
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    for number in range(6):
        turns = [("Rep", "Good morning."), ("Customer", "I am Zoe\u0308 Quillfeather.")] if number == 1 else ()
        write_fake(source / f"{number}.wav", seed=number, turns=turns)
    write_fake(source / "bad.wav", fail=f"{NAME} is not understood")
    manifest = manifest_of(source, {"0.wav": NAME, **{f"{one}.wav": "Tom Adeyemi" for one in (1, 2, 3, 4, 5, "bad")}})
    first = score_bucket(source, out=out, manifest=manifest, settings=FAKE, runner=here)
    assert (first.done, first.failed) == (6, 1) and len(list(holding(out, NAME, "Zoe\u0308 Quillfeather"))) > 4

    gone = forgotten(out, person=NAME.upper())
    assert sorted(gone.calls) == ["0", "1", "bad"] and gone.still_found == ()
    assert gone.sources == ("0.wav", "1.wav", "bad.wav")
    assert list(holding(out, NAME, "Zoe\u0308 Quillfeather")) == []

    again = score_bucket(source, out=out, manifest=manifest, settings=FAKE, runner=here)
    assert again.plan.to_do == 0 and again.plan.forgotten == 3 and again.plan.unchanged == 4
    shutil.copy(source / "0.wav", source / "copy.wav")
    (source / "1.wav").touch()  # a new etag for the same bytes
    manifest = manifest_of(source, {"copy.wav": NAME, "1.wav": "Tom Adeyemi"})
    last = score_bucket(source, out=out, manifest=manifest, settings=FAKE, runner=here)
    assert last.plan.to_do == 2 and last.done == last.copies == last.failed == last.left == 0
    assert sorted(open_scores(out).call_ids()) == ["2", "3", "4", "5"]
    assert list(holding(out, NAME, "Zoe\u0308 Quillfeather")) == []
    assert score_bucket(source, out=out, manifest=manifest, settings=FAKE, runner=here).plan.forgotten == 2


@pytest.mark.slow
def test_batch_gives_up_a_call_that_is_forgotten_while_it_is_listened_to(tmp_path):
    site = Site(tmp_path, options=("--workers", "1"))
    source, out = tmp_path / "source", tmp_path / "out"
    (source / "a.wav").write_bytes(site.fake(seed=1, work=3.0, turns=[("Rep", f"{NAME} here.")]))
    (source / "b.wav").write_bytes(site.fake(seed=2))
    (source / "c.wav").write_bytes(site.fake(seed=1, work=3.0, turns=[("Rep", f"{NAME} here.")]))  # a copy that waits
    manifest = manifest_of(source, {"a.wav": NAME, "b.wav": "Tom Adeyemi", "c.wav": "Tom Adeyemi"})
    process = site.start("--manifest", str(manifest))
    wait_for_calls(site, process, 1)
    gone = forgotten(out, person=NAME)
    assert process.poll() is None and gone.calls == ("a",) and gone.still_found == ()
    assert ended(process).returncode in (0, 1)
    time.sleep(0.1)
    assert list(open_scores(out).call_ids()) == ["b"]
    with open_ledger(out / "ledger.db") as ledger:
        assert [one.call_id for one in ledger.all()] == ["b"]
    assert list(holding(out, NAME)) == [] and site.leftovers() == []
