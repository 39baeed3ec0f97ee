"""On an engineer's word nothing is decided alone against a person's last answer."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.live.gate.judge import CONTRADICTS, Gate, is_case
from coordinator.live.gate.last_word import LastWord
from coordinator.terms import Decision, Finding, OperatorRequest, Prediction
from tests.builders import FAMILY, MODEL, make_prediction, make_request

SURE = make_prediction("ok", 0.99)
BENT = make_prediction("misaligned", 0.99)
SAID = Finding(Decision.ASK, CONTRADICTS, "of this cycle a person has just said else.")


def answered(label: str, cycle: int = 7) -> OperatorRequest:
    return replace(make_request(), label=label, cycle=cycle)


def codes(word: LastWord, *predictions: Prediction, cycle: int = 7) -> list[str]:
    verdicts = [Gate(0.9)(one, word.see(cycle, one), FAMILY) for one in predictions]
    return [verdict.code for verdict in verdicts]


def test_before_anybody_has_answered_nothing_speaks_against_the_model() -> None:
    assert codes(LastWord(), SURE, BENT, cycle=0) == ["ACT", "ACT"]


def test_what_contradicts_the_last_answer_of_its_cycle_is_asked_about() -> None:
    word = LastWord()
    word.heard(answered("misaligned"))

    assert word.see(7, SURE)[0].text == (
        "of this cycle a person has just said misaligned, not ok."
    )
    assert codes(word, SURE, SURE) == [CONTRADICTS, CONTRADICTS]


def test_it_ends_when_the_model_says_the_same() -> None:
    word = LastWord()
    word.heard(answered("misaligned"))

    assert codes(word, BENT, SURE) == ["ACT", "ACT"]


def test_it_ends_when_a_person_says_what_the_model_says() -> None:
    word = LastWord()
    word.heard(answered("misaligned"))
    word.heard(answered("ok"))

    assert codes(word, SURE) == ["ACT"]


def test_it_ends_with_the_cycle_and_does_not_come_back() -> None:
    word = LastWord()
    word.heard(answered("misaligned"))

    assert codes(word, SURE, cycle=8) == ["ACT"]
    assert codes(word, SURE, cycle=7) == ["ACT"]


def test_a_doubtful_window_is_asked_about_for_its_doubt() -> None:
    word = LastWord()
    word.heard(answered("misaligned"))

    assert codes(word, make_prediction("ok", 0.6)) == ["LOW_CONFIDENCE"]


@pytest.mark.parametrize("confidence", [math.nan, math.inf])
def test_a_broken_answer_neither_agrees_nor_ends_it(confidence: float) -> None:
    word = LastWord()
    word.heard(answered("misaligned"))
    broken = replace(BENT, probabilities=(confidence,) * len(BENT.labels))
    empty = replace(BENT, labels=(), logits=(), probabilities=())

    assert codes(word, broken, empty) == ["MODEL_FAULT", "MODEL_FAULT"]
    assert codes(word, SURE) == [CONTRADICTS]


def test_a_certificate_does_not_depend_on_what_was_asked_before() -> None:
    certified = Gate(1.0, certified=(("ok", 0.9),), model_digest=MODEL)
    asking = Gate(0.9, ask_all=True)

    assert certified(SURE, [SAID], FAMILY).code == "ACT"
    assert asking(SURE, [SAID], FAMILY).code == "ASK_ALL"
    assert is_case(Gate(0.9)(SURE, [SAID], FAMILY), FAMILY)


def test_what_is_wrong_with_the_window_is_said_first() -> None:
    missing = Finding(Decision.ASK, "MISSING_CHANNEL", "channel force_z is missing.")

    assert Gate(0.9)(SURE, [SAID, missing], FAMILY).code == "MISSING_CHANNEL"
    assert Gate(0.9)(make_prediction(novelty=7.0), [SAID], FAMILY).code == "NOVEL"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["hear", "see"]),
            st.integers(1, 2),
            st.sampled_from(["ok", "misaligned"]),
        ),
        max_size=30,
    )
)
def test_the_answer_before_is_never_contradicted_alone(
    steps: list[tuple[str, int, str]],
) -> None:
    word, last = LastWord(), None
    for kind, cycle, label in steps:
        if kind == "hear":
            word.heard(answered(label, cycle))
            last = (cycle, label)
            continue
        verdict = Gate(0.9)(
            said := make_prediction(label, 0.99), word.see(cycle, said), FAMILY
        )
        if last is not None and last[0] == cycle and last[1] != label:
            assert verdict.decision is Decision.ASK
        else:
            assert verdict.decision is Decision.ACT
            last = None
