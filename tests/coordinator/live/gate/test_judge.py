"""The gate by example; tests/properties/test_gate_properties.py tries the rest."""

import math
from dataclasses import replace

import pytest

from coordinator.errors import ConfigError
from coordinator.live.gate.audit import toss
from coordinator.live.gate.judge import NEAR_THRESHOLD, Gate, is_sound
from coordinator.terms import Decision, Finding, HoldReason
from tests.builders import FAMILY, make_prediction, make_window

GATE = Gate(threshold=0.9)
ABSENT = Finding(Decision.ASK, "MISSING_CHANNEL", "channel force_z is missing.")
BAD = Finding(Decision.HOLD, "NONFINITE", "row 3.", HoldReason.BAD_DATA)


@pytest.mark.parametrize(
    ("confidence", "novelty", "decision", "code"),
    [
        pytest.param(0.9, 1.0, Decision.ACT, "ACT", id="exactly-on-both-limits"),
        pytest.param(0.99, 1.01, Decision.ASK, "NOVEL", id="sure-but-never-seen"),
        pytest.param(0.89, 0.0, Decision.ASK, "LOW_CONFIDENCE", id="not-sure"),
        pytest.param(math.nan, 0.0, Decision.HOLD, "MODEL_FAULT", id="confidence-nan"),
        pytest.param(0.99, math.nan, Decision.HOLD, "MODEL_FAULT", id="novelty-nan"),
        pytest.param(0.99, -0.1, Decision.HOLD, "MODEL_FAULT", id="novelty-negative"),
    ],
)
def test_judge(confidence, novelty, decision, code):
    verdict = GATE(make_prediction("ok", confidence, novelty), [], FAMILY)

    assert (verdict.decision, verdict.code) == (decision, code)
    assert verdict.reason
    assert (verdict.hold_reason is None) == (decision is not Decision.HOLD)


def test_nothing_serves_then_a_person_is_asked():
    assert GATE(None, [], FAMILY).code == "ASK_ALL"


def test_a_gate_set_to_ask_asks_whatever_the_model_says():
    verdict = Gate(threshold=0.9, ask_all=True)(make_prediction(), [], FAMILY)

    assert (verdict.decision, verdict.code) == (Decision.ASK, "ASK_ALL")


def test_a_finding_that_asks_asks():
    verdict = GATE(make_prediction(), [ABSENT], FAMILY)

    assert (verdict.decision, verdict.code) == (Decision.ASK, "MISSING_CHANNEL")


@pytest.mark.parametrize("prediction", [None, make_prediction()])
def test_a_finding_that_holds_holds_before_anything_else(prediction):
    verdict = GATE(prediction, [ABSENT, BAD], FAMILY)

    assert verdict.decision is Decision.HOLD
    assert verdict.hold_reason is HoldReason.BAD_DATA


def test_a_label_that_stops_never_acts():
    verdict = GATE(make_prediction("collision", 0.999), [], FAMILY)

    assert verdict.decision is Decision.HOLD
    assert verdict.hold_reason is HoldReason.STOP_LABEL


def test_a_label_the_family_does_not_have_never_acts():
    other = make_prediction("strange", labels=("strange", "ok"))
    verdict = GATE(other, [], FAMILY)

    assert (verdict.decision, verdict.code) == (Decision.HOLD, "UNKNOWN_LABEL")


def test_a_confidence_within_a_models_replay_of_the_threshold_is_flagged():
    near = GATE(make_prediction("ok", 0.9 + NEAR_THRESHOLD / 2), [], FAMILY)
    clear = GATE(make_prediction("ok", 0.95), [], FAMILY)

    assert "NEAR_THRESHOLD" in near.reason
    assert "NEAR_THRESHOLD" not in clear.reason


@pytest.mark.parametrize("threshold", [math.nan, -0.1, 0.0, 0.2, 0.4999, 1.0001])
def test_a_threshold_that_opens_the_gate_is_refused(threshold):
    with pytest.raises(ConfigError) as refused:
        Gate(threshold=threshold)
    assert refused.value.code == "BAD_THRESHOLD"


@pytest.mark.parametrize("limit", [math.nan, -1.0, 0.0, math.inf])
def test_a_novelty_limit_that_limits_nothing_is_refused(limit):
    with pytest.raises(ConfigError):
        Gate(threshold=0.9, novelty_limit=limit)


def test_the_digest_changes_with_every_number_of_the_gate():
    gates = [
        Gate(threshold=0.9),
        Gate(threshold=0.91),
        Gate(threshold=0.9, novelty_limit=2.0),
        Gate(threshold=0.9, ask_all=True),
    ]

    assert len({gate.digest for gate in gates}) == len(gates)
    assert Gate(threshold=0.9).digest == GATE.digest


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"labels": ()}, id="fewer-labels"),
        pytest.param({"logits": (1.0,)}, id="fewer-logits"),
        pytest.param({"labels": (), "logits": (), "probabilities": ()}, id="no-labels"),
        pytest.param({"probabilities": (0.5, 0.5, 0.5, 0.5)}, id="sum-above-one"),
        pytest.param({"probabilities": (1.5, -0.5, 0.0, 0.0)}, id="outside-0-to-1"),
        pytest.param({"logits": (math.inf, 0.0, 0.0, 0.0)}, id="infinite-logit"),
    ],
)
def test_what_is_no_set_of_probabilities_is_a_model_fault(changes):
    broken = replace(make_prediction(), **changes)

    assert not is_sound(broken)
    assert GATE(broken, [], FAMILY).hold_reason is HoldReason.MODEL_FAULT


# -- the audit coin ------------------------------------------------------------------


def test_the_coin_can_be_tossed_again():
    window = make_window()

    assert toss(window, 0.3, "seed") == toss(window, 0.3, "seed")


def test_the_coin_falls_as_often_as_it_says():
    drawn = sum(toss(make_window(), 0.25, "seed").drawn for _ in range(2000))

    assert 430 <= drawn <= 570  # within four standard deviations


def test_a_coin_of_no_chance_is_never_drawn_and_a_sure_one_always():
    windows = [make_window() for _ in range(100)]

    assert not any(toss(w, 0.0, "seed").drawn for w in windows)
    assert all(toss(w, 1.0, "seed").drawn for w in windows)
    assert len({toss(w, 0.5, "one").drawn for w in windows}) == 2


def test_another_seed_is_another_coin():
    windows = [make_window() for _ in range(100)]

    assert [toss(w, 0.5, "one").drawn for w in windows] != [
        toss(w, 0.5, "two").drawn for w in windows
    ]
