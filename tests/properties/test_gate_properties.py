"""The gate is a positive proof: nothing but proven-good numbers ever act."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coordinator.clock import SECOND_NS
from coordinator.live.gate.judge import Gate
from coordinator.live.window.check import check
from coordinator.terms import Action, Decision, Prediction
from tests.builders import (
    CHANNELS,
    FAMILY,
    MODEL,
    ROWS,
    make_prediction,
    make_samples,
    make_window,
)

any_float = st.floats(allow_nan=True, allow_infinity=True)
probability = st.floats(0.0, 1.0)
threshold = st.floats(0.5, 1.0)
novelty = st.floats(0.0, 10.0)
label = st.sampled_from(FAMILY.label_names)
BITS32 = st.integers(0, 2**32 - 1)


@given(
    st.lists(any_float, max_size=6),
    st.lists(any_float, max_size=6),
    st.lists(st.sampled_from([*FAMILY.label_names, "strange"]), max_size=6),
    any_float,
    threshold,
)
def test_whatever_a_model_says_acting_is_proven(
    probabilities, logits, labels, far, limit
):
    prediction = Prediction(
        MODEL, tuple(labels), tuple(logits), tuple(probabilities), far
    )
    verdict = Gate(threshold=limit)(prediction, [], FAMILY)

    if verdict.decision is not Decision.ACT:
        return
    numbers = [*probabilities, *logits, far]
    assert all(math.isfinite(number) for number in numbers)
    assert prediction.confidence >= limit
    assert far <= 1.0
    said = FAMILY.label(prediction.label)
    assert said is not None
    assert said.action is not Action.STOP


@given(label, probability, novelty, threshold, st.integers(0, 8), any_float)
def test_one_number_that_is_none_never_acts(name, sure, far, limit, place, poison):
    good = make_prediction(name, max(sure, 0.5), far)
    if math.isfinite(poison):
        poison = math.nan
    numbers = [*good.probabilities, *good.logits, good.novelty]
    numbers[place] = poison
    broken = replace(
        good,
        probabilities=tuple(numbers[:4]),
        logits=tuple(numbers[4:8]),
        novelty=numbers[8],
    )

    assert Gate(threshold=limit)(broken, [], FAMILY).decision is Decision.HOLD


@given(label, probability, probability, novelty, threshold)
def test_less_confidence_is_never_less_cautious(name, a, b, far, limit):
    less, more = sorted((max(a, 0.3), max(b, 0.3)))
    gate = Gate(threshold=limit)
    cautious = gate(make_prediction(name, less, far), [], FAMILY).decision
    bold = gate(make_prediction(name, more, far), [], FAMILY).decision

    assert not (cautious is Decision.ACT and bold is not Decision.ACT)


@given(label, probability, novelty, novelty, threshold)
def test_more_novelty_is_never_less_cautious(name, sure, a, b, limit):
    near, far = sorted((a, b))
    gate = Gate(threshold=limit)
    at_far = gate(make_prediction(name, max(sure, 0.3), far), [], FAMILY).decision
    at_near = gate(make_prediction(name, max(sure, 0.3), near), [], FAMILY).decision

    assert not (at_far is Decision.ACT and at_near is not Decision.ACT)


@given(probability, novelty, threshold)
def test_a_stop_label_never_acts(sure, far, limit):
    prediction = make_prediction("collision", sure, far)

    assert Gate(threshold=limit)(prediction, [], FAMILY).decision is not Decision.ACT


@given(
    st.integers(0, ROWS - 1),
    st.integers(0, len(CHANNELS) - 1),
    BITS32,
)
def test_one_bad_value_anywhere_never_acts(row, column, bits):
    value = np.array([bits], dtype="<u4").view("<f4")[0]
    samples = make_samples()
    samples[row, column] = value
    findings = check(
        make_window(samples=samples),
        FAMILY,
        now_ns=0,
        maximum_age_ns=SECOND_NS,
    )
    verdict = Gate(threshold=0.9)(make_prediction(), findings, FAMILY)

    channel = CHANNELS[column]
    within = channel.minimum <= float(value) <= channel.maximum
    assert (verdict.decision is Decision.ACT) == within
    if not within:
        assert verdict.decision is Decision.HOLD
        assert f"row {row}, channel {channel.name}" in verdict.reason
