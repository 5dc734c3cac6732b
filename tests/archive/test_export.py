"""Scorecards as Parquet, CSV and JSON Lines: the same figures in each, whole files, cells that no spreadsheet runs."""

import csv
import errno
import json
import math
import tracemalloc

import pyarrow.parquet as parquet
import pytest

from pipeline.archive import export as exporting
from pipeline.archive import export_files
from pipeline.archive.cells import safe_cell
from pipeline.archive.export import export
from pipeline.archive.export_row import row_of
from pipeline.archive.scores_bucket import BucketScores
from pipeline.archive.scores_folder import FolderScores
from pipeline.assess.rubric import rubric_for
from pipeline.assess.scorecard import JudgedBy, scored, to_dict
from pipeline.errors import StorageError, UsageError
from pipeline.records import Finding, Participant
from tests.archive.memory_bucket import MemoryBucket
from tests.builders import PEOPLE, timed_call, untimed_call

SURE = (0.02, 0.03, 0.05, 0.9)


def card(call_id, *, probabilities=SURE, details=(("team", "West"), ("opportunity", "OPP-1")), **fields):
    """The public form of a joint call's scorecard."""
    plan = " ".join(["We have a plan for the four weeks that you told me about."] * 3)
    said = (("R", 0, 20, f"{plan} Shall we?"), ("C", 20.5, 40, "Yes, please."), ("M", 41, 60, "Let me go on."))
    call = timed_call(*said, call_id=call_id, details=details, started_at="2026-03-12T09:30:00-05:00", **fields)
    rubric = rubric_for("joint")
    findings = [Finding(one.name, probabilities) for one in rubric.behaviours]
    return to_dict(scored(call, findings, rubric, JudgedBy("by hand")))


def stored(scores, *cards):
    for one in cards:
        scores.write(one["call_id"], {"scorecard.json": json.dumps(one)})
    return scores


@pytest.fixture
def scores(tmp_path):
    """Three calls: a joint one, an untimed one in which nobody is known, and one with doubtful levels."""
    bare = untimed_call(("X", "Hello."), call_id="b", call_type="demo")
    rubric = rubric_for("demo")
    unknown = to_dict(scored(bare, [Finding(one.name, SURE) for one in rubric.behaviours], rubric, JudgedBy("by hand")))
    doubtful = card("c", probabilities=(0.25, 0.25, 0.25, 0.25), details=(("Größe", "=1+1"),))
    return stored(FolderScores(tmp_path / "out"), doubtful, card("a"), unknown)


def read(path):
    """Column -> value of each row, None where there is none, whatever the format."""
    if path.suffix == ".parquet":
        return parquet.read_table(path).to_pylist()
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_export_has_a_row_a_call_sorted_by_id_with_the_scorecards_figures(scores, tmp_path):
    done = export(scores, tmp_path / "x" / "scores.parquet")
    rows = read(done.path)
    assert (done.calls, done.format, done.unreadable) == (3, "parquet", ())
    assert [row["call_id"] for row in rows] == ["a", "b", "c"]
    expected = {
        "call_type": "joint",
        "duration": 60.0,
        "team": "West",
        "rep": "Tom Adeyemi",
        "manager": "Mara Lind",
        "customer": "Ines Roth",
        "rubric_version": rubric_for("joint").version,
        "judge": "by hand",
        "engine": "by hand",
        "seller_turns": 2,
        "rep_questions": 1,
        "manager_speaking_time": 19.0,
        "buyer_talk_share": 0.333,
        "takeover": None,
        "detail_opportunity": "OPP-1",
        "detail_Größe": None,
        "recording_sha256": "0" * 64,
    }
    assert {name: rows[0][name] for name in expected} == pytest.approx(expected)
    assert [rows[0][f"agenda_p{level}"] for level in range(4)] == list(SURE)
    assert rows[0]["takeover_withheld"] and rows[0]["warnings"] == len(card("a")["quality"]["warnings"])
    assert rows[1]["rep"] is None and rows[1]["duration"] is None and rows[1]["rep_turns"] is None
    assert rows[2]["agenda_level"] is None and rows[2]["agenda_withheld"]


