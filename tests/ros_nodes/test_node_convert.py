"""Between values and the wire nothing is guessed."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.v1 import cell_pb2, terms_pb2
from ros_nodes import convert
from ros_nodes.clock import SECOND_NS
from ros_nodes.evidence import CutWindow, WindowKind
from ros_nodes.permission import Hold
from ros_nodes.terms import Action, HoldReason, Purpose, Scene, Stand


def permit_message(**facts) -> terms_pb2.Permit:
    defaults: dict[str, Any] = {
        "permit_id": "p-1",
        "purpose": terms_pb2.PERMIT_PURPOSE_NEXT_STEP,
        "action": terms_pb2.ACTION_REWORK,
        "session_epoch": 3,
        "heartbeat_seq": 9,
        "start_within": convert.duration(1_500_000_000),
    }
    return terms_pb2.Permit(**(defaults | facts))


def test_a_permit_is_read_with_its_numbers() -> None:
    permit = convert.permit_value(permit_message())

    assert permit.purpose is Purpose.NEXT_STEP
    assert permit.action is Action.REWORK
    assert permit.start_within_ns == 1_500_000_000
    assert permit.maximum_execution_ns == 0


@pytest.mark.parametrize(
    "facts",
    [
        {"permit_id": ""},
        {"purpose": terms_pb2.PERMIT_PURPOSE_UNSPECIFIED},
        {"purpose": 99},
        {"action": terms_pb2.ACTION_STOP},
        {"action": terms_pb2.ACTION_UNSPECIFIED},
        {"action": 99},
        {
            "purpose": terms_pb2.PERMIT_PURPOSE_START,
            "action": terms_pb2.ACTION_STOP,
        },
    ],
)
def test_a_permit_that_permits_nothing_known_is_refused(facts) -> None:
    with pytest.raises(convert.UnusablePermitError):
        convert.permit_value(permit_message(**facts))


@pytest.mark.parametrize(
    "purpose",
    [terms_pb2.PERMIT_PURPOSE_START, terms_pb2.PERMIT_PURPOSE_RESUME],
)
def test_start_and_resume_need_no_action(purpose) -> None:
    permit = convert.permit_value(
        permit_message(purpose=purpose, action=terms_pb2.ACTION_UNSPECIFIED)
    )

    assert permit.action is Action.CONTINUE


def test_every_reason_of_the_wire_has_a_word_and_back() -> None:
    for number in terms_pb2.HoldReason.values()[1:]:
        reason = convert.reason_value(number)
        message = convert.held_message(Hold(reason, "x"), Scene(), confirmed=True)

        assert message.node_held.reason == number


@pytest.mark.parametrize("number", [0, 99])
def test_an_unknown_reason_is_a_persons_hold(number) -> None:
    assert convert.reason_value(number) is HoldReason.OPERATOR_HOLD


def test_the_reasons_rise_as_they_do_on_the_wire() -> None:
    numbers = [
        convert.held_message(Hold(reason, ""), Scene(), confirmed=True).node_held.reason
        for reason in HoldReason
    ]

    assert numbers == sorted(numbers)


@pytest.mark.parametrize("stand", list(Stand))
def test_every_stand_has_a_word_on_the_wire(stand) -> None:
    message = convert.scene_message(Scene(stand))

    assert message.stand != cell_pb2.STAND_UNSPECIFIED


@given(st.integers(0, 2**62))
def test_durations_come_back(nanoseconds) -> None:
    assert convert.duration_ns(convert.duration(nanoseconds)) == nanoseconds


def test_a_negative_age_is_sent_as_none() -> None:
    assert convert.duration_ns(convert.duration(-5)) == 0


def test_a_window_travels_as_packed_little_endian_floats() -> None:
    window = CutWindow(
        window_id="w-1",
        kind=WindowKind.DECISION,
        cycle=3,
        step="insert",
        part_id="part-3",
        start_ns=5,
        period_ns=7,
        samples=np.array([[1.0, 0.0], [2.0, 0.0]], dtype=np.float32),
        present=np.array([True, False]),
        digest="d" * 64,
        gap_rows=1,
        scene_ns=10,
        cut_ns=11,
        cut_utc_ns=1_700_000_000 * SECOND_NS,
    )

    [sent] = convert.windows_message(
        window, seq=4, age_ns=2_000_000, offered_again=True
    ).windows.windows

    assert (sent.rows, sent.channels) == (2, 2)
    assert np.frombuffer(sent.samples, "<f4").tolist() == [1.0, 0.0, 2.0, 0.0]
    assert sent.present == b"\x01\x00"
    assert sent.age.ToNanoseconds() == 2_000_000
    assert sent.cut_at.ToNanoseconds() == window.cut_utc_ns
    assert sent.offered_again
