"""Made-up recordings: the same call for the same file, faults on demand, nothing heavy on the way to a scorecard."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from pipeline import resources
from pipeline.assess.scorecard import to_dict
from pipeline.errors import ListeningError, MediaError, UsageError
from pipeline.fakes import CRASHES, NOT_SAID, FakeClassifier, FakeEngine, fake_bytes, fake_call, write_fake
from pipeline.listen.call_rows import CallRow, default_row
from pipeline.listen.transcribe import choose_engine
from pipeline.listening import engine_for
from pipeline.records import BEHAVIOURS, JUDGED, MEETING_BEHAVIOURS
from pipeline.score import score_call
from pipeline.settings import ListenSettings
from tests.builders import timed_call

FAKE = ListenSettings(engine="fake")
SCHEMA = json.loads(resources.scorecard_schema().read_text(encoding="utf-8"))


def call_of(path: Path):
    return fake_call(default_row(path), path)


def test_fakes_give_a_call_of_their_length(tmp_path) -> None:
    call = call_of(write_fake(tmp_path / "a.wav", seconds=60, seed=7))
    assert call.duration == 60
    assert 4 <= len(call.turns) <= 10
    assert call.turns[-1].end <= 60
    words = [word for turn in call.turns for word in turn.words]
    assert 120 < len(words) < 200
    assert all(a.end <= b.start for a, b in pairwise(words))
    assert [turn.text for turn in call.turns] == [" ".join(word.text for word in turn.words) for turn in call.turns]


def test_fakes_are_decided_by_their_bytes_alone(tmp_path) -> None:
    one, same, other = (
        call_of(write_fake(tmp_path / name, seed=seed)) for name, seed in (("a.mp3", 1), ("b.ogg", 1), ("c.mp3", 2))
    )
    assert one.turns == same.turns
    assert one.source_sha256 == same.source_sha256 != other.source_sha256
    assert one.turns != other.turns
    assert fake_bytes(seed=1, work=0.5) == fake_bytes(work=0.5, seed=1)


def test_fakes_say_what_they_are_told_to(tmp_path) -> None:
    said = [["Ann", "Shall we begin?"], ["Carl", "Please."]]
    row = CallRow(write_fake(tmp_path / "a.wav", turns=said), "a", rep="Ann Lee", customers=("Carl",))
    call = score_call(row, settings=FAKE).call
    assert [(turn.speaker, turn.text) for turn in call.turns] == [tuple(one) for one in said]
    assert [(one.name, one.role) for one in call.participants] == [("Ann Lee", "rep"), ("Carl", "customer")]


def test_fakes_get_scorecards_that_say_that_nothing_was_said(tmp_path) -> None:
    path = write_fake(tmp_path / "a.wav")
    card = to_dict(score_call(path, settings=FAKE, out=tmp_path / "out"))
    Draft202012Validator(SCHEMA).validate(card)
    assert NOT_SAID in card["quality"]["warnings"]
    assert card["quality"]["engine"] == "fake"
    assert card["provenance"]["models"]["behaviours"] == FakeClassifier().version
    assert any(one["level"] for one in card["behaviours"].values())
    page = (tmp_path / "out" / "calls" / "a" / "scorecard.html").read_text(encoding="utf-8")
    assert "nothing of it was ever said" in page


def test_fakes_need_no_models(tmp_path) -> None:
    write_fake(tmp_path / "a.wav")
    code = (
        "import sys; from pathlib import Path; from pipeline.score import score_call; "
        "from pipeline.settings import ListenSettings; "
        f"score_call({str(tmp_path / 'a.wav')!r}, out={str(tmp_path)!r}, settings=ListenSettings(engine='fake')); "
        "print([name for name in ('torch', 'transformers', 'faster_whisper', 'av', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"RIFF\x00\x00\x00\x00WAVE", "is no fake recording"),
        (b"[1, 2]", "no JSON object with 'seconds'"),
        (b'{"seed": 1}', "no JSON object with 'seconds'"),
        (b'{"seconds": -1}', "seconds is -1; allowed are 0 to 21600"),
        (b'{"seconds": "long"}', "is no fake recording"),
        (b'{"seconds": 60, "work": -1}', "work and memory are below 0"),
        (b'{"seconds": 60, "crash": "burn"}', "crash is 'burn'; allowed are exit, segv, abort, kill"),
        (b'{"seconds": 60, "colour": "red"}', "colour"),
        (b'{"seconds": 60, "turns": ["Ann"]}', "is no fake recording"),
        (b"[" * 100_000, "is no fake recording"),
        (b'{"seconds": 60}' + b" " * 1_000_000, "a fake recording has at most 1,000,000"),
    ],
)
def test_fakes_refuse_what_is_none(tmp_path, data, said) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    with pytest.raises(MediaError, match=said) as refused:
        call_of(path)
    assert "a.wav" in str(refused.value)


def test_fakes_that_are_not_there_are_named(tmp_path) -> None:
    with pytest.raises(MediaError, match=r"missing\.wav: cannot be read"):
        call_of(tmp_path / "missing.wav")


def test_fakes_fail_with_their_reason(tmp_path) -> None:
    with pytest.raises(ListeningError, match=r"a\.wav: the line is dead"):
        call_of(write_fake(tmp_path / "a.wav", fail="the line is dead"))


def test_fakes_count_how_often_they_were_listened_to(tmp_path) -> None:
    path = write_fake(tmp_path / "a.wav", log=str(tmp_path / "log"), fail="bad")
    for _ in range(2):
        with pytest.raises(ListeningError):
            call_of(path)
    assert (tmp_path / "log").read_text() == "a\na\n"
    with pytest.raises(MediaError, match="the fake's log cannot be written"):
        call_of(write_fake(tmp_path / "b.wav", log=str(tmp_path)))


def test_fakes_take_the_time_and_memory_that_they_are_told_to(tmp_path) -> None:
    began = time.monotonic()
    call_of(write_fake(tmp_path / "a.wav", work=0.2, memory=1_000_000))
    assert time.monotonic() - began >= 0.2
    with pytest.raises((MemoryError, OverflowError)):
        call_of(write_fake(tmp_path / "b.wav", memory=2**62))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("way", CRASHES)
def test_fakes_take_their_process_down(tmp_path, way) -> None:
    path = write_fake(tmp_path / "a.wav", crash=way)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); "
        "from pathlib import Path; from pipeline.fakes import fake_call; "
        f"fake_call(None, Path({str(path)!r}))"
    )
    ended = {"exit": 3, "segv": -signal.SIGSEGV, "abort": -signal.SIGABRT, "kill": -signal.SIGKILL}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == ended[way]


def test_fakes_hang(tmp_path) -> None:
    path = write_fake(tmp_path / "a.wav", hang=True)
    code = f"from pathlib import Path; from pipeline.fakes import fake_call; fake_call(None, Path({str(path)!r}))"
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([sys.executable, "-c", code], timeout=2, check=False)


def test_fakes_engine_stands_where_an_engine_is_asked_for() -> None:
    engine, note = engine_for(FAKE)
    assert (engine.name, note) == ("fake", NOT_SAID)
    with pytest.raises(ListeningError, match="reads made-up recordings only"):
        FakeEngine()(np.zeros(16000, np.float32))
    with pytest.raises(UsageError, match="'fake' reads made-up recordings"):
        choose_engine(FAKE)


def test_fakes_with_a_transcript_are_read_and_not_listened_to(tmp_path) -> None:
    transcript = tmp_path / "a.vtt"
    transcript.write_text("WEBVTT\n\n00:00.000 --> 00:09.000\n<v Ann>Shall we begin?\n", encoding="utf-8")
    row = CallRow(write_fake(tmp_path / "a.wav"), "a", transcript=transcript, rep="Ann")
    assert score_call(row, settings=FAKE).call.turns[0].text == "Shall we begin?"


# --- the judge ------------------------------------------------------------------------------------


def judged(call):
    return {one.behaviour: one for one in FakeClassifier()(call)}


def test_fake_judge_quotes_what_the_judged_side_said(tmp_path) -> None:
    levels = set()
    for seed in range(20):
        call = score_call(write_fake(tmp_path / f"{seed}.wav", seed=seed), settings=FAKE).call
        found = judged(call)
        assert list(found) == list(JUDGED)
        assert found == judged(call)
        for one in found.values():
            assert sum(one.probabilities) == pytest.approx(1.0, abs=1e-9)
            levels.add(max(range(4), key=lambda level: one.probabilities[level]))
            for evidence in one.evidence:
                assert evidence.quote in call.turns[evidence.turn].text
                assert (evidence.speaker, evidence.role) == ("Rep", "rep")
        assert all(not found[name].evidence for name in MEETING_BEHAVIOURS)
    assert levels == {0, 1, 2, 3}


@pytest.mark.parametrize("lines", [(), (("C", 0.0, 4.0, "Hello, who is there?"),)])
def test_fake_judge_finds_nothing_where_nobody_sells(lines) -> None:
    found = judged(timed_call(*lines))
    assert all(found[name].probabilities == (1.0, 0.0, 0.0, 0.0) for name in BEHAVIOURS)