def test_export_gives_the_same_figures_in_all_formats(scores, tmp_path):
    paths = [export(scores, tmp_path / f"scores.{one}").path for one in ("parquet", "csv", "jsonl")]
    flat, cells = read(paths[0]), read(paths[1])
    lines = [row_of(json.loads(line)) for line in paths[2].read_text(encoding="utf-8").splitlines()]
    assert len(flat) == len(cells) == len(lines) == 3
    for table, text, line in zip(flat, cells, lines, strict=True):
        assert list(table) == list(text)
        assert {name: value for name, value in table.items() if value is not None} == line
        for name, value in table.items():
            assert as_kind(text[name], value) == value, name


def as_kind(cell, like):
    """The cell read as the kind that the value has."""
    if cell == "":
        return None
    if isinstance(like, bool):
        return {"true": True, "false": False}[cell]
    return cell.removeprefix("'") if isinstance(like, str) else type(like)(cell)


def test_export_json_lines_are_the_whole_scorecards(scores, tmp_path):
    path = export(scores, tmp_path / "scores.jsonl").path
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [json.loads(scores.read(one, "scorecard.json")) for one in "abc"]
    assert "Größe" in lines[2]


def test_export_parquet_is_typed_and_columns_are_a_union(scores, tmp_path):
    schema = parquet.read_schema(export(scores, tmp_path / "scores.parquet").path)
    kinds = {name: str(schema.field(name).type) for name in ("agenda_level", "agenda_p0", "takeover", "detail_Größe")}
    assert kinds == {"agenda_level": "int64", "agenda_p0": "double", "takeover": "bool", "detail_Größe": "string"}
    assert schema.names[:2] == ["call_id", "call_type"] and schema.names[-2:] == ["detail_Größe", "detail_opportunity"]
    assert schema.names.index("agenda_level") < schema.names.index("client_story_level")


def test_export_gives_the_same_bytes_twice(scores, tmp_path):
    for suffix in ("parquet", "csv", "jsonl"):
        once, again = (export(scores, tmp_path / f"{name}.{suffix}").path.read_bytes() for name in ("once", "again"))
        assert once == again


def test_export_takes_chosen_calls_and_names_those_that_cannot_be_read(scores, tmp_path):
    broken = {**card("x"), "duration": "long"}
    infinite = json.dumps(card("y")).replace("0.9", "Infinity", 1)
    scores.write("x", {"scorecard.json": json.dumps(broken)})
    scores.write("y", {"scorecard.json": infinite})
    scores.write("z", {"transcript.vtt": "WEBVTT"})
    scores.write("w", {"scorecard.json": "[]"})
    done = export(scores, tmp_path / "scores.csv", calls={"a", "nowhere", "w", "x", "y", "z"})
    assert [row["call_id"] for row in read(done.path)] == ["a"] and done.calls == 1
    assert [call_id for call_id, _ in done.unreadable] == ["nowhere", "w", "x", "y", "z"]
    reasons = dict(done.unreadable)
    assert "x/scorecard.json: cannot be read as a scorecard" in reasons["x"]
    assert "duration is str, where number is meant" in reasons["x"] and "Score the call again" in reasons["x"]
    assert "Infinity is no number" in reasons["y"]
    assert "z/scorecard.json" in reasons["z"]
    for suffix in ("parquet", "jsonl"):
        assert export(scores, tmp_path / f"scores.{suffix}").unreadable == tuple(
            one for one in done.unreadable if one[0] != "nowhere"
        )


def test_export_of_no_calls_has_the_columns_all_the_same(tmp_path):
    scores = FolderScores(tmp_path / "out")
    assert parquet.read_table(export(scores, tmp_path / "scores.parquet").path).column_names[0] == "call_id"
    assert export(scores, tmp_path / "scores.csv").path.read_text().startswith("call_id,call_type,")
    assert export(scores, tmp_path / "scores.jsonl").path.read_text() == ""


HOSTILE = [
    "=cmd|'/c calc'!A1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＠x",
    ' "=1',
    "'=1",
    "\ufeff=1",
]
HOSTILE += ["\u200b=1", "a;=1", "a\n@x", "a\t+1", "﹢1", "−1"]
ALIKE = {"−": "-"}  # a true minus sign is no hyphen, and no spreadsheet begins a formula with it


