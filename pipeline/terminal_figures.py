"""Numbers and times as people read them on a terminal."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_JOINER = "\u200d"  # joins emoji, and letters of Persian and Indian scripts


def counted(number: int, thing: str, things: str | None = None) -> str:
    """The number with its noun: `1 call`, `4,210 calls`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def lasting(seconds: float) -> str:
    """A length of time in its two largest units, as `45 s`, `12 min`, `3 h 20 min` or `2 days 4 h`."""
    whole = round(max(0.0, seconds))
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < _HOUR - _MINUTE // 2:
        return f"{round(whole / _MINUTE)} min"
    if whole < _DAY:
        hours, minutes = divmod(round(whole / _MINUTE), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(whole / _HOUR), 24)
    return f"{counted(days, 'day')} {hours} h" if hours else counted(days, "day")


def audio(seconds: float) -> str:
    """Seconds of recordings in hours, as `2,480 hours of audio`; short ones in minutes."""
    if seconds < _MINUTE:
        return "less than a minute of audio"
    if seconds < _HOUR:
        return f"{round(seconds / _MINUTE)} min of audio"
    hours = seconds / _HOUR
    return f"{hours:,.1f} hours of audio" if hours < 10 else f"{hours:,.0f} hours of audio"


def speed(calls: float, seconds: float) -> str | None:
    """Calls in a time as a rate, in the unit in which it is at least one; None where nothing was measured."""
    if calls <= 0 or seconds <= 0:
        return None
    a_second = calls / seconds
    for unit, length in (("a second", 1), ("a minute", _MINUTE), ("an hour", _HOUR)):
        if a_second * length >= 1:
            return f"{a_second * length:,.1f} calls {unit}"
    return f"{a_second * _DAY:,.1f} calls a day"


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent, cut rather than rounded: 100 % is only said when nothing is left."""
    return f"{100 * part // whole if whole else 100} %"


def plain(text: str) -> str:
    """The text on one line, without anything that a terminal or a file would take for more than text: control
    characters, line breaks and halves of characters are written as escapes, as `\\n`."""
    return "".join(char if _is_plain(char) else char.encode("unicode_escape").decode("ascii") for char in text)


def _is_plain(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or char == _JOINER


def ago(time: str | None, now: datetime) -> float:
    """Seconds from a ledger's time (ISO 8601 in UTC) to now; 0 where there is none."""
    return 0.0 if time is None else max(0.0, (now - _read(time)).total_seconds())


def _read(time: str) -> datetime:
    read = datetime.fromisoformat(time)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
