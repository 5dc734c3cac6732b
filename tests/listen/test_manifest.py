"""calls.csv and the sources of a run: what each row gives, every fault of a manifest, and which files are scored."""

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ManifestError, UsageError
from pipeline.listen.call_rows import (
    MAX_ID_BYTES,
    MAX_ID_CHARACTERS,
    folder_key,
    is_safe_call_id,
    numbered,
    safe_call_id,
)
from pipeline.listen.manifest import CallRow, default_row, find_sources, read_manifest
from pipeline.listen.manifest_cells import read_speakers

NO_ROW = "there is no manifest row for this call: date, team, names and roles were not given"
NO_TYPE = "call_type was not given: taken as discovery"


@pytest.fixture
def read(tmp_path):
    """Write a manifest into an empty folder and read it."""

    def write_and_read(content: str | bytes):
        path = tmp_path / "calls.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_manifest(path)

    return write_and_read


@pytest.fixture
def files(tmp_path):
    """Make empty files below a folder; JSON files are transcripts unless they are named labels."""

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            turns = name.endswith(".json") and "labels" not in name
            path.write_text('[{"speaker": "A", "text": "x"}]' if turns else "{}")
        return tmp_path

    return make


# --- rows -----------------------------------------------------------------------------------------


def test_row_with_every_column(read, tmp_path):
    manifest = read(
        "recording,call_id,call_type,started_at,team,rep,manager,customer,channels,transcript,speakers,rttm,language,"
        "products,region,Deal Size\n"
        'audio/a.wav,a-1,joint,2026-03-09T14:30:00+01:00,East,Ann Lee,Søren Ø,王小明; Bob ;,"rep, manager,customer",'
        "t/a.vtt,3-4,t/a.rttm,de-DE,RouteWise; Linen Tag,EU,\n"
    )

    assert manifest.path == tmp_path / "calls.csv"
    assert manifest.columns[-2:] == ("region", "Deal Size")
    assert manifest.warnings == ()
    assert manifest.rows == (
        CallRow(
            recording=tmp_path / "audio/a.wav",
            call_id="a-1",
            call_type="joint",
            started_at="2026-03-09T14:30:00+01:00",
            team="East",
            rep="Ann Lee",
            manager="Søren Ø",
            customers=("王小明", "Bob"),
            channels=(("rep",), ("manager",), ("customer",)),
            transcript=tmp_path / "t/a.vtt",
            speakers=(3, 4),
            rttm=tmp_path / "t/a.rttm",
            language="de",
            products=("RouteWise", "Linen Tag"),
            details=(("team", "East"), ("region", "EU")),
            defaults=(),
        ),
    )


def test_row_with_only_a_recording_says_its_defaults(read, tmp_path):
    (row,) = read("recording\nmonday/Call 7 (final).wav\n").rows

    assert row == CallRow(
        recording=tmp_path / "monday/Call 7 (final).wav",
        call_id="Call 7 _final_",
        defaults=(
            NO_TYPE,
            "call_id was not given: 'Call 7 _final_' was made from the file's name, "
            "which cannot name a folder as it is",
        ),
    )


def test_several_people_on_one_channel_stand_with_a_plus(read):
    (row,) = read('recording,channels\na.wav,"rep + manager; customer"\n').rows

    assert row.channels == (("rep", "manager"), ("customer",))


def test_the_number_of_speakers_is_read_in_the_same_words_from_a_setting():
    assert [read_speakers(value) for value in ("2", " 2 - 4 ", None)] == [(2, 2), (2, 4), None]
    with pytest.raises(UsageError, match=r"speakers: got 'many'\. Allowed: a number from 1 to 20"):
        read_speakers("many")


