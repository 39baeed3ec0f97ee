"""One cell's present: reasons latch, and what happened waits to be written down."""

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import (
    IllegalTransitionError,
    LiveError,
    ReleaseRefusedError,
)
from coordinator.live.cell.holds import AUTOSTART, Holds
from coordinator.live.cell.permit import PermitMaker
from coordinator.live.cell.record import CellRecord
from coordinator.seams import CellRow
from coordinator.terms import (
    Action,
    Actor,
    CellEvent,
    CellState,
    CellStatus,
    Decision,
    DecisionId,
    HoldReason,
    PermitPurpose,
    PersonId,
    RequestId,
    events,
)
from tests.builders import ANA, CELL, NOON, PEG


def make_cell(*, monitor_only=False, **row):
    told: list[CellStatus] = []
    cell = CellRecord(
        CELL,
        PEG,
        clock=ManualClock(NOON),
        remembered=CellRow(**row),
        publish=told.append,
        monitor_only=monitor_only,
    )
    return cell, told


def test_a_cell_begins_offline_with_what_was_remembered():
    cell, _ = make_cell(epoch=4, reasons=(HoldReason.OPERATOR_HOLD,), counts={"act": 3})
    status = cell.status()

    assert status.state is CellState.OFFLINE
    assert status.worst is HoldReason.OPERATOR_HOLD
    assert status.text == "held since before the last start."
    assert (status.acted, status.asked, status.held) == (3, 0, 0)
    assert status.session_epoch == 0
    assert cell.epoch == 4


def test_a_move_is_told_and_kept_for_the_journal():
    cell, told = make_cell()
    cell.move(CellEvent.CONNECTED, "connected.", latch=HoldReason.LINK_LOST)

    [moved] = cell.unrecorded
    assert isinstance(moved, events.CellMoved)
    assert (moved.before, moved.after) == (CellState.OFFLINE, CellState.HELD)
    assert moved.reasons == (HoldReason.LINK_LOST,)
    assert told[-1].text == "connected."


def test_an_illegal_move_changes_nothing():
    cell, told = make_cell()
    with pytest.raises(IllegalTransitionError):
        cell.move(CellEvent.MAINTENANCE_OFF, "", latch=HoldReason.OPERATOR_HOLD)

    assert cell.state is CellState.OFFLINE
    assert cell.holds.reasons == frozenset()
    assert cell.unrecorded == []
    assert told == []


def test_a_hold_that_is_said_again_is_not_news_but_a_persons_is():
    cell, _ = make_cell()
    assert cell.hold(HoldReason.BAD_DATA, "row 1.")
    assert not cell.hold(HoldReason.BAD_DATA, "row 2.")
    assert cell.holds.text == "row 2."
    assert len(cell.unrecorded) == 1

    assert cell.hold(HoldReason.OPERATOR_HOLD, "ana.", ANA)
    assert cell.hold(HoldReason.OPERATOR_HOLD, "ana.", ANA)
    assert [getattr(event, "times", 0) for event in cell.unrecorded] == [1, 2]


def test_a_release_clears_every_reason():
    cell, _ = make_cell()
    cell.move(CellEvent.CONNECTED, "", latch=HoldReason.LINK_LOST)
    cell.move(CellEvent.RELEASED, actor=ANA)

    assert cell.holds.reasons == frozenset()
    assert cell.status().text == "released, waiting to start."


def test_only_a_confirmation_clears_a_hold_that_is_not_confirmed():
    cell, told = make_cell()
    cell.move(CellEvent.CONNECTED, "", latch=HoldReason.LINK_LOST)
    assert cell.hold_answered(confirmed=False)
    assert not cell.hold_answered(confirmed=False)
    cell.move(CellEvent.RELEASED, actor=ANA)
    cell.move(CellEvent.LINK_LOST)
    assert told[-1].hold_unconfirmed

    assert cell.hold_answered(confirmed=True)
    assert not told[-1].hold_unconfirmed
    assert [
        type(e) for e in cell.unrecorded if not isinstance(e, events.CellMoved)
    ] == [
        events.HoldUnconfirmed,
        events.HoldConfirmed,
    ]


