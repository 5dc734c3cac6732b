"""data/samples: the files are what the manifest says they are, and agree with the scripts they were made from."""

import csv
import json
import re
from datetime import datetime
from pathlib import Path

import av
import pytest
import yaml

from pipeline.records import BEHAVIOURS, CALL_TYPES, CRITERIA

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"
SCRIPTS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in SAMPLES.glob("scripts/*.yaml")}
RECORDED = sorted(name for name, script in SCRIPTS.items() if script["recording"])
LABELS = json.loads((SAMPLES / "labels.json").read_text(encoding="utf-8"))
FORMATS = {
    ".wav": ("pcm_mulaw", 8000),
    ".mp3": ("mp3float", 22050),
    ".m4a": ("aac", 32000),
    ".ogg": ("opus", 48000),
    ".flac": ("flac", 16000),
    ".webm": ("opus", 48000),
}


def manifest() -> dict[str, dict[str, str]]:
    with (SAMPLES / "calls.csv").open(newline="", encoding="utf-8") as file:
        return {row["call_id"]: row for row in csv.DictReader(file)}


def cues(name: str) -> list[tuple[float, float, str, str]]:
    folder = SAMPLES / "reference" if SCRIPTS[name]["recording"] else SAMPLES
    text = (folder / f"{name}.vtt").read_text(encoding="utf-8")
    assert text.startswith("WEBVTT\n\n")
    found = re.findall(r"^(\S+) --> (\S+)\n<v ([^>]+)>(.+)$", text, re.MULTILINE)
    assert len(found) == text.count("-->")
    return [(seconds(start), seconds(end), name, said) for start, end, name, said in found]


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def names(script: dict) -> dict[str, str]:
    return {one["role"]: one["name"] for one in script["participants"]}


def level_shown(behaviour: str, criteria: set[str]) -> int:
    """The level that the assessment standard gives for these criteria; any attempt at all is 1."""
    excellent = set(CRITERIA[behaviour])
    if behaviour == "agenda":
        excellent = {"purpose", "plan", "agreement"} | (criteria & {"outcome", "tailored"} or {"outcome"})
        good = "agreement" in criteria and bool(criteria & {"purpose", "plan"})
    elif behaviour == "client_story":
        good = "client" in criteria and all(
            criteria & pair for pair in ({"situation", "change"}, {"result", "relevance"})
        )
    elif behaviour == "differentiation":
        good = criteria >= {"contrast", "benefit"}
    elif behaviour == "value_proposition":
        good = criteria >= {"problem", "outcome", "relevance"}
    else:
        excellent = {"action", "owner", "when", "commitment"}
        good = criteria >= {"action", "when"} or criteria >= {"action", "owner", "commitment"}
    return 3 if criteria >= excellent else 2 if good else 1 if criteria else 0


def test_six_recordings_and_one_transcript_in_all_formats_under_12_mb():
    endings = {Path(SCRIPTS[name]["recording"]["file"]).suffix for name in RECORDED}
    assert (len(SCRIPTS), len(RECORDED)) == (7, 6)
    assert endings == set(FORMATS)
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 12_000_000


@pytest.mark.parametrize("name", RECORDED)
def test_recording_has_the_stated_format_and_lasts_as_long_as_its_turns(name):
    script = SCRIPTS[name]
    path = SAMPLES / script["recording"]["file"]
    codec, rate = FORMATS[path.suffix]
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name.startswith(codec.removesuffix("float"))
        assert (stream.rate, stream.channels) == (rate, len(script["participants"]))
        decoded = sum(frame.samples for frame in container.decode(stream)) / stream.rate
    last = max(end for _, end, _, _ in cues(name))
    assert 120 <= decoded <= 360
    assert last < decoded < last + 1.5


