"""The plot of coverage against error: coverage rows in; a self-contained SVG picture out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["coverage_plot"]

_WIDE, _HIGH, _LEFT, _TOP, _ACROSS, _DOWN = 640, 340, 60, 24, 430, 250
_COLOURS = ("#0b6e4f", "#b4590a", "#5b4b8a", "#1f6fb2", "#a0325a", "#4a4a4a")


def coverage_plot(series: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Share of levels given (x) against share of those two or more levels off (y), a line for each of `series`."""
    worst = max([float(row["more_than_one_off"] or 0) for rows in series.values() for row in rows] + [0.05])
    top = 0.05 * (int(worst / 0.05) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDE}" height="{_HIGH}" fill="#ffffff"/>',
        *(_line_across(share, top) for share in [0.05 * n for n in range(round(top / 0.05) + 1)]),
        *(_label_below(share) for share in (0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        f'<text x="{_LEFT + _ACROSS / 2}" y="{_TOP + _DOWN + 40}" text-anchor="middle">share of levels given</text>',
        f'<text x="{_LEFT}" y="14">of those, two or more levels off</text>',
    ]
    for number, (name, rows) in enumerate(series.items()):
        parts += _curve(name, rows, top, number)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _place(coverage: float, error: float, top: float) -> tuple[float, float]:
    return round(_LEFT + coverage * _ACROSS, 1), round(_TOP + (1 - error / top) * _DOWN, 1)


def _line_across(share: float, top: float) -> str:
    _, y = _place(0, share, top)
    return (
        f'<line x1="{_LEFT}" x2="{_LEFT + _ACROSS}" y1="{y}" y2="{y}" stroke="#dddddd"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{share:.0%}</text>'
    )


def _label_below(share: float) -> str:
    x = round(_LEFT + share * _ACROSS, 1)
    return f'<text x="{x}" y="{_TOP + _DOWN + 20}" text-anchor="middle">{share:.0%}</text>'


def _curve(name: str, rows: Sequence[Mapping[str, Any]], top: float, number: int) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    dashes = ' stroke-dasharray="6 4"' if number % 2 else ""
    given = [row for row in rows if row["more_than_one_off"] is not None]
    points = [_place(row["coverage"], row["more_than_one_off"], top) for row in given]
    y = _TOP + 16 + 22 * number
    x = _LEFT + _ACROSS + 20
    return [
        f'<polyline fill="none" stroke="{colour}" stroke-width="2"{dashes} points="'
        + " ".join(f"{px},{py}" for px, py in points)
        + '"/>',
        *(f'<circle cx="{px}" cy="{py}" r="3" fill="{colour}"/>' for px, py in points),
        f'<line x1="{x}" x2="{x + 24}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"{dashes}/>',
        f'<text x="{x + 30}" y="{y + 4}">{escape(name)}</text>',
    ]
