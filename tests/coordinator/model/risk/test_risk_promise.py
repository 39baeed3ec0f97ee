"""Costs, and how delta is shared out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.errors import ConfigError
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.spending import Promise, look_level, look_size

DEAR = Costs({("ok", "collision"): 5.0, ("ok", "slip"): 0.5}, frozenset({"collision"}))


def test_with_equal_costs_a_loss_is_an_error():
    costs = Costs()

    assert not costs.graded
    assert [costs.loss("ok", truth) for truth in ("ok", "slip", "")] == [0.0, 1.0, 1.0]


def test_a_loss_is_a_share_of_the_dearest_mistake():
    assert DEAR.graded
    assert DEAR.dearest == 5.0
    assert DEAR.loss("ok", "collision") == 1.0
    assert DEAR.loss("ok", "slip") == 0.1
    assert DEAR.loss("slip", "ok") == 0.2


def test_a_case_that_nobody_answered_costs_the_dearest_and_may_be_the_worst():
    assert DEAR.loss("ok", "") == 1.0
    assert DEAR.missed("ok", "")
    assert not Costs().missed("ok", "")


def test_what_must_never_be_missed_is_missed_when_something_else_is_said():
    assert DEAR.missed("ok", "collision")
    assert not DEAR.missed("collision", "collision")
    assert not DEAR.missed("ok", "slip")


@pytest.mark.parametrize("cost", [0.0, -1.0, 100.1, math.nan, math.inf])
def test_a_cost_that_is_none_is_refused(cost):
    with pytest.raises(ConfigError) as refused:
        Costs({("ok", "slip"): cost})
    assert refused.value.code == "BAD_COST"


def test_being_right_has_no_cost():
    with pytest.raises(ConfigError, match="no mistake"):
        Costs({("ok", "ok"): 1.0})


@pytest.mark.parametrize(
    ("alpha", "delta", "missed"),
    [
        (0.0, 0.05, 0.05),
        (0.6, 0.05, 0.05),
        (math.nan, 0.05, 0.05),
        (0.05, 0.0, 0.05),
        (0.05, math.nan, 0.05),
        (0.05, 0.05, 0.06),
        (0.05, 0.05, 0.0),
    ],
)
def test_what_is_no_promise_is_refused(alpha, delta, missed):
    with pytest.raises(ConfigError) as refused:
        Promise(alpha, delta, missed)
    assert refused.value.code == "BAD_PROMISE"


def test_a_limit_on_the_cost_is_a_smaller_one_on_the_loss():
    assert Promise(0.05).limit(5.0) == pytest.approx(0.01)


@given(st.floats(0.01, 0.3), st.integers(1, 400))
def test_all_looks_together_risk_no_more_than_delta(delta, looks):
    spent = math.fsum(look_level(look, delta) for look in range(1, looks + 1))

    assert spent < delta
    assert spent == pytest.approx(delta * looks / (looks + 1))


def test_every_look_needs_more_cases_than_the_one_before():
    sizes = [look_size(look, 0.05, 0.05) for look in range(1, 12)]

    assert sizes[0] == 144
    assert sizes == sorted(set(sizes))
