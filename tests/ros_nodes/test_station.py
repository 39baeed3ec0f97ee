"""What a node does about each thing that can happen at its robot."""

import pytest

from ros_nodes.clock import SECOND_NS
from ros_nodes.effects import (
    BeatNow,
    CallHold,
    CallResume,
    CutNow,
    GiveLeave,
    HoldAnswer,
    LeaveSession,
    SendWindow,
    TellDropped,
    TellHeld,
    TellStarted,
)
from ros_nodes.terms import Drop, HoldReason, Purpose, Stand, StepMoment
from tests.ros_nodes.node_builders import DIGEST, STORE, T0, at, step
from tests.ros_nodes.station_rig import HOME, MOVED, Rig, kinds, make_window


def test_a_start_permit_is_given_to_the_robot_and_told() -> None:
    rig = Rig().connected()

    effects = rig.offer(Purpose.START, 0.1)

    assert kinds(effects) == ["GiveLeave", "TellStarted"]
    assert rig.station.scene.stand is Stand.IN_STEP


def test_a_permit_before_the_first_answer_waits_for_it() -> None:
    rig = Rig()
    rig.station.permission.greet(T0)
    rig.station.opened(epoch=1, store_id=STORE, lease_ns=2 * SECOND_NS, now_ns=T0)

    early = rig.offer(Purpose.START, 0.01, heartbeat_seq=0)
    rig.beat(0.02)
    effects = rig.look(0.03)

    assert early == []
    assert kinds(effects) == ["GiveLeave", "TellStarted"]


def test_a_step_runs_under_its_permit_and_ends_with_a_window() -> None:
    rig = Rig().working()

    effects = rig.station.ended(step(StepMoment.END, stamp_ns=at(1.0)), at(1.0))

    match effects:
        case [CutNow(work)]:
            assert work.span.begin_ns == at(0.2)
            assert work.span.end_ns == at(1.0)
        case _:
            pytest.fail(str(effects))
    assert rig.station.permission.executing is None


def test_the_window_of_an_ended_step_waits_for_its_decision() -> None:
    rig = Rig().deciding()

    assert rig.station.scene.stand is Stand.DECIDING
    assert rig.station.scene.window_digest == DIGEST
    assert rig.station.pending is not None


def test_a_decision_begins_the_next_cycle_and_says_how_long_it_took() -> None:
    rig = Rig().deciding()

    effects = rig.offer(Purpose.NEXT_STEP, 1.2)

    match effects:
        case [GiveLeave(), TellStarted(_, scene, latency_ns)]:
            assert scene.cycle == 1
            assert latency_ns == at(1.2) - at(1.0)
        case _:
            pytest.fail(str(effects))
    assert rig.station.pending is None


def test_a_decision_about_a_robot_that_was_moved_is_dropped() -> None:
    rig = Rig().deciding()

    effects = rig.offer(Purpose.NEXT_STEP, 1.2, positions=MOVED)

    match effects:
        case [TellDropped(dropped)]:
            assert dropped.drop is Drop.SCENE_MOVED
        case _:
            pytest.fail(str(effects))


@pytest.mark.parametrize("positions", [None, (float("nan"), -0.2), (0.1,)])
def test_a_permit_waits_until_somebody_sees_the_robot_and_no_longer_than_it_lives(
    positions,
) -> None:
    rig = Rig().deciding()

    early = rig.offer(Purpose.NEXT_STEP, 1.2, positions=positions)
    blind = rig.look(1.3, positions)
    late = rig.look(1.9, positions)

    assert early == blind == []
    match late:
        case [TellDropped(dropped)]:
            assert dropped.drop is Drop.EXPIRED
        case _:
            pytest.fail(str(late))


def test_a_permit_that_waited_for_sight_of_the_robot_is_carried_out() -> None:
    rig = Rig().deciding()
    rig.offer(Purpose.NEXT_STEP, 1.2, positions=None)

    effects = rig.look(1.3)

    assert kinds(effects) == ["GiveLeave", "TellStarted"]


def test_a_pose_that_no_sensor_told_is_learned_when_one_tells_it() -> None:
    rig = Rig().working()
    rig.beat(0.9)
    rig.station.ended(step(StepMoment.END, stamp_ns=at(1.0)), at(1.0))
    rig.station.judged(make_window(0), (float("nan"), -0.2))
    rig.look(1.1)

    effects = rig.offer(Purpose.NEXT_STEP, 1.2)

    assert kinds(effects) == ["GiveLeave", "TellStarted"]


