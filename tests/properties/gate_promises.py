"""What the gate promises, as functions of the modules that keep the promises.

The same functions hold the real modules to it (test_gate_properties.py) and have to
notice when one line of them is wrong (test_gate_mutants.py).
"""

import math
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.clock import SECOND_NS
from coordinator.terms import (
    Action,
    Channel,
    Decision,
    Digest,
    Finding,
    HoldReason,
    Prediction,
)
from tests.builders import (
    CHANNELS,
    FAMILY,
    MODEL,
    ROWS,
    make_family,
    make_prediction,
    make_request,
    make_samples,
    make_window,
)

any_float = st.floats(allow_nan=True, allow_infinity=True)
probability = st.floats(0.0, 1.0)
threshold = st.floats(0.5, 1.0)
novelty = st.floats(0.0, 10.0)
label = st.sampled_from(FAMILY.label_names)
BITS32 = st.integers(0, 2**32 - 1)
NOT_NUMBERS = st.sampled_from([math.nan, math.inf, -math.inf])
SURE = make_prediction("ok", 0.999, 0.1)

once = settings(database=None, report_multiple_bugs=False)
"""A promise that a mutant breaks is not kept for the next run."""


def gates(gate: ModuleType, limit: float, novelty_limit: float = 1.0) -> list[Any]:
    """A gate on somebody's word, and one on a certificate, with the same threshold."""
    labels = tuple((name, limit) for name in FAMILY.label_names)
    return [
        gate.Gate(limit, novelty_limit),
        gate.Gate(1.0, novelty_limit, certified=labels, model_digest=MODEL),
    ]


# -- the judge -----------------------------------------------------------------------


def acting_is_proven(gate: ModuleType) -> None:
    """Whatever a model says, ACT means that every number was good."""

    @once
    @given(
        st.lists(any_float, max_size=6),
        st.lists(any_float, max_size=6),
        st.lists(st.sampled_from([*FAMILY.label_names, "strange"]), max_size=6),
        any_float,
        threshold,
    )
    def proven(probabilities, logits, labels, far, limit):
        prediction = Prediction(
            MODEL, tuple(labels), tuple(logits), tuple(probabilities), far
        )
        for rule in gates(gate, limit):
            if rule(prediction, [], FAMILY).decision is not Decision.ACT:
                continue
            numbers = [*probabilities, *logits, far]
            assert all(math.isfinite(number) for number in numbers)
            assert prediction.confidence >= limit
            assert far <= 1.0
            said = FAMILY.label(prediction.label)
            assert said is not None
            assert said.action is not Action.STOP

    proven()


def one_bad_number_holds(gate: ModuleType) -> None:
    """One logit, probability or novelty that is no finite number is a HOLD."""

    @once
    @given(label, probability, novelty, threshold, st.integers(0, 8), NOT_NUMBERS)
    def holds(name, sure, far, limit, place, poison):
        good = make_prediction(name, max(sure, 0.5), far)
        numbers = [*good.probabilities, *good.logits, good.novelty]
        numbers[place] = poison
        broken = replace(
            good,
            probabilities=tuple(numbers[:4]),
            logits=tuple(numbers[4:8]),
            novelty=numbers[8],
        )
        for rule in gates(gate, limit):
            assert rule(broken, [], FAMILY).decision is Decision.HOLD

    holds()


def what_is_no_set_of_probabilities_holds(gate: ModuleType) -> None:
    """Finite numbers that are not probabilities of one set are a HOLD."""
    sets = [
        (0.0, 0.0, 1.0, 1.0),
        (0.0, 0.0, -0.5, 1.5),
        (0.0, 0.0, 0.0, 0.999),
        (0.0, 0.0, 0.999),
    ]
    for numbers in sets:
        broken = replace(SURE, probabilities=numbers)
        assert gate.Gate(0.9)(broken, [], FAMILY).decision is Decision.HOLD
    empty = replace(SURE, labels=(), logits=(), probabilities=())
    assert not gate.is_sound(empty)
    assert not gate.is_sound(replace(SURE, novelty=-0.1))
    assert not gate.is_sound(replace(SURE, logits=SURE.logits[:3]))


def each_comparison_is_a_proof_by_itself(gate: ModuleType) -> None:
    """Without the check on the outputs, NaN would still not pass a comparison."""
    for rule in gates(gate, 0.9):
        for broken in (
            replace(SURE, probabilities=(math.nan,) * 4),
            replace(SURE, novelty=math.nan),
        ):
            code, reason = rule._doubt(broken, [])
            assert code in {"LOW_CONFIDENCE", "NOVEL"}
            assert reason


