"""What a call at a decision point is told, and what the node makes of it."""

import pytest

from ros_nodes.terms import Action, HoldReason, Purpose, Stand, StepMoment
from tests.ros_nodes.called_rig import CalledRig, FakeCall


def moments(rig: CalledRig) -> list[tuple[StepMoment, int, str]]:
    return [(event.moment, event.cycle, event.part_id) for event in rig.steps]


def test_the_first_call_waits_and_a_start_permit_answers_it() -> None:
    rig = CalledRig()
    rig.connect()
    call = rig.call(1)
    rig.wait(30.0)
    assert call.answers == []

    permit = rig.permit(Purpose.START)

    assert call.told == "continue"
    assert rig.station.scene.stand is Stand.IN_STEP
    [begin] = rig.steps
    assert (begin.moment, begin.permit_id) == (StepMoment.BEGIN, permit.permit_id)
    assert begin.stamp_ns == rig.now_ns


def test_a_later_call_ends_the_step_and_waits() -> None:
    rig = CalledRig()
    rig.working()
    rig.wait(1.5)
    rig.part = "part-1"
    call = rig.call(2)

    assert call.answers == []
    assert rig.station.scene.stand is Stand.DECIDING
    assert moments(rig) == [
        (StepMoment.BEGIN, 0, "part-0"),
        (StepMoment.END, 0, "part-1"),
    ]
    begin, end = rig.steps
    assert end.stamp_ns - begin.stamp_ns == pytest.approx(1.5e9, abs=2)


@pytest.mark.parametrize(
    ("age_ns", "cut_ns"),
    [
        pytest.param(20_000_000, 20_000_000, id="fresh"),
        pytest.param(60_000_000, 0, id="late"),
        pytest.param(-1, 0, id="of-the-future"),
        pytest.param(None, 0, id="never-heard"),
    ],
)
def test_the_evidence_ends_with_the_newest_samples_when_they_are_fresh(
    age_ns: int | None, cut_ns: int
) -> None:
    rig = CalledRig()
    rig.working()
    rig.wait(1.5)
    rig.heard_ns = None if age_ns is None else rig.now_ns - age_ns
    rig.call(2)

    assert rig.steps[-1].stamp_ns == rig.now_ns - cut_ns


@pytest.mark.parametrize("action", list(Action))
def test_the_answer_is_the_action_for_the_part(action: Action) -> None:
    rig = CalledRig()
    call = rig.deciding()
    rig.wait(300.0)  # people take their time
    rig.permit(Purpose.NEXT_STEP, action=action)

    assert (call.told, call.may_go) == (action.value, True)
    assert (rig.station.scene.stand, rig.station.scene.cycle) == (Stand.IN_STEP, 1)


def test_a_permit_that_finds_nobody_waiting_starts_nothing_and_keeps_the_scene() -> (
    None
):
    rig = CalledRig()
    rig.deciding()
    rig.point.forgotten()
    rig.permit(Purpose.NEXT_STEP)
    rig.wait(0.5)
    assert rig.station.scene.stand is Stand.DECIDING

    rig.wait(1.0)

    assert rig.station.scene.stand is Stand.DECIDING
    assert rig.station.pending is not None
    assert rig.station.permission.held is not None
    assert rig.station.permission.held.reason is HoldReason.STALE_DATA
    assert rig.kinds()[-5:].count("TellDropped") == 1


def test_a_program_that_comes_within_the_start_window_gets_its_leave() -> None:
    rig = CalledRig()
    rig.connect()
    rig.permit(Purpose.START)
    rig.wait(0.5)
    call = rig.call(1)
    assert call.answers == []
    rig.tick()

    assert call.told == "continue"


def test_a_program_that_comes_too_late_waits_for_another_permit() -> None:
    rig = CalledRig()
    rig.connect()
    rig.permit(Purpose.START)
    rig.wait(1.2)
    call = rig.call(1)
    rig.tick()
    assert call.answers == []

    rig.permit(Purpose.START)

    assert call.may_go
    assert [e.permit_id for e in rig.steps] == ["p-2"]


