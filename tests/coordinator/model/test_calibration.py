"""Temperature and bias: a probability that means what it says."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.model.calibration import (
    COOLEST,
    HOTTEST,
    fit_calibration,
    fit_temperature,
    log_loss,
    probabilities,
)

finite = st.floats(-50.0, 50.0)


@given(st.lists(finite, min_size=2, max_size=6), st.floats(COOLEST, HOTTEST))
def test_probabilities_are_probabilities(logits: list[float], heat: float) -> None:
    said = probabilities(np.array(logits), heat)

    assert said.sum() == pytest.approx(1.0)
    assert ((said >= 0.0) & (said <= 1.0)).all()


def test_a_logit_that_is_not_finite_lets_nothing_through() -> None:
    said = probabilities(np.array([1.0, math.nan, 0.0]), 1.0)

    assert not (said >= 0.5).any()


def test_an_overconfident_model_is_cooled_to_what_it_deserves() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 4000)
    logits = np.eye(3)[truth] * 2.0 + rng.gumbel(size=(4000, 3))
    weights = np.ones(4000)

    honest = fit_temperature(logits, truth, weights)
    boastful = fit_temperature(logits * 8.0, truth, weights)

    assert boastful == pytest.approx(8.0 * honest, rel=0.05)
    assert log_loss(logits * 8.0, truth, weights, boastful) == pytest.approx(
        log_loss(logits, truth, weights, honest), abs=0.01
    )


def test_a_few_right_answers_do_not_make_a_model_certain() -> None:
    truth = np.arange(30) % 3
    logits = np.eye(3)[truth] * 10.0

    few = fit_temperature(logits, truth, np.ones(30))
    many = fit_temperature(
        np.tile(logits, (100, 1)), np.tile(truth, 100), np.ones(3000)
    )

    assert probabilities(logits[0], few).max() < 0.97
    assert probabilities(logits[0], many).max() > 0.99


def test_audits_count_for_the_windows_they_stand_for() -> None:
    # Asked windows are hard: half are wrong. Audited ones are easy, and stand for five.
    logits = np.array([[4.0, 0.0]] * 40)
    truth = np.array([0, 1] * 10 + [0] * 20)
    weights = np.array([1.0] * 20 + [5.0] * 20)

    plain = fit_temperature(logits, truth, np.ones(40))
    weighted = fit_temperature(logits, truth, weights)

    assert weighted < plain


def test_a_temperature_needs_numbers() -> None:
    with pytest.raises(ValueError, match="finite"):
        fit_temperature(np.zeros((0, 3)), np.zeros(0, np.int64), np.zeros(0))
    with pytest.raises(ValueError, match="finite"):
        fit_temperature(np.array([[math.nan, 1.0]]), np.array([0]), np.ones(1))


def test_a_label_that_was_weighed_up_is_brought_back_to_its_share() -> None:
    # A forest that learned as if both labels were equally common, on a stream where
    # one in ten is a fault and nothing in the window tells.
    rng = np.random.default_rng(1)
    truth = (rng.random(2000) < 0.9).astype(np.int64)
    logits = rng.normal(0.0, 0.1, (2000, 2))

    found = fit_calibration(logits, truth, np.ones(2000))
    said = probabilities(logits + found.bias, found.temperature)

    assert said[:, 1].mean() == pytest.approx(0.9, abs=0.02)


def test_a_bias_never_loses_to_a_temperature_alone() -> None:
    rng = np.random.default_rng(2)
    truth = (rng.random(300) < 0.8).astype(np.int64)
    logits = np.eye(2)[truth] * 1.5 + rng.gumbel(size=(300, 2))
    ones = np.ones(300)

    found = fit_calibration(logits, truth, ones)
    plain = fit_temperature(logits, truth, ones)

    assert log_loss(logits + found.bias, truth, ones, found.temperature) < log_loss(
        logits, truth, ones, plain
    )


def test_a_bias_costs_more_than_a_few_examples() -> None:
    few = fit_calibration(np.zeros((3, 2)), np.array([1, 1, 1]), np.ones(3))

    assert probabilities(few.bias, few.temperature)[1] < 0.85