def the_limits_themselves_are_inside(gate: ModuleType) -> None:
    """Exactly on the threshold and exactly on the novelty limit is enough."""

    @once
    @given(threshold, st.floats(0.1, 10.0))
    def inside(limit, far):
        for rule in gates(gate, limit, far):
            exactly = make_prediction("ok", limit, far)
            assert rule(exactly, [], FAMILY).decision is Decision.ACT
            less = make_prediction("ok", math.nextafter(limit, 0.0), far)
            assert rule(less, [], FAMILY).code == "LOW_CONFIDENCE"
            further = make_prediction("ok", limit, math.nextafter(far, 11.0))
            assert rule(further, [], FAMILY).code == "NOVEL"

    inside()


def caution_rises_with_doubt(gate: ModuleType) -> None:
    """Less confidence, and more novelty, is never less cautious."""

    @once
    @given(label, probability, probability, novelty, novelty, threshold)
    def rises(name, a, b, c, d, limit):
        less, more = sorted((max(a, 0.3), max(b, 0.3)))
        near, far = sorted((c, d))
        for rule in gates(gate, limit):
            cautious = rule(make_prediction(name, less, far), [], FAMILY)
            bold = rule(make_prediction(name, more, near), [], FAMILY)
            acts = (cautious.decision, bold.decision)
            assert acts != (Decision.ACT, Decision.ASK)

    rises()


def what_a_check_holds_is_held(gate: ModuleType) -> None:
    """A finding that holds is held, wherever it stands among those that ask."""
    asks = Finding(Decision.ASK, "MISSING_CHANNEL", "channel force_z is missing.")
    holds = Finding(Decision.HOLD, "NONFINITE", "row 3.", HoldReason.BAD_DATA)
    for findings in ([holds], [asks, holds], [holds, asks]):
        for prediction in (SURE, None):
            verdict = gate.Gate(0.5)(prediction, findings, FAMILY)
            assert verdict.decision is Decision.HOLD
    assert gate.Gate(0.5)(SURE, [asks], FAMILY).decision is Decision.ASK


def a_stop_label_never_acts(gate: ModuleType) -> None:
    """However sure the model is, a label that stops the cell gives no leave."""
    for sure in (0.5, 0.9, 1.0):
        for rule in gates(gate, 0.5):
            verdict = rule(make_prediction("collision", sure), [], FAMILY)
            assert verdict.decision is not Decision.ACT
    strange = make_prediction("strange", labels=("strange", "ok"))
    assert gate.Gate(0.5)(strange, [], FAMILY).decision is Decision.HOLD


def a_gate_that_asks_acts_on_nothing(gate: ModuleType) -> None:
    """No confidence gets past a gate that is set to ask, nor past no model."""
    asking = gate.Gate(0.5, ask_all=True)
    assert asking(SURE, [], FAMILY).decision is Decision.ASK
    assert gate.Gate(0.5)(None, [], FAMILY).decision is Decision.ASK


def a_certificate_is_about_one_model_and_its_labels(gate: ModuleType) -> None:
    """Another model's answer, and a label without a threshold, are asked."""
    rule = gate.Gate(0.5, certified=(("ok", 0.9),), model_digest=MODEL)
    assert rule(SURE, [], FAMILY).decision is Decision.ACT
    other = replace(SURE, model_digest=Digest("0f" * 32))
    assert rule(other, [], FAMILY).code == "NOT_CERTIFIED"
    bent = make_prediction("misaligned", 0.999, 0.1)
    assert rule(bent, [], FAMILY).code == "NOT_CERTIFIED"
    between = make_prediction("ok", 0.7, 0.1)
    assert rule(between, [], FAMILY).code == "LOW_CONFIDENCE"


def a_threshold_that_opens_for_everything_is_refused(gate: ModuleType) -> None:
    """No number below one half, and no NaN, ever becomes a threshold."""
    for bad in (math.nan, 0.0, 0.4999, 1.0001, -1.0):
        for make in (
            lambda bad=bad: gate.Gate(bad),
            lambda bad=bad: gate.Gate(1.0, certified=(("ok", bad),)),
        ):
            try:
                make()
            except gate.ConfigError:
                continue
            raise AssertionError(f"a threshold of {bad} was taken")


