"""A figure with its interval, a dot and a whisker, on a scale that the figures beside it share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Rate", "Scale", "scale_over"]

MOST_LABELS = 7
"""Labels that have room below each other's ticks on a phone; with more ticks every other one is labelled."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One line of the plot. `tone` is its class and shape; places are shares (0-1) of the scale, None where there is
    nothing to draw. `value` is the figure in words, `count` what it stands on."""

    name: str
    tone: str
    value: str
    count: str
    at: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """A common scale from `low` to `high`. `ticks` are (place, label)."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float | None) -> float | None:
        """The value's place, 0-1; None for None."""
        if value is None:
            return None
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def scale_over(values: Iterable[float | None], low: float, high: float, step: float, *, signed: bool = False) -> Scale:
    """A scale from `low` to `high`, wider by whole steps where a value needs it, with a tick at each step."""
    known = [value for value in values if value is not None]
    first = min([round(low / step), *(int(value // step) for value in known)])
    last = max([round(high / step), *(-int(-value // step) for value in known)])
    bare = Scale(first * step, last * step, ())
    every = 1 if last - first < MOST_LABELS else 2
    ticks = (
        (bare.place(tick * step) or 0.0, "" if tick % every else _label(tick * step, signed))
        for tick in range(first, last + 1)
    )
    return Scale(bare.low, bare.high, tuple(ticks))


def _label(value: float, signed: bool) -> str:
    text = f"{abs(value):.2f}".rstrip("0").rstrip(".")
    sign = "−" if value < 0 and text != "0" else "+" if signed and text != "0" else ""
    return f"{sign}{text}"
