"""Exact shares: compared with scipy's own tests and with the definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from coordinator.model.risk import binomial, bounded

cases = st.integers(1, 2000)
limit = st.floats(0.001, 0.5)
level = st.floats(1e-4, 0.3)


@pytest.mark.parametrize(
    ("alpha", "delta", "least"),
    [(0.05, 0.05, 59), (0.02, 0.05, 149), (0.05, 0.10, 45), (0.5, 0.5, 1)],
)
def test_the_least_number_of_error_free_cases_is_the_known_one(alpha, delta, least):
    assert binomial.least_cases(alpha, delta) == least
    assert binomial.p_values(0, least, alpha) <= delta
    assert binomial.p_values(0, least - 1, alpha) > delta


@given(cases, st.data(), limit)
def test_a_p_value_is_the_chance_of_so_few_errors(n, data, alpha):
    k = data.draw(st.integers(0, n))

    assert binomial.p_values(k, n, alpha) == pytest.approx(
        binomtest(k, n, alpha, alternative="less").pvalue, abs=1e-12
    )


def test_no_cases_prove_nothing_whatever_was_counted():
    assert binomial.p_values([0, 0, 3], [0, 5, 3], 0.1).tolist() == pytest.approx(
        [1.0, 0.9**5, 1.0]
    )


@given(cases, st.data(), level)
def test_an_interval_is_the_one_of_clopper_and_pearson(n, data, alpha):
    k = data.draw(st.integers(0, n))
    known = binomtest(k, n).proportion_ci(1 - alpha, method="exact")

    low, high = binomial.interval(k, n, alpha)

    assert low == pytest.approx(known.low, abs=1e-9)
    assert high == pytest.approx(known.high, abs=1e-9)


def test_without_cases_a_bound_excludes_nothing():
    assert binomial.interval(0, 0, 0.05) == (0.0, 1.0)


# -- losses between 0 and 1 ----------------------------------------------------------


@given(cases, st.data(), limit)
def test_a_graded_p_value_is_never_smaller_than_the_exact_one(n, data, alpha):
    k = data.draw(st.integers(0, n))

    graded = float(bounded.p_values(k, n, alpha))

    assert graded >= float(binomial.p_values(k, n, alpha)) * (1 - 1e-9)
    assert graded <= 1.0


def test_a_graded_p_value_without_any_loss_is_as_sharp_as_the_exact_one():
    assert bounded.p_values(0.0, 59, 0.05) == pytest.approx(0.95**59)
    assert bounded.p_values([0.0, 5.0], [0, 5], 0.05).tolist() == [1.0, 1.0]


def test_a_graded_test_errs_no_more_often_than_it_says():
    rng = np.random.default_rng(0)
    # Mean loss 0.1 exactly: half mistakes of cost 0.2, a few of cost 1.
    losses = rng.choice([0.0, 0.2, 1.0], p=[0.65, 0.3125, 0.0375], size=(4000, 300))
    assert losses.mean() == pytest.approx(0.1, abs=0.002)

    wrong = bounded.p_values(losses.sum(axis=1), 300, 0.1) <= 0.1

    assert wrong.mean() <= 0.1
