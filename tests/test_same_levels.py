"""One call in three forms gives one scorecard: its stereo recording, its mono mix with an RTTM file, its transcript."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from pipeline import resources
from pipeline.assess.scorecard import to_json
from pipeline.listen.manifest import CallRow, read_manifest
from pipeline.listen.media import decode
from pipeline.listen.sphinx import SphinxTranscriber
from pipeline.score import score_call
from tests.listen.made_recordings import mixed, write_wav

SAMPLES = resources.ROOT / "data" / "samples"
ROWS = {row.call_id: row for row in read_manifest(SAMPLES / "calls.csv").rows}
CALLS = ("bakery-discovery", "plant-joint")  # the shortest, and the one with a takeover
MOST_WITHHELD = 1  # behaviours of a form

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Forms:
    """The scorecards of one call as their JSON: by channels, by an RTTM file on the mono mix, and by its transcript."""

    call_id: str
    stereo: dict[str, Any]
    mono: dict[str, Any]
    transcript: dict[str, Any]

    def __iter__(self):
        return iter((self.stereo, self.mono, self.transcript))


@pytest.fixture(scope="module", params=CALLS)
def forms(request: pytest.FixtureRequest, scored: Path, tmp_path_factory: pytest.TempPathFactory) -> Forms:
    row = ROWS[request.param]
    stereo = json.loads((scored / row.call_id / "scorecard.json").read_text(encoding="utf-8"))
    engine = SphinxTranscriber()
    mono = to_json(score_call(mono_row(row, tmp_path_factory.mktemp(row.call_id)), transcriber=engine))
    engine.close()
    words = replace(row, recording=None, channels=(), transcript=SAMPLES / "reference" / f"{row.call_id}.vtt")
    return Forms(row.call_id, stereo, json.loads(mono), json.loads(to_json(score_call(words))))


def mono_row(row: CallRow, folder: Path) -> CallRow:
    """The row of a manifest in the folder, which names the call's mono mix and who speaks when in it."""
    write_wav(folder / "mono.wav", mixed(decode(row.recording).samples))
    shutil.copy(SAMPLES / "reference" / f"{row.call_id}.rttm", folder / "speakers.rttm")
    with (SAMPLES / "calls.csv").open(newline="", encoding="utf-8") as file:
        given = next(one for one in csv.DictReader(file) if one["call_id"] == row.call_id)
    given |= {"recording": "mono.wav", "rttm": "speakers.rttm", "channels": ""}
    with (folder / "calls.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(given))
        writer.writeheader()
        writer.writerow(given)
    return read_manifest(folder / "calls.csv").rows[0]


def levels(card: dict[str, Any]) -> dict[str, int | None]:
    return {name: one["level"] for name, one in card["behaviours"].items()}


def test_same_call_in_three_forms_is_listened_to_in_three_ways(forms: Forms) -> None:
    ways = [card["quality"]["diarization"] for card in forms]
    assert ways == ["channels", "RTTM file speakers.rttm", "transcript"]
    assert [card["quality"]["diarization_trust"] for card in forms] == ["high"] * 3


def test_same_call_in_three_forms_has_levels_within_one(forms: Forms) -> None:
    for card in forms:
        assert list(levels(card).values()).count(None) <= MOST_WITHHELD, levels(card)
    for one, other in combinations(map(levels, forms), 2):
        assert one.keys() == other.keys()
        apart = {name: (one[name], other[name]) for name in one if None not in (one[name], other[name])}
        assert all(abs(a - b) <= 1 for a, b in apart.values()), apart


def test_same_call_in_three_forms_has_the_same_people(forms: Forms) -> None:
    people = [{one["role"]: one["name"] for one in card["participants"]} for card in forms]
    assert people[0] == people[1] == people[2]
    assert len(people[0]) == (3 if forms.call_id == "plant-joint" else 2)


def test_same_call_in_three_forms_has_the_same_takeover(forms: Forms) -> None:
    labels = json.loads((SAMPLES / "labels.json").read_text(encoding="utf-8"))
    label = labels[forms.call_id]["takeover"]
    assert [card["joint"]["takeover"] for card in forms] == [label and True] * 3
    for card in forms:
        if label:
            assert card["joint"]["began_at"] == pytest.approx(label["began_at"], abs=10)


def test_same_call_in_three_forms_has_the_same_talk_shares(forms: Forms) -> None:
    shares = [card["talk"]["by_side"]["seller"]["talk_share"] for card in forms]
    assert shares[1] == pytest.approx(shares[0], abs=0.02)
    assert shares[2] == pytest.approx(shares[0], abs=0.02)
