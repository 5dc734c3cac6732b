"""Rows of a bucket: a row and its plain form, manifests whose files are objects, and cells that mean harm."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.batch.rows import default_dict, read_bucket_manifest, row_dict, row_of
from pipeline.errors import ManifestError
from pipeline.listen.call_rows import CallRow, default_row, is_safe_call_id
from pipeline.records import CALL_TYPES, ROLES

NO_ROW = "there is no manifest row for this call: date, team, names and roles were not given"
NO_TYPE = "call_type was not given: taken as discovery"


class At:
    """A bucket of which nothing but its URL is asked."""

    def __init__(self, url: object) -> None:
        self.url = str(url)


@pytest.fixture
def read(tmp_path):
    """Write a manifest below a folder and read it for the bucket at a URL, the folder's by default."""

    def write_and_read(content: str, *, url: object = None, at: str = "calls.csv"):
        path = tmp_path / at
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return read_bucket_manifest(path, At(url or tmp_path))

    return write_and_read


# --- a row and its plain form ---------------------------------------------------------------------

texts = st.text(max_size=20)
names = st.tuples() | st.tuples(texts) | st.tuples(texts, texts)
rows = st.builds(
    CallRow,
    recording=st.none(),
    call_id=texts,
    call_type=st.sampled_from(CALL_TYPES),
    started_at=st.none() | texts,
    team=st.none() | texts,
    rep=st.none() | texts,
    manager=st.none() | texts,
    customers=names,
    channels=st.lists(st.lists(st.sampled_from(ROLES), max_size=3).map(tuple), max_size=3).map(tuple),
    speakers=st.none() | st.tuples(st.integers(1, 20), st.integers(1, 20)),
    language=st.none() | texts,
    products=names,
    details=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    defaults=names,
)
keys = st.none() | st.text(st.characters(codec=None), max_size=30)


@given(rows, keys, keys, keys)
def test_a_row_comes_back_from_json_as_it_was(row, recording, transcript, rttm):
    values = json.loads(json.dumps(row_dict(row, recording=recording, transcript=transcript, rttm=rttm)))

    assert (values["recording"], values["transcript"], values["rttm"]) == (recording, transcript, rttm)
    assert row_of(values) == row
    found = row_of(values, recording=Path("/t/1"), transcript=Path("/t/2"), rttm=Path("/t/3"))
    assert (found.recording, found.transcript, found.rttm) == (Path("/t/1"), Path("/t/2"), Path("/t/3"))


def test_fields_with_their_default_are_left_out_and_unknown_ones_ignored():
    values = row_dict(CallRow(None, "a"), recording="x/a.wav")

    assert values == {
        "recording": "x/a.wav",
        "transcript": None,
        "rttm": None,
        "call_id": "a",
        "call_type": "discovery",
    }
    assert row_of({**values, "mood": "good"}) == CallRow(None, "a")


def test_default_rows_say_what_those_of_a_folder_say(tmp_path):
    for name in ("a.wav", "call (1).MP3", "x.VTT", "日本.srt", "con.wav"):
        row = default_row(tmp_path / name)
        values = default_dict(f"2026/{name}")

        assert row_of(values, recording=row.recording, transcript=row.transcript) == row
        assert values["transcript" if row.transcript else "recording"] == f"2026/{name}"


def test_a_transcript_beside_is_said():
    assert default_dict("x/a.wav", ("x/a.vtt",))["defaults"] == [
        NO_ROW,
        NO_TYPE,
        "the transcript a.vtt beside the recording was not used: a manifest can name it",
    ]


@given(st.text(st.characters(codec=None), min_size=1, max_size=200))
def test_any_key_has_a_row_with_a_safe_id(key):
    assert is_safe_call_id(default_dict(f"{key}.wav")["call_id"])


@pytest.mark.parametrize(
    "key", ["../../etc/a.wav", "/etc/a.wav", "a\x00.wav", "😀" * 300 + ".wav", "..wav", "\ud800.wav"]
)
def test_hostile_keys_have_a_row(key):
    values = default_dict(key)

    assert values["recording"] == key
    assert is_safe_call_id(values["call_id"])


# --- manifests ------------------------------------------------------------------------------------


