"""JSON between andon and a robot's program: understood, or refused in a sentence."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_nodes.permission import Begin
from ros_nodes.talk import TalkError, leave_text, read_leave, read_step, step_text
from ros_nodes.terms import Action, Purpose, StepEvent, StepMoment
from tests.ros_nodes.node_builders import make_permit

SAID = {
    "event": "begin",
    "cycle": 4,
    "part_id": "A-17",
    "step": "insert",
    "stamp_ns": 9,
}


@given(
    st.sampled_from(list(StepMoment)),
    st.integers(0, 2**62),
    st.text("ABC-12", max_size=20),
    st.integers(0, 2**62),
)
def test_steps_come_back_as_they_were_said(moment, cycle, part, stamp) -> None:
    event = StepEvent(moment, cycle, part, "insert", stamp, "p-1")

    assert read_step(step_text(event)) == event


def test_leave_says_all_that_a_program_needs() -> None:
    begin = Begin(make_permit(label="grip_slip", action=Action.REWORK), 55, 99)

    leave = read_leave(leave_text(begin))

    assert leave.permit_id == "p-1"
    assert (leave.purpose, leave.action) == (Purpose.NEXT_STEP, Action.REWORK)
    assert (leave.label, leave.cycle, leave.start_by_ns) == ("grip_slip", 7, 55)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"event": "stop"}, "neither"),
        ({"cycle": -1}, "cycle is not"),
        ({"cycle": True}, "cycle is not"),
        ({"cycle": 1.5}, "cycle is not"),
        ({"stamp_ns": 2**63}, "stamp_ns is not"),
        ({"stamp_ns": None}, "stamp_ns is not"),
        ({"step": "../x"}, "does not match"),
        ({"part_id": 17}, "part_id is not"),
        ({"part_id": "A" * 129}, "part_id is not"),
        ({"part_id": "A\x1b[31m"}, "control character"),
    ],
)
def test_what_a_program_says_wrongly_is_refused(change, words) -> None:
    with pytest.raises(TalkError, match=words):
        read_step(json.dumps(SAID | change))


@pytest.mark.parametrize(
    "text", ["", "null", "[1]", "{", "[" * 4000, "x" * 5000, '{"permit_id": ""}']
)
def test_anything_else_is_refused_as_well(text) -> None:
    for read in (read_step, read_leave):
        with pytest.raises(TalkError):
            read(text)


@given(st.text(max_size=50))
def test_no_text_makes_a_reader_fail_in_another_way(text) -> None:
    for read in (read_step, read_leave):
        with contextlib.suppress(TalkError):
            read(text)


@pytest.mark.parametrize("action", ["stop", "", None])
def test_leave_with_an_action_that_permits_nothing_is_refused(action) -> None:
    said = json.loads(leave_text(Begin(make_permit(), 55, 99))) | {"action": action}

    with pytest.raises(TalkError):
        read_leave(json.dumps(said))
