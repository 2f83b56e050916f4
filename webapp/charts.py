"""Figures as SVG, drawn on the server: points of a curve, stacked bars. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# The area of a curve within its picture of 320 x 130.
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 316, 10, 110


def polyline(values: Sequence[float], *, top: float | None = None) -> str:
    """Return the points of a curve through values, from 0 at the bottom to `top` (their largest when it is None)."""
    finite = [min(max(value, 0.0), 1e9) if value == value else 0.0 for value in values]
    highest = top or max(finite, default=0.0) or 1.0
    step = (_RIGHT - _LEFT) / max(1, len(finite) - 1)
    return " ".join(
        f"{_LEFT + index * step:.1f},{_BOTTOM - (_BOTTOM - _TOP) * min(1.0, value / highest):.1f}"
        for index, value in enumerate(finite)
    )


@dataclass(frozen=True)
class Mark:
    """A point of a plot, in its picture of 320 x 130. words: what it says."""

    x: float
    y: float
    words: str


def mark(x: float, y: float, words: str, *, top: float = 1.0) -> Mark:
    """Place a point: `x` as a share of the width, `y` from 0 at the bottom to `top`."""
    share = min(1.0, max(0.0, y / top))
    return Mark(round(_LEFT + (_RIGHT - _LEFT) * min(1.0, max(0.0, x)), 1), round(_BOTTOM - (_BOTTOM - _TOP) * share, 1), words)


@dataclass(frozen=True)
class BarPart:
    """A part of a stacked bar, in hundredths of the bar's picture. name: what it counts."""

    name: str
    start: float
    width: float


def stacked_bar(counts: Mapping[str, int], *, full: int) -> list[BarPart]:
    """Return the parts of a bar of which `full` is the whole width, one behind the other, without those that count nothing."""
    parts, start = [], 0.0
    for name, count in counts.items():
        width = 100 * count / max(1, full)
        if count:
            parts.append(BarPart(name, round(start, 3), round(width, 3)))
        start += width
    return parts


@dataclass(frozen=True)
class Column:
    """A column of a figure of 320 x 130. parts: (name, y, height) from the bottom up; words: what it says."""

    x: float
    width: float
    parts: tuple[tuple[str, float, float], ...]
    words: str


def stacked_columns(columns: Sequence[tuple[str, Mapping[str, int]]]) -> tuple[list[Column], int]:
    """Return columns side by side, each of words and the counts that are stacked in it, and the count at the figure's top."""
    highest = max((sum(counts.values()) for _, counts in columns), default=0) or 1
    # A few columns stay slim, and stand at the left.
    step = (_RIGHT - _LEFT) / max(8, len(columns))
    drawn = []
    for index, (words, counts) in enumerate(columns):
        bottom, parts = float(_BOTTOM), []
        for name, count in counts.items():
            height = (_BOTTOM - _TOP) * count / highest
            bottom -= height
            if count:
                parts.append((name, round(bottom, 2), round(height, 2)))
        drawn.append(Column(round(_LEFT + index * step, 2), round(step * 0.78, 2), tuple(parts), words))
    return drawn, highest