@pytest.mark.parametrize("text", HOSTILE)
def test_export_csv_holds_no_cell_that_a_spreadsheet_runs(tmp_path, text):
    people = (Participant("R", text, "rep"), PEOPLE["C"], PEOPLE["M"])
    hostile = card("a", details=(("note", text), (text, "x")), participants=people, source=text)
    path = export(stored(FolderScores(tmp_path / "out"), hostile), tmp_path / "scores.csv").path
    row = read(path)[0]
    for cell in [*row, *row.values()]:
        assert not starts_formula(cell), cell
    assert row["rep"] == row["source"] == row["detail_note"] == safe_cell(text)
    for separator in (";", "\t"):  # read with another separator, no cell begins with a formula either
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not any(starts_formula(cell) for cell in line.split(separator)[1:])


def starts_formula(cell):
    bare = cell.lstrip(' "\ufeff\u200b\t\r\n')
    return bare[:1] in set("=+@＝＋＠﹢-") and not is_number(cell)


def is_number(cell):
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def test_cells_keep_harmless_text_and_numbers_stay_numbers(tmp_path):
    for text in ("Ines Roth", "a-b", "a = b", "", "O'Brien", "3 + 4", "me@example.org", "one; two"):
        assert safe_cell(text) == text
    path = export(stored(FolderScores(tmp_path / "out"), card("a")), tmp_path / "scores.csv").path
    assert float(read(path)[0]["agenda_p3"]) == 0.9


def test_export_that_fails_leaves_the_older_file_and_nothing_else(scores, tmp_path, monkeypatch):
    def full(path, columns, rows):
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = tmp_path / "exports"
    export(scores, folder / "scores.csv")
    older = (folder / "scores.csv").read_bytes()
    monkeypatch.setattr(exporting, "write_csv", full)
    with pytest.raises(StorageError, match="no space left on device") as raised:
        export(scores, folder / "scores.csv")
    assert raised.value.fault == "full"
    assert [path.name for path in folder.iterdir()] == ["scores.csv"]
    assert (folder / "scores.csv").read_bytes() == older


def test_export_stops_where_the_store_fails(tmp_path):
    bucket = MemoryBucket()
    scores = stored(BucketScores(bucket), card("a"), card("b"))
    assert export(scores, tmp_path / "scores.csv").calls == 2
    bucket.fails_at = len(bucket.done) + 4
    with pytest.raises(StorageError, match="on purpose"):
        export(scores, tmp_path / "other.csv")
    assert not (tmp_path / "other.csv").exists()


def test_export_without_a_known_format_is_refused(scores, tmp_path):
    with pytest.raises(
        UsageError, match=r"the suffix '\.xlsx' names no format\. Allowed are \.parquet, \.csv, \.jsonl"
    ):
        export(scores, tmp_path / "scores.xlsx")
    assert export(scores, tmp_path / "scores.txt", format="csv").format == "csv"
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match="is a folder; name a file"):
        export(scores, tmp_path / "folder.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written to"):
        export(scores, tmp_path / "file" / "scores.csv")


def test_export_tells_its_progress(scores, tmp_path):
    told = []
    export(scores, tmp_path / "scores.csv", progress=lambda *one: told.append(one))
    assert told == [("export", 1, 3), ("export", 2, 3), ("export", 3, 3)]


class ManyScores:
    """The same scorecard under many ids, without a disk."""

    def __init__(self, count):
        self.count = count
        self.card = json.dumps(card("a")).encode()

    def call_ids(self):
        return iter([f"call-{n:05}" for n in range(self.count)])

    def read(self, call_id, name):
        return self.card


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_export_memory_does_not_grow_with_the_calls(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(export_files, "_ROW_GROUP", 16)
    monkeypatch.setattr(exporting, "_AT_ONCE", 16)
    peaks = []
    for count in (16, 60, 300):  # the first one loads what is loaded once
        tracemalloc.start()
        assert export(ManyScores(count), tmp_path / f"scores.{suffix}").calls == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] * 2  # of five times the calls; what is read ahead comes and goes
    assert [path.name for path in tmp_path.iterdir()] == [f"scores.{suffix}"]
