"""One call through the whole road: the same bytes twice, verbatim quotes, nothing guessed silently."""

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from pipeline import resources
from pipeline.assess.rubric import load_rubric
from pipeline.assess.scorecard import to_dict
from pipeline.errors import MediaError, TranscriptError, UsageError
from pipeline.listen.captions import read_transcript
from pipeline.listen.manifest import default_row, read_manifest
from pipeline.score import score_call, score_calls
from pipeline.settings import ListenSettings

SAMPLES = resources.ROOT / "data" / "samples"
VTT = SAMPLES / "hardware-demo.vtt"
SCHEMA = json.loads(resources.scorecard_schema().read_text(encoding="utf-8"))


def row(call_id):
    return next(one for one in read_manifest(SAMPLES / "calls.csv").rows if one.call_id == call_id)


def from_transcript(call_id):
    return replace(row(call_id), recording=None, transcript=SAMPLES / "reference" / f"{call_id}.vtt")


def test_score_gives_the_same_bytes_twice(tmp_path):
    score_call(VTT, out=tmp_path / "a")
    score_call(VTT, out=tmp_path / "b")
    for name in ("call.json", "findings.json", "scorecard.json", "scorecard.html", "transcript.vtt", "speakers.rttm"):
        first, second = (tmp_path / one / "calls" / "hardware-demo" / name for one in "ab")
        assert first.read_bytes() == second.read_bytes()


def test_score_quotes_are_verbatim_and_said_by_the_right_side():
    cited = 0
    for call_id in ("plant-joint", "clinics-demo", "routes-discovery"):
        one = from_transcript(call_id)
        turns = read_transcript(one.transcript).turns
        card = to_dict(score_call(one))
        Draft202012Validator(SCHEMA).validate(card)
        for name, behaviour in card["behaviours"].items():
            for evidence in behaviour["evidence"]:
                cited += 1
                turn = turns[evidence["turn"]]
                assert evidence["quote"] in turn.text
                assert (evidence["speaker"], evidence["start"], evidence["end"]) == (turn.speaker, turn.start, turn.end)
                if evidence["role"] == "customer":
                    assert set(evidence["criteria"]) <= {"agreement", "commitment"}, (call_id, name)
            assert (behaviour["level"] or 0) == 0 or behaviour["evidence"]
    assert cited > 10


def test_score_each_cue_stays_one_turn():
    card = score_call(VTT)
    assert [turn.text for turn in card.call.turns] == [turn.text for turn in read_transcript(VTT).turns]


def test_score_what_was_assumed_is_said():
    warnings = " ".join(to_dict(score_call(VTT))["quality"]["warnings"])
    assert "call_type was not given: taken as discovery" in warnings
    assert "from what is said" in warnings


def test_score_roles_are_told_from_what_is_said():
    roles = {one.name: one.role for one in score_call(VTT).call.participants}
    assert roles == {"Brian Adams": "rep", "Nicole Reed": "customer"}


def test_score_without_a_seller_everything_is_withheld(tmp_path):
    path = tmp_path / "chat.json"
    said = "Nice weather today, is it not. We went to the lake on Sunday with the dogs and it was lovely there. "
    turns = [{"speaker": f"Guest {n % 2}", "start": 10 * n, "end": 10 * n + 9, "text": said} for n in range(6)]
    path.write_text(json.dumps(turns), encoding="utf-8")
    card = to_dict(score_call(path))
    assert {one["role"] for one in card["participants"]} == {"unknown"}
    assert all("not known who sells" in one["withheld"] for one in card["behaviours"].values())
    assert card["joint"]["takeover"] is None


def test_score_takeover_is_found_in_the_joint_sample():
    labels = json.loads((SAMPLES / "labels.json").read_text(encoding="utf-8"))["plant-joint"]["takeover"]
    joint = score_call(from_transcript("plant-joint")).joint
    assert joint.takeover is True
    assert joint.began_at == pytest.approx(labels["began_at"], abs=10)
    assert joint.began_turn == labels["began_turn"]


def test_score_a_recording_with_a_transcript_is_not_listened_to(tmp_path):
    one = replace(row("hotel-demo"), transcript=SAMPLES / "reference" / "hotel-demo.vtt")
    card = score_call(one, out=tmp_path)
    assert card.call.quality.engine.startswith("imported transcript")
    assert (tmp_path / "calls" / "hotel-demo" / "audio.mp3").stat().st_size > 10_000


def test_score_rubric_of_another_kind_is_taken_and_said():
    card = score_call(VTT, rubric="joint_call")
    assert card.rubric_id == "joint_call"
    assert any("meant for joint" in warning for warning in card.warnings)
    assert score_call(VTT, rubric=load_rubric("demo")).rubric_id == "demo"


def test_score_names_in_any_script_and_hostile_text_do_no_harm(tmp_path):
    path = tmp_path / "отдел продаж 営業.vtt"
    path.write_text(
        "WEBVTT\n\n00:00.000 --> 00:09.000\n<v Олена Коваль>" + "We would like to show it today. " * 8 + "\n\n"
        "00:09.000 --> 00:12.000\n<v 山田 <太郎>>&lt;script&gt;alert(1)&lt;/script&gt; はい\n",
        encoding="utf-8",
    )
    score_call(path, out=tmp_path / "out")
    [folder] = (tmp_path / "out" / "calls").iterdir()
    page = (folder / "scorecard.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "Олена Коваль" in page


def test_score_one_bad_call_is_recorded_and_the_rest_go_on(tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    outcomes = score_calls([default_row(tmp_path / "bad.wav"), default_row(VTT)], out=tmp_path / "out")
    assert [outcome.error is None for outcome in outcomes] == [False, True]
    assert "bad.wav" in outcomes[0].error


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.wav", None, MediaError),
        ("a.wav", b"", MediaError),
        ("a.vtt", b"", TranscriptError),
        ("a.vtt", None, TranscriptError),
    ],
)
def test_score_bad_input_is_an_error_that_names_the_file(tmp_path, name, content, error):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=name):
        score_call(path, settings=ListenSettings(engine="sphinx"))


def test_score_unknown_rubric_is_wrong_usage():
    with pytest.raises(UsageError, match="Did you mean demo"):
        score_call(VTT, rubric="demos")