def test_keys_and_whole_urls_below_the_prefix(read):
    manifest = read(
        "recording,transcript,rttm,call_id,rep,customer,channels\n"
        'a b.wav,t/a.vtt,s3://calls/2026/r/ü.rttm,one,Ann,Bob;Cy,"rep,customer"\n'
        "s3://calls/2026/x//y%20z.wav,,,,,,\n"
        "../c.wav,,,,,,\n"
        "/d.wav,,,,,,\n"
        ",t/e.vtt,,,,,\n",
        url="s3://calls/2026?endpoint=http://127.0.0.1:1",
    )

    assert list(manifest.rows) == ["a b.wav", "x//y%20z.wav", "../c.wav", "/d.wav", "t/e.vtt"]
    assert manifest.companions == {"t/a.vtt", "r/ü.rttm"}
    assert json.loads(manifest.rows["a b.wav"]) == {
        "recording": "a b.wav",
        "transcript": "t/a.vtt",
        "rttm": "r/ü.rttm",
        "call_id": "one",
        "call_type": "discovery",
        "rep": "Ann",
        "customers": ["Bob", "Cy"],
        "channels": [["rep"], ["customer"]],
        "defaults": [NO_TYPE],
    }
    assert json.loads(manifest.rows["x//y%20z.wav"])["call_id"] == "y%20z".replace("%", "_")
    assert json.loads(manifest.rows["../c.wav"])["call_id"] == "c"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            "s3://other/a.wav",
            "'s3://other/a.wav' does not lie below s3://calls/2026/. Allowed: the key of an",
        ),
        ("s3://calls/20260/a.wav", "does not lie below s3://calls/2026/"),
        ("https://calls/2026/a.wav", "does not lie below s3://calls/2026/"),
        ("s3://calls/2026/", "does not lie below s3://calls/2026/"),
        ("a\x00.wav", "line 2, column 'recording': 'a\\x00.wav' holds a control character. Allowed: the key of an obj"),
        ("a.vtt", "'a.vtt' is a transcript. Allowed: a recording; put this path in the column 'transcript'"),
    ],
)
def test_cells_that_name_no_object_of_the_bucket(read, cell, message):
    with pytest.raises(ManifestError) as caught:
        read(f"recording\n{cell}\n", url="s3://calls/2026/")

    assert len(caught.value.faults) == 1
    assert message in caught.value.faults[0]


@pytest.mark.parametrize(
    "cell", ["../" * 300 + "etc/passwd", "😀" * 1000, "x" * 1000, "a\u202egpj.wav", "'; DROP TABLE x; --"]
)
def test_odd_cells_match_an_object_of_that_name_or_none(read, cell):
    (key,) = read(f'recording\n"{cell}"\n', url="s3://calls").rows

    assert key == cell
    assert is_safe_call_id(json.loads(read(f'recording\n"{cell}"\n', url="s3://calls").rows[key])["call_id"])


def test_in_a_folder_cells_are_relative_to_the_manifest(read, tmp_path):
    text = f"recording\n./a.wav\nx//b.wav\n{(tmp_path / 'jan/c d.wav').as_uri()}\n"

    assert list(read(text).rows) == ["a.wav", "x/b.wav", "jan/c d.wav"]
    assert list(read(text, at="jan/calls.csv").rows) == ["jan/a.wav", "jan/x/b.wav", "jan/c d.wav"]
    assert list(read(text, at="jan/calls.csv", url=tmp_path.as_uri()).rows) == [
        "jan/a.wav",
        "jan/x/b.wav",
        "jan/c d.wav",
    ]


def test_a_manifest_above_the_folder_may_name_the_folder_or_leave_it_out(read, tmp_path):
    manifest = read("recording\nsound/a.wav\nb.wav\nsounds/c.wav\n", url=tmp_path / "sound")

    assert list(manifest.rows) == ["a.wav", "b.wav", "sounds/c.wav"]


def test_a_manifest_elsewhere_is_relative_to_the_folder(read, tmp_path):
    assert list(read("recording\na/b.wav\n", at="lists/calls.csv", url=tmp_path / "sound").rows) == ["a/b.wav"]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("../a.wav", "'../a.wav' leaves the folder. Allowed: a path inside "),
        ("/etc/a.wav", "'/etc/a.wav' is no such path"),
        ("x\\a.wav", "is no such path"),
        ("s3://calls/a.wav", "is no such path"),
        ("file:///etc/a.wav", "'file:///etc/a.wav' does not lie below "),
        ("a\x07.wav", "'a\\x07.wav' holds a control character"),
    ],
)
def test_cells_that_leave_the_folder(read, cell, message):
    with pytest.raises(ManifestError) as caught:
        read(f"recording\n{cell}\n")
    assert message in caught.value.faults[0]


def test_one_line_a_recording_and_one_call_an_id(read):
    with pytest.raises(ManifestError) as caught:
        read("recording,call_id\na.wav,A\nb.wav,a\ns3://b/a.wav,\n", url="s3://b")

    assert caught.value.faults == (
        "line 3, column 'call_id': 'a' is the id of line 2 already. Allowed: an id of its own for each call (letter "
        "case makes no difference)",
        "line 4, column 'recording': 'a.wav' is on line 2 already. Allowed: each recording, or transcript without one, "
        "on one line",
    )


def test_files_of_one_name_in_folders_of_their_own_are_no_fault(read):
    manifest = read("recording\n1/recording.wav\n2/recording.wav\n2/Recording.wav\n", url="s3://b")

    assert [json.loads(row)["call_id"] for row in manifest.rows.values()] == ["recording", "recording", "Recording"]


def test_a_manifest_is_named_as_it_was_given(tmp_path):
    with pytest.raises(ManifestError, match=r"gone\.csv: 1 fault\n  - the file does not exist"):
        read_bucket_manifest(f"file://{tmp_path}/gone.csv", At("s3://b"))