def test_nobody_confirms_the_hold_of_a_robot_that_is_only_watched():
    cell, told = make_cell(monitor_only=True)

    assert not cell.hold_answered(confirmed=False)
    assert cell.unrecorded == []
    assert told == []


def test_a_cell_points_to_its_question_only_while_it_asks():
    cell, told = make_cell()
    cell.move(CellEvent.CONNECTED, "", latch=HoldReason.LINK_LOST)
    for event in (CellEvent.RELEASED, CellEvent.WINDOW, CellEvent.ASK):
        cell.move(event, actor=ANA)
    cell.point_to(RequestId("r-1"))
    said = len(told)
    cell.point_to(RequestId("r-1"))

    assert cell.status().request_id == "r-1"
    assert len(told) == said
    cell.hold(HoldReason.OPERATOR_HOLD, "ana.", ANA)
    assert cell.status().request_id == ""


def test_decisions_are_counted():
    cell, _ = make_cell()
    for decision in (Decision.ACT, Decision.ASK, Decision.ASK, Decision.HOLD):
        cell.count(decision)
    status = cell.status()

    assert (status.acted, status.asked, status.held) == (1, 2, 1)


# -- who may clear what --------------------------------------------------------------


@pytest.mark.parametrize("reason", HoldReason)
def test_a_policy_clears_only_what_is_listed_for_it(reason):
    holds = Holds([reason])
    if reason in {HoldReason.STALE_DATA, HoldReason.LINK_LOST}:
        holds.clearance(AUTOSTART, None)
        return
    with pytest.raises(ReleaseRefusedError, match=reason.name):
        holds.clearance(AUTOSTART, reason)


def test_a_policy_nobody_listed_clears_nothing():
    holds = Holds([HoldReason.STALE_DATA])
    with pytest.raises(ReleaseRefusedError):
        holds.clearance(Actor(PersonId("policy:other")), HoldReason.INTEGRITY)


@pytest.mark.parametrize(
    ("seen", "allowed"),
    [
        (None, False),
        (HoldReason.STALE_DATA, False),
        (HoldReason.BAD_DATA, True),
        (HoldReason.INTEGRITY, True),
    ],
)
def test_a_person_clears_what_they_saw(seen, allowed):
    holds = Holds([HoldReason.BAD_DATA, HoldReason.STALE_DATA])
    if allowed:
        holds.clearance(ANA, seen)
        return
    with pytest.raises(ReleaseRefusedError, match="BAD_DATA"):
        holds.clearance(ANA, seen)


def test_nothing_to_clear_is_cleared_by_anybody():
    Holds().clearance(ANA, None)

    assert Holds().worst is None
    assert Holds().text == ""


def test_what_was_latched_after_a_mark_is_known_even_when_it_was_there_before():
    holds = Holds([HoldReason.BAD_DATA, HoldReason.OPERATOR_HOLD])
    mark = holds.latched
    assert holds.since(mark) == {}
    holds.latch(HoldReason.OPERATOR_HOLD, "again.")

    assert holds.since(mark) == {HoldReason.OPERATOR_HOLD: "again."}
    holds.clear()
    assert holds.since(0) == {}


# -- permits -------------------------------------------------------------------------


class Link:
    session_epoch = 3
    heartbeat_seq = 9


def make_permit(link, action=Action.CONTINUE):
    maker = PermitMaker(CELL, maximum_step_ns=60)
    return maker.make(link, PermitPurpose.START, DecisionId("d-1"), action, cycle=2)


def test_a_permit_is_bound_to_session_decision_and_newest_heartbeat():
    permit = make_permit(Link())

    assert (permit.session_epoch, permit.heartbeat_seq) == (3, 9)
    assert (permit.decision_id, permit.cycle) == ("d-1", 2)
    assert permit.start_within_ns == 1_000_000_000
    assert permit.maximum_execution_ns == 60
    assert permit.permit_id != make_permit(Link()).permit_id


def test_without_a_session_or_with_stop_there_is_no_permit():
    with pytest.raises(LiveError):
        make_permit(None)
    with pytest.raises(LiveError):
        make_permit(Link(), Action.STOP)
