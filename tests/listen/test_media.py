"""Recordings of every kind that is taken, and of every kind that is refused, made here by script."""

from __future__ import annotations

import struct
import subprocess
import wave
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.errors import MediaError
from pipeline.listen import clips, decode_process, media
from pipeline.listen.media import RATE, decode
from pipeline.settings import MediaLimits

LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 6: "5.1"}


def tones(seconds: float, rate: int, channels: int = 2) -> np.ndarray:
    """(channels, samples): a tone of 300, 600, 900 … Hz on each channel."""
    time = np.arange(round(seconds * rate)) / rate
    return np.stack([0.3 * np.sin(2 * np.pi * 300 * (one + 1) * time) for one in range(channels)]).astype(np.float32)


def encode(path: Path, samples: np.ndarray, rate: int, codec: str, container: str | None = None, **options) -> Path:
    """Write samples with PyAV, or Vorbis, which its wheels cannot write, with the ffmpeg that cuts clips."""
    if codec == "libvorbis":
        source = wav(path.with_suffix(".source.wav"), samples, rate)
        subprocess.run([clips._ffmpeg(), "-v", "error", "-y", "-i", source, "-c:a", codec, path], check=True)
        return path
    with av.open(str(path), "w", format=container, container_options=options) as out:
        stream = out.add_stream(codec, rate=rate, layout=LAYOUTS[len(samples)])
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=LAYOUTS[len(samples)])
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            format=stream.format, layout=stream.layout, rate=rate, frame_size=stream.frame_size or 1024
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return path


def wav(path: Path, samples: np.ndarray, rate: int) -> Path:
    """Write 16-bit samples with the standard library."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(len(samples))
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((samples.T * 32767).astype("<i2").tobytes())
    return path


def pitch(samples: np.ndarray) -> float:
    """The strongest frequency, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * RATE / len(samples))


