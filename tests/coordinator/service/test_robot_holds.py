"""What a node says about its robot: holds that nobody confirms, and safety stops."""

from typing import Any

import pytest

from andon.v1 import cell_pb2, operator_pb2, terms_pb2
from coordinator.terms import CellState, HoldReason, PermitPurpose, events
from tests.coordinator.service.service_world import (
    Node,
    ServiceWorld,
    actor,
    refused,
)


async def beat(node: Node, robot: str, stand: str = "AT_START", **scene: Any) -> None:
    node.beats += 1
    facts = {"stand": getattr(cell_pb2, f"STAND_{stand}"), **scene}
    await node.send(
        heartbeat=cell_pb2.Heartbeat(
            seq=node.beats,
            scene=cell_pb2.Scene(**facts),
            robot=getattr(cell_pb2, f"ROBOT_HOLD_{robot}"),
        )
    )
    await node.heard("heartbeat_ack")


def release(seen: str, key: str = "release-1") -> operator_pb2.ReleaseHoldRequest:
    return operator_pb2.ReleaseHoldRequest(
        cell_id="press-1",
        actor=actor(),
        idempotency_key=key,
        expected_reason=getattr(terms_pb2, f"HOLD_REASON_{seen}"),
    )


async def held_by_hand(world: ServiceWorld) -> Node:
    node = await world.working()
    await world.operators.Hold(
        operator_pb2.HoldRequest(cell_id="press-1", actor=actor())
    )
    await node.heard("withdraw")
    return node


async def watched(world: ServiceWorld) -> Any:
    """What a terminal that comes now is shown of the cell."""
    call = world.operators.Watch(operator_pb2.WatchRequest(actor=actor()))
    picture = (await call.read()).snapshot
    call.cancel()
    return next(cell for cell in picture.cells if cell.cell_id == "press-1")


# -- a hold that nobody confirms -----------------------------------------------------


async def test_a_hold_that_is_not_confirmed_is_shown_and_journalled(world):
    node = await held_by_hand(world)
    await beat(node, "UNCONFIRMED", "PAUSED")
    await beat(node, "UNCONFIRMED", "PAUSED")

    assert (await watched(world)).hold_unconfirmed
    await world.until(lambda: not world.path().cell.unrecorded)
    assert len(await world.journal(events.HoldUnconfirmed)) == 1
    assert (await world.real.cells())["press-1"].hold_unconfirmed


@pytest.mark.parametrize("robot", ["HOLDING", "RESUMING", "UNSPECIFIED"])
async def test_what_confirms_nothing_clears_nothing(world, robot):
    node = await held_by_hand(world)
    await beat(node, "UNCONFIRMED", "PAUSED")
    await beat(node, robot, "PAUSED")

    assert world.path().cell.hold_unconfirmed


@pytest.mark.parametrize("robot", ["HELD", "STOPPED", "FREE"])
async def test_it_is_cleared_when_the_robot_is_known_to_stand(world, robot):
    node = await held_by_hand(world)
    await beat(node, "UNCONFIRMED", "PAUSED")
    await beat(node, robot, "PAUSED")

    assert not (await watched(world)).hold_unconfirmed
    await world.until(lambda: not world.path().cell.unrecorded)
    assert len(await world.journal(events.HoldConfirmed)) == 1
    assert not (await world.real.cells())["press-1"].hold_unconfirmed


async def test_nobody_releases_a_robot_that_does_not_confirm_that_it_holds(world):
    node = await held_by_hand(world)
    await beat(node, "UNCONFIRMED", "PAUSED")

    no = await refused(world.operators.ReleaseHold(release("OPERATOR_HOLD")))
    assert "RELEASE_REFUSED" in str(no)
    assert "go and look" in no.text

    await beat(node, "HELD", "PAUSED")
    await world.operators.ReleaseHold(release("OPERATOR_HOLD", "release-2"))
    permit = await node.heard("permit")
    assert permit.purpose == terms_pb2.PERMIT_PURPOSE_RESUME


async def test_the_policy_waits_for_the_confirmation(world):
    node = await held_by_hand(world)
    await beat(node, "UNCONFIRMED")
    await node.leave()
    await world.until(lambda: world.path().cell.state is CellState.OFFLINE)
    world.path().cell.holds.clear()  # only the lost link remains, which it may clear
    released = len(await world.journal(events.HoldReleased))

    node = await world.node()
    await node.heard("welcome")
    for _ in range(3):
        await beat(node, "UNCONFIRMED")
        await world.tick(2.5)
    assert len(await world.journal(events.HoldReleased)) == released

    await beat(node, "HELD")
    await world.tick(2.5)
    await node.heard("permit")