def only_a_word_hears_the_last_answer(gate: ModuleType) -> None:
    """On a word a contradiction is asked about; a certificate is about every window."""
    said = Finding(Decision.ASK, gate.CONTRADICTS, "a person has just said misaligned.")
    on_word, certified = gates(gate, 0.9)
    assert on_word(SURE, [said], FAMILY).code == gate.CONTRADICTS
    assert certified(SURE, [said], FAMILY).decision is Decision.ACT
    for rule, prediction in ((on_word, SURE), (certified, SURE)):
        assert gate.is_case(rule(prediction, [said], FAMILY), FAMILY)
    doubtful = make_prediction("ok", 0.6)
    assert on_word(doubtful, [said], FAMILY).code == "LOW_CONFIDENCE"


# -- what a person said of the cycle -------------------------------------------------


def an_answer_stands_in_its_cycle(last_word: ModuleType) -> None:
    """It speaks against other labels until the model agrees or the cycle ends."""
    bent = make_prediction("misaligned", 0.999)
    for agreed, cycle, speaks in (
        (None, 7, True),
        (SURE, 7, True),
        (bent, 7, False),
        (None, 8, False),
    ):
        word = last_word.LastWord()
        word.heard(make_request(label="misaligned", cycle=7))
        if agreed is not None:
            word.see(7, agreed)
        assert bool(word.see(cycle, SURE)) is speaks
        assert not word.see(cycle, bent)


# -- the checks before it ------------------------------------------------------------


def one_bad_value_anywhere_holds(checks: ModuleType) -> None:
    """One value of any bits, in any row and channel, acts only when plausible."""

    @once
    @given(st.integers(0, ROWS - 1), st.integers(0, len(CHANNELS) - 1), BITS32)
    def holds(row, column, bits):
        samples = make_samples()
        samples[row, column] = np.array([bits], dtype="<u4").view("<f4")[0]
        value, channel = float(samples[row, column]), CHANNELS[column]
        findings = checks.check(
            make_window(samples=samples),
            FAMILY,
            now_ns=0,
            maximum_age_ns=SECOND_NS,
        )
        within = channel.minimum <= value <= channel.maximum
        assert any(f.decision is Decision.HOLD for f in findings) == (not within)
        if not within:
            place = f"row {row}, channel {channel.name}"
            assert any(place in finding.text for finding in findings)

    holds()


def what_is_not_finite_holds_where_no_range_would(checks: ModuleType) -> None:
    """Infinity in a channel without limits, and NaN in an absent one, are a HOLD."""
    endless = Channel("force_z", "N", -math.inf, math.inf)
    family = make_family(channels=(*CHANNELS[:2], endless, CHANNELS[3]))
    samples = make_samples()
    samples[3, 2] = math.inf
    window = make_window(samples=samples)
    absent = make_samples()
    absent[:, 3] = math.nan
    present = np.array([True, True, True, False])
    for bad, kind in (
        (window, family),
        (make_window(samples=absent, present=present), FAMILY),
    ):
        findings = checks.check(bad, kind, now_ns=0, maximum_age_ns=SECOND_NS)
        assert [finding.code for finding in findings][:1] == ["NONFINITE"]


def what_is_old_or_has_gaps_holds(checks: ModuleType) -> None:
    """A window from before, or from the future, or with a lost row is a HOLD."""
    for bad in (
        make_window(age_ns=SECOND_NS + 1),
        make_window(age_ns=-1),
        make_window(gap_rows=1),
        make_window(present=np.array([False, True, True, True])),
    ):
        findings = checks.check(bad, FAMILY, now_ns=0, maximum_age_ns=SECOND_NS)
        assert [f.decision for f in findings][:1] == [Decision.HOLD]
    still = make_samples()
    still[:, 1] = 7.0
    findings = checks.check(
        make_window(samples=still), FAMILY, now_ns=0, maximum_age_ns=SECOND_NS
    )
    assert [finding.code for finding in findings] == ["STUCK_CHANNEL"]


OF_THE_JUDGE = (
    acting_is_proven,
    one_bad_number_holds,
    what_is_no_set_of_probabilities_holds,
    each_comparison_is_a_proof_by_itself,
    the_limits_themselves_are_inside,
    caution_rises_with_doubt,
    what_a_check_holds_is_held,
    a_stop_label_never_acts,
    a_gate_that_asks_acts_on_nothing,
    a_certificate_is_about_one_model_and_its_labels,
    a_threshold_that_opens_for_everything_is_refused,
    only_a_word_hears_the_last_answer,
)
OF_THE_CHECKS = (
    one_bad_value_anywhere_holds,
    what_is_not_finite_holds_where_no_range_would,
    what_is_old_or_has_gaps_holds,
)
