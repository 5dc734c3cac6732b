"""Transcripts found in folders, and files that nobody meant to be one: read, or refused in words."""

import json
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import TranscriptError
from pipeline.listen.captions import Imported, looks_like_transcript, read_transcript
from pipeline.listen.captions_cue import Cue
from pipeline.listen.captions_join import join_pieces
from pipeline.listen.sources import find_sources

STARTS_ONLY = "the file tells when turns start and not when they end: talk is counted in words"
SAMPLES = Path(__file__).parent / "transcripts"


def sample(name: str) -> Imported:
    return read_transcript(SAMPLES / name)


# --- in a folder ----------------------------------------------------------------------------------


def test_folder_takes_the_transcripts_among_text_and_json_files(tmp_path):
    for name in ("otter.txt", "gong.json", "port.jsonl", "typed.txt"):
        (tmp_path / name).write_bytes((SAMPLES / name).read_bytes())
    (tmp_path / "README.txt").write_text("Recordings of March.\n\nNote: the names are changed.\n")
    (tmp_path / "runs.jsonl").write_text('{"id": 1, "text": "x"}\n')
    (tmp_path / "wide.txt").write_text("Ann  0:03\nHi.\n\nBob  0:05\nYes.\n", encoding="utf-16")

    found = find_sources([tmp_path])

    assert [row.transcript.name for row in found.rows] == [
        "gong.json",
        "otter.txt",
        "port.jsonl",
        "typed.txt",
        "wide.txt",
    ]
    assert found.skipped == (
        (tmp_path / "README.txt", "this text file is no transcript"),
        (tmp_path / "runs.jsonl", "this JSON lines file is no transcript"),
    )


# --- properties -----------------------------------------------------------------------------------

KEYS = st.sampled_from(
    [
        "speaker",
        "text",
        "start",
        "end",
        "words",
        "word",
        "segments",
        "callTranscripts",
        "transcript",
        "sentences",
        "speakerId",
        "parties",
        "calls",
        "metaData",
        "name",
        "affiliation",
        "results",
        "language",
        "confidence",
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10**6),
    st.just(10**400),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["A", "\ud800", "\x00", "00:01.5", "x y z"]),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)
ITEM = st.fixed_dictionaries(
    {"speaker": st.sampled_from(["A", "B"]), "text": st.sampled_from(["Hi.", "so", "", "a b c"])},
    optional={"start": LEAVES, "end": LEAVES, "words": VALUES, "confidence": LEAVES, "start_ms": LEAVES},
)
GONG = st.fixed_dictionaries(
    {
        "speakerId": LEAVES,
        "sentences": st.lists(st.fixed_dictionaries({"text": st.just("Hi.")}, optional={"start": LEAVES})),
    }
)
FILES = st.one_of(
    VALUES,
    st.lists(ITEM, max_size=5),
    st.fixed_dictionaries({"segments": st.lists(ITEM, max_size=5)}),
    st.fixed_dictionaries({"callTranscripts": st.lists(st.fixed_dictionaries({"transcript": st.lists(GONG)}))}),
)


def reads_or_is_refused(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        looks_like_transcript(path)
        try:
            imported = read_transcript(path)
        except TranscriptError as error:
            assert "Allowed: " in str(error)
            return
    assert imported.turns
    assert all(turn.text and turn.speaker for turn in imported.turns)
    times = [time for turn in imported.turns for time in (turn.start, turn.end) if time is not None]
    assert all(math.isfinite(time) and time >= 0 for time in times)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["a.json", "a.jsonl", "a.txt"]), FILES)
def test_no_json_makes_reading_fail_in_any_other_way(name, value):
    reads_or_is_refused(name, json.dumps(value).encode())


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(path.name for path in SAMPLES.iterdir())), st.data())
def test_no_cut_or_changed_sample_makes_reading_fail_in_any_other_way(name, data):
    content = bytearray((SAMPLES / name).read_bytes()[:4000])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=4))
        if not content:
            return
    reads_or_is_refused(name, bytes(content))


@pytest.mark.parametrize(
    "content",
    [
        "Ann  0:03\n" + " " * 300_000 + "x\nBob  0:04\nYes.\n",
        "a " * 200_000 + "0:03\n" + "Ann  0:03\nx\nBob  0:04\ny\n",
        "Ann" + " " * 300_000 + "0:03\nx\n" * 3,
        "[" * 300_000,
        ("Ann  0:03\nx y\n" * 20_000),
        "".join(f"Name{n}: x\n" for n in range(20_000)),
        "\n" * 500_000,
    ],
)
def test_hostile_texts_take_no_more_than_linear_time(tmp_path, content):
    reads_or_is_refused("a.txt", content.encode())


def test_hostile_joins_take_no_more_than_linear_time():
    cues = [Cue("here", "so", float(n // 3), float(n // 3 + 1), f"S{n % 3000}") for n in range(30_000)]
    assert len(join_pieces(cues)) == 30_000
    assert len(join_pieces([Cue("here", "so", float(n), n + 1.0, "A") for n in range(30_000)])) == 1