# ------------------------------------------------------------------------ violations


def test_a_robot_that_begins_without_a_permit_is_held_at_once() -> None:
    rig = Rig().connected()

    effects = rig.station.began(step(StepMoment.BEGIN, stamp_ns=at(0.1)), at(0.1))

    match effects:
        case [CallHold(hold)]:
            assert hold.reason is HoldReason.IDENTITY
        case _:
            pytest.fail(str(effects))
    assert rig.station.scene.stand is Stand.PAUSED


@pytest.mark.parametrize(
    ("permit_id", "stamp_s", "now_s"),
    [
        pytest.param("p-9", 0.2, 0.2, id="under-another-permit"),
        pytest.param("p-1", 2.5, 2.5, id="long-after-its-last-moment"),
        pytest.param("p-1", 0.2, 2.4, id="told-when-the-lease-was-over"),
    ],
)
def test_a_begin_that_its_permit_does_not_cover_is_held(
    permit_id, stamp_s, now_s
) -> None:
    rig = Rig().started()
    if now_s > 2.4:
        rig.beat(1.0)
    event = step(StepMoment.BEGIN, stamp_ns=at(stamp_s), permit_id=permit_id)

    effects = rig.station.began(event, at(now_s))

    assert kinds(effects) == ["CallHold"]


def test_one_permit_begins_one_step_only() -> None:
    rig = Rig().working()
    event = step(StepMoment.BEGIN, stamp_ns=at(0.3), permit_id="p-1")

    effects = rig.station.began(event, at(0.3))

    assert kinds(effects) == ["CallHold"]


def test_a_begin_that_crosses_a_hold_under_way_is_paused_not_accused() -> None:
    rig = Rig().started()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.2))
    event = step(StepMoment.BEGIN, stamp_ns=at(0.2), permit_id="p-1")

    effects = rig.station.began(event, at(0.21))

    assert effects == []
    assert rig.station.scene.stand is Stand.PAUSED
    assert rig.station.permission.held is not None
    assert rig.station.permission.held.reason is HoldReason.OPERATOR_HOLD


def test_a_begin_from_before_a_hold_is_paused_however_late_it_is_heard() -> None:
    rig = Rig().started()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.3))
    rig.station.hold_answered(at(0.31), HoldAnswer.HELD)
    before = step(StepMoment.BEGIN, stamp_ns=at(0.2), permit_id="p-1")

    effects = rig.station.began(before, at(0.32))
    rig.look(0.6)
    rig.beat(0.7)
    resumed = rig.offer(Purpose.RESUME, 0.8)

    assert effects == []
    assert kinds(resumed) == ["CallResume"]


def test_a_begin_after_a_confirmed_hold_is_held_against_the_robot() -> None:
    rig = Rig().started()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.3))
    rig.station.hold_answered(at(0.31), HoldAnswer.HELD)
    after = step(StepMoment.BEGIN, stamp_ns=at(0.4), permit_id="p-1")

    effects = rig.station.began(after, at(0.4))

    told = [e.hold.reason for e in effects if isinstance(e, TellHeld)]
    assert told == [HoldReason.IDENTITY]


def test_the_end_of_a_step_that_nobody_saw_begin_is_held() -> None:
    rig = Rig().connected()

    effects = rig.station.ended(step(StepMoment.END, cycle=5, stamp_ns=at(1)), at(1))

    assert kinds(effects) == ["CallHold"]
    assert rig.station.scene.stand is Stand.AT_START
    assert rig.station.scene.cycle == 6


# ----------------------------------------------------------------------------- holds


def test_withdrawing_calls_the_hold_service_and_pauses_the_step() -> None:
    rig = Rig().working()

    effects = rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.5))

    assert kinds(effects) == ["CallHold"]
    assert rig.station.scene.stand is Stand.PAUSED


def test_a_confirmed_withdrawal_is_not_echoed_as_a_new_hold() -> None:
    rig = Rig().working()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.5))

    effects = rig.station.hold_answered(at(0.6), HoldAnswer.HELD)

    assert effects == [BeatNow()]


