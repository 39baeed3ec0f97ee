"""A trace is drawn whole, connected, and with holes where nothing was measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import braille

BLANK = chr(0x2800)


def dots(lines: list[str]) -> set[tuple[int, int]]:
    """The dots that are set, as (x, y) from the upper left corner."""
    bits = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
    return {
        (2 * x + column, 4 * y + row)
        for y, line in enumerate(lines)
        for x, letter in enumerate(line)
        for column in range(2)
        for row in range(4)
        if ord(letter) - 0x2800 & bits[column][row]
    }


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right() -> None:
    drawn = dots(braille.line(list(range(8)), 4, 2))

    assert (0, 7) in drawn
    assert (7, 1) in drawn
    assert all((x, 0) not in drawn for x in range(8))


def test_a_flat_line_lies_in_the_middle() -> None:
    assert {y for _, y in dots(braille.line([3.0] * 10, 5, 3))} == {6}


def test_a_jump_is_connected() -> None:
    drawn = dots(braille.line([0.0, 0.0, 1.0, 1.0], 2, 2))

    assert {y for _, y in drawn} == {1, 2, 3, 4, 5, 6, 7}


@pytest.mark.parametrize("nothing", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_hole(nothing) -> None:
    drawn = dots(braille.line([1.0, 1.0, nothing, nothing, 2.0, 2.0], 3, 1))

    assert {x for x, _ in drawn} == {0, 1, 4, 5}


def test_nothing_at_all_is_blank() -> None:
    assert braille.line([math.nan] * 5, 3, 2) == [BLANK * 3] * 2
    assert braille.line([], 3, 1) == [BLANK * 3]


def test_one_spike_in_many_rows_is_seen() -> None:
    values = [0.0] * 1000
    values[500] = 9.0

    assert any(y == 1 for _, y in dots(braille.line(values, 20, 2)))


@given(
    st.lists(st.floats(width=32), max_size=300),
    st.integers(1, 40),
    st.integers(1, 6),
)
def test_every_drawing_has_its_size(values, width, height) -> None:
    lines = braille.line(values, width, height)

    assert [len(line) for line in lines] == [width] * height


@pytest.mark.parametrize(
    ("row", "column"), [(0, 0), (127, 57), (128, 57), (64, 29), (-1, 0)]
)
def test_a_row_finds_its_column(row, column) -> None:
    assert braille.column_of(row, 128, 58) == column


def test_24_channels_are_drawn_before_a_person_can_notice() -> None:
    traces = [[math.sin(i / 9 + n) for i in range(128)] for n in range(24)]

    def least_s(work: Callable[[list[float]], object]) -> float:
        took_s = []
        for _ in range(7):
            began_s = time.perf_counter()
            for values in traces:
                work(values)
            took_s.append(time.perf_counter() - began_s)
        return min(took_s)

    drawn_s = least_s(lambda values: braille.line(values, 116, 5))
    read_s = least_s(lambda values: [math.sin(value) for value in values])

    # About 60 times as long as a look at each sample: 5 ms where that takes 90 us.
    assert drawn_s < 600 * read_s
