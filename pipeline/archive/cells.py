"""Text that a spreadsheet shows and never runs: cells of CSV files that hold what strangers wrote."""

from __future__ import annotations

import re
import unicodedata

_STARTS = "=+-@"
_LEAD = r"[\s\"'\u200b-\u200f\u2060\ufeff]*"
"""What a spreadsheet, or whoever cleans a file, may take away before it looks at the first character."""
_STARTING = re.compile(rf"^{_LEAD}(?=(\S))")
_AFTER_BREAK = re.compile(rf"([;\t\r\n]{_LEAD})(?=([^\s;]))")


def safe_cell(text: str) -> str:
    """The text, with `'` before what a spreadsheet would take for a formula.

    Formulas begin with `=`, `+`, `-`, `@` or their full-width and small forms, also behind quotes, whitespace and
    invisible characters. A cell that begins with a tab or a line break is marked as well, and so is a formula behind
    `;`, a tab or a line break inside the text: where a file is read with another separator, it begins a cell there.
    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    marked = _AFTER_BREAK.sub(lambda found: found[1] + ("'" if _is_start(found[2]) else ""), text)
    start = _STARTING.match(text)
    return f"'{marked}" if text[:1] in {"\t", "\r", "\n"} or (start and _is_start(start[1])) else marked


def _is_start(char: str) -> bool:
    return unicodedata.normalize("NFKC", char)[:1] in _STARTS