def test_row_with_only_a_transcript(read, tmp_path):
    (row,) = read("Transcript,Call_Type\nx.vtt,Demo\n").rows

    assert (row.recording, row.transcript, row.call_id, row.call_type) == (None, tmp_path / "x.vtt", "x", "demo")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_delimiters_line_ends_and_byte_order_mark(read, delimiter, line_end, encoding):
    rows = [
        ["recording", "rep", "customer", "channels"],
        ["ä.wav", "Zoë", '"Bob;Cy"', '"rep,customer"'],
        ["", "", "", ""],
    ]
    text = line_end.join(delimiter.join(row) for row in rows) + line_end

    (row,) = read(text.encode(encoding)).rows
    assert (row.call_id, row.rep, row.customers, row.channels) == ("ä", "Zoë", ("Bob", "Cy"), (("rep",), ("customer",)))


@pytest.mark.parametrize(
    "value", ["2026-03-09", "2026-03-09T14:30", "2026-03-09 14:30:00.5Z", "2026-03-09T14:30+05:30"]
)
def test_started_at_is_kept_as_given(read, value):
    assert read(f"recording,started_at\na.wav,{value}\n").rows[0].started_at == value


def test_doubtful_column_is_kept_and_said(read):
    manifest = read("recording,call type,goods\na.wav,demo,X\n")

    assert manifest.rows[0].details == (("call type", "demo"), ("goods", "X"))
    assert manifest.warnings == ("the column 'call type' is kept as a detail and not used as 'call_type'",)


def test_quoted_line_ends_and_markup_in_names_are_plain_text(read):
    (row,) = read('recording,rep,customer\na.wav,"Ann\nLee","<script>x</script>"\n').rows

    assert (row.rep, row.customers) == ("Ann Lee", ("<script>x</script>",))


# --- faults ---------------------------------------------------------------------------------------

