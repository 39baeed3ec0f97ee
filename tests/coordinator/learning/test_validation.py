"""Who may serve: metrics that agree with arithmetic, and a rule in sentences."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.learning.validation.metrics import (
    augrc,
    aurc,
    ece,
    losses,
    missed,
    recall,
    risk_at_coverage,
    risk_coverage,
)
from coordinator.learning.validation.promote import Bar, HeldOut, judge, judge_first
from coordinator.learning.validation.report import Trial, aligned, measure

LABELS = ("collision", "slip", "ok")


def held_out(truth: list[int], weights: list[float] | None = None) -> HeldOut:
    return HeldOut(
        np.array(truth),
        np.ones(len(truth)) if weights is None else np.array(weights),
        LABELS,
        ("collision",),
    )


def trial(said: list[int], confidence: float | list[float] = 0.95) -> Trial:
    sure = np.broadcast_to(np.asarray(confidence, float), (len(said),))
    chances = np.repeat((1.0 - sure)[:, None] / 2.0, 3, axis=1)
    chances[np.arange(len(said)), said] = sure
    return Trial(chances, np.zeros(len(said)))


# -- metrics -----------------------------------------------------------------------


def test_the_surest_windows_are_kept() -> None:
    confidence = np.array([0.5, 0.9, 0.7, 0.6])
    correct = np.array([False, True, True, False])

    assert risk_at_coverage(confidence, correct, 0.5) == 0.0
    assert risk_at_coverage(confidence, correct, 1.0) == 0.5


@pytest.mark.parametrize("coverage", [0.0, -1.0, 1.1, math.nan])
def test_a_coverage_that_is_none_is_refused(coverage: float) -> None:
    with pytest.raises(ValueError, match="coverage"):
        risk_at_coverage(np.array([0.5]), np.array([True]), coverage)


def test_no_windows_have_no_risk() -> None:
    none, nothing = np.zeros(0), np.zeros(0, np.bool_)
    for measured in (augrc, aurc, ece):
        with pytest.raises(ValueError, match="no windows"):
            measured(none, nothing)
    with pytest.raises(ValueError, match="no windows"):
        risk_at_coverage(none, nothing, 0.5)
    assert measure(Trial(np.zeros((0, 3)), none), np.zeros(0, int), LABELS, 0.9) == {}


def test_ranking_errors_last_is_better() -> None:
    correct = np.array([True, True, False, False])

    good = aurc(np.array([0.9, 0.8, 0.2, 0.1]), correct)
    bad = aurc(np.array([0.1, 0.2, 0.8, 0.9]), correct)

    assert good == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)
    assert bad == pytest.approx((1 + 1 + 2 / 3 + 2 / 4) / 4)


def test_the_curve_and_the_area_under_it_agree_where_no_two_are_as_sure() -> None:
    confidence = np.random.default_rng(0).permutation(np.linspace(0.3, 1.0, 50))
    correct = np.arange(50) % 3 > 0

    whole = risk_coverage(confidence, correct, most=50)
    few = risk_coverage(confidence, correct, most=7)

    assert np.mean([p.risk for p in whole]) == pytest.approx(aurc(confidence, correct))
    assert [p.coverage for p in whole] == pytest.approx(np.arange(1, 51) / 50)
    assert len(few) == 7
    assert set(few) <= set(whole)
    assert (few[0], few[-1]) == (whole[0], whole[-1])


def test_failures_nobody_sees_are_counted_over_all_coverages() -> None:
    correct = np.array([True, True, False, False])

    good = augrc(np.array([0.9, 0.8, 0.2, 0.1]), correct)
    bad = augrc(np.array([0.1, 0.2, 0.8, 0.9]), correct)

    assert good == pytest.approx((0 + 0 + 1 + 2) / 16)
    assert bad == pytest.approx((1 + 2 + 2 + 2) / 16)
    assert augrc(np.full(4, 0.5), correct) == pytest.approx((0.5 + 1 + 1.5 + 2) / 16)


@given(st.permutations(list(range(8))))
def test_the_order_of_equally_sure_windows_does_not_matter(order: list[int]) -> None:
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.5])
    correct = np.array([True, False, True, True, False, True, False, False])

    assert aurc(confidence[order], correct[order]) == pytest.approx(
        aurc(confidence, correct)
    )


def test_calibration_error_is_the_gap_between_saying_and_being_right() -> None:
    confidence = np.full(100, 0.9)
    correct = np.arange(100) % 10 != 0

    assert ece(confidence, correct, bins=1) == pytest.approx(0.0)
    assert ece(confidence, ~correct, bins=1) == pytest.approx(0.8)


def test_faults_that_pass_as_good_are_counted() -> None:
    truth, said = np.array([0, 0, 1, 2]), np.array([2, 2, 1, 2])
    acted = np.array([True, False, True, True])

    assert missed(truth, said, acted, harmless=2) == 1
    assert recall(truth, said, 0) == 0.0
    assert recall(truth, said, 1) == 1.0
    assert recall(truth, said, 7) is None


def test_one_certain_error_does_not_cost_everything() -> None:
    assert losses(np.array([[0.0, 1.0]]), np.array([0]))[0] == pytest.approx(
        -math.log(1e-6)
    )


def test_answers_are_put_into_the_columns_of_other_labels() -> None:
    said = aligned(np.array([[0.2, 0.8]]), ["ok", "slip"], ["slip", "new", "ok"])

    assert said.tolist() == [[0.8, 0.0, 0.2]]


# -- the rule ----------------------------------------------------------------------


def test_the_first_model_must_beat_saying_the_commonest_label() -> None:
    truth = [2] * 30 + [0] * 10

    lazy = judge_first(trial([2] * 40), held_out(truth), Bar())
    able = judge_first(trial([2] * 30 + [0] * 6 + [2] * 4), held_out(truth), Bar())

    assert not lazy.passed
    assert "75%" in lazy.reasons[0]
    assert able.passed
    assert able.metrics["accuracy"] == pytest.approx(0.9)


def test_too_few_examples_prove_nothing() -> None:
    few = held_out([0, 1, 2])

    assert not judge_first(trial([0, 1, 2]), few, Bar()).passed
    report = judge(trial([0, 1, 2]), trial([0, 1, 2]), few, Bar())
    assert not report.passed
    assert "prove nothing" in report.reasons[0]


def test_a_better_model_passes_and_an_equal_one_does_not() -> None:
    truth = [0, 1, 2] * 10
    worse = [0, 1, 1] * 10

    equal = judge(trial(truth), trial(truth), held_out(truth), Bar())
    assert not equal.passed
    assert "not better as a whole" in equal.reasons[0]
    better = judge(trial(truth), trial(worse), held_out(truth), Bar())
    assert better.passed
    assert better.metrics["serving.accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_a_worse_model_is_refused_with_the_reason(share: float) -> None:
    truth = [0, 1, 2] * 40
    count = round(share * len(truth))
    said = [(t + 1) % 3 if i < count else t for i, t in enumerate(truth)]

    report = judge(trial(said), trial(truth), held_out(truth), Bar())

    assert not report.passed
    assert any("not better as a whole" in reason for reason in report.reasons)


def test_better_as_a_whole_but_worse_on_one_label_is_refused() -> None:
    truth = [2] * 60 + [1] * 10
    serving = trial([1] * 20 + [2] * 40 + [1] * 10)
    candidate = trial([2] * 60 + [2] * 6 + [1] * 4)

    report = judge(candidate, serving, held_out(truth), Bar())

    assert not report.passed
    assert report.reasons == (
        "It misses slip more often: 6 that the serving model finds, against 0 that "
        "only the candidate finds.",
    )


def test_one_more_confident_miss_of_what_must_never_be_missed_is_refused() -> None:
    truth = [0] * 5 + [2] * 60
    serving = trial([0] * 5 + [2] * 40 + [1] * 20)
    candidate = trial([2] + [0] * 4 + [2] * 60)

    report = judge(candidate, serving, held_out(truth), Bar())

    assert not report.passed
    assert "must never be missed" in report.reasons[0]


def test_a_miss_that_the_gate_would_have_asked_about_is_no_objection() -> None:
    truth = [0] * 5 + [2] * 60
    serving = trial([0] * 5 + [2] * 40 + [1] * 20)
    candidate = trial([2] + [0] * 4 + [2] * 60, [0.6] + [0.95] * 64)

    assert judge(candidate, serving, held_out(truth), Bar()).passed


def test_a_model_that_answers_nan_never_passes() -> None:
    truth = [0, 1, 2] * 10
    spoilt = Trial(np.full((30, 3), math.nan), np.zeros(30))

    assert not judge(spoilt, trial(truth), held_out(truth), Bar()).passed


@given(st.integers(0, 12))
def test_more_errors_never_help(errors: int) -> None:
    truth = [0, 1, 2] * 8
    serving = trial([(t + 1) % 3 if i < 3 else t for i, t in enumerate(truth)])

    def passed(count: int) -> bool:
        said = [(t + 1) % 3 if i < count else t for i, t in enumerate(truth)]
        return judge(trial(said), serving, held_out(truth), Bar()).passed

    assert passed(errors) or not passed(errors + 1)
