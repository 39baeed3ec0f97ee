"""Draws a line in braille: eight dots a character, no Textual and no numpy needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_DOTS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bit of each dot, by column and row within a character."""

_BLANK: Final = 0x2800


def extent(values: Sequence[float]) -> tuple[float, float]:
    """Least and greatest of the finite values; (nan, nan) when there are none."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return math.nan, math.nan
    return min(finite), max(finite)


def column_of(row: int, rows: int, width: int) -> int:
    """The character column, 0 to width - 1, in which a row of the window is drawn."""
    if rows <= 1:
        return 0
    return min(width - 1, max(0, row * width // rows))


def line(
    values: Sequence[float],
    width: int,
    height: int,
    limits: tuple[float, float] | None = None,
) -> list[str]:
    """The values as a connected line, from the left edge to the right one.

    Args:
        values: One a row of the window, in any unit; NaN and infinities leave a gap.
        width: Of the drawing, in characters.
        height: Of the drawing, in characters.
        limits: Least and greatest value of the drawing, to compare it with others;
            None for those of the values.

    Returns:
        One string a line of the drawing, top first, each of width braille characters.
        The topmost dots stay free, so that drawings can stand one above the other.
    """
    envelopes = _envelopes(values, width * 2) if values else []
    return drawing(envelopes, limits or extent(values), width, height)


def drawing(
    envelopes: Sequence[tuple[float, float] | None],
    limits: tuple[float, float],
    width: int,
    height: int,
) -> list[str]:
    """What lies between least and greatest in each dot column, as a connected line.

    Args:
        envelopes: Least and greatest value of each dot column, None for a gap; two dot
            columns a character.
        limits: Least and greatest value of the drawing; NaN draws nothing.
        width: As in `line`.
        height: As in `line`.

    Returns:
        As `line`.
    """
    low, high = limits
    cells = [[_BLANK] * width for _ in range(height)]
    if not math.isfinite(low) or width <= 0 or height <= 0:
        return ["".join(map(chr, row)) for row in cells]
    # A flat line lies in the middle rather than at an edge.
    span = (high - low) or 1.0
    base = low if high > low else low - 0.5
    deep = height * 4 - 2  # dots from the greatest value down to the least
    before: tuple[int, int] | None = None
    for x, inside in enumerate(envelopes):
        if inside is None:
            before = None
            continue
        least = 1 + deep - round((inside[0] - base) / span * deep)
        greatest = 1 + deep - round((inside[1] - base) / span * deep)
        first, last = greatest, least
        if before is not None:  # reach half-way to the neighbour, so the line connects
            first = min(first, before[1] + 1)
            last = max(last, before[0] - 1)
        for y in range(first, last + 1):
            cells[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
        before = (greatest, least)
    return ["".join(map(chr, row)) for row in cells]


def _envelopes(
    values: Sequence[float], columns: int
) -> list[tuple[float, float] | None]:
    """Least and greatest value in each dot column, None where there is none."""
    rows = len(values)
    found: list[tuple[float, float] | None] = []
    for column in range(columns):
        first = column * rows / columns
        last = (column + 1) * rows / columns
        if last - first >= 1.0:
            low, high = extent(values[math.floor(first) : math.ceil(last)])
        else:
            low = high = _between(values, first)
        found.append((low, high) if math.isfinite(low) else None)
    return found


def _between(values: Sequence[float], place: float) -> float:
    """The value at a place between two rows."""
    row = math.floor(place)
    here = values[row]
    there = values[min(row + 1, len(values) - 1)]
    if not (math.isfinite(here) and math.isfinite(there)):
        return here
    return here + (there - here) * (place - row)