async def test_a_lost_link_does_not_make_the_robot_stand(world):
    node = await held_by_hand(world)
    await beat(node, "UNCONFIRMED", "PAUSED")
    await node.leave()
    await world.until(lambda: world.path().cell.state is CellState.OFFLINE)

    assert (await watched(world)).hold_unconfirmed


# -- a safety stop -------------------------------------------------------------------


async def stopped(world: ServiceWorld) -> Node:
    """A cell whose robot was stopped by its own safety system in a step."""
    node = await world.working()
    await node.send(safety_stop=cell_pb2.SafetyStopSeen(kind="PROTECTIVE_STOP"))
    await node.heard("withdraw")
    await beat(node, "STOPPED", "STOPPED", cycle=2)
    return node


async def test_a_safety_stop_holds_the_cell_and_says_what_it_is(world):
    await stopped(world)

    cell = await watched(world)
    assert cell.reason == terms_pb2.HOLD_REASON_SAFETY_STOP_SEEN
    assert cell.text == "the robot stopped: PROTECTIVE_STOP."
    assert not cell.hold_unconfirmed


async def test_while_the_robot_is_stopped_nobody_releases_its_cell(world):
    await stopped(world)

    no = await refused(world.operators.ReleaseHold(release("SAFETY_STOP_SEEN")))

    assert "RELEASE_REFUSED" in str(no)
    assert "at the robot first" in no.text
    assert world.path().cell.holds.reasons == {HoldReason.SAFETY_STOP_SEEN}


async def test_a_stop_that_ends_clears_nothing_by_itself(world):
    node = await stopped(world)
    for _ in range(6):
        await beat(node, "STOPPED", "AT_START", cycle=2)
        await world.tick(2.5)

    assert world.path().cell.state is CellState.HELD
    assert world.path().cell.holds.reasons == {HoldReason.SAFETY_STOP_SEEN}


async def test_a_named_release_starts_a_new_step_and_no_old_one(world):
    node = await stopped(world)
    await beat(node, "STOPPED", "AT_START", cycle=2)
    await world.operators.ReleaseHold(release("SAFETY_STOP_SEEN"))
    permit = await node.heard("permit")

    assert permit.purpose == terms_pb2.PERMIT_PURPOSE_START
    assert permit.cycle == 2
    [released] = [
        one
        for one in await world.journal(events.HoldReleased)
        if one.actor.person == "ana"
    ]
    assert released.reasons == (HoldReason.SAFETY_STOP_SEEN,)
    issued = (await world.journal(events.PermitIssued))[-1].permit
    assert issued.decision_id == released.decision_id
    assert issued.purpose is PermitPurpose.START


async def test_a_question_from_before_the_stop_moves_nothing(world):
    node, question = await world.asked()
    await node.send(safety_stop=cell_pb2.SafetyStopSeen(kind="PROTECTIVE_STOP"))
    await node.heard("withdraw")
    await beat(node, "STOPPED", "STOPPED", cycle=2)
    claim = await world.operators.Claim(
        operator_pb2.ClaimRequest(
            request_id=question.request_id, actor=actor(), idempotency_key="c-1"
        )
    )
    shown = await world.operators.GetRequest(
        operator_pb2.GetRequestRequest(request_id=question.request_id, actor=actor())
    )
    answered = await world.operators.Answer(
        operator_pb2.AnswerRequest(
            request_id=question.request_id,
            actor=actor(),
            claim_epoch=claim.claim_epoch,
            idempotency_key="a-1",
            view_digest=shown.view_digest,
            label="ok",
        )
    )
    permits = len(await world.journal(events.PermitIssued))
    await beat(node, "STOPPED", "AT_START", cycle=2)
    await world.tick(1.0)

    assert not answered.cell_moves_on
    assert len(await world.journal(events.PermitIssued)) == permits
    assert world.path().cell.holds.worst is HoldReason.SAFETY_STOP_SEEN


async def test_the_node_is_told_of_a_stop_from_before_its_time(world):
    node = await stopped(world)
    await node.leave()
    await world.until(lambda: world.path().cell.state is CellState.OFFLINE)

    again = await world.node(node_id="node-2")
    await again.heard("welcome")
    ack = await again.beat()

    assert ack.reason == terms_pb2.HOLD_REASON_SAFETY_STOP_SEEN
