"""One session a cell: heard of, of one program, and of a coordinator that is awake."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from andon.v1 import cell_pb2, terms_pb2
from coordinator.clock import SECOND_NS, ManualClock
from coordinator.errors import WindowRefusedError
from coordinator.service import convert
from coordinator.service.session import Caller, NodeSession
from coordinator.terms import (
    NO_DIGEST,
    Action,
    CellState,
    DecisionId,
    HoldReason,
    Permit,
    PermitId,
    PermitPurpose,
    events,
)
from tests.builders import CELL, FAMILY, NOON, make_window
from tests.coordinator.service.service_world import Node, ServiceWorld, make_hello

MS = SECOND_NS // 1000
_CODE = grpc.StatusCode


async def said(node: Node, kind: str) -> list[Any]:
    """What the node was told of one kind so far; a heartbeat makes sure of it."""
    await node.beat()
    return [getattr(m, kind) for m in node.got if m.WhichOneof("message") == kind]


# -- a coordinator that slept --------------------------------------------------------


async def test_after_a_sleep_no_session_lives_and_nothing_of_it_is_read(
    world: ServiceWorld,
):
    node = await world.working()
    world.clock.advance(timedelta(seconds=2.5))  # nobody looked meanwhile
    await node.offer()
    code, _ = await node.ended()

    assert code is _CODE.OK
    await world.until(lambda: world.path().cell.state is CellState.OFFLINE)
    assert await world.journal(events.WindowDecided) == []
    assert HoldReason.LINK_LOST in world.path().cell.holds.reasons


async def test_after_a_sleep_the_clock_alone_ends_every_session(world: ServiceWorld):
    nodes = [await world.working(), await world.working("press-2")]
    world.clock.advance(timedelta(seconds=2.5))
    world.server.cells.sessions.look()

    for node in nodes:
        await node.ended()
    await world.tick()
    await world.until(lambda: not world.path("press-2").cell.unrecorded)
    closed = await world.journal(events.SessionClosed)
    why = "the coordinator stood still for 2.5 s."
    assert [one.reason for one in closed] == [why, why]
    again = await world.node(node_id="node-9")
    assert (await again.heard("welcome")).session_epoch == 2


async def test_a_permit_does_not_outlive_its_session():
    clock = ManualClock(NOON)
    session = NodeSession(CELL, FAMILY, 1, clock, Caller("node-1"))
    permit = Permit(
        permit_id=PermitId("p-1"),
        cell_id=CELL,
        purpose=PermitPurpose.START,
        action=Action.CONTINUE,
        label="",
        session_epoch=1,
        decision_id=DecisionId("d-1"),
        window_digest=NO_DIGEST,
        cycle=0,
        start_within_ns=1,
        heartbeat_seq=1,
        maximum_execution_ns=1,
    )
    session.permit(permit)
    session.withdraw(HoldReason.LINK_LOST, "cut.")
    session.close()
    session.permit(permit)

    left = [message async for message in _rest(session)]
    assert [m.WhichOneof("message") for m in left] == ["withdraw"]


async def _rest(session: NodeSession):
    while (message := await session.next()) is not None:
        yield message


# -- how old a window is on arrival --------------------------------------------------


async def test_a_window_that_lay_in_a_buffer_is_stale_however_fresh_it_says_it_is(
    world: ServiceWorld,
):
    node = await world.working()
    await node.send(heartbeat=cell_pb2.Heartbeat(seq=1), sent_ns=10 * SECOND_NS)
    await node.heard("heartbeat_ack")
    await world.tick(1.5)  # sent a quarter of a second later, the rest on its way
    late = cell_pb2.Windows(windows=[node.window()])
    await node.send(windows=late, sent_ns=10 * SECOND_NS + 250 * MS)
    outcome = await node.heard("window_outcome")

    assert outcome.verdict.code == "STALE"
    assert "1.25 s old" in outcome.verdict.reason


async def test_a_window_over_a_long_way_is_as_old_as_the_way(world: ServiceWorld):
    node = await world.working()
    beat = cell_pb2.Heartbeat(seq=1, round_trip=Duration(seconds=2))
    await node.send(heartbeat=beat, sent_ns=10 * SECOND_NS)
    await node.send(windows=cell_pb2.Windows(windows=[node.window()]), sent_ns=10**10)
    outcome = await node.heard("window_outcome")

    assert outcome.verdict.code == "STALE"


# -- wall clocks ---------------------------------------------------------------------


async def beat_at(world: ServiceWorld, node: Node, ahead_s: float) -> None:
    sent_at = Timestamp()
    sent_at.FromDatetime(world.clock.utc_now() + timedelta(seconds=ahead_s))
    for _ in range(2):
        node.beats += 1
        await node.send(heartbeat=cell_pb2.Heartbeat(seq=node.beats, sent_at=sent_at))
        await node.heard("heartbeat_ack")


@pytest.mark.parametrize("ahead_s", [0.0, 1.9, 3.0, -3.0, 59.0, -59.0])
async def test_a_wall_clock_that_is_a_little_wrong_holds_nothing(
    world: ServiceWorld, ahead_s
):
    node = await world.working()
    await beat_at(world, node, ahead_s)

    assert world.path().cell.state is CellState.WORKING


@pytest.mark.parametrize("ahead_s", [61.0, -61.0, 3600.0, -3600.0])
async def test_a_wall_clock_that_is_a_minute_wrong_holds_the_cell(
    world: ServiceWorld, ahead_s
):
    node = await world.working()
    await beat_at(world, node, ahead_s)

    cell = world.path().cell
    assert cell.holds.reasons == {HoldReason.BAD_DATA}
    assert f"{abs(ahead_s):.1f} s" in cell.holds.text
    await beat_at(world, node, ahead_s)
    await world.until(lambda: not cell.unrecorded)
    assert len(await world.journal(events.HoldPlaced)) == 1


@pytest.mark.parametrize("seconds", [-(2**62), 2**62])
async def test_a_wall_clock_of_no_era_holds_the_cell(world: ServiceWorld, seconds):
    node = await world.working()
    for seq in (1, 2):
        beat = cell_pb2.Heartbeat(seq=seq, sent_at=Timestamp(seconds=seconds))
        await node.send(heartbeat=beat)
        await node.heard("heartbeat_ack")

    assert world.path().cell.holds.reasons == {HoldReason.BAD_DATA}


# -- two programs, one cell ----------------------------------------------------------


async def test_who_holds_a_cell_hears_that_another_wants_it(world: ServiceWorld):
    first = await world.working()
    for _ in range(3):
        second = await world.node(node_id="node-2")
        assert (await second.ended())[0] is _CODE.ALREADY_EXISTS

    refusals = await said(first, "refusal")
    assert [one.token for one in refusals] == ["CELL_CONFLICT"]
    assert refusals[0].code == _CODE.ALREADY_EXISTS.value[0]
    assert "node-2" in refusals[0].text
    assert world.path().cell.state is CellState.WORKING


async def ask_again(world: ServiceWorld, **hello: Any) -> None:
    """The same program, or one that says so, asks for another session."""
    node = world.stranger()
    facts = {"node_id": "node-1", "boot_id": "boot-1", **hello}
    await node.send(hello=make_hello(**facts), sent_ns=20 * SECOND_NS)
    assert (await node.ended())[0] is _CODE.ALREADY_EXISTS


async def test_a_node_that_comes_again_before_its_old_line_is_dead_waits(
    world: ServiceWorld,
):
    first = await world.working()
    await ask_again(world)
    # What it had said before, and what was long on its way.
    await first.send(heartbeat=cell_pb2.Heartbeat(seq=1), sent_ns=19 * SECOND_NS)
    await first.heard("heartbeat_ack")

    assert world.path().cell.state is CellState.WORKING
    assert await said(first, "refusal") == []


async def test_two_programs_under_one_name_hold_the_cell(world: ServiceWorld):
    first = await world.working()
    await ask_again(world)
    await first.send(heartbeat=cell_pb2.Heartbeat(seq=1), sent_ns=21 * SECOND_NS)
    withdraw = await first.heard("withdraw")

    assert withdraw.reason == terms_pb2.HOLD_REASON_IDENTITY
    assert "two programs" in withdraw.text


async def test_one_name_on_two_machines_holds_the_cell(world: ServiceWorld):
    first = await world.working()
    await ask_again(world, boot_id="boot-2")
    withdraw = await first.heard("withdraw")

    assert withdraw.reason == terms_pb2.HOLD_REASON_IDENTITY


# -- a node that says too much --------------------------------------------------------


async def test_of_a_node_that_says_too_much_no_more_is_read_for_a_while(
    world: ServiceWorld,
):
    flooder, other = await world.working(), await world.working("press-2")
    for seq in range(1, 1501):
        await flooder.send(heartbeat=cell_pb2.Heartbeat(seq=seq))
    for seq in range(1, 1000):
        assert (await flooder.heard("heartbeat_ack")).seq == seq
    assert (await other.beat()).state == terms_pb2.CELL_STATE_WORKING
    link = world.path().link
    assert link is not None
    assert link.heartbeat_seq <= 1000

    for _ in range(4):
        await world.tick(0.25)
        await asyncio.sleep(0.05)
    for seq in range(1000, 1400):
        assert (await flooder.heard("heartbeat_ack")).seq == seq


# -- windows that come twice, late, or not at all ------------------------------------


@given(
    order=st.lists(st.integers(1, 12), min_size=1, max_size=40),
)
def test_whatever_order_windows_come_in_each_is_taken_once_and_in_order(order):
    """F28, F29: duplicates are one window, a hole or a step back is refused."""
    session = NodeSession(CELL, FAMILY, 1, ManualClock(NOON), Caller("node-1"))
    messages = {seq: convert.window(make_window(seq=seq)) for seq in range(1, 13)}
    seen: set[int] = set()
    highest = 0
    for seq in order:
        if seq in seen:
            assert session.take(messages[seq]) is None
        elif seq == highest + 1:
            window = session.take(messages[seq])
            assert window is not None
            assert window.seq == seq
        else:
            expected = "GAP" if seq > highest else "SEQ_REUSED"
            with pytest.raises(WindowRefusedError) as refused:
                session.take(messages[seq])
            assert refused.value.code == expected
        if seq > highest:
            seen.add(seq)
            highest = seq


@given(times=st.lists(st.integers(1, 5), min_size=1, max_size=12))
def test_windows_that_come_up_to_five_times_are_counted_once(times):
    session = NodeSession(CELL, FAMILY, 1, ManualClock(NOON), Caller("node-1"))
    taken = 0
    for seq, count in enumerate(times, start=1):
        message = convert.window(make_window(seq=seq))
        taken += sum(session.take(message) is not None for _ in range(count))

    assert taken == len(times)
    assert session.dropped["duplicate"] == sum(times) - len(times)
