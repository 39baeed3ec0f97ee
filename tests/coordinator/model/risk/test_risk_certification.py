"""What a look certifies: by example, by property, and by many simulated lives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.model.risk.binomial import least_cases, lower_bound
from coordinator.model.risk.certification import Rule, attempt, cases_in_sight
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.evidence import Evidence, Stream
from coordinator.model.risk.grid import LEAST_THRESHOLD, Group, plan
from coordinator.model.risk.ltt import Limits, certify, chances
from coordinator.model.risk.spending import Promise

LIMITS = Limits(0.05, 0.05)


def make_evidence(confidence, wrong, said=0, missed=None) -> Evidence:
    confidence = np.asarray(confidence, float)
    wrong = np.broadcast_to(np.asarray(wrong, float), confidence.shape)
    missed = np.zeros(len(confidence), bool) if missed is None else np.asarray(missed)
    columns = np.broadcast_to(np.asarray(said, np.int64), confidence.shape)
    return Evidence(columns, confidence, wrong, missed)


def make_stream(confidence, said=0) -> Stream:
    confidence = np.asarray(confidence, float)
    return Stream(
        np.broadcast_to(np.asarray(said, np.int64), confidence.shape), confidence
    )


def rule(alpha=0.05, delta=0.05, missed=None, costs=None, labels=1) -> Rule:
    promise = Promise(alpha, delta, alpha if missed is None else missed)
    return Rule(promise, costs or Costs(), labels)


# -- the thresholds that are tried ---------------------------------------------------


def test_without_unlabelled_windows_nothing_is_tried():
    assert plan(make_stream([]), 3, cases=500, limit=0.05, level=0.02) == ()


def test_thresholds_fall_and_none_lies_below_one_half():
    (group,) = plan(
        make_stream(np.linspace(0.2, 1.0, 200)), 1, cases=900, limit=0.05, level=0.02
    )

    assert (np.diff(group.thresholds) < 0).all()
    assert group.thresholds[0] == pytest.approx(0.84, abs=0.01)
    assert group.thresholds[-1] == LEAST_THRESHOLD


def test_a_sequence_begins_where_enough_cases_are_to_be_expected():
    confidence = np.linspace(0.5, 1.0, 400)
    few, many = (
        plan(make_stream(confidence), 1, cases=n, limit=0.05, level=0.02)[0]
        for n in (200, 5000)
    )

    assert many.starts == (0,)
    assert few.starts[0] > 0
    above = (confidence >= few.thresholds[few.starts[0]]).mean()
    assert above * 200 >= 1.5 * least_cases(0.05, 0.01)


def test_a_label_with_enough_cases_is_tested_alone_and_the_others_are_pooled():
    said = np.repeat([0, 1, 2], [700, 250, 50])
    stream = make_stream(np.full(1000, 0.9), said)

    groups = plan(stream, 4, cases=4000, limit=0.05, level=0.02)

    assert [group.labels for group in groups] == [(0,), (1,), (2, 3)]


def test_when_every_label_has_enough_cases_none_is_pooled():
    stream = make_stream(np.full(1000, 0.9), np.arange(1000) % 2)

    groups = plan(stream, 2, cases=10_000, limit=0.05, level=0.02)

    assert [group.labels for group in groups] == [(0,), (1,)]


def test_labels_that_the_model_never_says_have_nothing_to_try():
    stream = make_stream(np.full(1000, 0.9))
    groups = plan(stream, 2, cases=10_000, limit=0.05, level=0.02)

    assert [group.labels for group in groups] == [(0,), (1,)]
    assert groups[1].starts == ()
    (_, never) = certify(make_evidence([0.9] * 900, 0), groups, LIMITS, 0.02)
    assert never.threshold is None


# -- the tests -----------------------------------------------------------------------


def test_a_threshold_is_certified_down_to_the_first_failure():
    # Sure windows are right, doubtful ones wrong, the least sure right again.
    confidence = np.repeat([0.95, 0.8, 0.6], 300)
    evidence = make_evidence(confidence, np.repeat([0.0, 1.0, 0.0], 300))
    group = Group((0,), np.array([0.9, 0.7, 0.55]), (0,))

    (tested,) = certify(evidence, [group], LIMITS, 0.05)

    assert tested.threshold == 0.9
    assert (tested.cases, tested.losses) == (300, 0.0)


def test_a_second_start_is_tried_when_the_first_has_too_few_cases():
    confidence = np.repeat([0.95, 0.8], [20, 400])
    group = Group((0,), np.array([0.9, 0.7]), (0, 1))

    (tested,) = certify(make_evidence(confidence, 0.0), [group], LIMITS, 0.05)

    assert tested.threshold == 0.7


def test_nothing_is_certified_where_people_found_errors():
    evidence = make_evidence(np.full(500, 0.95), np.arange(500) % 10 == 0)
    group = Group((0,), np.array([0.9]), (0,))

    (tested,) = certify(evidence, [group], LIMITS, 0.05)

    assert tested.threshold is None
    assert (tested.cases, tested.losses, tested.missed) == (0, 0.0, 0)


def test_a_label_that_must_never_be_missed_has_a_limit_of_its_own():
    missed = np.arange(400) < 4
    evidence = make_evidence(np.full(400, 0.95), missed.astype(float), missed=missed)
    group = Group((0,), np.array([0.9]), (0,))

    loose = certify(evidence, [group], Limits(0.05, 0.05), 0.05)[0]
    strict = certify(evidence, [group], Limits(0.05, 0.01), 0.05)[0]

    assert loose.threshold == 0.9
    assert loose.missed == 4
    assert strict.threshold is None


def test_a_group_is_judged_by_its_own_cases():
    said = np.repeat([0, 1], 300)
    evidence = make_evidence(np.full(600, 0.9), np.repeat([0.0, 1.0], 300), said)
    groups = [Group((column,), np.array([0.9]), (0,)) for column in (0, 1)]

    good, bad = certify(evidence, groups, LIMITS, 0.05)

    assert (good.threshold, good.cases) == (0.9, 300)
    assert bad.threshold is None


def test_equal_costs_are_counted_exactly_and_others_bounded():
    evidence = make_evidence(np.full(300, 0.95), np.arange(300) < 6)
    thresholds = np.array([0.9])

    exact = chances(evidence, thresholds, Limits(0.05, 0.05))
    graded = chances(evidence, thresholds, Limits(0.05, 0.05, graded=True))

    assert exact < graded


# -- a look --------------------------------------------------------------------------


def test_an_error_free_model_is_certified_at_the_first_look():
    one = rule()
    stream = make_stream(np.full(40, 0.97))

    (tested,) = attempt(stream, make_evidence(np.full(144, 0.97), 0.0), one, 1)

    assert one.size(1) == 144
    assert tested.threshold == pytest.approx(0.97)


def test_one_silent_case_in_twenty_certifies_nothing():
    costs = Costs()
    loss = [costs.loss("ok", "" if i % 20 == 0 else "ok") for i in range(144)]
    stream = make_stream(np.full(40, 0.97))

    (tested,) = attempt(stream, make_evidence(np.full(144, 0.97), loss), rule(), 1)

    assert tested.threshold is None


def test_what_is_missing_is_said_before_there_is_any_evidence():
    assert cases_in_sight(make_evidence([], 0.0), rule(), 1) == 144


def test_what_is_missing_follows_the_errors_seen_so_far():
    perfect = make_evidence(np.linspace(0.6, 1, 60), 0.0)
    some = make_evidence(np.linspace(0.6, 1, 200), np.arange(200) % 40 == 39)
    hopeless = make_evidence(np.linspace(0.6, 1, 100), np.arange(100) % 2)
    missing = make_evidence(
        np.linspace(0.6, 1, 200), 0.0, missed=np.arange(200) % 40 == 39
    )

    assert cases_in_sight(perfect, rule(), 1) == 144
    later = cases_in_sight(some, rule(), 1)
    assert later is not None
    assert later > 144
    assert cases_in_sight(hopeless, rule(), 1) is None
    assert cases_in_sight(missing, rule(missed=0.005), 1) is None


# -- properties ----------------------------------------------------------------------


@given(st.integers(150, 400), st.integers(0, 2**32 - 1), st.integers(0, 200))
@settings(max_examples=60, deadline=None)
def test_more_errors_never_certify_more(count, seed, place):
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.3, 1.0, count)
    wrong = rng.random(count) < 0.02
    worse = wrong.copy()
    worse[place % count] = True
    stream = make_stream(rng.choice(confidence, 60))
    groups = plan(stream, 1, cases=count, limit=0.05, level=0.05)

    (before,) = certify(make_evidence(confidence, wrong), groups, LIMITS, 0.05)
    (after,) = certify(make_evidence(confidence, worse), groups, LIMITS, 0.05)

    assert (after.threshold or 2.0) >= (before.threshold or 2.0)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.05, 0.08])
def test_a_model_that_errs_at_the_limit_is_hardly_ever_certified(share):
    """The hardest null, over a whole life of looks; benchmarks/gate does it at size."""
    one, lives, broken = rule(labels=2), 200, 0
    for life in range(lives):
        rng = np.random.default_rng(life)
        drawn = rng.random(2000) < 0.8
        confidence = 0.5 + 0.5 * rng.random(2000)
        said = rng.integers(0, 2, 2000)
        wrong = rng.random(2000) < share
        evidence = make_evidence(confidence[drawn], wrong[drawn], said[drawn])
        stream = make_stream(confidence[~drawn], said[~drawn])
        look = 1
        while one.size(look) <= len(evidence):
            n = one.size(look)
            cases = make_evidence(
                confidence[drawn][:n], wrong[drawn][:n], said[drawn][:n]
            )
            tested = attempt(stream, cases, one, look)
            broken += any(group.threshold is not None for group in tested)
            look += 1

    assert lower_bound(broken, lives, 0.01) <= one.promise.delta
