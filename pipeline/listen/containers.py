"""What a recording's first and last bytes say: which allowed container it is, and whether its end is there.

The file's name is not believed: FFmpeg is told which one demuxer to use, and that is chosen here from the content.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HEAD_BYTES = 64 * 1024
_OGG_PAGE_HEADER = 27
_OGG_LONGEST_PAGE = 65_307
_OGG_END_OF_STREAM = 0x04
_WAV_UNKNOWN = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Container:
    """A container that is decoded: the name people know, FFmpeg's demuxer, and whether it states a true duration."""

    name: str
    demuxer: str
    declares_duration: bool


WAV = Container("WAV", "wav", True)
FLAC = Container("FLAC", "flac", True)
MP4 = Container("MP4", "mov", True)
MATROSKA = Container("WebM/Matroska", "matroska", True)
OGG = Container("Ogg", "ogg", False)  # FFmpeg takes the duration from the last page it finds, so a cut is not seen
AAC = Container("AAC", "aac", False)
MP3 = Container("MP3", "mp3", False)
MP3_WITH_LENGTH = Container("MP3", "mp3", True)  # a Xing or Info header counts the frames

ALLOWED_NAMES = "wav, mp3, m4a/mp4, aac, ogg/opus, flac or webm"

_NOT_AUDIO = (
    (b"#EXTM3U", "a playlist"),
    (b"[playlist]", "a playlist"),
    (b"ffconcat", "a playlist"),
    (b"<?xml", "an XML file"),
    (b"<", "a web page or XML file"),
    (b"WEBVTT", "a WebVTT transcript"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x30\x26\xb2\x75", "a Windows Media file"),
    (b"FORM", "an AIFF file"),
    (b"#!AMR", "an AMR file"),
    (b".snd", "an AU file"),
    (b"FLV", "a Flash video"),
)


def sniff(head: bytes) -> Container | None:
    """The allowed container that a file beginning with `head` is, or None."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return WAV
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return MP4
    for magic, container in ((b"fLaC", FLAC), (b"OggS", OGG), (b"\x1aE\xdf\xa3", MATROSKA)):
        if head.startswith(magic):
            return container
    return _sniff_mpeg(head)


def _sniff_mpeg(head: bytes) -> Container | None:
    """MP3, AAC or FLAC behind an optional ID3 tag, or None."""
    start = 0
    tagged = head[:3] == b"ID3" and len(head) > 10
    if tagged:
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        start = 10 + size
        if start + 4 > len(head):  # a cover picture fills the head: only MP3 carries such tags in practice
            return MP3
    if head[start : start + 4] == b"fLaC":
        return FLAC
    frame = head[start : start + 2048].lstrip(b"\0")  # some encoders pad the tag
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return MP3 if tagged else None
    if frame[1] & 0xF6 == 0xF0:  # layer 0 after a 12-bit sync is ADTS
        return AAC
    if frame[1] & 0x06 == 0 or frame[2] & 0xF0 == 0xF0 or frame[2] & 0x0C == 0x0C:
        return None  # a reserved layer, bit rate or sample rate: not an MPEG frame
    return MP3_WITH_LENGTH if b"Xing" in frame[:200] or b"Info" in frame[:200] else MP3


def describe_other(head: bytes) -> str:
    """What a file of no allowed container seems to be, in words."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, name in _NOT_AUDIO:
        if start.startswith(magic):
            return name
    return "of no known audio format"


def wav_seconds_missing(head: bytes, size: int) -> float:
    """How much shorter a WAV file of `size` bytes is than its header says; FFmpeg would take the shorter for whole.

    0 where the header states no length, as in a file that was streamed while it was written.
    """
    at, bytes_per_second = 12, 0
    while at + 8 <= len(head):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"fmt ":
            bytes_per_second = int.from_bytes(head[at + 16 : at + 20], "little")
        if name == b"data":
            stated = length not in (0, _WAV_UNKNOWN, _WAV_UNKNOWN - 1) and head[:4] == b"RIFF" and bytes_per_second > 0
            return max(0, at + 8 + length - size) / bytes_per_second if stated else 0.0
        at += 8 + length + length % 2
    return 0.0


def ogg_is_complete(path: Path) -> bool:
    """Whether the last page of an Ogg file is there in full and marked as the end of its stream."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _OGG_LONGEST_PAGE - _OGG_PAGE_HEADER))
        tail = file.read()
    at = tail.rfind(b"OggS")
    while at >= 0:
        page = tail[at:]
        if len(page) >= _OGG_PAGE_HEADER and page[4] == 0:
            segments = page[_OGG_PAGE_HEADER : _OGG_PAGE_HEADER + page[26]]
            whole = len(segments) == page[26] and len(page) >= _OGG_PAGE_HEADER + page[26] + sum(segments)
            return whole and bool(page[5] & _OGG_END_OF_STREAM)
        if at + _OGG_PAGE_HEADER > len(tail):
            return False  # the file ends inside a page header
        at = tail.rfind(b"OggS", 0, at)
    return False
