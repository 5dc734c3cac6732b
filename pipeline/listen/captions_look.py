"""Whether a file found in a folder is a transcript, by a look at its head: most .json, .jsonl and .txt are none."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from pipeline.listen.captions_json import SPEAKER_KEYS, TEXT_KEYS
from pipeline.listen.captions_text import is_transcript

AMBIGUOUS = {".json": "JSON", ".jsonl": "JSON lines", ".txt": "text"}
"""Suffix -> what to call a file that may be a transcript or anything else."""

_LOOK = 512 * 1024  # Whisper's JSON begins with the whole text, an hour of which is about 60 KB
_LOOK_TEXT = 64 * 1024
_ENCODINGS = (  # UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KEYS = (("speakerId", *SPEAKER_KEYS), TEXT_KEYS)


def encoding_of(data: bytes) -> str:
    """The encoding that a byte order mark announces, UTF-8 without one."""
    return next((name for mark, name in _ENCODINGS if data.startswith(mark)), "utf-8")


def looks_like_transcript(path: Path) -> bool:
    """Whether a file begins like a transcript: JSON has keys for a speaker and for a text in its first 512 KB, a text
    has lines that begin a turn in its first 64 KB. A file of a suffix that is not ambiguous does. Raises OSError."""
    if path.suffix.lower() not in AMBIGUOUS:
        return True
    with path.open("rb") as file:
        head = file.read(_LOOK)
    text = head.decode(encoding_of(head), errors="replace")
    if path.suffix.lower() == ".txt" and not text.lstrip().startswith(("{", "[{")):
        return is_transcript(text[:_LOOK_TEXT])
    return all(re.search(rf'"(?:{"|".join(keys)})"\s*:', text) for keys in _KEYS)
