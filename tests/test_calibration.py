"""`ridealong calibrate`, from files to files: the same bytes twice, known severities, and scoring with the result."""

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline import cli, resources
from pipeline.assess.behaviours import load_classifier
from pipeline.calibration import calibrate_files
from pipeline.errors import CalibrationError, RatingsError, UsageError
from pipeline.listen.manifest import default_row
from pipeline.score import score_call, score_calls
from tests.calibrate.made_scores import machine_of_levels, write_ratings, write_scores
from tests.calibrate.panels import SEVERITIES, panel

SAMPLE = resources.ROOT / "data" / "samples" / "hardware-demo.vtt"
FILES = {"calibration.json", "calibration.html"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """ratings.csv of six raters with known severities, and the scorecards of a machine that leans high."""
    place = tmp_path_factory.mktemp("panel")
    rows, fair = panel(SEVERITIES)
    write_ratings(place / "ratings.csv", rows)
    write_scores(place / "out", machine_of_levels(fair, lean=0.8, noise=0.5), classifier=load_classifier().version)
    calibrate_files(place / "ratings.csv", scores=place / "out", out=place / "made")
    return place


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_calibrate_recovers_the_severities_of_a_known_panel(folder):
    raters = read(folder / "made" / "calibration.json")["ratings"]["raters"]
    found = np.array([one["severity"]["value"] for one in raters])
    true = np.array([SEVERITIES[one["rater"]] for one in raters])
    assert abs(found - true).max() < 0.12
    assert np.corrcoef(found, true)[0, 1] > 0.99


def test_calibrate_a_second_run_gives_the_same_bytes(folder, tmp_path):
    elsewhere = tmp_path / "other place"
    shutil.copytree(folder / "out", elsewhere / "scored")
    shutil.copy(folder / "ratings.csv", elsewhere / "ratings.csv")
    calibrate_files(elsewhere / "ratings.csv", scores=elsewhere / "scored", out=elsewhere / "made")
    assert {path.name for path in (elsewhere / "made").iterdir()} == FILES
    for name in FILES:
        assert (elsewhere / "made" / name).read_bytes() == (folder / "made" / name).read_bytes()


def test_calibrate_fits_a_machine_that_leans_high_and_scoring_takes_it(folder):
    used = folder / "made" / "calibration.json"
    behaviours = read(used)["behaviours"]
    kept = {name: one["thresholds"] for name, one in behaviours.items() if one["kept"]}
    assert len(kept) >= 3
    assert all(max(one) > 0.5 for one in kept.values())
    card = score_call(SAMPLE, rubric="discovery_call", calibration=used)
    assert dict(card.provenance)["calibration"] == {"id": read(used)["id"], "file": "calibration.json"}


def test_calibration_for_another_rubric_is_refused_before_any_call(folder, tmp_path):
    with pytest.raises(UsageError, match=r"made for the rubric discovery_call \S+, and this is demo"):
        score_calls(
            [default_row(SAMPLE)], out=tmp_path, rubric="demo", calibration=folder / "made" / "calibration.json"
        )
    assert not list(tmp_path.iterdir())


def test_calibration_for_another_classifier_is_refused_before_any_call(tmp_path):
    rows, fair = panel({"Ana": -0.2, "Ben": 0.2}, 10)
    scores = write_scores(tmp_path / "out", machine_of_levels(fair))
    calibrate_files(write_ratings(tmp_path / "r.csv", rows), scores=scores, out=tmp_path / "made")
    with pytest.raises(UsageError, match="made for the classifier behaviours-0123456789ab"):
        score_call(SAMPLE, rubric="discovery_call", calibration=tmp_path / "made" / "calibration.json")


def test_calibrate_raters_alone_writes_a_page_and_no_calibration(tmp_path):
    rows, _ = panel({"Ana": -0.2, "Ben": 0.2}, 10)
    found = calibrate_files(write_ratings(tmp_path / "r.csv", rows), out=tmp_path / "made")
    assert found.machine is None
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["calibration.html"]


def test_calibrate_with_faults_writes_nothing(folder, tmp_path):
    (tmp_path / "r.csv").write_text("call_id,rater,behaviour,level\nnobody,Ana,agenda,2\nc001,,agenda,5\n")
    with pytest.raises(RatingsError) as caught:
        calibrate_files(tmp_path / "r.csv", scores=folder / "out", out=tmp_path / "made")
    assert len(caught.value.faults) == 3
    assert not (tmp_path / "made").exists()


def test_calibrate_says_which_scorecard_is_broken(folder, tmp_path):
    for name, text in (("a", "{"), ("b", "[]")):
        (tmp_path / "out" / "calls" / name).mkdir(parents=True)
        (tmp_path / "out" / "calls" / name / "scorecard.json").write_text(text)
    with pytest.raises(CalibrationError) as caught:
        calibrate_files(folder / "ratings.csv", scores=tmp_path / "out", out=tmp_path / "made")
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "calls/a/scorecard.json",
        "calls/b/scorecard.json",
    ]


def test_calibrate_says_that_a_folder_is_not_there(folder, tmp_path):
    with pytest.raises(CalibrationError, match="there is no such folder"):
        calibrate_files(folder / "ratings.csv", scores=tmp_path / "none", out=tmp_path / "made")


def test_calibrate_asks_for_a_rubric_that_is_not_shipped(tmp_path):
    rows, fair = panel({"Ana": 0.0, "Ben": 0.0}, 2)
    scores = write_scores(tmp_path / "out", machine_of_levels(fair))
    for file in scores.glob("calls/*/scorecard.json"):
        file.write_text(file.read_text().replace('"id": "discovery_call"', '"id": "ours"'))
    with pytest.raises(
        UsageError, match=r"rubric ours, which is none of the shipped ones\. Name its file with --rubric"
    ):
        calibrate_files(write_ratings(tmp_path / "r.csv", rows), scores=scores, out=tmp_path / "made")


def test_calibrate_refuses_scorecards_of_another_version_of_the_rubric(folder, tmp_path):
    rows, fair = panel({"Ana": 0.0, "Ben": 0.0}, 2)
    scores = write_scores(tmp_path / "out", machine_of_levels(fair), version="0.9")
    with pytest.raises(CalibrationError, match=r"discovery_call 0\.9, and the rubric given is of version \d"):
        calibrate_files(write_ratings(tmp_path / "r.csv", rows), scores=scores, out=tmp_path / "made")


def test_calibrate_wants_a_share_as_target(folder, tmp_path):
    with pytest.raises(
        UsageError, match=r"--target-error 5: a share of the given levels is wanted, from 0\.005 to 0\.5"
    ):
        calibrate_files(folder / "ratings.csv", out=tmp_path, target_error=5)


def test_calibrate_command_prints_a_table_and_lines_for_machines(folder, tmp_path):
    arguments = ["calibrate", str(folder / "ratings.csv"), "--scores", str(folder / "out"), "--out", str(tmp_path)]
    done = CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    for words in ("value_proposition", "two raters", "levels stricter", "2,400 ratings of 80 calls by 6 raters"):
        assert words in done.output
    assert f"Open {tmp_path / 'calibration.html'}" in done.output
    lines = [json.loads(line) for line in CliRunner().invoke(cli.app, [*arguments, "--json"]).stdout.splitlines()]
    assert lines[0]["behaviour"] == "agenda"
    assert {one["rater"] for one in lines if "rater" in one} == set(SEVERITIES)
