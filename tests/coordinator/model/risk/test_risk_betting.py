"""The bettor: never rich in good times but by a known chance, rich soon in bad ones."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.model.risk.betting import Bettor, alternatives, is_rich, waiting
from coordinator.model.risk.binomial import lower_bound

LOSSES = st.lists(st.floats(0.0, 1.0), max_size=40)


def bet(limit, values) -> Bettor:
    bettor = Bettor.against(limit)
    for value in values:
        bettor = bettor.see(value)
    return bettor


def rich(bettor, delta=0.05) -> bool:
    return is_rich([float(bettor.log_capital)], delta)


def test_a_bettor_begins_with_a_capital_of_one():
    assert float(Bettor.against(0.05).log_capital) == 0.0
    assert not rich(Bettor.against(0.05))


@given(st.floats(0.001, 0.9), LOSSES)
def test_on_average_a_stake_gains_nothing_at_the_limit(limit, past):
    bettor = bet(limit, past)
    now = math.exp(bettor.log_capital)

    after = limit * math.exp(bettor.see(1.0).log_capital) + (1 - limit) * math.exp(
        bettor.see(0.0).log_capital
    )

    assert after == pytest.approx(now, rel=1e-6)


@given(st.floats(0.001, 0.9), LOSSES, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_larger_loss_never_makes_a_bettor_poorer(limit, past, a, b):
    less, more = sorted((a, b))
    bettor = bet(limit, past)

    poor, better = (float(bettor.see(v).log_capital) for v in (less, more))

    assert poor <= better + 1e-12


def test_ten_thousand_good_cases_ruin_nobody_and_are_forgotten_soon():
    bettor = bet(0.05, [0.0] * 10_000)
    assert math.isfinite(bettor.log_capital)

    found = next(n for n in range(1, 200) if rich(bettor := bettor.see(1.0)))

    assert found <= 8


@pytest.mark.parametrize("value", [math.nan, -0.1, 1.1, math.inf])
def test_a_value_that_is_no_loss_is_refused(value):
    with pytest.raises(ValueError, match="outside"):
        Bettor.against(0.05).see(value)


@pytest.mark.parametrize("limit", [0.0, -1.0, 0.95, math.nan])
def test_a_limit_that_leaves_nothing_to_bet_on_is_refused(limit):
    with pytest.raises(ValueError, match="limit"):
        Bettor.against(limit)


@given(st.floats(0.001, 0.94))
def test_every_alternative_lies_above_the_limit_and_below_certainty(limit):
    means = alternatives(limit)

    assert (means > limit).all()
    assert (means < 0.951).all()
    assert (np.diff(means) > 0).all()


def test_all_of_the_capital_comes_into_play_in_the_end():
    assert waiting(0) == 1.0
    assert waiting(10**9) < 0.04
    assert [waiting(n) for n in range(50)] == sorted(map(waiting, range(50)))[::-1]


def test_many_bettors_are_rich_together_when_their_mean_is():
    assert not is_rich([], 0.05)
    assert is_rich([math.log(40.0), -math.inf], 0.05)
    assert not is_rich([math.log(39.0), -math.inf], 0.05)


def test_many_bettors_bet_like_as_many_single_ones():
    values = np.array([[0.0, 1.0, 0.3], [1.0, 0.0, 0.7]])
    together = Bettor.against(0.2, (3,))
    for row in values:
        together = together.see(row)

    alone = [float(bet(0.2, values[:, i]).log_capital) for i in range(3)]

    assert together.log_capital.tolist() == pytest.approx(alone)


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_stated_and_bad_times_are_found():
    rng = np.random.default_rng(3)
    lives = 400
    wrong = rng.random((1500, lives)) < 0.05
    bettors, false = Bettor.against(0.05, (lives,)), np.zeros(lives, bool)
    for row in wrong:
        bettors = bettors.see(row)
        false |= bettors.log_capital >= -math.log(0.1)
    assert lower_bound(int(false.sum()), lives, 0.01) <= 0.1

    found, bad = np.zeros(lives), Bettor.against(0.05, (lives,))
    for case in range(1, 600):
        bad = bad.see(rng.random(lives) < 0.25)
        now = bad.log_capital >= -math.log(0.1)
        found = np.where((found == 0) & now, case, found)
    assert np.median(found) <= 20