def test_a_robot_that_does_not_obey_is_told_once_and_asked_again() -> None:
    rig = Rig().working()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.5))

    told = rig.station.hold_answered(at(1.5), HoldAnswer.UNCONFIRMED)
    again = rig.station.ticked(at(1.6), heard_ns=at(1.6))
    silent = rig.station.hold_answered(at(1.7), HoldAnswer.UNCONFIRMED)
    rig.station.ticked(at(2.7), heard_ns=at(2.7))
    relieved = rig.station.hold_answered(at(2.8), HoldAnswer.HELD)

    assert [e.confirmed for e in told if isinstance(e, TellHeld)] == [False]
    assert kinds(again) == ["CallHold"]
    assert silent == [BeatNow()]
    assert [e.confirmed for e in relieved if isinstance(e, TellHeld)] == [True]


def test_a_permit_for_a_robot_that_does_not_obey_is_dropped() -> None:
    rig = Rig().working()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.5))
    rig.station.hold_answered(at(1.5), HoldAnswer.UNCONFIRMED)
    rig.beat(1.6)

    effects = rig.offer(Purpose.RESUME, 1.7)

    match effects:
        case [TellDropped(dropped)]:
            assert dropped.drop is Drop.HELD
        case _:
            pytest.fail(str(effects))


def test_the_end_of_the_session_holds_the_robot() -> None:
    rig = Rig().working()

    effects = rig.station.closed("gone", at(0.5))

    assert kinds(effects) == ["CallHold"]
    assert not rig.station.permission.may_move(at(0.5))


def test_a_lost_lease_holds_the_robot_and_leaves_the_session() -> None:
    rig = Rig().working()

    effects = rig.station.ticked(at(2.0), heard_ns=at(2.0))

    assert kinds(effects) == ["CallHold", "LeaveSession"]


def test_sensors_that_fall_silent_in_a_step_hold_the_robot() -> None:
    rig = Rig().working()

    rig.beat(1.5)
    quiet = rig.station.ticked(at(2.1), heard_ns=at(0.2))
    effects = rig.station.ticked(at(2.3), heard_ns=at(0.2))

    assert quiet == []
    match effects:
        case [CallHold(hold)]:
            assert hold.reason is HoldReason.BAD_DATA
        case _:
            pytest.fail(str(effects))


def test_an_own_hold_is_told_and_a_new_session_is_told_again_if_it_was_lost() -> None:
    rig = Rig().connected()
    rig.station.closed("gone", at(0.5))
    rig.station.began(step(StepMoment.BEGIN, stamp_ns=at(0.6)), at(0.6))
    rig.station.hold_answered(at(0.7), HoldAnswer.HELD)

    effects = rig.station.opened(
        epoch=2, store_id=STORE, lease_ns=2 * SECOND_NS, now_ns=at(1)
    )

    assert [e.hold.reason for e in effects if isinstance(e, TellHeld)] == [
        HoldReason.IDENTITY
    ]


# ---------------------------------------------------------------------------- resume


def test_a_paused_step_goes_on_through_the_resume_service() -> None:
    rig = Rig().paused()

    asked = rig.offer(Purpose.RESUME, 0.8)
    assert kinds(asked) == ["CallResume"]
    begin = asked[0].begin
    effects = rig.station.resume_answered(begin, at(0.9), HOME, confirmed=True)

    assert kinds(effects) == ["TellStarted"]
    assert rig.station.scene.stand is Stand.IN_STEP


def test_a_pause_is_cut_out_of_the_step() -> None:
    rig = Rig().paused()
    asked = rig.offer(Purpose.RESUME, 0.8)
    rig.station.resume_answered(asked[0].begin, at(0.9), HOME, confirmed=True)

    effects = rig.station.ended(step(StepMoment.END, stamp_ns=at(1.5)), at(1.5))

    match effects:
        case [CutNow(work)]:
            assert [(p.begin_ns, p.end_ns) for p in work.pauses] == [(at(0.5), at(0.9))]
        case _:
            pytest.fail(str(effects))


def test_a_paused_robot_that_was_pushed_is_not_resumed() -> None:
    rig = Rig().paused()

    effects = rig.offer(Purpose.RESUME, 0.8, positions=MOVED)

    assert kinds(effects) == ["TellDropped"]


def test_a_robot_that_brakes_after_the_hold_has_not_been_moved() -> None:
    rig = Rig().working()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.5))
    rig.station.hold_answered(at(0.6), HoldAnswer.HELD)
    rig.look(0.61, positions=MOVED)  # still braking
    rig.look(0.81)

    effects = rig.offer(Purpose.RESUME, 0.9)

    assert kinds(effects) == ["CallResume"]


