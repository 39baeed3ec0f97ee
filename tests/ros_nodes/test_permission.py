"""A robot moves under a valid permit or not at all."""

from dataclasses import replace

import pytest

from ros_nodes.clock import SECOND_NS
from ros_nodes.permission import Begin, Dropped, Permission
from ros_nodes.terms import Drop, HoldReason, Purpose, Scene, Stand
from tests.ros_nodes.node_builders import (
    STORE,
    T0,
    at,
    deciding,
    leased_permission,
    make_permit,
)


def test_a_good_permit_lets_the_robot_move() -> None:
    permission = leased_permission()

    begin = permission.offer(make_permit(), deciding(), at(0.1), joints_unmoved=True)

    assert isinstance(begin, Begin)
    assert permission.may_move(at(0.1))


@pytest.mark.parametrize(
    ("facts", "moment", "drop"),
    [
        pytest.param({"session_epoch": 2}, 0.1, Drop.WRONG_EPOCH, id="newer-session"),
        pytest.param({"session_epoch": 0}, 0.1, Drop.WRONG_EPOCH, id="older-session"),
        pytest.param({"heartbeat_seq": 2}, 0.1, Drop.EXPIRED, id="heartbeat-unsent"),
        pytest.param({}, 1.0, Drop.EXPIRED, id="exactly-one-second-late"),
        pytest.param({"start_within_ns": 0}, 0.0, Drop.EXPIRED, id="no-time-at-all"),
        pytest.param({}, 2.0, Drop.LEASE_LOST, id="lease-just-over"),
        pytest.param({"cycle": 6}, 0.1, Drop.SCENE_MOVED, id="cycle-before"),
        pytest.param({"window_digest": "e" * 64}, 0.1, Drop.SCENE_MOVED, id="window"),
        pytest.param({"window_digest": ""}, 0.1, Drop.SCENE_MOVED, id="no-evidence"),
        pytest.param({"purpose": Purpose.START}, 0.1, Drop.SCENE_MOVED, id="start"),
        pytest.param({"purpose": Purpose.RESUME}, 0.1, Drop.SCENE_MOVED, id="resume"),
    ],
)
def test_a_permit_that_fits_in_all_but_one_thing_moves_nothing(
    facts, moment, drop
) -> None:
    permission = leased_permission()

    dropped = permission.offer(
        make_permit(**facts), deciding(), at(moment), joints_unmoved=True
    )

    assert isinstance(dropped, Dropped)
    assert dropped.drop is drop
    assert not permission.may_move(at(moment))


def test_a_permit_is_worthless_when_the_joints_moved_since() -> None:
    permission = leased_permission()

    dropped = permission.offer(make_permit(), deciding(), at(0.1), joints_unmoved=False)

    assert isinstance(dropped, Dropped)
    assert dropped.drop is Drop.SCENE_MOVED


def test_a_permit_works_once_even_when_its_scene_comes_again() -> None:
    permission = leased_permission()
    permission.offer(make_permit(), deciding(), at(0.1), joints_unmoved=True)
    permission.finished()

    again = permission.offer(make_permit(), deciding(), at(0.2), joints_unmoved=True)

    assert isinstance(again, Dropped)
    assert again.drop is Drop.ALREADY_USED


def test_a_permit_that_was_dropped_is_used_up_as_well() -> None:
    permission = leased_permission()
    permission.offer(make_permit(), deciding(cycle=8), at(0.1), joints_unmoved=True)

    again = permission.offer(make_permit(), deciding(), at(0.2), joints_unmoved=True)

    assert isinstance(again, Dropped)
    assert again.drop is Drop.ALREADY_USED


def test_a_second_permit_does_not_replace_a_step_under_way() -> None:
    permission = leased_permission()
    first = permission.offer(make_permit(), deciding(), at(0.1), joints_unmoved=True)

    second = permission.offer(
        make_permit(permit_id="p-2"), deciding(), at(0.2), joints_unmoved=True
    )

    assert isinstance(second, Dropped)
    assert permission.executing is first


