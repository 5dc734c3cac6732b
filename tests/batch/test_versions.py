"""Versions: what of rules and rows changes what has to be done again, and what does not."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from pipeline.archive.recordings import Versions
from pipeline.batch.rows import default_dict, row_dict
from pipeline.batch.versions import Rule, Rules, needed, rules_of, versions_of
from pipeline.errors import CalibrationError, JudgeError, ListeningError, RubricError, UsageError
from pipeline.listen.call_rows import CallRow
from pipeline.records import CALL_TYPES
from pipeline.settings import ListenSettings, MediaLimits

FAKE = ListenSettings(engine="fake")
ROW = CallRow(
    None,
    "a",
    rep="Ann Lee",
    customers=("Bob", "Cy"),
    channels=(("rep",), ("customer",)),
    started_at="2026-03-09",
    team="East",
    details=(("team", "East"),),
)


@pytest.fixture(scope="module")
def rules():
    return rules_of(FAKE)


def needs(rules, before, after, files=(None, None), other=None):
    """What a recording with one row needs that was done with another."""
    old = versions_of(row_dict(before, **_keys(files[0])), rules, files[0])
    return needed(old, versions_of(row_dict(after, **_keys(files[1])), other or rules, files[1]))


def _keys(files):
    named = {"transcript" if key.endswith(".vtt") else "rttm": key for key in files or ()}
    return {"recording": "a.wav", **named}


def test_nothing_is_needed_for_what_was_done_with_the_same(rules):
    assert needs(rules, ROW, ROW) == (None, "")
    assert needed(Versions(), versions_of(default_dict("a.wav"), rules)) == ("listen", "new")


@pytest.mark.parametrize(
    ("change", "need"),
    [
        ({"speakers": (2, 2)}, "listen"),
        ({"channels": (("rep", "manager"), ("customer",))}, "listen"),
        ({"speakers": (3, 3)}, None),  # as many as are named
        ({"language": "de"}, "listen"),
        ({"customers": ("Bob", "Cy", "Dan")}, "listen"),  # both sides are named: so many speak
        ({"rep": "Ann Leigh"}, "assess"),
        ({"channels": (("customer",), ("rep",))}, "assess"),
        ({"call_type": "demo"}, "assess"),
        ({"started_at": "2026-03-10"}, "level"),
        ({"team": "West", "details": (("team", "West"),)}, "level"),
        ({"details": (("team", "East"), ("deal", "9"))}, "level"),
        ({"call_id": "b"}, None),
        ({"products": ("RouteWise",)}, None),
        ({"defaults": ("call_id was not given: 'a_' was made from the file's name",)}, None),
    ],
)
def test_what_a_changed_row_needs(rules, change, need):
    assert needs(rules, ROW, replace(ROW, **change)) == (need, "manifest changed" if need else "")


def test_an_engine_that_expects_names_hears_other_words_with_others(rules):
    whisper = replace(rules, hears_names=True)

    assert needs(whisper, ROW, replace(ROW, rep="Ann Leigh")) == ("listen", "manifest changed")
    assert needs(whisper, ROW, replace(ROW, products=("RouteWise",))) == ("listen", "manifest changed")
    assert needs(whisper, ROW, replace(ROW, started_at=None))[0] == "level"


@pytest.mark.parametrize("name", ["t/a.vtt", "a.rttm"])
def test_files_beside_the_recording(rules, name):
    with_file = {name: "etag-1"}

    assert needs(rules, ROW, ROW, (with_file, with_file)) == (None, "")
    assert needs(rules, ROW, ROW, (with_file, {name: "etag-2"})) == ("listen", "transcript or RTTM changed")
    assert needs(rules, ROW, ROW, (None, with_file))[0] == "listen"


def test_an_imported_transcript_needs_no_engine(rules):
    other = replace(rules, engine=Rule("f" * 16, "whisper"))
    values = default_dict("a.vtt")

    assert needed(versions_of(values, rules), versions_of(values, other)) == (None, "")
    assert needs(rules, ROW, ROW, ({"t.vtt": "1"}, {"t.vtt": "1"}), other) == (None, "")
    assert needs(rules, ROW, ROW, other=other) == ("listen", "engine changed")


def test_a_copy_under_another_name_has_the_same_versions(rules):
    one, other = default_dict("a.wav"), default_dict("x/a (1).wav", ("x/a (1).vtt",))

    assert one["defaults"] != other["defaults"]
    assert versions_of(one, rules) == versions_of(other, rules)


def test_rules_say_which_of_them_changed(rules):
    other_judge = replace(rules, judge=Rule("f" * 16, "llm"))
    other_rubric = replace(rules, rubrics=tuple((name, Rule("f" * 16, "x")) for name in CALL_TYPES))

    assert needs(rules, ROW, ROW, other=other_judge) == ("assess", "judge changed")
    assert needs(rules, ROW, ROW, other=other_rubric) == ("level", "rubric changed")
    assert len({one.plan for one in (rules, other_judge, other_rubric)}) == 3


def test_only_the_rubric_of_the_calls_type_counts(rules):
    other = replace(rules, rubrics=tuple((n, Rule("f" * 16, "x") if n == "demo" else r) for n, r in rules.rubrics))

    assert needs(rules, ROW, ROW, other=other) == (None, "")
    assert needs(rules, replace(ROW, call_type="demo"), replace(ROW, call_type="demo"), other=other)[0] == "level"


@pytest.mark.parametrize(
    ("settings", "is_same"),
    [
        ({"limits": MediaLimits(max_seconds=60)}, True),
        ({"threads": 1, "device": "cpu", "hub_token": "secret"}, True),
        ({"vocabulary": ("RouteWise",)}, True),  # the fake engine knows no names
        ({"speakers": (3, 4)}, False),
        ({"language": "de"}, False),
    ],
)
def test_settings_that_change_what_is_heard(rules, settings, is_same):
    other = rules_of(replace(FAKE, **settings))
    values = default_dict("a.wav")

    assert (versions_of(values, rules) == versions_of(values, other)) is is_same
    assert (rules.plan == other.plan) is is_same
    assert "secret" not in repr(other)


def test_fingerprints_are_the_same_in_every_process(rules):
    code = (
        "from pipeline.batch.versions import *; from pipeline.batch.rows import default_dict;"
        "from pipeline.settings import ListenSettings; r = rules_of(ListenSettings(engine='fake'));"
        "print(r.plan, versions_of(default_dict('a.wav'), r))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
        assert said.stdout.split(" ", 1) == [rules.plan, f"{versions_of(default_dict('a.wav'), rules)}\n"]


# --- what cannot be used --------------------------------------------------------------------------


def test_faults_of_the_request_are_told_before_anything_starts(tmp_path):
    with pytest.raises(UsageError, match=r"rubric 'discovery_cal' is not known\. Did you mean discovery_call"):
        rules_of(FAKE, rubric="discovery_cal")
    (tmp_path / "r.yaml").write_text("id: 1\n")
    with pytest.raises(RubricError):
        rules_of(FAKE, rubric=tmp_path / "r.yaml")
    with pytest.raises(CalibrationError, match="cannot be read"):
        rules_of(FAKE, calibration=tmp_path / "gone.json")
    with pytest.raises(JudgeError, match="cannot be read"):
        rules_of(FAKE, judge=tmp_path / "gone.yaml")


def calibration(tmp_path, rubric, classifier="fake 1"):
    from pipeline.assess.calibration import with_id

    content = {
        "rubric": {"id": rubric, "version": "2.0"},
        "classifier": classifier,
        "ratings": {"raters": ["a", "b"]},
        "behaviours": {"agenda": {"kept": True, "thresholds": [0.1, 0.2, 0.3], "held_out": None}},
    }
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(with_id(content)))
    return path


def test_a_calibration_for_one_type_of_call(rules, tmp_path):
    used = rules_of(FAKE, calibration=calibration(tmp_path, "discovery_call"))

    assert needs(rules, ROW, ROW, other=used) == ("level", "rubric changed")
    with pytest.raises(UsageError, match=r"made for the rubric discovery_call 2\.0, and this is demo 2\.0"):
        versions_of(row_dict(replace(ROW, call_type="demo"), recording="a.wav"), used)


def test_a_calibration_that_fits_nothing(tmp_path):
    with pytest.raises(UsageError, match=r"made for the rubric own 2\.0"):
        rules_of(FAKE, calibration=calibration(tmp_path, "own"))
    with pytest.raises(UsageError, match="made for the classifier other, and this one is fake 1"):
        rules_of(FAKE, calibration=calibration(tmp_path, "discovery_call", "other"))


@pytest.mark.slow
def test_models_are_loaded_in_a_process_of_their_own(tmp_path):
    with pytest.raises(ListeningError, match=r"gone: there is no such folder with a Whisper model"):
        rules_of(ListenSettings(engine="whisper", whisper_model=str(tmp_path / "gone")))
    judge = tmp_path / "judge.yaml"
    judge.write_text("kind: learned\nfolder: heads\n")
    with pytest.raises(UsageError, match="heads: no usable behaviours model"):
        rules_of(FAKE, judge=judge)


def test_a_process_that_dies_over_the_models_is_told(tmp_path, monkeypatch):
    code = "import os, sys\nif any('spawn_main' in one for one in sys.orig_argv):\n    os._exit(9)\n"
    (tmp_path / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ListeningError, match=r"died\. Most often the memory is too small"):
        rules_of(ListenSettings(engine="sphinx"))


@pytest.mark.slow
def test_the_embedded_engine_and_the_shipped_judge():
    loaded = "torch" in sys.modules
    rules = rules_of(ListenSettings(engine="sphinx"))

    assert rules.engine.words.startswith("sphinx: pocketsphinx en-us ")
    assert rules.judge.words.startswith("behaviours-")
    assert ("torch" in sys.modules) is loaded
    assert isinstance(rules, Rules)