def test_a_robot_that_moves_before_it_asks_is_held_for_it() -> None:
    rig = CalledRig()
    rig.connect()
    rig.permit(Purpose.START)
    rig.wait(0.2)
    rig.positions = (0.5, 0.5)
    rig.wait(0.1)
    call = rig.call(1)
    rig.tick()

    assert call.answers == []
    held = rig.station.permission.held
    assert held is not None
    assert held.reason is HoldReason.IDENTITY


def test_of_two_calls_only_the_newer_one_is_given_leave() -> None:
    rig = CalledRig()
    first = rig.deciding(2)
    second = rig.call(3)
    rig.permit(Purpose.NEXT_STEP)

    assert first.told == "superseded: another call waits now"
    assert second.told == "continue"
    assert [e.moment for e in rig.steps].count(StepMoment.END) == 1


@pytest.mark.parametrize("number", [1, 7])
def test_a_program_that_began_again_ends_no_step(number: int) -> None:
    rig = CalledRig(from_one=False)
    rig.working(number)
    rig.wait(0.5)
    call = rig.call(number)
    rig.tick()

    assert call.told is not None
    assert "began again in the middle of a step" in call.told
    assert StepMoment.END not in [event.moment for event in rig.steps]
    assert rig.station.scene.stand is Stand.AT_START
    held = rig.station.permission.held
    assert held is not None
    assert held.reason is HoldReason.BAD_DATA


def test_a_call_that_crossed_its_answer_ends_no_step() -> None:
    rig = CalledRig()
    rig.working()
    rig.wait(0.1)
    call = rig.call(2)

    assert call.told is not None
    assert "called again before it could have worked" in call.told
    assert StepMoment.END not in [event.moment for event in rig.steps]


def test_a_bridge_that_counts_nothing_may_end_its_step() -> None:
    rig = CalledRig()
    rig.connect()
    first = rig.call()
    rig.permit(Purpose.START)
    rig.wait(0.5)
    second = rig.call()

    assert first.may_go
    assert second.answers == []
    assert rig.station.scene.stand is Stand.DECIDING


def test_a_program_older_than_its_node_is_told_that_nobody_judged_its_part() -> None:
    rig = CalledRig()
    rig.connect()
    call = rig.call(8)
    rig.tick()
    assert call.told is not None
    assert call.told.startswith("bad_data: ")

    again = rig.call(9)
    rig.permit(Purpose.START)

    assert again.may_go


def test_where_numbers_begin_anywhere_no_program_is_older_than_its_node() -> None:
    rig = CalledRig(from_one=False)
    rig.connect()
    call = rig.call(8)
    rig.permit(Purpose.START)

    assert call.may_go


def test_a_hold_answers_with_its_reason_and_the_next_call_waits_for_the_release() -> (
    None
):
    rig = CalledRig()
    call = rig.deciding(2)
    rig.carry_out(
        rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord pulled", rig.now_ns)
    )
    rig.tick()
    assert call.told == "operator_hold: cord pulled"
    assert not call.may_go

    again = rig.call(3)
    rig.wait(60.0)
    assert again.answers == []
    rig.permit(Purpose.NEXT_STEP)

    assert again.may_go


