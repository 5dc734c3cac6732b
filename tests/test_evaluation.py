"""`ridealong evaluate`, from folders to figures: scored calls, other systems' files, and what is told of the rest."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from pipeline import cli, resources
from pipeline.errors import ManifestError, UsageError
from pipeline.evaluation import evaluate_files
from pipeline.listen.manifest import read_manifest
from pipeline.score import score_calls

SAMPLES = resources.ROOT / "data" / "samples"
REFERENCES = SAMPLES / "reference"
CALLS = sorted(path.stem for path in REFERENCES.glob("*.rttm"))


@pytest.fixture
def other(tmp_path):
    """Another system's output: the references with a word wrong, a turn at the wrong person, and speech 0.3 s late."""
    folder = tmp_path / "other"
    shutil.copytree(REFERENCES, folder)
    for path in folder.glob("*.vtt"):
        text = path.read_text(encoding="utf-8")
        first, second = [line for line in text.splitlines() if line.startswith("<v ")][:2]
        wrong = second.replace(second.split(">")[0], first.split(">")[0]).replace(">", ">entirely ", 1)
        path.write_text(text.replace(second, wrong), encoding="utf-8")
    for path in folder.glob("*.rttm"):
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        late = [[*row[:3], f"{float(row[3]) + 0.3:.3f}", *row[4:]] for row in rows]
        path.write_text("".join(" ".join(row) + "\n" for row in late), encoding="utf-8")
    return folder


def test_evaluation_of_the_references_themselves_finds_no_errors():
    found = evaluate_files(REFERENCES, references=REFERENCES)
    assert [call.call_id for call in found.calls] == CALLS
    assert all(total.figure.value == ("accuracy" in name) for name, total in found.total.items())
    assert (found.without_reference, found.without_output, found.failed) == ((), (), ())
    assert found.total["wer"].figure.counts["words"] > 2000
    assert found.total["role_accuracy"].figure.counts["not_heard"] == 0


def test_evaluation_of_another_system_s_files(other):
    found = evaluate_files(other, references=REFERENCES)
    totals = {name: total.figure for name, total in found.total.items()}
    assert totals["wer"].counts["insertions"] == totals["wer"].part == len(CALLS)
    assert totals["cpwer"].part > totals["wer"].part
    assert totals["der"].value > 0.05 > totals["der_0.25"].value > 0
    assert totals["role_accuracy"].counts["wrong"] > 0
    assert found.total["wer"].low <= totals["wer"].value <= found.total["wer"].high


def test_evaluation_of_scored_transcripts(tmp_path):
    rows = [row for row in read_manifest(SAMPLES / "calls.csv").rows if row.transcript]
    score_calls(rows, out=tmp_path / "out")
    shutil.copy(rows[0].transcript, tmp_path / "hardware-demo.vtt")
    found = evaluate_files(tmp_path / "out", references=tmp_path, manifest=SAMPLES / "calls.csv")
    [call] = found.calls
    assert {name: figure.value for name, figure in call.figures.items() if "accuracy" in name or "wer" in name} == {
        "wer": 0, "cpwer": 0, "role_accuracy": 1, "side_accuracy": 1,
    }  # fmt: skip


def test_evaluation_takes_each_of_several_names_in_a_cell_for_itself(tmp_path):
    lines = [("Ann Lee", "rep"), ("Bob Ray", "rep"), ("Carl Roth", "customer")]
    for folder, column in (("references", 0), ("made", 1)):
        (tmp_path / folder).mkdir()
        cues = [f"00:0{n}.000 --> 00:0{n + 1}.000\n<v {line[column]}>Hello there.\n" for n, line in enumerate(lines)]
        (tmp_path / folder / "call.vtt").write_text("\n".join(["WEBVTT\n", *cues]), encoding="utf-8")
    (tmp_path / "calls.csv").write_text("call_id,transcript,rep,customer\ncall,call.vtt,Ann Lee; Bob Ray,Carl Roth\n")
    found = evaluate_files(tmp_path / "made", references=tmp_path / "references", manifest=tmp_path / "calls.csv")
    assert found.calls[0].figures["role_accuracy"].counts["right"] == 6


