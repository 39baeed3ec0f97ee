"""A cell asks while its windows, one after another, lie at the edge of the familiar."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.live.gate.judge import Gate
from coordinator.live.gate.lately import CODE, EDGE, HIGH, HIGHEST, Lately
from coordinator.terms import Decision, Digest
from tests.builders import FAMILY, make_prediction

ORDINARY, AT_EDGE = 0.2, EDGE + 0.01


def seen(lately: Lately, *novelties: float, model: str = "a") -> list[bool]:
    said = [make_prediction(novelty=novelty) for novelty in novelties]
    digest = Digest(model * 64)
    return [bool(lately.see(replace(one, model_digest=digest))) for one in said]


def test_ordinary_windows_are_left_to_the_gate_from_the_first_on() -> None:
    assert seen(Lately(), *[ORDINARY] * 5) == [False] * 5


def test_a_model_that_meets_another_robot_asks_from_the_first_window_on() -> None:
    assert seen(Lately(), *[AT_EDGE] * 5) == [True] * 5


def test_one_window_at_the_edge_is_nothing_and_a_row_of_them_is_something() -> None:
    lately = Lately()
    seen(lately, *[ORDINARY] * 10)

    assert seen(lately, AT_EDGE, ORDINARY, AT_EDGE, ORDINARY) == [False] * 4
    assert seen(lately, *[AT_EDGE] * 4)[-1]


def test_ordinary_windows_end_it_and_nothing_else_does() -> None:
    lately = Lately()
    seen(lately, *[AT_EDGE] * 100)

    asks = seen(lately, *[ORDINARY] * HIGHEST)

    assert asks == [True] * (HIGHEST - HIGH) + [False] * HIGH


def test_another_model_begins_anew() -> None:
    lately = Lately()
    seen(lately, *[ORDINARY] * 10)

    assert seen(lately, AT_EDGE, model="b") == [True]
    assert seen(lately, ORDINARY, ORDINARY, model="b") == [True, False]


@pytest.mark.parametrize("novelty", [math.nan, math.inf])
def test_a_novelty_that_is_no_number_is_never_ordinary(novelty: float) -> None:
    assert seen(Lately(), novelty) == [True]


def test_the_gate_asks_and_says_why() -> None:
    sure = make_prediction(novelty=AT_EDGE)

    verdict = Gate(0.5)(sure, Lately().see(sure), FAMILY)

    assert verdict.decision is Decision.ASK
    assert verdict.code == CODE
    assert "unlike" in verdict.reason


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 59))
def test_a_window_more_at_the_edge_never_makes_it_ask_less(
    edges: list[bool], place: int
) -> None:
    more = [edge or i == place for i, edge in enumerate(edges)]

    asks, asks_more = (
        seen(Lately(), *[AT_EDGE if edge else ORDINARY for edge in row])
        for row in (edges, more)
    )

    assert all(b for a, b in zip(asks, asks_more, strict=True) if a)
