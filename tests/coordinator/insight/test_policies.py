"""Rules beside the gate: they differ only in when they trust the model."""

import math

import pytest

from coordinator.errors import InputError
from coordinator.insight.policies import (
    AskAtRandom,
    FixedThreshold,
    NeverAsk,
    parse_policy,
)
from coordinator.live.gate.judge import Gate
from coordinator.terms import (
    Action,
    Channel,
    Decision,
    Digest,
    Family,
    FamilyId,
    Finding,
    HoldReason,
    Label,
    Prediction,
)

FAMILY = Family(
    FamilyId("press"),
    (Channel("force", "N", -1.0, 1.0),),
    (
        Label("stop", Action.STOP),
        Label("slip", Action.REWORK),
        Label("ok", Action.CONTINUE),
    ),
    default_label="ok",
)
MISSING = Finding(Decision.ASK, "MISSING_CHANNEL", "channel force is missing.")
BROKEN = Finding(Decision.HOLD, "NONFINITE", "not a number.", HoldReason.BAD_DATA)


def make_prediction(
    confidence: float, novelty: float = 0.0, label: str = "ok"
) -> Prediction:
    rest = (1.0 - confidence) / 2
    names = FAMILY.label_names
    return Prediction(
        Digest("a" * 64),
        names,
        (0.0, 0.0, 0.0),
        tuple(confidence if name == label else rest for name in names),
        novelty,
    )


POLICIES = ["gate", "always", "never", "fixed:0.9", "random:3"]


@pytest.mark.parametrize("text", POLICIES)
def test_every_policy_holds_what_no_gate_lets_through(text: str) -> None:
    judge = parse_policy(text, threshold=0.9, seed=1)

    assert judge(make_prediction(0.99), [BROKEN], FAMILY).decision is Decision.HOLD
    verdict = judge(make_prediction(math.nan), [], FAMILY)
    assert (verdict.decision, verdict.code) == (Decision.HOLD, "MODEL_FAULT")


@pytest.mark.parametrize("text", POLICIES)
def test_every_policy_asks_while_nothing_serves(text: str) -> None:
    verdict = parse_policy(text, threshold=0.9, seed=1)(None, [], FAMILY)

    assert (verdict.decision, verdict.code) == (Decision.ASK, "ASK_ALL")


def test_policies_have_digests_of_their_own() -> None:
    judges = [parse_policy(text, threshold=0.9, seed=1) for text in POLICIES]

    assert len({judge.digest for judge in judges}) == len(POLICIES)


def test_the_gate_is_the_gate_and_always_is_the_gate_that_asks_all() -> None:
    assert parse_policy("gate", threshold=0.8, seed=0) == Gate(0.8)
    assert parse_policy("always", threshold=0.8, seed=0) == Gate(0.8, ask_all=True)


@pytest.mark.parametrize("confidence", [0.34, 0.99])
def test_never_acts_whatever_the_confidence(confidence: float) -> None:
    verdict = NeverAsk()(make_prediction(confidence, novelty=9.0), [MISSING], FAMILY)

    assert verdict.decision is Decision.ACT


def test_a_label_that_stops_the_cell_is_never_acted_on() -> None:
    verdict = NeverAsk()(make_prediction(0.99, label="stop"), [], FAMILY)

    assert (verdict.decision, verdict.code) == (Decision.HOLD, "STOP_LABEL")


@pytest.mark.parametrize(
    ("confidence", "novelty", "decision"),
    [
        pytest.param(0.90, 0.0, Decision.ACT, id="exactly-on-the-threshold"),
        pytest.param(0.8999, 0.0, Decision.ASK, id="just-below"),
        pytest.param(0.99, 99.0, Decision.ACT, id="novelty-is-nothing-to-it"),
    ],
)
def test_a_fixed_threshold_looks_at_confidence_alone(
    confidence: float, novelty: float, decision: Decision
) -> None:
    verdict = FixedThreshold(0.9)(make_prediction(confidence, novelty), [], FAMILY)

    assert verdict.decision is decision


def test_a_fixed_threshold_asks_what_a_check_wants_asked() -> None:
    verdict = FixedThreshold(0.9)(make_prediction(0.99), [MISSING], FAMILY)

    assert (verdict.decision, verdict.code) == (Decision.ASK, "MISSING_CHANNEL")


@pytest.mark.parametrize("questions", [0, 1, 7, 20, 50])
def test_random_asks_exactly_its_number_of_questions(questions: int) -> None:
    judge = AskAtRandom(questions, seed=3)
    asked = 0
    for left in range(20, 0, -1):
        judge.begin(left)
        verdict = judge(make_prediction(0.5), [], FAMILY)
        asked += verdict.decision is Decision.ASK

    assert asked == min(questions, 20)


def test_the_warm_up_does_not_count_as_random_questions() -> None:
    judge = AskAtRandom(5, seed=3)
    judge.begin(0)
    for _ in range(9):
        judge(None, [], FAMILY)

    assert judge.questions == 5


def test_what_is_asked_without_a_model_counts_as_a_random_question() -> None:
    judge = AskAtRandom(5, seed=3)
    judge.begin(10)
    judge(None, [], FAMILY)

    assert judge.questions == 4


@pytest.mark.parametrize(
    "text",
    ["", "Gate", "gate:0.9", "fixed", "fixed:", "fixed:nan", "fixed:0", "fixed:1.1",
     "fixed:x", "random", "random:-1", "random:1.5", "random:9999999999", "never:1"],
)  # fmt: skip
def test_a_policy_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="there is no policy") as refused:
        parse_policy(text, threshold=0.9, seed=0)

    assert refused.value.code == "BAD_POLICY"


def test_a_fixed_threshold_does_not_hear_that_windows_are_unlike_the_examples() -> None:
    # It stands for what others do; only what is wrong with the window itself counts.
    unlike = Finding(Decision.ASK, "UNFAMILIAR", "unlike what the model learned from.")
    sure = make_prediction(0.95, novelty=7.0)

    assert FixedThreshold(0.9)(sure, [unlike], FAMILY).decision is Decision.ACT
    assert FixedThreshold(0.9)(sure, [unlike, MISSING], FAMILY).code == MISSING.code
    assert Gate(0.9)(make_prediction(0.95), [unlike], FAMILY).code == "UNFAMILIAR"