PATH_RULE = "Allowed: a path relative to the manifest's folder and inside it"
FAULTS = [
    ("", "the file is empty. Allowed: a header and one row for each call"),
    ("\n \n", "the file is empty"),
    ("recording\n", "there is no row below the header. Allowed: one row for each call"),
    ("recording,call_id\n,\n", "there is no row below the header"),
    ("file,call_id\na.wav,x\n", "line 1: the column 'recording' is missing: got 'file', 'call_id'. Allowed:"),
    ("recording,Rep,rep\na.wav,x,y\n", "line 1: the column 'rep' comes more than once. Allowed: each column once"),
    ("\n\nrecording,Zone,zone\na.wav,x,y\n", "line 3: the column 'Zone' comes more than once"),
    ("recording,,rep\na.wav,x,y\n", "line 1: column 2 has no name"),
    ("recording,rep\n\na.wav\n", "line 3: 1 field. Allowed: 2, as in the header"),
    ("recording,channels\na.wav,rep,customer\n", "line 2: 3 fields. Allowed: 2, as in the header; put a value that"),
    ('recording,rep\na.wav,"Ann\nb.wav,x\n', "line 2: the quoting is broken (unexpected end of data). Allowed:"),
    ('recording,rep\na.wav,"Ann"x\n', "line 2: the quoting is broken"),
    ('"recording\n', "line 1: the quoting is broken"),
    ("recording,rep\n,Ann\n", "line 2, column 'recording': neither a recording nor a transcript is given. Allowed:"),
    ("recording\n/etc/a.wav\n", f"line 2, column 'recording': '/etc/a.wav' is not such a path. {PATH_RULE}"),
    ("recording\nC:a.wav\n", "'C:a.wav' is not such a path"),
    ("recording\nx\\a.wav\n", "is not such a path"),
    ("recording\ns3://bucket/a.wav\n", "'s3://bucket/a.wav' is not such a path"),
    ("recording\na\x00.wav\n", "'a\\x00.wav' is not such a path"),
    ("recording\nx/../a.wav\n", f"line 2, column 'recording': 'x/../a.wav' leaves the manifest's folder. {PATH_RULE}"),
    ("transcript\n../a.vtt\n", "line 2, column 'transcript': '../a.vtt' leaves the manifest's folder"),
    ("recording\na.vtt\n", "'a.vtt' is a transcript. Allowed: a recording; put this path in the column 'transcript'"),
    ("recording,call_type\na.wav,sale\n", "column 'call_type': got 'sale'. Allowed: discovery, demo, joint, one_on"),
    ("recording,started_at\na.wav,09/03/2026\n", "column 'started_at': got '09/03/2026'. Allowed: ISO 8601, as 2026"),
    ("recording,started_at\na.wav,2026-02-30\n", "column 'started_at': got '2026-02-30'"),
    ("recording,started_at\na.wav,20260309\n", "column 'started_at': got '20260309'"),
    ("recording,started_at\na.wav,2026-03-09T25:00\n", "column 'started_at': got '2026-03-09T25:00'"),
    ("recording,channels\na.wav,boss\n", "column 'channels': got 'boss', where 'boss' is no role. Allowed: rep, man"),
    ('recording,channels\na.wav,"rep,"\n', "column 'channels': got 'rep,', where '' is no role"),
    (
        "recording,speakers\na.wav,two\n",
        "column 'speakers': got 'two'. Allowed: a number from 1 to 20 as \"3\", or a ra",
    ),
    ("recording,speakers\na.wav,4-2\n", "column 'speakers': got '4-2'. Allowed: a number from 1 to 20"),
    ("recording,speakers\na.wav,0\n", "column 'speakers': got '0'"),
    (
        "recording,language\na.wav,English please\n",
        "column 'language': got 'English please'. Allowed: an ISO 639-1 code",
    ),
    ("transcript,rttm\na.vtt,a.rttm\n", "column 'rttm': it is given without a recording. Allowed: an RTTM file beside"),
    ("recording,rttm\na.wav,../a.rttm\n", "column 'rttm': '../a.rttm' leaves the manifest's folder"),
    (
        "recording,channels\na.wav,rep+boss\n",
        "column 'channels': got 'rep+boss', where 'boss' is no role. Allowed: rep,",
    ),
    ('recording,channels\na.wav,"rep+manager,rep"\n', "where rep comes twice"),
    ('recording,channels\na.wav,"rep,rep"\n', "column 'channels': got 'rep,rep', where rep comes twice"),
    ("recording\nx/a.wav\ny/A.wav\n", "line 3, column 'call_id': 'A' is the id of line 2 already. Allowed: an id of"),
    ("recording,call_id\na.wav,Ä\nb.wav,A\u0308\n", "is the id of line 2 already"),
    *[
        (
            f"recording,call_id\na.wav,{call_id}\n",
            f"line 2, column 'call_id': got {call_id!r}. Allowed: letters, digits",
        )
        for call_id in (
            ".",
            "..",
            "a/b",
            "a\\b",
            ".hidden",
            "end.",
            "a:b",
            "nul",
            "COM1.x",
            "a\x07",
            "é" * 121,
            "李" * 81,
        )
    ],
    (b"recording\ncaf\xe9.wav\n", "line 2: byte 0xe9 is not UTF-8"),
    ("recording\na.wav\n".encode("utf-16"), "line 1: byte 0xff is not UTF-8"),
    ("recording,rep\na.wav," + "x" * 200_000 + "\n", "field larger than field limit"),
]


@pytest.mark.parametrize(("content", "message"), FAULTS)
def test_faulty_manifest_is_refused_with_place_and_value(read, tmp_path, content, message):
    with pytest.raises(ManifestError) as caught:
        read(content)

    assert len(caught.value.faults) == 1
    assert message in caught.value.faults[0]
    assert str(caught.value).startswith(f"{tmp_path / 'calls.csv'}: 1 fault\n  - ")
    assert str(caught.value).endswith(".")


def test_every_fault_is_listed_at_once(read):
    with pytest.raises(ManifestError) as caught:
        read("recording,call_type,started_at,call_id\n../a.wav,sale,today,a\nb.wav,,,A\nc.wav\nd.wav,demo,2026,x/y\n")

    places = [fault.split(":")[0] for fault in caught.value.faults]
    assert places == [
        "line 2, column 'recording'",
        "line 2, column 'call_type'",
        "line 2, column 'started_at'",
        "line 4",
        "line 5, column 'call_id'",
        "line 5, column 'started_at'",
        "line 3, column 'call_id'",
    ]


