"""Whether a name stands in what is stored, however it is written there: the proof that a person was forgotten.

Letter case, Unicode forms, escapes of JSON, HTML, URLs and WebVTT, tags, and what stands between the parts of a name
(spaces, line breaks, `_`, `-`, `.`) make no difference. It is looked for as a whole: Ann Lee is not in Joann Leeds.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

from pipeline.errors import UsageError

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\([bfnrt])|\\([^\w\s])")
_LETTER_ESCAPED = re.compile(
    r"\\u(?!00[0-3])|%(?:[4-7A-F][0-9A-F]|25)|&(?!(?:lt|gt|quot|apos|nbsp|#34|#39|#x27);|amp;[^#a-z])[#a-z]",
    re.IGNORECASE,
)
"""An escape that may stand for a letter, or for another escape."""
_TAG = re.compile(r"<[^<>]*>")
_INVISIBLE = dict.fromkeys([0xAD, 0xFEFF, *range(0x200B, 0x2010)])
_BETWEEN = dict.fromkeys([*map(ord, "_.-"), *range(0x2010, 0x2016)], " ")
_LIKE = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "“": '"', "”": '"', "„": '"'})
_EVEN = {**_INVISIBLE, **_BETWEEN, ord("`"): "'"}


class NameSearch:
    """A name or other text to look for. Raises UsageError where there is nothing to look for."""

    def __init__(self, text: str) -> None:
        self._wanted = _folded(text).strip()
        if not self._wanted:
            raise UsageError(f"{text!r}: nothing to search for; give a name with at least one letter or digit.")
        first, last = _edge(self._wanted[0], "?<!"), _edge(self._wanted[-1], "?!")
        self._part = max(re.findall("[a-z]+", self._wanted), key=len, default="")
        self._whole = re.compile(f"{first}{re.escape(self._wanted)}{last}")

    def is_in(self, content: str | bytes) -> bool:
        """Whether the text stands in the content of a file, as it is or escaped; bytes are taken as UTF-8."""
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
        return self._may_be_in(text) and any(self._stands_in(view) for view in _views(text))

    def _may_be_in(self, text: str) -> bool:
        """False only where the text cannot hold the longest part of the name, which is seen far sooner: its letters are
        not there, and nothing that could become a letter is."""
        part = self._part
        if len(part) < 3 or part in text.lower() or part in _TAG.sub("", text).lower():
            return True
        return bool(_LETTER_ESCAPED.search(text)) or (not text.isascii() and any(map(_becomes_letter, set(text))))

    def _stands_in(self, text: str) -> bool:
        folded = _folded(text)
        return self._wanted in folded and self._whole.search(folded) is not None


@lru_cache(maxsize=4096)
def _becomes_letter(char: str) -> bool:
    """Whether a character beyond ASCII is, or hides between, plain letters once everything is made even."""
    return not char.isascii() and (
        ord(char) in _INVISIBLE or any(one.isascii() and one.isalpha() for one in _folded(char))
    )


def _edge(char: str, look: str) -> str:
    """What may not stand beside this end of the text: a letter or digit, in scripts that part words by spaces."""
    is_parted = char.isdigit() or char.upper() != char.lower()
    return rf"({look}[^\W_])" if is_parted else ""


def _views(text: str) -> Iterator[str]:
    """The text as it is, without one and two layers of escapes, and without tags."""
    yield text
    plain = _unescaped(text)
    if plain != text:
        yield plain
        twice = _unescaped(plain)  # JSON in a page, a key in a scorecard
        if twice != plain:
            yield twice
    if "<" in text:
        yield _TAG.sub("", plain)


def _folded(text: str) -> str:
    """The text with everything equal that makes no difference to a name."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_LIKE))
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.translate(_EVEN).split())


def _unescaped(text: str) -> str:
    """The text without one layer of the escapes of JSON, HTML and URLs."""
    if "\\" in text:
        pairs = _ESCAPED.sub(_char, text)
        text = pairs.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "&" in text:
        text = html.unescape(text)
    return unquote(text, errors="replace") if "%" in text else text


def _char(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return " " if found[2] else found[3]