def test_evaluation_says_and_counts_what_has_no_partner_and_what_cannot_be_read(other, tmp_path):
    (other / f"{CALLS[0]}.vtt").unlink()
    (other / f"{CALLS[0]}.rttm").unlink()
    (other / "new-call.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\n<v Ann>Hello.\n", encoding="utf-8")
    (other / f"{CALLS[1]}.vtt").write_text("no transcript", encoding="utf-8")
    (other / f"{CALLS[2]}.rttm").unlink()
    results = tmp_path / "results.json"
    arguments = ["evaluate", str(other), "--references", str(REFERENCES), "--out", str(results)]
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 1
    told = " ".join(done.stderr.split())
    assert f"failed {CALLS[1]}: " in told and "not a WebVTT header" in told
    assert "1 without reference, and in no figure: new-call" in told
    assert f"1 without output, and in no figure: {CALLS[0]}" in told
    assert "there is no RTTM file. (1 of 5 calls: " in told
    assert "4 calls compared" in done.stdout and "too few calls" in done.stdout
    total = json.loads(results.read_text(encoding="utf-8"))["total"]
    assert (total["calls"], total["failed"]) == (4, 1)
    assert (total["without_reference"], total["without_output"]) == (["new-call"], [CALLS[0]])


def test_evaluation_json_is_a_line_a_call_and_the_total_without_any_words(other):
    done = CliRunner().invoke(cli.app, ["evaluate", str(other), "--references", str(REFERENCES), "--json"])
    assert done.exit_code == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("call_id") for line in lines] == [*CALLS, None]
    assert lines[-1]["total"] is True and lines[-1]["wer"]["calls"] == len(CALLS)
    assert set(lines[0]["der_0.25"]) == {"value", "missed", "false_alarm", "confusion", "speech"}
    assert "Good morning" not in done.stdout and "entirely" not in done.stdout


def test_evaluation_results_are_the_same_bytes_twice(other, tmp_path):
    for name in ("one", "two"):
        evaluate_files(other, references=REFERENCES, results=tmp_path / name / "results.json")
    assert (tmp_path / "one" / "results.json").read_bytes() == (tmp_path / "two" / "results.json").read_bytes()


def test_evaluation_stm_comes_before_other_transcripts(tmp_path):
    for folder, words in (("out", "hello frank"), ("references", "hello paul")):
        (tmp_path / folder).mkdir()
        text = "WEBVTT\n\n00:00.000 --> 00:01.000\n<v rep>Good evening.\n"
        (tmp_path / folder / "call.vtt").write_text(text, encoding="utf-8")
        (tmp_path / folder / "call.stm").write_text(f"call 1 rep 0 1 {words}\n", encoding="utf-8")
    found = evaluate_files(tmp_path / "out", references=tmp_path / "references")
    assert found.total["wer"].figure.counts["substitutions"] == 1


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "there is no such folder. Name the folder of the output files."),
        (
            [],
            "there is no output of any call in it. Allowed: a folder that `ridealong score --out` wrote, or file",
        ),
        (["other.vtt"], f"none of its 1 calls (the first is other) has a reference in {REFERENCES}, whose first is"),
    ],
)
def test_evaluation_folders_that_cannot_be_compared_are_refused(tmp_path, files, message):
    out = tmp_path / "out"
    if files is not None:
        out.mkdir()
        for name in files:
            (out / name).touch()
    with pytest.raises(UsageError) as told:
        evaluate_files(out, references=REFERENCES)
    assert message in str(told.value)


def test_evaluation_references_and_manifest_that_are_none_are_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no reference of any call in it"):
        evaluate_files(REFERENCES, references=tmp_path)
    (tmp_path / "calls.csv").write_text("call\nx\n", encoding="utf-8")
    with pytest.raises(ManifestError, match="the column 'recording' is missing"):
        evaluate_files(REFERENCES, references=REFERENCES, manifest=tmp_path / "calls.csv")
