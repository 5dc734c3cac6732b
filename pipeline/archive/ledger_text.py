"""Text as both databases can hold it: keys, JSON, reasons. No NUL and no lone surrogate gets through as it is."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import quote, unquote

MAX_REASON = 2_000

_UNSAFE = re.compile("[%\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def quoted(key: str) -> str:
    """The key with `%`, control characters and lone surrogates percent-quoted, so that names in it can be searched."""
    return _UNSAFE.sub(lambda found: quote(found[0], safe="", errors="surrogatepass"), key)


def unquoted(text: str) -> str:
    """The key that `quoted` was given."""
    return unquote(text, errors="surrogatepass") if "%" in text else text


def key_hash(source: str, key: str) -> str:
    """SHA-256 of the source and the key, in hex: what finds a recording, whatever its key is made of."""
    return hashlib.sha256(f"{source}\0{key}".encode("utf-8", "surrogatepass")).hexdigest()


def suffix(key: str) -> str:
    """The ending of the key's last part with its dot, in lower case; empty where it has none."""
    name = key.rpartition("/")[2]
    _, dot, ending = name.rpartition(".")
    return quoted(f".{ending.lower()}") if dot and len(ending) <= 10 else ""


def json_text(value: Any) -> str:
    """The value as JSON, letters of all scripts as they are; equal values give equal text."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def reason_text(reason: str) -> str:
    """A reason as it is kept: at most 2,000 characters, what no database holds as an escape."""
    plain = reason.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
    return plain if len(plain) <= MAX_REASON else f"{plain[: MAX_REASON - 1]}…"