@pytest.mark.parametrize(
    ("purpose", "scene"),
    [
        (Purpose.START, Scene(Stand.AT_START, cycle=7)),
        (Purpose.RESUME, Scene(Stand.PAUSED, cycle=7)),
    ],
)
def test_start_and_resume_need_no_window(purpose, scene) -> None:
    permission = leased_permission()
    permit = make_permit(purpose=purpose, window_digest="")

    begin = permission.offer(permit, scene, at(0.1), joints_unmoved=True)

    assert isinstance(begin, Begin)


def test_a_robot_that_was_moved_by_hand_is_not_resumed() -> None:
    permission = leased_permission()
    permit = make_permit(purpose=Purpose.RESUME, window_digest="")

    dropped = permission.offer(
        permit, Scene(Stand.PAUSED, cycle=7), at(0.1), joints_unmoved=False
    )

    assert isinstance(dropped, Dropped)


# ------------------------------------------------------------------------------- lease


def test_the_lease_counts_from_the_sending_not_from_the_answer() -> None:
    permission = leased_permission()
    seq = permission.heartbeat_sent(at(0.5))

    permission.acked(seq=seq, epoch=1, now_ns=at(1.9))

    assert permission.lease_until_ns == at(2.5)


def test_an_answer_that_lay_in_a_buffer_revives_nothing() -> None:
    permission = leased_permission()
    seq = permission.heartbeat_sent(at(1.9))

    renewed = permission.acked(seq=seq, epoch=1, now_ns=at(2.0))

    assert not renewed
    assert not permission.leased(at(2.0))


def test_an_older_answer_does_not_shorten_the_lease() -> None:
    permission = leased_permission()
    second = permission.heartbeat_sent(at(0.5))
    permission.acked(seq=second, epoch=1, now_ns=at(0.6))

    permission.acked(seq=1, epoch=1, now_ns=at(0.7))

    assert permission.lease_until_ns == at(2.5)


@pytest.mark.parametrize(("seq", "epoch"), [(1, 0), (1, 2), (0, 1), (9, 1)])
def test_an_answer_to_another_session_or_heartbeat_renews_nothing(seq, epoch) -> None:
    permission = Permission(maximum_execution_ns=SECOND_NS)
    permission.greet(T0)
    permission.open(epoch=1, store_id=STORE, lease_ns=2 * SECOND_NS, now_ns=T0)
    permission.heartbeat_sent(T0)

    assert not permission.acked(seq=seq, epoch=epoch, now_ns=at(0.1))
    assert not permission.leased(at(0.1))


def test_no_coordinator_can_stretch_the_lease_over_two_seconds() -> None:
    permission = Permission(maximum_execution_ns=SECOND_NS)
    permission.greet(T0)
    permission.open(epoch=1, store_id=STORE, lease_ns=3600 * SECOND_NS, now_ns=T0)
    permission.heartbeat_sent(T0)
    permission.acked(seq=1, epoch=1, now_ns=at(0.1))

    assert permission.lease_until_ns == at(2.0)


def test_a_lost_lease_holds_once_and_ends_the_session() -> None:
    permission = leased_permission()
    permission.offer(make_permit(), deciding(), at(0.1), joints_unmoved=True)

    assert permission.tick(at(1.999)) is None
    hold = permission.tick(at(2.0))

    assert hold is not None
    assert hold.reason is HoldReason.LINK_LOST
    assert not permission.session_open
    assert permission.tick(at(2.1)) is None


def test_a_session_without_any_answer_is_given_up() -> None:
    permission = Permission(maximum_execution_ns=SECOND_NS)
    permission.open(epoch=1, store_id=STORE, lease_ns=2 * SECOND_NS, now_ns=T0)

    assert permission.tick(at(1.9)) is None
    assert permission.tick(at(2.0)) is not None


def test_a_permit_that_names_no_heartbeat_counts_from_the_greeting() -> None:
    permission = leased_permission()
    in_time = make_permit(heartbeat_seq=0)
    late = replace(in_time, permit_id="p-2")

    assert isinstance(
        permission.offer(late, deciding(), at(1.0), joints_unmoved=True), Dropped
    )
    assert isinstance(
        permission.offer(in_time, deciding(), at(0.9), joints_unmoved=True), Begin
    )


