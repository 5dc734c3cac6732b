"""The real pyannote pipeline, loading, applying and bounded, on tiny seeded checkpoints from a local folder."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ListeningError
from pipeline.listen.diarize import choose_diarizer
from pipeline.listen.media import RATE, decode
from pipeline.listen.pyannote_diarizer import PyannoteDiarizer, cut_windows
from pipeline.listen.pyannote_weights import WeightsMissing, load_pyannote
from pipeline.listen.recording import hear
from pipeline.settings import ListenSettings


class Watched:
    """The real pipeline, which notes what it was asked; `change` alters what it answers."""

    def __init__(self, pipeline: Any, change=lambda output: output) -> None:
        self.pipeline, self.change = pipeline, change
        self.asked: list[dict[str, Any]] = []

    def __call__(self, file: dict[str, Any], **options: Any) -> Any:
        self.asked.append({"seconds": file["waveform"].shape[1] / RATE, **options})
        return self.change(self.pipeline(file, **options))


@pytest.fixture(scope="module")
def diarizer(pyannote_folder: Path):
    return load_pyannote(ListenSettings(diarization_model=str(pyannote_folder), device="cpu"))


@pytest.fixture(scope="module")
def clip(phone_clip: Path) -> np.ndarray:
    """Five seconds in which both speak: two chunks of the seeded pipeline."""
    return decode(phone_clip).channel(0)[: 5 * RATE]


def windowed(pipeline: Any, **options: Any) -> PyannoteDiarizer:
    return PyannoteDiarizer(pipeline, model_name="seeded", revision="0", **options)


def test_a_real_call_is_cut_into_voices_in_order_within_the_recording(diarizer, clip) -> None:
    found = diarizer(clip)
    assert found == diarizer(clip)
    assert found
    assert found[0].speaker == "speaker-1"
    assert list(found) == sorted(found, key=lambda one: one.start)
    assert all(0 <= one.start < one.end <= 5.0 for one in found)
    numbers = [int(one.speaker.removeprefix("speaker-")) for one in found]
    firsts = list(dict.fromkeys(numbers))
    assert firsts == sorted(firsts)


def test_the_known_number_of_speakers_is_kept_and_bounds_are_handed_on(diarizer, clip) -> None:
    watched = Watched(diarizer._pipeline)
    bounded = windowed(watched)
    assert len({one.speaker for one in bounded(clip, speakers=(2, 2))}) == 2
    assert 1 <= len({one.speaker for one in bounded(clip[: 3 * RATE], speakers=(1, 3))}) <= 3
    hook, _ = (one.pop("hook") for one in watched.asked)
    assert callable(hook)
    assert watched.asked == [
        {"seconds": 5.0, "num_speakers": 2},
        {"seconds": 3.0, "min_speakers": 1, "max_speakers": 3},
    ]


def test_more_people_than_the_speech_carries_are_not_looked_for_a_second_time(diarizer, clip) -> None:
    watched = Watched(diarizer._pipeline)
    assert windowed(watched)(clip, speakers=(9, 9))
    assert [set(one) - {"hook", "seconds"} for one in watched.asked] == [{"num_speakers"}, {"max_speakers"}]


def test_a_long_recording_is_cut_in_windows_and_its_people_are_linked(diarizer, clip) -> None:
    watched = Watched(diarizer._pipeline)
    long = np.concatenate([clip, clip])
    long.flags.writeable = False  # as a recording that is read from disk
    told: list[tuple[int, int]] = []
    found = windowed(watched, window=7.0)(long, speakers=(2, 2), progress=lambda *at: told.append(at))
    assert [one["seconds"] for one in watched.asked] == [5.0, 5.0]
    halves = [[(o.speaker, round(o.start % 5, 3)) for o in found if at <= o.start < at + 5] for at in (0, 5)]
    assert {speaker for speaker, _ in halves[0]} == {"speaker-1", "speaker-2"}
    assert halves[0] == halves[1]  # the same sound twice: the same people
    assert list(found) == sorted(found, key=lambda one: one.start)
    assert max(one.end for one in found) <= 10.0
    assert told == sorted(told)
    assert (told[0], told[-1]) == ((0, 10), (10, 10))
    assert len(told) > 4


def test_without_embeddings_a_long_recording_is_refused_and_a_short_one_is_not(diarizer, clip) -> None:
    bare = Watched(diarizer._pipeline, change=lambda output: output.speaker_diarization)  # as pipelines before 4.0
    assert windowed(bare)(clip[: 2 * RATE])
    with pytest.raises(ListeningError, match="longer than 2 s and this pyannote pipeline gives no embeddings"):
        windowed(bare, window=3.0)(clip)


def test_too_long_a_time_is_stopped_and_says_what_to_do(diarizer, clip) -> None:
    with pytest.raises(
        ListeningError, match=r"took over the limit of 0 s .* from 0 to 5 s of 5\. Use a machine"
    ) as got:
        windowed(diarizer._pipeline, seconds=0.0)(clip)
    assert "diarization_seconds" in str(got.value)


def test_waiting_for_another_call_to_be_told_apart_takes_none_of_a_call_s_time(clip) -> None:
    from pyannote.core import Annotation

    def slow(file, hook, **bounds):
        time.sleep(0.6)
        hook("segmentation", None, total=1, completed=1)
        return Annotation()

    diarizer = PyannoteDiarizer(slow, model_name="slow", revision="1", seconds=1.0)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(diarizer, [clip[:RATE]] * 3)) == [()] * 3


def test_calls_side_by_side_load_one_pipeline_and_leave_stdout_alone(pyannote_folder: Path) -> None:
    settings = ListenSettings(diarization_model=str(pyannote_folder), device="cpu", diarization_seconds=77.0)
    stdout = sys.stdout
    with ThreadPoolExecutor(3) as pool:
        loaded = list(pool.map(load_pyannote, [settings] * 3))
    assert len({id(one) for one in loaded}) == 1
    assert sys.stdout is stdout


def test_what_stops_the_pipeline_is_an_error_of_this_call(clip) -> None:
    def out_of_memory(*_: Any, **__: Any) -> Any:
        raise RuntimeError("CUDA out of memory")

    with pytest.raises(ListeningError, match=r"stopped at 0-5 s of the recording \(CUDA out of memory\)") as got:
        windowed(out_of_memory)(clip)
    assert "--device cpu" in str(got.value)


def test_silence_carries_nobody(diarizer) -> None:
    assert windowed(diarizer._pipeline)(np.zeros(0, np.float32)) == ()


def test_on_a_cpu_batches_are_small(diarizer) -> None:
    assert diarizer._pipeline.embedding_batch_size == 4
    assert diarizer._pipeline.segmentation_batch_size == 4


def test_windows_are_about_equal_bounded_and_cut_in_pauses() -> None:
    assert cut_windows(100.0, [], 100.0) == ((0.0, 100.0),)
    even = cut_windows(1000.0, [], 400.0)
    assert even == (
        (0.0, pytest.approx(1000 / 3)),
        (pytest.approx(1000 / 3), pytest.approx(2000 / 3)),
        (pytest.approx(2000 / 3), 1000.0),
    )
    talk = [(0.0, 320.0), (330.0, 650.0), (651.0, 1000.0)]
    assert cut_windows(1000.0, talk, 400.0) == ((0.0, 325.0), (325.0, 650.5), (650.5, 1000.0))
    far = [(0.0, 200.0), (202.0, 1000.0)]  # no pause near: the end of a window is cut hard
    assert cut_windows(1000.0, far, 400.0) == even
    for seconds in range(401, 4000, 37):
        pieces = cut_windows(float(seconds), [(n * 7.0, n * 7.0 + 6) for n in range(600)], 400.0)
        assert max(end - start for start, end in pieces) <= 400.0
        assert pieces[-1][1] == seconds


def test_a_mono_recording_is_heard_with_its_voices(pyannote_folder: Path, phone_clip: Path, sphinx) -> None:
    from pipeline.listen.tracks import Expected

    settings = ListenSettings(diarization_model=str(pyannote_folder), device="cpu")
    heard = hear(phone_clip, transcriber=sphinx, settings=settings, expected=Expected(speakers=(2, 2)))
    assert heard.channels == 1
    assert heard.quality.diarization == "pyannote pyannote-seeded"
    assert dict(heard.quality.models)["pyannote pyannote-seeded"].startswith("sha256:")
    assert set(heard.speakers) == {"speaker-1", "speaker-2"}
    assert {turn.speaker for turn in heard.turns} <= set(heard.speakers)
    assert heard.quality.speech_attributed is not None and 0 < heard.quality.speech_attributed <= 1
    assert any("told apart by their sound" in warning for warning in heard.quality.warnings)


@pytest.mark.parametrize(
    ("model", "message"),
    [("/no/such/folder", "is neither a folder nor a hub name"), ("nonsense", "is neither a folder nor a hub name")],
)
def test_without_weights_the_error_names_the_recording_and_three_ways_out(model: str, message: str) -> None:
    with pytest.raises(ListeningError) as caught:
        choose_diarizer(ListenSettings(diarization_model=model), Path("calls/a.wav"))
    text = str(caught.value)
    assert text.startswith("calls/a.wav: its voices share one channel")
    assert message in text
    for way in ("(1) weights", "(2) channels", "(3) a transcript with speakers"):
        assert way in text


def test_a_folder_that_holds_no_pipeline_is_refused(tmp_path: Path) -> None:
    settings = ListenSettings(diarization_model=str(tmp_path))
    with pytest.raises(ListeningError, match=r"holds no config\.yaml"):
        load_pyannote(settings)
    (tmp_path / "config.yaml").write_text("pipeline: {name: pyannote.audio.pipelines.Nothing}\n")
    with pytest.raises(ListeningError, match="holds no pipeline that can be loaded"):
        load_pyannote(settings)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without weights from which no hub is reached."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.mark.usefixtures("offline")
def test_offline_the_hub_is_given_up_at_once() -> None:
    with pytest.raises(WeightsMissing, match="the model hub cannot be reached"):
        load_pyannote(ListenSettings())


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("speakers", [(2, 2), (1, 2)])
def test_without_weights_two_people_are_told_apart_with_little_trust(speakers: tuple[int, int]) -> None:
    assert choose_diarizer(ListenSettings(), speakers=speakers).trust == "low"


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("speakers", "message"), [((2, 5), "up to 5 speak on this call"), (None, "nobody says how many speak on this call")]
)
def test_without_weights_more_people_are_an_error_with_ways_out(speakers: tuple[int, int] | None, message: str) -> None:
    with pytest.raises(ListeningError, match=message) as caught:
        choose_diarizer(ListenSettings(), speakers=speakers)
    assert "(1) weights" in str(caught.value)


@pytest.mark.usefixtures("offline")
def test_a_model_that_was_named_has_no_stand_in() -> None:
    with pytest.raises(ListeningError, match="someone/else is not on this machine"):
        choose_diarizer(ListenSettings(diarization_model="someone/else"), speakers=(2, 2))


def test_a_gpu_that_is_not_there_is_refused(pyannote_folder: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("a GPU is here")
    with pytest.raises(ListeningError, match="device cuda was asked for, but no CUDA GPU is found here"):
        load_pyannote(ListenSettings(diarization_model=str(pyannote_folder), device="cuda"))