def test_symbolic_links_must_not_lead_out(read, tmp_path):
    (tmp_path / "out").symlink_to("/usr")
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    with pytest.raises(ManifestError) as caught:
        read("recording\nout/a.wav\nloop.wav\n")

    assert "'out/a.wav' leads out of the manifest's folder by a symbolic link" in caught.value.faults[0]
    assert "'loop.wav' cannot be resolved" in caught.value.faults[1]


def test_missing_manifest_and_folder(tmp_path):
    with pytest.raises(ManifestError, match=r"the file does not exist\nGive the path of the manifest"):
        read_manifest(tmp_path / "gone.csv")
    with pytest.raises(ManifestError, match="this is not a file"):
        read_manifest(tmp_path)


def test_manifest_through_a_link_to_its_folder(files, tmp_path):
    files("real/calls.csv", "real/a.wav")
    (tmp_path / "real/calls.csv").write_text("recording\na.wav\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")

    manifest = read_manifest(tmp_path / "link/calls.csv")
    assert manifest.rows[0].recording == tmp_path / "real/a.wav"
    assert find_sources([tmp_path / "link"], manifest).rows == manifest.rows


# --- ids ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call_id", ["a", "2026-03-09 Acme v1.2_x", "日本語", "हिन्दी", "Zoë", "x" * 120, "con1", "console"]
)
def test_safe_ids_stay(call_id):
    assert is_safe_call_id(call_id)
    assert safe_call_id(call_id) == call_id


@pytest.mark.parametrize(
    ("text", "call_id"),
    [("", "call"), ("..", "call"), ("a/b:c", "a_b_c"), (" x. ", "x"), ("CON", "_CON"), ("lpt9.tar", "_lpt9.tar")],
)
def test_other_texts_are_made_safe(text, call_id):
    assert safe_call_id(text) == call_id
    assert not is_safe_call_id(text)


@given(st.text(max_size=140), st.integers(2, 10**6))
def test_made_ids_are_safe_and_stay_so(text, number):
    for call_id in (safe_call_id(text), numbered(safe_call_id(text), number)):
        assert is_safe_call_id(call_id)
        assert len(call_id) <= MAX_ID_CHARACTERS
        assert len(call_id.encode()) <= MAX_ID_BYTES
        assert folder_key(folder_key(call_id)) == folder_key(call_id)


def test_long_ids_of_any_script_can_name_a_folder(tmp_path):
    (tmp_path / safe_call_id("李" * 300)).mkdir()
    (tmp_path / safe_call_id("😀\ud800/" * 300)).mkdir()


# --- sources --------------------------------------------------------------------------------------


def test_default_rows(tmp_path):
    assert default_row(tmp_path / "a b.wav") == CallRow(tmp_path / "a b.wav", "a b", defaults=(NO_ROW, NO_TYPE))
    assert default_row(tmp_path / "x.SRT") == CallRow(
        None, "x", transcript=tmp_path / "x.SRT", defaults=(NO_ROW, NO_TYPE)
    )


def test_folder_without_a_manifest_is_searched_in_sorted_order(files):
    folder = files("b.WAV", "a.mp3", "sub/c.vtt", "sub/t.json", "labels.json", "notes.txt", ".hidden.wav", ".git/x.wav")

    found = find_sources([folder])

    assert [row.call_id for row in found.rows] == ["a", "b", "c", "t"]
    assert found.skipped == (
        (folder / "labels.json", "this JSON file is no transcript"),
        (folder / "notes.txt", "this text file is no transcript"),
    )


def test_results_of_an_earlier_run_are_no_sources(files):
    folder = files("a.wav", "out/calls/a/scorecard.json", "out/calls/a/transcript.vtt", "out/calls/a/clip/x.mp3")

    found = find_sources([folder])

    assert [row.call_id for row in found.rows] == ["a"]
    assert found.skipped == ((folder / "out/calls/a", "the results of an earlier run"),)


def test_recording_goes_before_a_transcript_of_the_same_name(files):
    folder = files("x.wav", "x.vtt", "y.vtt")

    found = find_sources([folder])

    assert [(row.call_id, row.recording is not None) for row in found.rows] == [("x", True), ("y", False)]
    assert (
        found.rows[0].defaults[-1] == "the transcript x.vtt beside the recording was not used: a manifest can name it"
    )
    assert found.skipped == ((folder / "x.vtt", "the recording of the same name is listened to instead"),)


