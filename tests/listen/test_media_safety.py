"""What a recording from outside must not be able to do: reach other files or the network, or take without limit."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from pipeline.errors import MediaError
from pipeline.listen import decode_process
from pipeline.listen.decode_child import RATE
from pipeline.listen.media import decode
from pipeline.settings import MediaLimits


def made(path: Path, *options: str, source: str = "sine=440:d=2:r=48000") -> Path:
    """A file that ffmpeg makes of a tone."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", source, *options, path]
    subprocess.run(command, check=True)
    return path


def wav_header(*, channels: int = 1, rate: int = 16_000, bits: int = 16, kind: int = 1, length: int = 32_000) -> bytes:
    """A WAV header with whatever it is to say."""
    frame = channels * bits // 8
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, channels, rate, rate * frame % 2**32, frame % 2**16, bits)
    return b"RIFF" + struct.pack("<I", (length + 36) % 2**32) + b"WAVE" + form + b"data" + struct.pack("<I", length)


def in_child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the child run this after it has shut itself in, in place of decoding."""
    shut_in = (
        "import json, os, socket, sys; sys.path += sys.argv[1:3]\n"
        "from pipeline.listen.decode_limits import limit_process, open_no_more\n"
        "r = json.loads(sys.argv[3])\n"
        "limit_process(r['memory_bytes'], r['cpu_seconds'], r['output_bytes'])\n"
        "open_no_more()\n"
    )
    monkeypatch.setattr(decode_process, "_START", shut_in + code)


def said_by_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> str:
    in_child(monkeypatch, code)
    with pytest.raises(MediaError) as caught:
        decode(made(tmp_path / "a.wav"))
    return str(caught.value)


def test_a_decoding_child_can_open_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for attempt in ("open('/etc/hostname')", "socket.socket()", "os.open('/tmp', os.O_RDONLY)", "os.pipe()"):
        code = f"try: {attempt}\nexcept OSError as error: sys.stderr.write(f'refused {{error.errno}}')\n"
        assert "refused 24" in said_by_child(tmp_path, monkeypatch, code), attempt  # EMFILE: no descriptor is left


def test_a_child_gets_no_secrets_and_no_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "PYTHONPATH", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "hush")
    with (tmp_path / "other").open("w") as other:
        os.set_inheritable(other.fileno(), True)
        code = "sys.stderr.write(json.dumps([dict(os.environ), sorted(map(int, os.listdir('/dev/fd')))]))\n"
        monkeypatch.setattr(decode_process, "_START", "import json, os, sys\n" + code)
        with pytest.raises(MediaError) as caught:
            decode(made(tmp_path / "a.wav"))
    text = str(caught.value)
    assert "hush" not in text
    found, descriptors = json.loads(text[text.index("[") : text.rindex("]") + 1])
    assert set(found) <= {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert descriptors[:3] == [0, 1, 2]
    assert len(descriptors) == 4  # and the listing itself


@pytest.mark.parametrize(
    "report",
    [
        "[]",
        "7",
        "{" * 9999,
        '{"refused": "strange", "detail": ""}',
        '{"refused": ["codec"], "detail": 1}',
        '{"samples": -1, "channels": 1, "codec": "x", "sample_rate": 1, "declared": null, "damaged": 0, "tracks": 1}',
        '{"samples": 9, "channels": 99, "codec": "x", "sample_rate": 1, "declared": null, "damaged": 0, "tracks": 1}',
        '{"samples": 9, "channels": true, "codec": "x", "sample_rate": 1, "declared": null, "damaged": 0, "tracks": 1}',
        '{"samples": 9, "channels": 1, "codec": 5, "sample_rate": 1, "declared": null, "damaged": 0, "tracks": 1}',
        '{"samples": 9, "channels": 1, "codec": "x", "sample_rate": 1, "declared": "a", "damaged": 0, "tracks": 1}',
    ],
)
def test_a_report_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: str) -> None:
    code = f"sys.stderr.write({report!r})"
    assert "a.wav: the decoder stopped (status 0: " in said_by_child(tmp_path, monkeypatch, code)


def test_a_report_that_does_not_fit_the_samples_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = {"samples": 9, "channels": 1, "codec": "x", "sample_rate": 1, "declared": None, "damaged": 0, "tracks": 1}
    code = f"sys.stderr.write({json.dumps(report)!r})"
    assert "a.wav: the decoder's report and its samples differ." in said_by_child(tmp_path, monkeypatch, code)


def test_control_characters_of_a_child_are_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = said_by_child(tmp_path, monkeypatch, "sys.stderr.write('\\x1b[2J\\x07gone')")
    assert "(status 0: ?[2J?gone)" in text


# --- other files and the network --------------------------------------------------------------------


def test_an_m4a_whose_samples_lie_elsewhere_is_not_followed(tmp_path: Path) -> None:
    """A `dref` that names another file, or an address: the samples must not be fetched from there."""
    other = made(tmp_path / "secret.m4a", "-c:a", "aac", source="sine=2000:d=2:r=48000")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        addresses = (str(other), f"file://{other}", f"http://127.0.0.1:{listener.getsockname()[1]}/a")
        for address in addresses:
            path = tmp_path / "a.m4a"
            path.write_bytes(with_reference(made(tmp_path / "own.m4a", "-c:a", "aac").read_bytes(), address))
            try:
                audio = decode(path)
            except MediaError:
                continue
            spectrum = np.abs(np.fft.rfft(audio.channel(0)))
            assert abs(spectrum.argmax() * RATE / audio.length - 440) < 5  # its own tone
        with pytest.raises(BlockingIOError):
            listener.accept()  # nobody called


def with_reference(content: bytes, address: str) -> bytes:
    """An m4a with its data reference made external: the flag "in this file" is cleared and an address is given.

    The reference grows, and so do the boxes around it; the samples lie before them, so no offset changes.
    """
    url = b"url \0\0\0\x01"
    at = content.index(url) - 4
    assert content.index(b"mdat") < at
    entry = b"url \0\0\0\0" + address.encode() + b"\0"
    entry = struct.pack(">I", len(entry) + 4) + entry
    grown = bytearray(content[:at] + entry + content[at + 12 :])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        head = content.rindex(box, 0, at) - 4
        (size,) = struct.unpack_from(">I", grown, head)
        struct.pack_into(">I", grown, head, size + len(entry) - 12)
    return bytes(grown)


@pytest.mark.parametrize("name", ["a.mp3", "a.m4a", "a.wav", "a.m3u8"])
def test_playlists_are_refused_whatever_their_name(tmp_path: Path, name: str) -> None:
    own = made(tmp_path / "own.wav")
    lists = {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{own}\n",
        "concat": f"ffconcat version 1.0\nfile '{own}'\n",
        "pls": f"[playlist]\nFile1={own}\n",
        "dash": f"<?xml version='1.0'?><MPD><BaseURL>{own}</BaseURL></MPD>",
        "smil": f"<smil><audio src='{own}'/></smil>",
        "sdp": "v=0\nm=audio 9 RTP/AVP 0\n",
    }
    for kind, content in lists.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(MediaError, match="not a recording that can be read"):
            decode(tmp_path / name)
        assert kind


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_and_devices_are_refused_without_being_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    for path in (tmp_path / "a.wav", Path("/dev/zero")):
        with pytest.raises(MediaError, match=r"is not a regular file\. Copy the recording to a file first"):
            decode(path)


def test_a_cover_picture_is_not_decoded(tmp_path: Path) -> None:
    """A picture that is no picture: who decoded it would fail."""
    cover = made(tmp_path / "cover.png", "-frames:v", "1", source="color=red:s=64x64")
    for name in ("a.mp3", "a.m4a", "a.flac"):
        plain = made(tmp_path / f"plain-{name}")
        path = tmp_path / name
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-v",
            "error",
            "-y",
            "-i",
            plain,
            "-i",
            cover,
            "-map",
            "0",
            "-map",
            "1",
        ]
        subprocess.run([*command, "-c", "copy", "-disposition:v:0", "attached_pic", path], check=True)
        content = path.read_bytes()
        at = content.index(b"\x89PNG")
        path.write_bytes(content[: at + 8] + b"\xff" * 30 + content[at + 38 :])
        audio = decode(path)
        assert audio.duration == pytest.approx(2.0, abs=0.15)
        assert audio.warnings == ()


# --- bombs and lies ---------------------------------------------------------------------------------


def test_silence_that_expands_a_thousandfold_is_stopped_at_the_limit(tmp_path: Path) -> None:
    """Opus and FLAC code an hour of silence in some hundred kilobytes."""
    limits = replace(MediaLimits(), max_seconds=60)
    for name, options in (
        ("a.opus", ("-c:a", "libopus", "-b:a", "6k")),
        ("a.flac", ()),
        ("a.webm", ("-c:a", "libopus")),
    ):
        path = made(tmp_path / name, *options, source="anullsrc=r=8000:cl=mono:d=90")
        with pytest.raises(MediaError, match="is too long: "):
            decode(path, limits)


def test_a_stream_that_hides_its_length_is_stopped_while_it_is_written(tmp_path: Path) -> None:
    """An Ogg file whose last page says that it is at second one."""
    path = made(tmp_path / "a.opus", "-c:a", "libopus", source="sine=440:d=90:r=48000")
    content = bytearray(path.read_bytes())
    last = content.rindex(b"OggS")
    content[last + 6 : last + 14] = struct.pack("<q", 48_000)
    struct.pack_into("<I", content, last + 22, 0)
    struct.pack_into("<I", content, last + 22, ogg_checksum(bytes(content[last:])))
    path.write_bytes(content)
    with pytest.raises(MediaError, match="is too long: more"):
        decode(path, replace(MediaLimits(), max_seconds=60))


def ogg_checksum(page: bytes) -> int:
    """CRC-32 of a page as RFC 3533 has it: polynomial 0x04C11DB7, nothing reflected."""
    found = 0
    for byte in page:
        found ^= byte << 24
        for _ in range(8):
            found = (found << 1 ^ (0x04C11DB7 if found & 0x80000000 else 0)) & 0xFFFFFFFF
    return found


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (wav_header(rate=1), "has 1 samples a second; 4,000 to 384,000 are read. Export"),
        (wav_header(rate=1_000_000_000), "has 1000000000 samples a second; 4,000 to 384,000 are read. Export"),
        (wav_header(channels=255), "has 255 channels; at most 16 are read"),
        (wav_header(channels=0), "has 0 channels; at most 16 are read"),
        (wav_header(bits=0), "its audio is coded as unknown, which is not read"),
        (wav_header(kind=0x0161), "its audio is coded as wmav2, which is not read"),
        (wav_header(length=2**31), "is cut off: its last 67107.9 s are missing"),
    ],
)
def test_a_wav_that_lies_in_its_header_is_refused(tmp_path: Path, header: bytes, message: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(header + np.random.default_rng(0).bytes(32_000))
    with pytest.raises(MediaError) as caught:
        decode(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("box", "at", "number"),
    [
        (b"mvhd", 20, 2**31),  # the file's length
        (b"mdhd", 20, 2**31),  # the track's length
        (b"elst", 12, 2**31),  # how much of it is played
        (b"stsz", 12, 2**32 - 1),  # number of samples
        (b"stts", 12, 2**32 - 1),  # samples of one length
        (b"stts", 16, 2**31),  # their length
        (b"stco", 8, 2**32 - 1),  # number of chunks
    ],
)
def test_an_mp4_that_states_absurd_lengths_and_counts_is_refused_or_read_as_it_is(
    tmp_path: Path, box: bytes, at: int, number: int
) -> None:
    path = made(tmp_path / "a.m4a", "-c:a", "aac")
    content = bytearray(path.read_bytes())
    struct.pack_into(">I", content, content.index(box) + at, number)
    path.write_bytes(content)
    try:
        assert decode(path).duration < 3
    except MediaError as error:
        assert str(error).startswith(f"{path}: ")


def test_an_unreadable_place_for_samples_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path / "a.wav")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(MediaError, match=r"a\.wav: decoding could not be done .*gone can be written to\."):
        decode(path)


def test_pyav_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="PyAV is not installed"):
        decode_process.child_command()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to become somebody else")
def test_without_root_the_limits_leave_room_for_decoding(tmp_path: Path) -> None:
    """The limit on processes counts threads too: none may be needed."""
    source = made(tmp_path / "a.mp3").open("rb")
    code = (
        "import json, os, sys; sys.path += sys.argv[1:3]\n"
        "import pipeline.listen.decode_child as child\n"
        "shut, child.open_no_more = child.open_no_more, lambda: None\n"
        "child.decode(json.loads(sys.argv[3]), open(os.devnull, 'wb'))\n"  # loads what others may not read here
        "child.open_no_more = shut; os.lseek(0, 0, 0); os.setuid(65534); child.run(sys.argv[3])"
    )
    limits = {"memory_bytes": 2**31, "cpu_seconds": 60, "output_bytes": 10**8, "max_seconds": 60, "max_channels": 2}
    command = decode_process.child_command()
    command = [*command[:4], code, *command[5:], json.dumps({**limits, "demuxer": "mp3"})]
    with source, (tmp_path / "pcm").open("wb") as pcm:
        done = subprocess.run(command, stdin=source, stdout=pcm, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stderr)["samples"] == pytest.approx(2 * RATE, abs=RATE / 5)
