"""Taking an answer back over gRPC: what it says, what it moves, what stands after."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from andon.v1 import operator_pb2 as o
from coordinator.clock import SECOND_NS
from coordinator.terms import CellState, events
from tests.coordinator.service.service_world import ServiceWorld, actor, refused

_CODE = grpc.StatusCode


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ServiceWorld]:
    """Cells that start by policy; an answer may be taken back for 3 s."""
    opened = await ServiceWorld.open(tmp_path, undo_ns=3 * SECOND_NS)
    yield opened
    await opened.close()


async def answered(world: ServiceWorld, request_id: str, label: str = "ok"):
    """Claim, look and answer as ana."""
    claim = await world.operators.Claim(
        o.ClaimRequest(request_id=request_id, actor=actor(), idempotency_key="c")
    )
    shown = await world.operators.GetRequest(o.GetRequestRequest(request_id=request_id))
    return await world.operators.Answer(
        o.AnswerRequest(
            request_id=request_id,
            actor=actor(),
            claim_epoch=claim.claim_epoch,
            idempotency_key="a",
            view_digest=shown.view_digest,
            label=label,
        )
    )


def undo(request_id: str, person: str = "ana", key: str = "u") -> o.UndoAnswerRequest:
    return o.UndoAnswerRequest(
        request_id=request_id, actor=actor(person), idempotency_key=key
    )


async def finish(world: ServiceWorld, seconds: float) -> None:
    await world.tick(seconds)
    await world.plant.requests.make_final()


async def test_a_cell_goes_on_when_the_answer_is_final_and_not_before(
    world: ServiceWorld,
):
    node, summary = await world.asked()

    reply = await answered(world, summary.request_id)
    await finish(world, 2.0)
    waiting = world.path().cell.state
    await finish(world, 1.0)
    permit = await node.heard("permit")

    assert reply.undo_within.ToNanoseconds() == 3 * SECOND_NS
    assert (reply.summary.pending_label, reply.summary.pending_by) == ("ok", "ana")
    assert reply.summary.outcome == 0
    assert reply.cell_moves_on
    assert waiting is CellState.ASKING
    assert permit.label == "ok"
    (issued,) = [
        e for e in await world.journal(events.PermitIssued) if e.permit.label == "ok"
    ]
    assert issued.actor is not None
    assert issued.actor.person == "ana"


async def test_an_answer_taken_back_moves_nothing(world: ServiceWorld):
    _, summary = await world.asked()
    await answered(world, summary.request_id, label="misaligned")
    await world.tick(1.0)

    reply = await world.operators.UndoAnswer(undo(summary.request_id))
    again = await world.operators.UndoAnswer(undo(summary.request_id))
    await finish(world, 2.0)

    assert (reply.summary.pending_label, reply.summary.claimed_by) == ("", "ana")
    assert reply == again
    assert world.path().cell.state is CellState.ASKING
    assert await world.journal(events.RequestAnswered) == []


async def test_watchers_see_how_long_an_answer_may_be_taken_back(world: ServiceWorld):
    _, summary = await world.asked()
    await answered(world, summary.request_id)
    await world.tick(1.0)

    listed = await world.operators.ListRequests(o.ListRequestsRequest())

    (shown,) = listed.requests
    assert (shown.pending_label, shown.pending_by) == ("ok", "ana")
    assert shown.undo_left.ToNanoseconds() == 2 * SECOND_NS


async def test_nobody_takes_back_what_another_said_or_what_is_final(
    world: ServiceWorld,
):
    _, summary = await world.asked()
    await answered(world, summary.request_id)

    other = await refused(world.operators.UndoAnswer(undo(summary.request_id, "ben")))
    taken = await refused(
        world.operators.Claim(
            o.ClaimRequest(
                request_id=summary.request_id,
                actor=actor("ben"),
                idempotency_key="c",
                take_over=True,
            )
        )
    )
    await finish(world, 3.0)
    late = await refused(world.operators.UndoAnswer(undo(summary.request_id)))

    assert (other.code, other.token) == (_CODE.FAILED_PRECONDITION, "NOT_YOUR_CLAIM")
    assert (taken.code, taken.token) == (_CODE.FAILED_PRECONDITION, "ANSWER_WAITS")
    assert "ana answered ok: final in 3 s" in taken.text
    assert (late.code, late.token) == (_CODE.FAILED_PRECONDITION, "REQUEST_CLOSED")


async def test_a_hold_pulled_while_an_answer_waits_holds_on(world: ServiceWorld):
    _, summary = await world.asked()
    await answered(world, summary.request_id)

    await world.operators.Hold(o.HoldRequest(cell_id="press-1", actor=actor("ben")))
    await finish(world, 3.0)
    await asyncio.sleep(0)

    assert world.path().cell.state is CellState.HELD
    (said,) = await world.journal(events.RequestAnswered)
    assert said.label == "ok"
    assert len(await world.journal(events.ExampleAdded)) == 1
    permits = await world.journal(events.PermitIssued)
    assert all(issued.permit.label != "ok" for issued in permits)


async def test_a_node_that_leaves_meanwhile_finds_the_answer_when_it_is_back(
    world: ServiceWorld,
):
    node, summary = await world.asked()
    await answered(world, summary.request_id)
    await node.leave()
    await world.until(lambda: world.path().cell.state is CellState.OFFLINE)

    await finish(world, 3.0)

    (said,) = await world.journal(events.RequestAnswered)
    assert said.label == "ok"
    assert world.path().cell.state is CellState.OFFLINE


async def test_a_stop_is_final_at_once(world: ServiceWorld):
    _, summary = await world.asked()

    reply = await answered(world, summary.request_id, label="collision")

    assert reply.undo_within.ToNanoseconds() == 0
    assert reply.summary.label == "collision"
    await world.until(lambda: world.path().cell.state is CellState.HELD)