def test_sources_of_one_name_get_ids_of_their_own(files):
    folder = files("1/x.wav", "2/X.wav", "3/x.wav", "4/x-2.wav")

    rows = find_sources([folder]).rows

    assert [row.call_id for row in rows] == ["x", "X-3", "x-4", "x-2"]
    assert rows[1].defaults[-1] == "call_id was not given: 'X-3', as another source is called 'X' too"


def test_a_source_named_twice_is_scored_once(files):
    folder = files("a.wav", "b.wav")

    assert [row.call_id for row in find_sources([folder / "b.wav", folder, folder / "a.wav"]).rows] == ["b", "a"]


def test_a_file_that_is_named_may_have_any_suffix(files):
    assert find_sources([files("a.amr") / "a.amr"]).rows[0].recording is not None


def test_with_a_manifest_only_its_rows_are_scored_in_its_order(files, read):
    folder = files("b.wav", "a.wav", "other.wav", "reference/a.vtt", "reference/t.vtt")
    manifest = read("recording,transcript\nb.wav,\ngone.wav,\na.wav,reference/a.vtt\n")

    found = find_sources([folder], manifest)

    assert found.rows == manifest.rows
    assert found.skipped == (
        (folder / "other.wav", "not in the manifest"),
        (folder / "reference/t.vtt", "not in the manifest"),
    )
    assert find_sources([folder / "gone.wav"], manifest).rows == manifest.rows[1:2]
    assert find_sources([folder / "reference", folder / "b.wav"], manifest).rows == (manifest.rows[0], manifest.rows[2])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no source was given. Name a recording, a transcript or a folder of them."),
        (["gone.wav"], "gone.wav: there is no such file or folder. Check the path and its spelling."),
        (["x" * 300], "there is no such file or folder"),
        (["a\x00.wav"], "there is no such file or folder"),
        (["empty"], "empty: no recording or transcript in this folder. Looked for: .wav, .mp3, .m4a,"),
        (
            ["calls.csv"],
            "calls.csv: a CSV file is no recording. Name a manifest with --manifest, and a source as well.",
        ),
    ],
)
def test_sources_that_cannot_be_used(files, names, message):
    folder = files("empty/notes.txt", "calls.csv", "a.wav")
    with pytest.raises(UsageError) as caught:
        find_sources([folder / name for name in names])
    assert message in str(caught.value)


def test_manifest_without_a_row_in_the_sources(files, read):
    folder = files("a.wav", "b.wav")
    with pytest.raises(UsageError, match=r"no row of the manifest has its recording or transcript in .*b\.wav\. Name"):
        find_sources([folder / "b.wav"], read("recording\na.wav\n"))


# --- properties -----------------------------------------------------------------------------------

CELL = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)


def reads(content: bytes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.csv"
        path.write_bytes(content)
        return read_manifest(path)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELL, CELL.map(lambda name: name.replace(";", ""))), min_size=1, max_size=6), st.data())
def test_any_names_and_details_read_back(cells, data):
    delimiter = data.draw(st.sampled_from(",;\t"))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["recording", "rep", "customer", "note"])
    writer.writerows([f"{number}.wav", rep, customer, rep] for number, (rep, customer) in enumerate(cells))

    rows = reads(text.getvalue().encode()).rows
    assert [(row.rep, row.customers) for row in rows] == [(rep, (name,) if name else ()) for rep, name in cells]
    assert [row.details for row in rows] == [(("note", rep),) for rep, _ in cells]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["recording", "call_id", ",", ";", "\n", '"', "a", "..", "/", "\x00", "\r", "é", " ", "\t"])
    )
)
def test_no_content_makes_the_manifest_fail_in_any_other_way(pieces):
    try:
        manifest = reads(("recording,rep\n" + "".join(pieces)).encode())
    except ManifestError:
        return
    assert all(is_safe_call_id(row.call_id) for row in manifest.rows)