def test_a_program_that_was_paused_with_its_refusal_in_hand_gets_its_leave() -> None:
    # It can only call again once it goes on, and it goes on by the permit.
    rig = CalledRig()
    rig.deciding(2)
    rig.carry_out(rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", rig.now_ns))
    rig.wait(1.0)
    rig.permit(Purpose.NEXT_STEP, action=Action.REJECT)
    assert "CallResume" in rig.kinds()
    rig.wait(0.3)
    again = rig.call(3)
    rig.tick()

    assert again.told == "reject"


def test_a_lost_link_keeps_the_call_and_healing_brings_the_question_back() -> None:
    rig = CalledRig()
    call = rig.deciding(2)
    rig.wait(3.0, beating=False)
    held = rig.station.permission.held
    assert held is not None
    assert held.reason is HoldReason.LINK_LOST
    assert call.answers == []

    rig.connect(epoch=2)
    rig.carry_out(rig.station.reoffer(rig.now_ns, rig.positions))
    assert rig.kinds()[-1] == "SendWindow"
    rig.permit(Purpose.NEXT_STEP)

    assert call.may_go


def test_a_hold_in_mid_step_and_a_resume_are_between_the_calls() -> None:
    rig = CalledRig()
    rig.working()
    rig.wait(0.5)
    rig.carry_out(rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", rig.now_ns))
    rig.wait(1.0)
    assert "CallHold" in rig.kinds()
    rig.permit(Purpose.RESUME)
    rig.wait(0.5)
    call = rig.call(2)

    assert rig.kinds()[-3:] == ["TellStarted", "CutNow", "SendWindow"]
    assert rig.station.scene.stand is Stand.DECIDING
    assert call.answers == []


def test_a_step_that_ends_while_it_is_being_held_is_judged() -> None:
    rig = CalledRig()
    rig.working()
    rig.wait(0.5)
    rig.carry_out(rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", rig.now_ns))
    call = rig.call(2)
    rig.wait(1.0)

    assert rig.station.scene.stand is Stand.DECIDING
    assert call.answers == []


def test_a_program_that_ended_in_mid_step_is_a_hold() -> None:
    rig = CalledRig()
    rig.working()
    rig.point.gone()

    assert rig.station.scene.stand is Stand.AT_START
    held = rig.station.permission.held
    assert held is not None
    assert "ended in the middle of a step" in held.text


def test_a_program_that_ended_while_it_waited_holds_nothing_and_gets_nothing() -> None:
    rig = CalledRig()
    call = rig.deciding(2)
    rig.point.gone()
    rig.permit(Purpose.NEXT_STEP)
    rig.wait(2.0)

    assert call.answers == []
    assert rig.station.scene.stand is Stand.DECIDING
    assert [e.moment for e in rig.steps].count(StepMoment.BEGIN) == 1


def test_an_answer_that_cannot_be_sent_is_a_hold_that_names_the_action() -> None:
    rig = CalledRig()
    rig.deciding(2)
    call = rig.call(3, reachable=False)
    rig.permit(Purpose.NEXT_STEP, action=Action.REJECT)

    assert not call.may_go
    held = rig.station.permission.held
    assert held is not None
    assert held.text.endswith("the part of cycle 0 was to reject")
    assert rig.station.scene.stand is Stand.AT_START


def test_leave_that_is_late_on_its_last_yard_is_a_hold_that_names_the_action() -> None:
    rig = CalledRig()
    call = rig.deciding(2)
    give = rig.point.hear_leave

    def late(text: str) -> None:
        rig.clock.advance(1.2)  # the loop stood still between judging and answering
        give(text)

    rig.point.hear_leave = late  # type: ignore[method-assign]
    rig.permit(Purpose.NEXT_STEP, action=Action.REJECT)
    rig.tick()

    assert not call.may_go
    assert [e.moment for e in rig.steps].count(StepMoment.BEGIN) == 1
    held = rig.station.permission.held
    assert held is not None
    assert "was to reject" in held.text


def test_a_closed_point_answers_at_once_and_still_sees_the_step_end() -> None:
    rig = CalledRig()
    rig.working()
    rig.wait(0.5)
    rig.point.close("link_lost: the node is not active")
    call = rig.call(2)
    assert call.told == "link_lost: the node is not active"
    assert rig.station.scene.stand is Stand.DECIDING

    rig.point.open()
    again = rig.call(3)
    rig.permit(Purpose.NEXT_STEP)

    assert again.may_go


def test_closing_answers_the_one_who_waits() -> None:
    rig = CalledRig()
    call = rig.deciding(2)
    rig.point.close("link_lost: the node ends")

    assert call.told == "link_lost: the node ends"


def test_a_safety_stop_in_mid_step_leaves_no_step_to_be_ended() -> None:
    rig = CalledRig()
    rig.working()
    rig.station._scene = rig.station._scene.__class__(Stand.STOPPED, 1)
    call = rig.call(1)

    assert call.answers == []
    assert StepMoment.END not in [event.moment for event in rig.steps]
    assert rig.station.scene.stand is Stand.STOPPED


def test_no_answer_lets_a_held_robot_go() -> None:
    rig = CalledRig()
    calls: list[FakeCall] = [rig.deciding(2)]
    rig.permit(Purpose.NEXT_STEP, start_within_ns=0)
    rig.wait(0.2)
    rig.permit(Purpose.NEXT_STEP, session_epoch=9)
    rig.permit(Purpose.START)
    calls.append(rig.call(3))
    rig.wait(2.0)

    assert not any(call.may_go for call in calls)
