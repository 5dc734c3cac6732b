"""A decoded recording is read piece by piece: the right samples, from several threads, in little memory."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pipeline.listen import audio as audio_module
from pipeline.listen.audio import RATE, Audio


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """(3, 700,001): more than one read holds, and no multiple of anything."""
    return np.random.default_rng(0).uniform(-2, 2, (3, 700_001)).astype(np.float32)


@pytest.fixture(scope="module")
def audio(samples: np.ndarray) -> Audio:
    return Audio.of(samples, Path("made.wav"))


def test_samples_come_back_as_they_were(audio: Audio, samples: np.ndarray) -> None:
    assert (audio.channels, audio.length) == samples.shape
    assert audio.duration == samples.shape[1] / RATE
    assert np.array_equal(audio.samples, samples)
    assert np.array_equal(audio.channel(1), samples[1])
    assert audio.channel(1).flags.c_contiguous
    assert audio.channel(2, 5, 9).dtype == np.float32
    assert np.array_equal(audio.channel(2, 300_000, 650_000), samples[2, 300_000:650_000])
    window = audio.window(12_345, 456_789)
    assert np.array_equal(window, samples[:, 12_345:456_789])
    assert window.flags.c_contiguous and window.flags.writeable


def test_limits_are_brought_into_the_recording(audio: Audio, samples: np.ndarray) -> None:
    assert np.array_equal(audio.window(-10, 5), samples[:, :5])
    assert np.array_equal(audio.window(700_000, 900_000), samples[:, 700_000:])
    assert audio.window(900_000, 950_000).shape == (3, 0)
    assert audio.window(10, 3).shape == (3, 0)
    assert audio.channel(0, -3, 0).shape == (0,)


def test_blocks_are_the_whole_in_order(audio: Audio, samples: np.ndarray) -> None:
    found = list(audio.blocks(seconds=7.5))
    assert [first for first, _ in found] == list(range(0, 700_001, 120_000))
    assert np.array_equal(np.concatenate([block for _, block in found], axis=1), samples)


def test_one_channel_is_given_as_a_row() -> None:
    audio = Audio.of(np.ones(800, np.float32))
    assert (audio.channels, audio.length) == (1, 800)


def test_a_channel_that_is_not_there_is_named(audio: Audio) -> None:
    for index in (-1, 3):
        with pytest.raises(IndexError, match=rf"made\.wav: there is no channel {index}; there are 3, counted from 0"):
            audio.channel(index)


@pytest.mark.parametrize("has_pread", [True, False])
def test_threads_read_at_once(
    audio: Audio, samples: np.ndarray, has_pread: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_pread:
        monkeypatch.delattr(audio_module.os, "pread", raising=False)
    starts = list(range(0, 690_000, 9_973))
    with ThreadPoolExecutor(8) as pool:
        for first, window in zip(starts, pool.map(lambda at: audio.window(at, at + 9_973), starts), strict=True):
            assert np.array_equal(window, samples[:, first : first + 9_973])


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a list of open files")
def test_the_file_goes_with_the_recording() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    audio = Audio.of(np.zeros((2, 100), np.float32))
    assert len(os.listdir("/proc/self/fd")) == before + 1  # noqa: PTH208
    del audio
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to say how much memory is resident")
def test_three_hours_of_two_channels_are_read_in_the_memory_of_what_is_asked_for() -> None:
    """A sparse file stands for the samples: the same reads as of sounding ones."""
    script = """
import tempfile, resource
from pathlib import Path
import numpy as np
from pipeline.listen.audio import RATE, Audio, PcmFile
file = tempfile.TemporaryFile()
file.truncate(3 * 3600 * RATE * 2 * 4)
audio = Audio(PcmFile(file, 2), Path("long"), "", "", "", RATE)
assert audio.duration == 3 * 3600
audio.window(0, 60 * RATE); audio.channel(0, 0, 60 * RATE)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _, block in audio.blocks():
    block.max()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
audio.channel(1)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    blocks, channel = map(float, done.stdout.split())  # MiB
    assert blocks < 30
    assert channel < 3 * 3600 * RATE * 4 / 1024**2 + 30
