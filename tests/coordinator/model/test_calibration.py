"""Temperature and novelty: numbers that must mean what they say."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coordinator.model import novelty
from coordinator.model.calibration import (
    COOLEST,
    HOTTEST,
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


def familiar_of(count: int = 200, width: int = 20) -> novelty.Familiar:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(count, width, generator=generator)
    return novelty.fit(scores, torch.arange(count))


def test_windows_like_the_examples_are_familiar_and_others_are_not() -> None:
    familiar = familiar_of()
    generator = torch.Generator().manual_seed(1)
    same = torch.randn(300, 20, generator=generator)

    assert (familiar.novelty(same) <= 1.0).float().mean() > 0.93
    assert (familiar.novelty(same + 6.0) > 1.0).all()


def test_farther_is_never_more_familiar() -> None:
    familiar = familiar_of()
    direction = familiar.axes[:, 0] / familiar.axes[:, 0].norm()

    distances = [
        float(familiar.novelty((direction * far)[None])) for far in (10, 20, 40, 80)
    ]

    assert distances == sorted(distances)


def test_a_window_that_is_not_finite_is_never_familiar() -> None:
    scores = torch.full((1, 20), math.nan)

    assert not (familiar_of().novelty(scores) <= 1.0).any()


def test_neighbours_in_time_do_not_vouch_for_each_other() -> None:
    base = torch.randn(20, 6, generator=torch.Generator().manual_seed(2))
    twins = base.repeat_interleave(8, dim=0) + 0.001

    careful = novelty.fit(twins, torch.arange(20).repeat_interleave(8))
    careless = novelty.fit(twins, torch.arange(160))

    assert careful.edge > 10 * careless.edge


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_a_handful_of_examples_gives_an_edge_too(count: int) -> None:
    familiar = familiar_of(count)

    assert familiar.edge > 0.0
    assert math.isfinite(float(familiar.novelty(torch.zeros(1, 20))))
