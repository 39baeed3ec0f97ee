"""Times, shares and numbers read as people read them, whatever they are."""

from __future__ import annotations

import math

import pytest

from tui import look
from tui.terms import Action, CellState, HoldReason, ModelState


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.9, "0:00"),
        (7.9, "0:07"),
        (150, "2:30"),
        (3840, "1:04:00"),
        (-5, "0:00"),
        (math.nan, "0:00"),
    ],
)
def test_countdown(seconds, text) -> None:
    assert look.countdown(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "now"),
        (12.7, "12 s"),
        (61, "1 min"),
        (7300, "2 h"),
        (200_000, "2 d"),
        (math.nan, "now"),
    ],
)
def test_ago(seconds, text) -> None:
    assert look.ago(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (0.614, "61 %"), (1.0, "100 %"), (math.nan, "-"), (1.2, "-")],
)
def test_percent(share, text) -> None:
    assert look.percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (12.34, "12.3"), (-0.0456, "-0.0456"), (1e30, "1.0e+30")],
)
def test_number(value, text) -> None:
    assert look.number(value) == text
    assert look.number(math.nan) == "-"


@pytest.mark.parametrize(
    "share", [0.0, 0.01, 0.33, 0.5, 0.999, 1.0, 7.0, -1.0, math.nan]
)
def test_a_bar_is_always_as_wide_as_asked(share) -> None:
    assert look.bar(share, 12, "$primary").cell_length == 12


def test_a_bar_that_is_full_or_empty_says_so() -> None:
    assert look.bar(1.0, 4, "").plain == "████"
    assert look.bar(math.nan, 4, "").plain == "░░░░"


def test_every_word_of_the_contract_has_a_look() -> None:
    assert set(look.LAMPS) == set(CellState)
    assert set(look.REASONS) == set(HoldReason)
    assert set(look.ACTIONS) == set(Action)
    assert set(look.MODELS) == set(ModelState)


def test_no_two_lamps_share_a_shape_or_a_word() -> None:
    for lamps in (look.LAMPS.values(), look.MODELS.values()):
        assert len({lamp.shape for lamp in lamps}) == len(lamps)
        assert len({lamp.word.lower() for lamp in lamps}) == len(lamps)