@pytest.mark.parametrize("epoch", [1, 0])
def test_a_session_whose_epoch_did_not_rise_is_refused(epoch) -> None:
    permission = leased_permission(epoch=1)
    permission.close("gone")

    refused = permission.open(
        epoch=epoch, store_id=STORE, lease_ns=2 * SECOND_NS, now_ns=at(3)
    )

    assert refused is not None
    assert refused.drop is Drop.WRONG_EPOCH
    assert not permission.session_open


# ------------------------------------------------------------------------------- holds


def test_a_permit_issued_before_the_coordinator_knew_of_the_hold_is_dropped() -> None:
    permission = leased_permission()
    permission.hold(HoldReason.BAD_DATA, "sensor silent")

    crossing = permission.offer(make_permit(), deciding(), at(0.1), joints_unmoved=True)

    assert isinstance(crossing, Dropped)
    assert crossing.drop is Drop.HELD


def test_a_permit_issued_in_knowledge_of_the_hold_releases_it() -> None:
    permission = leased_permission()
    permission.hold(HoldReason.BAD_DATA, "sensor silent")
    permission.reported()
    seq = permission.heartbeat_sent(at(0.5))

    begin = permission.offer(
        make_permit(heartbeat_seq=seq), deciding(), at(0.6), joints_unmoved=True
    )

    assert isinstance(begin, Begin)
    assert permission.held is None


def test_a_hold_of_which_nobody_was_told_outlives_the_session() -> None:
    permission = leased_permission()
    permission.close("gone")
    permission.hold(HoldReason.IDENTITY, "moved without leave")
    permission.open(epoch=2, store_id=STORE, lease_ns=2 * SECOND_NS, now_ns=at(3))
    seq = permission.heartbeat_sent(at(3))
    permission.acked(seq=seq, epoch=2, now_ns=at(3.1))

    dropped = permission.offer(
        make_permit(session_epoch=2, heartbeat_seq=seq),
        deciding(),
        at(3.2),
        joints_unmoved=True,
    )

    assert isinstance(dropped, Dropped)
    assert permission.unreported is not None


def test_withdrawing_stops_the_step_and_the_next_permit_goes_on() -> None:
    permission = leased_permission()
    permission.offer(make_permit(), deciding(), at(0.1), joints_unmoved=True)

    permission.withdraw(HoldReason.OPERATOR_HOLD, "cord pulled")
    moving = permission.may_move(at(0.2))
    begin = permission.offer(
        make_permit(permit_id="p-2"), deciding(), at(0.3), joints_unmoved=True
    )

    assert not moving
    assert isinstance(begin, Begin)


def test_the_more_severe_reason_stays() -> None:
    permission = leased_permission()
    permission.hold(HoldReason.IDENTITY, "moved without leave")

    permission.close("gone")

    assert permission.held is not None
    assert permission.held.reason is HoldReason.IDENTITY


def test_a_step_that_runs_too_long_is_held() -> None:
    permission = leased_permission()
    permit = make_permit(maximum_execution_ns=SECOND_NS)
    permission.offer(permit, deciding(), at(0.1), joints_unmoved=True)

    assert permission.tick(at(1.1)) is None
    hold = permission.tick(at(1.2))

    assert hold is not None
    assert hold.reason is HoldReason.BAD_DATA


def test_a_step_that_ran_too_long_may_not_move_even_before_anybody_looks() -> None:
    permission = leased_permission()
    permit = make_permit(maximum_execution_ns=SECOND_NS)
    permission.offer(permit, deciding(), at(0.1), joints_unmoved=True)
    seq = permission.heartbeat_sent(at(1.0))
    permission.acked(seq=seq, epoch=1, now_ns=at(1.0))

    assert permission.may_move(at(1.1))
    assert not permission.may_move(at(1.2))


@pytest.mark.parametrize("asked_s", [0, 3600])
def test_no_permit_runs_longer_than_the_cell_allows(asked_s) -> None:
    permission = leased_permission()
    permit = make_permit(maximum_execution_ns=asked_s * SECOND_NS)

    begin = permission.offer(permit, deciding(), at(0.1), joints_unmoved=True)

    assert isinstance(begin, Begin)
    assert begin.until_ns == at(60.1)
