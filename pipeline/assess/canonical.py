"""The text that the encoder reads: lower case, without marks and fillers; each character knows where it came from.

How somebody's words were written down must not tell how well they sold. Capitals, marks and ums differ between
recognisers, captions and typists, so they are taken away before anything is judged, not learnt to be ignored.
"""

from __future__ import annotations

import re

__all__ = ["canonical"]

_FILLERS = re.compile(
    r"(?<![\w'-])(?:u+[hm]+|e+r+m*|e+h+m*|a+h+|h+m+|m+|"
    r"you know|i mean|sort of|kind of|kinda|sorta|like)(?![\w'-])"
)
_MARKS = re.compile(r"[^\w'%£$€]|(?<!\w)'|'(?!\w)|_")


def canonical(text: str) -> tuple[str, list[int]]:
    """`text` in plain words, one space between them, and for each of its characters the place in `text`."""
    straight = text.replace("’", "'")
    lowered = straight.lower()
    if len(lowered) != len(text):  # a few capitals, as İ, are two characters in lower case
        lowered = "".join(one if len(one.lower()) != 1 else one.lower() for one in straight)
    spaced = _MARKS.sub(" ", lowered)
    spaced = _FILLERS.sub(lambda found: " " * len(found[0]), spaced)
    kept = [n for n, one in enumerate(spaced) if one != " " or (n and spaced[n - 1] != " ")]
    while kept and spaced[kept[0]] == " ":
        kept.pop(0)
    return "".join(spaced[n] for n in kept), kept
