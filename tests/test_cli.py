"""The command line: exit status, messages without tracebacks, and the files that a run leaves."""

import csv
import json
import subprocess
import sys

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from pipeline import cli, resources
from pipeline.assess.rubric import rubric_for

SAMPLES = resources.ROOT / "data" / "samples"
FILES = {"call.json", "findings.json", "scorecard.json", "scorecard.html", "transcript.vtt", "speakers.rttm"}

VTT = """WEBVTT

00:00.000 --> 00:20.000
<v Tom Adeyemi>Ines, thanks for the time. You wrote that returns pile up, so today I would like to ask about
those, then show two screens and leave ten minutes for questions. Does that work, or is there anything you would add?

00:20.500 --> 00:25.000
<v Ines Roth>That works for me, thank you.
"""


def ridealong(*arguments):
    """(exit status, stdout, stderr) of the command, run as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def calls(tmp_path):
    """A folder with one good transcript, one broken one and their manifest."""
    folder = tmp_path / "calls"
    folder.mkdir()
    (folder / "good.vtt").write_text(VTT, encoding="utf-8")
    (folder / "bad.vtt").write_text("no header here", encoding="utf-8")
    (folder / "calls.csv").write_text(
        "call_id,transcript,recording,call_type,rep,customer,region\n"
        "bad,bad.vtt,,discovery,Tom Adeyemi,Ines Roth,north\n"
        "good,good.vtt,,discovery,Tom Adeyemi,Ines Roth,=1+1\n",
        encoding="utf-8",
    )
    return folder


def test_cli_help_loads_nothing_heavy():
    code = (
        "import pipeline.cli, sys; print(sorted({'torch','numpy','spacy','prefect','av','jinja2'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_cli_every_command_has_help_and_is_documented():
    documented = (resources.ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for command in cli.app.registered_commands:
        name = command.name or command.callback.__name__
        assert command.callback.__doc__
        assert f"## `ridealong {name}`" in documented
        assert CliRunner().invoke(cli.app, [name, "--help"]).exit_code == 0


def test_cli_reference_is_up_to_date(tmp_path):
    made = tmp_path / "cli.md"
    command = [
        sys.executable,
        "-m",
        "typer",
        "pipeline.cli",
        "utils",
        "docs",
        "--name",
        "ridealong",
        "--output",
        str(made),
    ]
    subprocess.run(command, cwd=resources.ROOT, check=True, capture_output=True)
    assert made.read_text(encoding="utf-8") == (resources.ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def test_cli_one_bad_call_leaves_the_others_unharmed(calls, tmp_path):
    out = tmp_path / "out"
    status, stdout, stderr = ridealong("score", calls, "--manifest", calls / "calls.csv", "--out", out)
    assert status == 1
    assert "1 of 2 calls failed" in stderr
    assert f"Open {out / 'index.html'}" in stdout
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "./calls/good/scorecard.html" in index
    assert "bad" in index
    assert {path.name for path in (out / "calls" / "good").iterdir()} == FILES
    assert not (out / "calls" / "bad").exists()
    [failure] = csv.DictReader((out / "failures.csv").open(encoding="utf-8"))
    assert failure["call_id"] == "bad"
    assert "WEBVTT" in failure["reason"]
    card = json.loads((out / "calls" / "good" / "scorecard.json").read_text(encoding="utf-8"))
    Draft202012Validator(json.loads(resources.scorecard_schema().read_text())).validate(card)
    assert card["details"]["region"] == "=1+1"


def test_cli_a_retry_of_the_mended_call_clears_the_failure(calls, tmp_path):
    out = tmp_path / "out"
    (calls / "bad.vtt").write_text(VTT, encoding="utf-8")
    (out / "calls").mkdir(parents=True)
    (out / "failures.csv").write_text("call_id,source,reason\nbad,x,y\n")
    status, _, _ = ridealong("score", calls / "bad.vtt", "--manifest", calls / "calls.csv", "--out", out)
    assert status == 0
    assert not (out / "failures.csv").exists()
    assert (out / "calls" / "bad" / "scorecard.json").is_file()


def test_cli_a_missing_source_fails_on_its_own(calls, tmp_path):
    out = tmp_path / "out"
    status, _, stderr = ridealong("score", calls / "good.vtt", calls / "gone.wav", "--out", out)
    assert status == 1
    assert "gone.wav:thereisnosuchfile" in "".join(stderr.split())  # a long path is wrapped anywhere
    assert (out / "calls" / "good" / "scorecard.json").is_file()


def test_cli_summary_for_machines(calls, tmp_path):
    status, stdout, _ = ridealong("score", calls / "good.vtt", "--out", tmp_path / "out", "--json")
    [line] = stdout.splitlines()
    assert status == 0
    assert json.loads(line)["call_id"] == "good"
    assert list(json.loads(line)["levels"]) == [one.name for one in rubric_for("discovery").behaviours]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.wav", "--out", "{out}"], "missing.wav"),
        (["{calls}", "--out", "{out}", "--manifest", "{calls}/none.csv"], "does not exist"),
        (["{calls}", "--out", "{out}", "--rubric", "dmo"], "Did you mean demo"),
        (["{calls}", "--out", "{calls}/good.vtt"], "cannot be written to"),
        (["{calls}", "--out", "{out}", "--engine", "parrot"], "parrot"),
        (["{calls}"], "--out"),
    ],
)
def test_cli_wrong_usage_exits_2_and_says_why(calls, tmp_path, arguments, said):
    filled = [text.format(calls=calls, out=tmp_path / "out") for text in arguments]
    status, stdout, stderr = ridealong("score", *filled)
    assert status == 2
    assert said in stderr
    assert stdout == ""


def test_cli_a_broken_rubric_is_refused_before_any_call(calls, tmp_path):
    (tmp_path / "r.yaml").write_text("id: X\n", encoding="utf-8")
    status, _, stderr = ridealong("score", calls, "--out", tmp_path / "out", "--rubric", tmp_path / "r.yaml")
    assert status == 2
    assert "5 faults" in stderr
    assert not (tmp_path / "out").exists()


def test_cli_training_on_an_encoder_that_is_not_there_is_refused(tmp_path):
    status, _, stderr = ridealong("train", "--encoder", tmp_path / "none", "--out", tmp_path / "out")
    assert status == 2
    assert "there is no such encoder folder" in " ".join(stderr.split())
    assert not (tmp_path / "out").exists()
