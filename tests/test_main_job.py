"""The main job on the samples, as the README's first command runs it.

The recordings are listened to with the embedded engine (fixture `scored`); the levels are compared with the labels in
labels.json.
"""

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from pipeline import resources
from pipeline.assess.rubric import rubric_for
from pipeline.listen.manifest import read_manifest
from pipeline.listen.rttm import read_rttm
from pipeline.score import score_call

SAMPLES = resources.ROOT / "data" / "samples"
LABELS = json.loads((SAMPLES / "labels.json").read_text(encoding="utf-8"))
ROWS = read_manifest(SAMPLES / "calls.csv").rows

pytestmark = pytest.mark.slow


def card_of(scored, call_id):
    return json.loads((scored / call_id / "scorecard.json").read_text(encoding="utf-8"))


def within_one(levels):
    """Share of behaviour-call pairs within one level of the label; a withheld level agrees with nothing."""
    pairs = [(levels[call][name], label) for call in levels for name, label in LABELS[call]["levels"].items()]
    return sum(level is not None and abs(level - label) <= 1 for level, label in pairs) / len(pairs)


def test_main_job_writes_a_valid_scorecard_for_each_sample(scored):
    validator = Draft202012Validator(json.loads(resources.scorecard_schema().read_text(encoding="utf-8")))
    assert {path.name for path in scored.iterdir()} == {row.call_id for row in ROWS}
    for row in ROWS:
        card = card_of(scored, row.call_id)
        validator.validate(card)
        files = {path.name for path in (scored / row.call_id).iterdir()}
        assert files >= {"call.json", "findings.json", "scorecard.json", "scorecard.html", "transcript.vtt"}
        assert "speakers.rttm" in files
        assert ("audio.mp3" in files) == (row.recording is not None)
        assert card["details"]["opportunity"].startswith("OPP-")
        assert card["quality"]["engine"] == ("sphinx" if row.recording else "imported transcript (vtt)")
        assert list(card["behaviours"]) == [one.name for one in rubric_for(row.call_type).behaviours]


def test_main_job_roles_are_the_manifests(scored):
    for row in ROWS:
        roles = {one["role"]: one["name"] for one in card_of(scored, row.call_id)["participants"]}
        assert roles["rep"] == row.rep
        assert roles["customer"] == ", ".join(row.customers)


def test_main_job_levels_from_audio_agree_with_the_labels(scored):
    cards = {row.call_id: card_of(scored, row.call_id)["behaviours"] for row in ROWS if row.recording}
    levels = {call: {name: one["level"] for name, one in found.items()} for call, found in cards.items()}
    assert within_one(levels) >= 0.80


def test_main_job_levels_from_transcripts_agree_with_the_labels():
    levels = {}
    for row in ROWS:
        transcript = row.transcript or SAMPLES / "reference" / f"{row.call_id}.vtt"
        card = score_call(replace(row, recording=None, transcript=transcript))
        levels[row.call_id] = {one.behaviour: one.level for one in card.behaviours}
    assert within_one(levels) >= 0.90


def test_main_job_finds_the_takeover_within_ten_seconds(scored):
    found = {row.call_id: card_of(scored, row.call_id)["joint"] for row in ROWS}
    for call_id, joint in found.items():
        label = LABELS[call_id].get("takeover")
        assert joint["takeover"] == (label["takeover"] if label else None)
        if label and label["takeover"]:
            assert joint["began_at"] == pytest.approx(label["began_at"], abs=10)


def test_main_job_talk_shares_are_near_the_references(scored):
    for row in ROWS:
        if row.recording is None:
            continue
        spoken = {}
        for segment in read_rttm(SAMPLES / "reference" / f"{row.call_id}.rttm"):
            spoken[segment.speaker] = spoken.get(segment.speaker, 0.0) + segment.end - segment.start
        seller = 1 - spoken["customer"] / sum(spoken.values())
        heard = card_of(scored, row.call_id)["talk"]["by_side"]["seller"]["talk_share"]
        assert heard == pytest.approx(seller, abs=0.04), row.call_id