def test_manifest_has_the_documented_columns_and_one_row_a_script():
    with (SAMPLES / "calls.csv").open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    assert header[:7] == ["recording", "call_id", "call_type", "started_at", "team", "rep", "manager"]
    assert header[7:] == ["customer", "channels", "transcript", "opportunity"]
    assert list(manifest()) == sorted(SCRIPTS)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_manifest_row_agrees_with_the_script(name):
    script, row = SCRIPTS[name], manifest()[name]
    assert script["call_id"] == name
    assert row["call_type"] == script["call_type"] in CALL_TYPES
    assert datetime.fromisoformat(row["started_at"]).utcoffset() is not None
    assert {role: row[role] for role in ("rep", "manager", "customer") if row[role]} == names(script)
    assert row["opportunity"] and row["team"]
    if script["recording"]:
        by_channel = {one["channel"]: one["role"] for one in script["participants"]}
        assert row["channels"].split(",") == [by_channel[number + 1] for number in range(len(by_channel))]
        assert (row["recording"], row["transcript"]) == (script["recording"]["file"], "")
    else:
        assert (row["recording"], row["channels"], row["transcript"]) == ("", "", f"{name}.vtt")


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_transcript_has_one_timed_cue_a_turn_in_the_script_s_words(name):
    script = SCRIPTS[name]
    spoken = [(names(script)[turn["speaker"]], turn["text"].strip()) for turn in script["turns"]]
    timed = cues(name)
    assert [(speaker, said) for _, _, speaker, said in timed] == spoken
    assert [start for start, _, _, _ in timed] == sorted(start for start, _, _, _ in timed)
    assert all(start < end for start, end, _, _ in timed)


@pytest.mark.parametrize("name", RECORDED)
def test_rttm_has_the_transcript_s_times_and_the_script_s_channels(name):
    script = SCRIPTS[name]
    channels = {one["role"]: str(one["channel"]) for one in script["participants"]}
    rows = [line.split() for line in (SAMPLES / "reference" / f"{name}.rttm").read_text().splitlines()]
    assert len(rows) == len(script["turns"])
    for row, turn, (start, end, _, _) in zip(rows, script["turns"], cues(name), strict=True):
        role = turn["speaker"]
        assert row[:3] + row[5:] == ["SPEAKER", name, channels[role], "<NA>", "<NA>", role, "<NA>", "<NA>"]
        assert (float(row[3]), float(row[3]) + float(row[4])) == pytest.approx((start, end), abs=0.002)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_labels_are_the_script_s_and_every_level_has_a_reason(name):
    script, label = SCRIPTS[name], LABELS[name]
    assert (label["call_type"], label["levels"]) == (script["call_type"], script["levels"])
    assert set(label["levels"]) == set(label["reasons"]) == set(BEHAVIOURS)
    assert all(reason.strip() for reason in label["reasons"].values())


def test_each_behaviour_is_seen_at_each_level():
    for behaviour in BEHAVIOURS:
        assert {label["levels"][behaviour] for label in LABELS.values()} == {0, 1, 2, 3}, behaviour


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_call_s_levels_follow_from_its_turn_labels_by_the_standard(name):
    script = SCRIPTS[name]
    shown: dict[str, set[str]] = {behaviour: set() for behaviour in BEHAVIOURS}
    for turn in script["turns"]:
        for one in turn.get("labels", []):
            behaviour, criterion = one.split(".")
            assert criterion in (*CRITERIA[behaviour], "weak")
            shown[behaviour].add(criterion)
    assert {behaviour: level_shown(behaviour, criteria) for behaviour, criteria in shown.items()} == script["levels"]


def test_manager_takes_over_once_and_the_rep_does_not_get_the_conversation_back():
    (name,) = [name for name, label in LABELS.items() if label["takeover"]]
    script, takeover = SCRIPTS[name], LABELS[name]["takeover"]
    began = takeover["began_turn"]
    assert (script["call_type"], takeover["takeover"]) == ("joint", True)
    assert script["turns"][began]["speaker"] == "manager"
    assert takeover["began_at"] == pytest.approx(cues(name)[began][0], abs=0.001)

    def words(role: str, turns: list[dict]) -> int:
        return sum(len(turn["text"].split()) for turn in turns if turn["speaker"] == role)

    before, after = script["turns"][:began], script["turns"][began:]
    assert words("rep", before) > 5 * words("manager", before)
    assert words("manager", after) > 20 * words("rep", after)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_nobody_overlaps_with_themselves_and_words_of_assent_fall_into_the_other_s_turn(name):
    overlaps = 0
    last_end: dict[str, float] = {}
    floor = 0.0
    for start, end, speaker, _ in cues(name):
        assert start >= last_end.get(speaker, 0.0)
        overlaps += start < floor
        last_end[speaker], floor = end, max(floor, end)
    assert (overlaps > 0) == (name in RECORDED)