@pytest.mark.parametrize(
    ("name", "codec", "rate", "channels"),
    [
        ("a.wav", "pcm_s16le", 8000, 2),
        ("a.wav", "pcm_mulaw", 8000, 1),
        ("a.wav", "pcm_alaw", 8000, 2),
        ("a.wav", "pcm_s24le", 48000, 2),
        ("a.wav", "pcm_f32le", 22050, 6),
        ("a.mp3", "libmp3lame", 44100, 2),
        ("a.mp3", "libmp3lame", 8000, 1),
        ("a.m4a", "aac", 44100, 2),
        ("a.mp4", "aac", 48000, 1),
        ("a.aac", "aac", 32000, 2),
        ("a.ogg", "libvorbis", 44100, 2),
        ("a.opus", "libopus", 48000, 2),
        ("a.flac", "flac", 16000, 3),
        ("a.flac", "flac", 44100, 2),
        ("a.webm", "libopus", 48000, 2),
        ("a.mka", "libopus", 48000, 1),
    ],
)
def test_every_kind_comes_out_at_16_khz_with_each_channel_for_itself(
    tmp_path: Path, name: str, codec: str, rate: int, channels: int
) -> None:
    container = {"a.aac": "adts", "a.mka": "matroska", "a.m4a": "mp4"}.get(name)
    path = encode(tmp_path / name, tones(3.0, rate, channels), rate, codec, container)
    audio = decode(path)
    assert audio.samples.dtype == np.float32
    assert audio.channels == channels
    assert audio.sample_rate == rate
    assert audio.duration == pytest.approx(3.0, abs=0.15)
    for channel in range(channels - (channels == 6 and 3)):  # 5.1 carries a filtered bass channel in some codecs
        assert pitch(audio.channel(channel)[RATE // 2 : RATE * 2]) == pytest.approx(300 * (channel + 1), abs=3)
    assert (
        0.2 < float(np.abs(audio.samples[:, RATE : 2 * RATE]).max()) < 0.6
    )  # FFmpeg's AAC encoder makes a mono tone louder


@pytest.mark.parametrize(("name", "codec"), [("a.wav", "pcm_s16le"), ("a.opus", "libopus")])
def test_resampling_keeps_speech_and_folds_nothing_back(tmp_path: Path, name: str, codec: str) -> None:
    """1 and 6 kHz come through as loud as they were; 10 and 14 kHz, which would fold to 6 and 2, are 40 dB down."""
    options = {} if codec == "pcm_s16le" else {"b": "128k"}
    levels = {}
    for hertz in (1000, 6000, 10_000, 14_000):
        wave = 0.3 * np.sin(2 * np.pi * hertz * np.arange(48_000) / 48_000, dtype=np.float32)[None]
        found = decode(encode(tmp_path / name, wave, 48_000, codec, **options)).channel(0)[RATE // 4 : RATE * 3 // 4]
        levels[hertz] = 20 * np.log10(np.sqrt(np.mean(found**2)) / (0.3 / np.sqrt(2)) + 1e-9) if len(found) else -180
    assert levels[1000] == pytest.approx(0, abs=0.5)
    assert levels[6000] == pytest.approx(0, abs=1.5)
    assert levels[10_000] < -40
    assert levels[14_000] < -40


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", ["a.opus", "a.webm"])
def test_opus_is_decoded_alike_by_both_decoders(
    tmp_path: Path, name: str, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libopus at 16 kHz, and FFmpeg's decoder with resampling, which is used where that library is not found."""
    path = encode(tmp_path / name, tones(3.21, 48_000, channels), 48_000, "libopus")
    fast = decode(path)
    without = "import pipeline.listen.decode_opus as o; o._LIBRARIES = (); "
    monkeypatch.setattr(
        decode_process, "_START", decode_process._START.replace("from pipeline", without + "from pipeline", 1)
    )
    slow = decode(path)
    assert (fast.codec, fast.channels, fast.sample_rate) == (slow.codec, slow.channels, slow.sample_rate)
    assert fast.length == pytest.approx(slow.length, abs=2)
    length = min(fast.length, slow.length)
    for channel in range(channels):
        assert np.corrcoef(fast.channel(channel)[:length], slow.channel(channel)[:length])[0, 1] > 0.99


@pytest.mark.parametrize("channels", [5, 7, 9, 16])
def test_any_number_of_channels_up_to_the_limit_is_read(tmp_path: Path, channels: int) -> None:
    audio = decode(wav(tmp_path / "a.wav", tones(1, 48_000, channels), 48_000))
    assert audio.channels == channels
    for channel in range(channels):
        assert pitch(audio.channel(channel)) == pytest.approx(300 * (channel + 1), abs=3)


def test_the_content_counts_not_the_name_and_the_hash_is_of_the_file(tmp_path: Path) -> None:
    import hashlib

    path = encode(tmp_path / "a.wav", tones(1, 16000), 16000, "flac", "flac")
    audio = decode(path)
    assert (audio.container, audio.codec) == ("FLAC", "flac")
    assert audio.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_file_gives_the_same_samples(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", tones(2, 44100), 44100, "libmp3lame")
    assert np.array_equal(decode(path).samples, decode(path).samples)


def test_what_is_no_recording_is_refused_with_a_remedy(tmp_path: Path) -> None:
    cases = {
        "list.m3u8": (b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1/a.ts\n", "is a playlist"),
        "list.mp3": (b"ffconcat version 1.0\nfile /etc/passwd\n", "is a playlist"),
        "page.mp3": (b"<!doctype html><title>Sign in</title>", "is a web page"),
        "a.pdf": (b"%PDF-1.7 ...", "is a PDF"),
        "a.wma": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" * 20, "is a Windows Media file"),
        "noise.wav": (bytes(range(1, 250)) * 9, "is of no known audio format"),
        "text.wav": (b"Hello, is this audio?\n" * 100, "is of no known audio format"),
    }
    for name, (content, message) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MediaError) as caught:
            decode(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: {message}"), name
        assert str(caught.value).endswith(".")


def test_missing_empty_and_folder_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    for path, message in (
        (tmp_path / "gone.wav", "there is no such file. Check the path"),
        (tmp_path / "empty.wav", "is empty (0 bytes). Fetch or export"),
        (tmp_path, "is a folder, not a recording"),
    ):
        with pytest.raises(MediaError) as caught:
            decode(path)
        assert f"{path}: {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [
        ("a.wav", "pcm_s16le", None),
        ("a.flac", "flac", None),
        ("a.mp3", "libmp3lame", None),
        ("a.m4a", "aac", "mp4"),
        ("a.ogg", "libvorbis", None),
        ("a.opus", "libopus", None),
        ("a.webm", "libopus", None),
    ],
)
def test_a_file_that_ends_too_soon_is_refused(tmp_path: Path, name: str, codec: str, container: str | None) -> None:
    path = encode(tmp_path / name, tones(20, 48000), 48000, codec, container)
    decode(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    with pytest.raises(MediaError) as caught:
        decode(path)
    assert "cut off" in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_m4a_with_its_index_first_that_ends_too_soon_is_refused(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", tones(20, 48000), 48000, "aac", "mp4", movflags="faststart")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError, match=r"is cut off: it says 20\.\d s but \d+\.\d s could be read"):
        decode(path)


def test_a_wav_that_was_streamed_states_no_length_and_is_taken(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", tones(2, 8000), 8000)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(content)
    assert decode(path).duration == pytest.approx(2.0, abs=0.01)


def test_no_audio_track_no_length_and_silence_are_told_apart(tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    with av.open(str(video), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(5):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    cases = {
        video: "has no audio track",
        wav(tmp_path / "none.wav", np.zeros((1, 0), np.float32), 16000): "holds no audio: its length is 0 seconds",
        wav(tmp_path / "quiet.wav", np.zeros((2, 16000), np.float32), 16000): "is silent on every channel",
    }
    for path, message in cases.items():
        with pytest.raises(MediaError) as caught:
            decode(path)
        assert str(caught.value).startswith(f"{path}: {message}")


def test_samples_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    samples = tones(1, 16000, 1)
    samples[0, 100:200] = np.nan
    path = encode(tmp_path / "nan.wav", samples, 16000, "pcm_f32le")
    with pytest.raises(MediaError, match="samples that are not numbers"):
        decode(path)


def test_64_channels_are_refused_with_the_limit(tmp_path: Path) -> None:
    path = wav(tmp_path / "many.wav", np.zeros((64, 800), np.float32), 8000)
    with pytest.raises(MediaError, match=r"many\.wav: has 64 channels; at most 16 are read\. Export the channels"):
        decode(path)


def test_ten_hours_are_refused_at_once_by_the_stated_length(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    wav(path, tones(1, 8000, 1), 8000)
    size = 10 * 3600 * 8000 * 2
    with path.open("r+b") as file:  # a sparse file: a header for ten hours, and a hole
        file.seek(4)
        file.write(struct.pack("<I", size + 36))
        file.seek(40)
        file.write(struct.pack("<I", size))
        file.truncate(44 + size)
    with pytest.raises(
        MediaError, match=r"long\.wav: is too long: 10\.0 hours, where at most 6 hours are read\. Split"
    ):
        decode(path)


def test_a_length_that_is_not_stated_is_counted_while_decoding(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", tones(30, 8000, 1), 8000)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(content)
    with pytest.raises(MediaError, match="is too long"):
        decode(path, replace(MediaLimits(), max_seconds=10))


def test_an_unread_codec_is_named(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mka", tones(1, 48000), 48000, "ac3", "matroska")
    with pytest.raises(MediaError, match=r"its audio is coded as ac3, which is not read\. Export"):
        decode(path)


def test_limits_of_bytes_memory_and_computing_hold(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", tones(5, 16000), 16000)
    with pytest.raises(MediaError, match=r"is 320,044 bytes, over the limit of 1,000"):
        decode(path, replace(MediaLimits(), max_bytes=1000))
    with pytest.raises(MediaError, match=r"the limit of 0\.0\d* GiB of memory|the decoder stopped"):
        decode(path, replace(MediaLimits(), memory_bytes=40 * 1024**2))


def test_a_decoder_that_does_not_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wav(tmp_path / "a.wav", tones(1, 16000), 16000)
    for code, limits, message in (
        ("while True: pass", replace(MediaLimits(), cpu_seconds=1), "took over the limit of 1 s of computing"),
        ("import time; time.sleep(60)", replace(MediaLimits(), cpu_seconds=1), "was stopped after 2 seconds"),
        ("import os; os.kill(os.getpid(), 11)", MediaLimits(), r"the decoder stopped \(status -11"),
        ("while True: sys.stderr.write('x' * 9999)", MediaLimits(), r"the decoder stopped \(status -9: x{200}…\)"),
    ):
        limited = (
            "import json, sys; sys.path += sys.argv[1:3]\n"
            "from pipeline.listen.decode_limits import limit_process\n"
            "r = json.loads(sys.argv[3])\n"
            "limit_process(r['memory_bytes'], r['cpu_seconds'], r['output_bytes'])\n"
        )
        monkeypatch.setattr(decode_process, "_START", limited + code)
        monkeypatch.setattr(decode_process, "_STARTING_SECONDS", 1 if "sleep" in code else 60)
        with pytest.raises(MediaError, match=message):
            decode(path, limits)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_from_a_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wav(tmp_path / "a.wav", tones(5, 16000), 16000)
    monkeypatch.setattr(media.tempfile, "TemporaryFile", lambda **_: open("/dev/full", "r+b", buffering=0))  # noqa: SIM115, PTH123
    with pytest.raises(MediaError, match=r"its samples do not fit on the disk of .*\. Free space there, or set TMPDIR"):
        decode(path)


def test_the_child_may_not_reach_the_network_or_other_files(tmp_path: Path) -> None:
    """A playlist inside a file with a good name must not make the decoder open what it lists."""
    path = tmp_path / "a.m4a"
    path.write_bytes(b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42isom" + b"#EXTM3U\nhttp://127.0.0.1:9/x\n" * 50)
    with pytest.raises(MediaError, match="cannot be decoded"):
        decode(path)


def test_a_recording_with_a_second_track_says_which_was_heard(tmp_path: Path) -> None:
    path = tmp_path / "two.mka"
    with av.open(str(path), "w", format="matroska") as out:
        streams = [out.add_stream("pcm_s16le", rate=16000, layout="mono") for _ in range(2)]
        for stream in streams:
            samples = (tones(1, 16000, 1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate = 16000
            for part in (frame, None):
                out.mux(stream.encode(part))
    assert decode(path).warnings == ("The file has 2 audio tracks; only the first was listened to.",)


def test_names_in_any_script_and_with_odd_characters_are_read(tmp_path: Path) -> None:
    for name in ("звонок клиенту.wav", "電話 1.wav", "http:--a.wav", "-i.wav", "50%d.wav"):
        assert decode(wav(tmp_path / name, tones(0.5, 8000), 8000)).channels == 2


def test_the_child_starts_without_numpy_and_nearly_without_the_package() -> None:
    start = decode_process._START.rpartition("run(")[0] + "import av; print(*sorted(sys.modules))"
    command = [*decode_process.child_command()[:4], start, *decode_process.child_command()[5:]]
    loaded = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert {one for one in loaded if one.startswith("pipeline")} == {
        "pipeline",
        "pipeline.listen",
        "pipeline.listen.decode_child",
        "pipeline.listen.decode_limits",
    }
    assert not loaded & {"numpy", "torch", "ctypes", "site"}
