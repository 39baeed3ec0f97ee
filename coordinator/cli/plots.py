"""Pictures of curves for the terminal, in braille: eight dots a character."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_DOTS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bit of each dot, by column and row within a character."""
_BLANK: Final = 0x2800
WIDTH: Final = 60
HEIGHT: Final = 10


def curve(
    points: Sequence[tuple[float, float]],
    *,
    across: str,
    up: str,
    percent: tuple[bool, bool] = (True, True),
) -> list[str]:
    """A line through points, with its limits beside it.

    Args:
        points: From left to right, finite; the picture begins at (0, 0).
        across: What the x axis shows.
        up: What the y axis shows.
        percent: Whether the numbers of x and y are shares.
    """
    if not points:
        return [f"{up}: nothing to draw."]
    right = max([1e-9, *(x for x, _ in points)])
    top = max([1e-9, *(y for _, y in points)])
    rows = _drawn([(x / right, y / top) for x, y in points])
    room = max(len(_number(top, percent[1])), len(_number(0.0, percent[1])))
    beside = [_number(top, percent[1]), *[""] * (HEIGHT - 2), _number(0.0, percent[1])]
    lines = [f"{'':>{room}} {up}"]
    lines += [f"{b:>{room}} {row}" for b, row in zip(beside, rows, strict=True)]
    end = _number(right, percent[0])
    foot = f"{'':>{room}} {_number(0.0, percent[0])}"
    return [*lines, f"{foot}{across:^{WIDTH - len(foot) + room + 1 - len(end)}}{end}"]


def bars(
    blocks: Sequence[tuple[int, int]], *, names: tuple[str, str], most: int
) -> list[str]:
    """Upright bars of two parts on each other, one column or more each.

    Args:
        blocks: Lower and upper part of each bar, counts.
        names: What the lower and the upper part are.
        most: The highest count.
    """
    wide = max(1, WIDTH // max(1, len(blocks)) - 1)
    lines = []
    for row in range(HEIGHT, 0, -1):
        line = ""
        for lower, upper in blocks:
            level = (row - 0.5) * most / HEIGHT
            mark = "█" if level <= lower else "░" if level <= lower + upper else " "
            line += mark * wide + " "
        beside = f"{most:>5}" if row == HEIGHT else " " * 5
        lines.append(f"{beside} {line}".rstrip())
    return [
        *lines,
        f"      █ {names[0]}  ░ {names[1]}, from the first window to the last",
    ]


def _drawn(points: Sequence[tuple[float, float]]) -> list[str]:
    """Points in the unit square as braille, the highest row first."""
    columns, rows = WIDTH * 2, HEIGHT * 4
    cells = [[_BLANK] * WIDTH for _ in range(HEIGHT)]
    before: int | None = None
    for column in range(columns):
        y = rows - 1 - round(_at(points, (column + 0.5) / columns) * (rows - 1))
        near = y if before is None else before
        for dot in range(min(y, near), max(y, near) + 1):
            cells[dot // 4][column // 2] |= _DOTS[column % 2][dot % 4]
        before = y
    return ["".join(map(chr, row)) for row in cells]


def _at(points: Sequence[tuple[float, float]], x: float) -> float:
    """Height of the line at a place; level before the first and after the last."""
    left = points[0]
    for point in points:
        if point[0] >= x:
            span = point[0] - left[0]
            part = (x - left[0]) / span if span > 0.0 else 1.0
            return left[1] + max(0.0, part) * (point[1] - left[1])
        left = point
    return left[1]


def _number(value: float, percent: bool) -> str:
    return f"{value * 100:.1f} %" if percent else f"{value:.0f}"