def test_a_scene_that_a_person_released_after_a_move_is_the_scene() -> None:
    rig = Rig().paused()
    rig.offer(Purpose.RESUME, 0.85, positions=MOVED)
    rig.beat(0.9)

    effects = rig.offer(Purpose.RESUME, 0.95, positions=MOVED)

    assert kinds(effects) == ["CallResume"]


def test_a_permit_that_comes_while_the_hold_is_under_way_waits_for_its_answer() -> None:
    rig = Rig().working()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.5))

    early = rig.offer(Purpose.RESUME, 0.51)
    rig.station.hold_answered(at(0.6), HoldAnswer.HELD)
    braking = rig.look(0.61)
    effects = rig.look(0.81)

    assert early == braking == []
    assert kinds(effects) == ["CallResume"]


def test_a_controller_that_does_not_go_on_is_held_again() -> None:
    rig = Rig().paused()
    asked = rig.offer(Purpose.RESUME, 0.8)

    effects = rig.station.resume_answered(
        asked[0].begin, at(1.8), HOME, confirmed=False
    )

    assert kinds(effects) == ["TellDropped", "CallHold"]


def test_a_hold_that_overtakes_a_resume_wins() -> None:
    rig = Rig().paused()
    asked = rig.offer(Purpose.RESUME, 0.8)
    rig.station.closed("gone", at(0.85))

    effects = rig.station.resume_answered(asked[0].begin, at(0.9), HOME, confirmed=True)

    assert kinds(effects) == ["TellDropped", "CallHold"]
    assert not rig.station.permission.may_move(at(0.9))


def test_a_robot_held_between_steps_is_resumed_before_it_gets_leave() -> None:
    rig = Rig().deciding()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(1.1))
    rig.station.hold_answered(at(1.2), HoldAnswer.HELD)

    asked = rig.offer(Purpose.NEXT_STEP, 1.3)
    effects = rig.station.resume_answered(asked[0].begin, at(1.4), HOME, confirmed=True)

    assert kinds(asked) == ["CallResume"]
    assert kinds(effects) == ["GiveLeave", "TellStarted"]


# --------------------------------------------------------------------------- reoffer


def reconnected() -> Rig:
    rig = Rig().deciding()
    rig.station.closed("gone", at(1.5))
    rig.station.hold_answered(at(1.6), HoldAnswer.HELD)
    return rig.connected(5.0, epoch=2)


def test_the_pending_evidence_is_offered_again_under_the_new_session() -> None:
    rig = reconnected()

    effects = rig.station.reoffer(at(5.1), HOME)

    match effects:
        case [SendWindow(window, scene_ns, offered_again)]:
            assert window.digest == DIGEST
            assert scene_ns == at(5.1)
            assert offered_again
        case _:
            pytest.fail(str(effects))


def test_evidence_of_a_scene_that_is_gone_is_not_offered_again() -> None:
    rig = reconnected()

    effects = rig.station.reoffer(at(5.1), MOVED)

    match effects:
        case [TellHeld(hold, scene, _), BeatNow()]:
            assert hold.reason is HoldReason.IDENTITY
            assert scene.stand is Stand.AT_START
        case _:
            pytest.fail(str(effects))
    assert rig.station.pending is None


def test_evidence_is_not_given_up_because_a_sensor_is_late() -> None:
    rig = reconnected()

    blind = rig.station.reoffer(at(5.1), None)
    still_blind = rig.look(5.2, None)
    effects = rig.look(5.3)
    nothing_more = rig.look(5.4)

    assert blind == still_blind == nothing_more == []
    assert kinds(effects) == ["SendWindow"]


def test_a_replayed_session_is_left() -> None:
    rig = Rig().connected()
    rig.station.closed("gone", at(0.5))

    effects = rig.station.opened(
        epoch=1, store_id=STORE, lease_ns=2 * SECOND_NS, now_ns=at(1)
    )

    assert [type(effect) for effect in effects] == [LeaveSession]


def test_nothing_of_an_old_session_is_offered_in_a_new_one() -> None:
    rig = Rig().working()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.5))
    rig.offer(Purpose.RESUME, 0.51)
    rig.station.closed("gone", at(0.52))
    rig.connected(1.0, epoch=2)

    effects = rig.station.hold_answered(at(1.1), HoldAnswer.HELD)
    effects += rig.look(1.2)

    assert not [e for e in effects if isinstance(e, CallResume | TellDropped)]
