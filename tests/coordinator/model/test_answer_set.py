"""Plausible answers: the fewest labels that hold the right one often enough."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.model.answer_set import UNKNOWN, Level, answers, depth, level_of


def test_depth_counts_down_to_the_right_label() -> None:
    said = np.array([[0.1, 0.6, 0.3], [0.1, 0.6, 0.3], [0.1, 0.6, 0.3]])

    assert depth(said, [1, 2, 0]) == pytest.approx([0.6, 0.9, 1.0])


def test_a_label_that_the_model_does_not_know_is_never_reached() -> None:
    assert depth(np.array([[0.5, 0.5]]), [UNKNOWN]).tolist() == [math.inf]


def test_level_by_hand() -> None:
    # Nineteen depths, 95 %: the ceil(20 * 0.95) = 19th smallest, which is the largest.
    depths = np.array([0.5] * 18 + [0.8])

    assert level_of(depths, 0.95) == Level(0.8, 19, 0.95)
    # Nine depths, 80 %: the ceil(10 * 0.8) = 8th smallest.
    assert level_of(np.arange(1, 10) / 10, 0.8).level == pytest.approx(0.8)


def test_too_few_examples_leave_nothing_out() -> None:
    level = level_of(np.full(18, 0.5), 0.95)

    assert level.level == math.inf
    assert level.needed == 19
    assert answers(np.array([0.98, 0.01, 0.01]), level, 4).columns == (0, 1, 2)


@pytest.mark.parametrize(
    ("level", "columns"),
    [
        pytest.param(0.50, (1,), id="the-first-is-enough"),
        pytest.param(0.60, (1,), id="exactly-the-first"),
        pytest.param(0.61, (1, 2), id="a-little-more-takes-the-second"),
        pytest.param(0.90, (1, 2), id="exactly-two"),
        pytest.param(0.95, (1, 2, 0), id="all-three"),
        pytest.param(0.00, (1,), id="never-empty"),
    ],
)
def test_set_by_hand(level: float, columns: tuple[int, ...]) -> None:
    found = answers(np.array([0.1, 0.6, 0.3]), Level(level, 40), 4)

    assert found.columns == columns
    assert not found.cut


def test_a_set_that_is_too_long_for_the_keys_says_that_it_was_cut() -> None:
    found = answers(np.full(6, 1 / 6), Level(0.9, 40), 4)

    assert found.columns == (0, 1, 2, 3)
    assert found.whole == 6
    assert found.cut


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.8, 0.9, 0.95]))
def test_as_many_held_out_answers_are_in_their_sets_as_declared(
    seed: int, coverage: float
) -> None:
    draws = np.random.default_rng(seed)
    said = draws.dirichlet(np.full(5, 0.4), 60)
    truth = [int(draws.integers(5)) for _ in range(60)]  # the model knows nothing

    level = level_of(depth(said, truth), coverage)
    inside = [
        column in answers(chances, level, 5).columns
        for chances, column in zip(said, truth, strict=True)
    ]

    assert np.mean(inside) >= coverage


def test_new_questions_have_their_answer_in_the_set_as_often_as_declared() -> None:
    draws = np.random.default_rng(1)
    inside = total = 0
    for _ in range(300):
        said = draws.dirichlet(np.full(4, 0.5), 41)
        truth = [int(draws.choice(4, p=row)) for row in said]
        level = level_of(depth(said[:40], truth[:40]), 0.9)
        inside += truth[40] in answers(said[40], level, 4).columns
        total += 1

    # 90 % declared; 300 draws of it fall below 84 % once in a thousand times.
    assert inside / total > 0.84
