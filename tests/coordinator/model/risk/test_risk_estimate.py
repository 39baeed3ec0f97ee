"""The error of what was decided alone: unbiased, and inside its interval."""

import math

import numpy as np
import pytest

from coordinator.model.risk.binomial import interval, lower_bound
from coordinator.model.risk.estimate import Audits, estimate


def audits(loss, probability, decided, least=None) -> Audits:
    chances = np.broadcast_to(np.asarray(probability, float), np.shape(loss))
    low = float(np.min(probability)) if least is None else least
    return Audits(np.asarray(loss, float), chances, decided, low)


def test_nothing_audited_tells_nothing():
    told = estimate(audits([], 0.1, 100, 0.1), 0.05)

    assert told.mean is None
    assert (told.low, told.high) == (0.0, 1.0)


def test_one_rate_gives_the_exact_interval():
    told = estimate(audits([1, 0, 0, 0, 0, 0, 0, 0], 0.1, 80), 0.05)

    assert told.exact
    assert told.mean == 0.125
    assert (told.low, told.high) == interval(1, 8, 0.05)


def test_a_window_that_was_hardly_ever_drawn_stands_for_many():
    told = estimate(audits([1, 0, 0, 0, 0], [0.1, 0.5, 0.5, 0.5, 0.5], 30), 0.05)

    assert not told.exact
    assert told.mean == pytest.approx(10 / 18)
    assert told.low < 10 / 18 < told.high


def test_graded_losses_are_never_counted_as_errors():
    told = estimate(audits([0.25, 0.0, 0.25], 1.0, 3), 0.05)

    assert not told.exact
    assert told.mean == pytest.approx(1 / 6)


def test_when_everything_was_audited_and_wrong_the_interval_reaches_one():
    assert estimate(audits([1.0] * 40, [1.0] * 40, 40), 0.05).high == 1.0
    varying = estimate(audits([1.0] * 40, [0.9] + [1.0] * 39, 40), 0.05)
    assert varying.high == 1.0
    assert varying.low > 0.7


def test_an_audit_rate_so_low_that_it_tells_nothing_excludes_nothing():
    told = estimate(audits([0.0, 0.0], [0.001, 0.002], 2), 0.05)

    assert (told.low, told.high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("loss", "probability", "decided", "least"),
    [
        pytest.param([0.0], 0.0, 10, 0.0, id="never-drawn"),
        pytest.param([0.0], 0.5, 10, math.nan, id="no-chance-known"),
        pytest.param([0.0], 0.1, 10, 0.2, id="below-the-least"),
        pytest.param([0.0], 1.1, 10, 0.2, id="above-one"),
        pytest.param([math.nan], 0.5, 10, 0.5, id="no-loss"),
        pytest.param([1.5], 0.5, 10, 0.5, id="too-large-a-loss"),
        pytest.param([0.0, 0.0], 0.5, 1, 0.5, id="more-audits-than-windows"),
    ],
)
def test_audits_that_cannot_have_been_drawn_so_are_refused(
    loss, probability, decided, least
):
    with pytest.raises(ValueError, match="audit"):
        audits(loss, probability, decided, least)


@pytest.mark.slow
@pytest.mark.parametrize("rate", ["constant", "falling"])
@pytest.mark.parametrize("trend", ["steady", "rising", "none"])
def test_the_interval_covers_also_when_rate_and_risk_move_together(rate, trend):
    rng = np.random.default_rng(1)
    count, trials, outside = 1500, 200, 0
    time = np.arange(count) / count
    risk = {
        "steady": 0.03 + 0 * time,
        "rising": 0.002 + 0.1 * time**3,
        "none": 0 * time,
    }
    chance = {"constant": 0.1 + 0 * time, "falling": np.where(time < 0.2, 0.5, 0.1)}
    for _ in range(trials):
        wrong = rng.random(count) < risk[trend]
        drawn = rng.random(count) < chance[rate]
        told = estimate(audits(wrong[drawn], chance[rate][drawn], count, 0.1), 0.05)
        outside += not told.low <= wrong.mean() <= told.high

    assert lower_bound(outside, trials, 0.01) <= 0.05
