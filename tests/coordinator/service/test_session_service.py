"""What nodes may say, over real gRPC: codes, tokens, and what the cell does."""

import asyncio
from contextlib import suppress
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from andon.v1 import cell_pb2, terms_pb2
from coordinator.clock import SECOND_NS
from coordinator.errors import StoreDegradedError
from coordinator.service import convert
from coordinator.terms import CellState, HoldReason, Stand, events
from tests.builders import FAMILY, make_samples, make_window
from tests.coordinator.service.service_world import ServiceWorld, make_hello

_CODE = grpc.StatusCode


# -- opening -------------------------------------------------------------------------


async def test_a_session_begins_with_its_terms(world: ServiceWorld):
    node = await world.node()
    welcome = await node.heard("welcome")

    assert welcome.session_epoch == 1
    assert welcome.lease.ToNanoseconds() == 2 * SECOND_NS
    assert welcome.heartbeat_period.ToNanoseconds() == SECOND_NS // 2
    assert welcome.journal_seq >= 1
    assert welcome.store_id
    [opened] = await world.journal(events.SessionOpened)
    assert (opened.epoch, opened.node_id) == (1, "node-1")


BAD_HELLOS = [
    pytest.param(
        {"cell_id": ""}, _CODE.INVALID_ARGUMENT, "MISSING_FIELD", id="no-cell"
    ),
    pytest.param({"cell_id": "x9"}, _CODE.NOT_FOUND, "UNKNOWN_CELL", id="unknown"),
    *(
        pytest.param(
            {"cell_id": bad}, _CODE.INVALID_ARGUMENT, "BAD_ID", id=repr(bad[:9])
        )
        for bad in ("../../etc/passwd", "A1", "a\x00b", "\U0001f916", "a" * 10_240)
    ),
    pytest.param(
        {"node_id": ""}, _CODE.INVALID_ARGUMENT, "MISSING_FIELD", id="no-node"
    ),
    pytest.param({"node_id": "N 1"}, _CODE.INVALID_ARGUMENT, "BAD_ID", id="bad-node"),
    pytest.param(
        {"schema_digest": "00" * 32, "channels": ["joint_pos", "force_z"]},
        _CODE.FAILED_PRECONDITION,
        "SCHEMA_MISMATCH",
        id="other-schema",
    ),
]


@pytest.mark.parametrize(("changes", "code", "token"), BAD_HELLOS)
async def test_a_node_that_does_not_fit_has_no_session(
    world: ServiceWorld, changes, code, token
):
    node = world.stranger()
    await node.send(hello=make_hello(**changes))

    ended = await node.ended()
    assert ended[0] is code
    assert ended[1].startswith(token)
    assert ended[1].isprintable()
    assert len(ended[1]) <= 200
    assert await world.journal(events.SessionOpened) == []


async def test_another_schema_names_the_channel_and_holds_the_cell(
    world: ServiceWorld,
):
    swapped = [c.name for c in FAMILY.channels]
    swapped[1], swapped[2] = swapped[2], swapped[1]
    node = await world.node(schema_digest="00" * 32, channels=swapped)
    _, text = await node.ended()

    assert "channel 1 is 'force_z', expected 'joint_effort'" in text
    assert world.path().cell.holds.reasons == {HoldReason.IDENTITY}


async def test_a_strange_channel_name_is_shown_legibly(world: ServiceWorld):
    node = await world.node(schema_digest="00" * 32, channels=["\x1b[31mred\u202e"])
    _, text = await node.ended()

    assert "\x1b" not in text
    assert "\x1b" not in world.path().cell.holds.text
    assert "\u202e" not in world.path().cell.holds.text


@pytest.mark.parametrize("first", [{"heartbeat": cell_pb2.Heartbeat(seq=1)}, {}])
async def test_the_first_message_is_hello(world: ServiceWorld, first):
    node = world.stranger()
    await node.send(**first)
    code, text = await node.ended()

    assert code is _CODE.INVALID_ARGUMENT
    assert text.startswith("MISSING_FIELD")


async def test_a_second_node_waits_until_the_first_is_dead(world: ServiceWorld):
    first = await world.working()
    second = await world.node(node_id="node-2")
    code, text = await second.ended()
    assert code is _CODE.ALREADY_EXISTS
    assert text.startswith("CELL_IN_USE")

    await world.tick(3.6)  # nothing was heard of the first
    third = await world.node(node_id="node-3")

    assert (await third.heard("welcome")).session_epoch == 2
    assert (await first.ended())[0] is not None


async def test_two_nodes_at_once_have_one_session_between_them(world: ServiceWorld):
    nodes = [await world.node(node_id=f"node-{n}") for n in range(4)]

    got = await asyncio.gather(*(n.next() for n in nodes), return_exceptions=True)
    refused = [e.code() for e in got if isinstance(e, grpc.aio.AioRpcError)]

    assert refused == [_CODE.ALREADY_EXISTS] * 3


async def test_a_store_that_is_away_gives_no_session_and_blocks_nobody(
    world: ServiceWorld,
):
    world.store.failure = StoreDegradedError("the disk is full; nothing was kept.")
    node = await world.node()
    code, text = await node.ended()
    assert code is _CODE.RESOURCE_EXHAUSTED
    assert text.startswith("STORE_DEGRADED")

    world.store.failure = None
    later = await world.node()
    assert (await later.heard("welcome")).session_epoch == 2


# -- lease and end -------------------------------------------------------------------


async def test_heartbeats_are_acknowledged_with_what_the_coordinator_sees(
    world: ServiceWorld,
):
    node = await world.working()
    ack = await node.beat()

    assert (ack.seq, ack.session_epoch) == (1, 1)
    assert ack.state == terms_pb2.CELL_STATE_WORKING
    link = world.path().link
    assert link is not None
    assert link.heartbeat_seq == 1


async def test_a_silent_session_ends_and_other_traffic_does_not_renew_it(
    world: ServiceWorld,
):
    node = await world.working()
    await world.tick(2.5)
    await node.offer()
    await node.heard("window_outcome")
    await world.tick(0.5)
    assert list(world.server.cells.sessions)

    await world.tick(0.25)

    assert not list(world.server.cells.sessions)
    await node.ended()
    await world.until(lambda: world.path().cell.state is CellState.OFFLINE)
    assert HoldReason.LINK_LOST in world.path().cell.holds.reasons


async def test_a_node_that_beats_keeps_its_session(world: ServiceWorld):
    node = await world.working()
    for _ in range(8):
        await world.tick(0.5)
        await node.beat()

    assert world.path().cell.state is CellState.WORKING


@pytest.mark.parametrize("how", ["cancel", "done", "vanish"])
async def test_every_end_of_a_session_is_a_lost_link(world: ServiceWorld, how: str):
    node = await world.working()
    if how == "cancel":
        node.call.cancel()
    elif how == "done":
        await node.call.done_writing()
    else:
        await node.channel.close()

    await world.until(lambda: world.path().cell.state is CellState.OFFLINE)
    await world.until(lambda: not list(world.server.cells.sessions))
    await world.tick()
    await world.until(lambda: not world.path().cell.unrecorded)
    assert len(await world.journal(events.SessionClosed)) == 1


async def test_a_bug_in_hearing_ends_the_session_as_a_lost_link(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
):
    node = await world.working()

    def bug(*_args: object) -> None:
        raise KeyError("secret path /etc/andon")

    monkeypatch.setattr(world.server.cells, "_heartbeat", bug)
    await node.send(heartbeat=cell_pb2.Heartbeat(seq=1))
    code, text = await node.ended()

    assert code is _CODE.INTERNAL
    assert text.startswith("INTERNAL: unexpected error, id=err-")
    assert "secret" not in text
    await world.until(lambda: world.path().cell.state is CellState.OFFLINE)


async def test_a_coordinator_that_stops_says_so_before_it_goes(world: ServiceWorld):
    node = await world.working()
    stopping = asyncio.create_task(world.server.stop())
    draining = await node.heard("draining")

    assert draining.within.ToNanoseconds() > 0
    await node.ended()
    await stopping


async def test_a_node_that_reads_nothing_loses_its_session(world: ServiceWorld):
    node = await world.working()
    link = world.path().link
    assert link is not None
    for _ in range(2000):
        link.reoffer()
    await node.ended()

    await world.until(lambda: world.path().cell.state is CellState.OFFLINE)


# -- windows -------------------------------------------------------------------------

BAD_WINDOWS = [
    ({"kind": 0}, "MISSING_FIELD"),
    ({"kind": 999}, "MISSING_FIELD"),
    ({"window_id": ""}, "BAD_ID"),
    ({"window_id": "../x"}, "BAD_ID"),
    ({"channels": 3}, "WRONG_CHANNELS"),
    ({"channels": 5}, "WRONG_CHANNELS"),
    ({"rows": 0}, "WRONG_SHAPE"),
    ({"rows": 15}, "WRONG_SHAPE"),
    ({"rows": 1_000_000}, "WRONG_SHAPE"),
    ({"samples": b""}, "WRONG_SHAPE"),
    ({"samples": b"\x00" * 255}, "WRONG_SHAPE"),
    ({"present": b"\x01" * 3}, "WRONG_SHAPE"),
    ({"start_ns": -1}, "BAD_TIME"),
    ({"period_ns": 0}, "BAD_TIME"),
    ({"period_ns": -5}, "BAD_TIME"),
    ({"age": Duration(seconds=-1)}, "BAD_TIME"),
    ({"age": Duration(seconds=2**62)}, "BAD_TIME"),
    ({"cut_at": Timestamp(seconds=2**62)}, "BAD_TIME"),
    ({"cut_at": Timestamp(seconds=-(2**40))}, "BAD_TIME"),
    ({"cut_at": Timestamp(seconds=1, nanos=-7)}, "BAD_TIME"),
    ({"seq": 2**63}, "BAD_SEQ"),
    ({"seq": 2**64 - 1}, "BAD_SEQ"),
    ({"seq": 0}, "SEQ_REUSED"),
    ({"seq": 3}, "GAP"),
    ({"cycle": 2**63}, "BAD_CYCLE"),
    ({"window_digest": "00" * 32}, "DIGEST_MISMATCH"),
    ({"window_digest": ""}, "DIGEST_MISMATCH"),
    ({"part_id": "p" * 201}, "BAD_TEXT"),
    ({"part_id": "\x1b[2J"}, "BAD_TEXT"),
    ({"step": "a\u202eb"}, "BAD_TEXT"),
    ({"step": "two\nlines"}, "BAD_TEXT"),
]


@pytest.mark.parametrize(("changes", "token"), BAD_WINDOWS)
async def test_a_bad_window_is_refused_in_the_stream_and_the_stream_lives(
    world: ServiceWorld, changes, token
):
    node = await world.working()
    await node.offer(**changes)
    refusal = await node.heard("refusal")

    assert refusal.token == token
    assert refusal.code == _CODE.INVALID_ARGUMENT.value[0]
    assert refusal.text
    await world.until(lambda: world.path().cell.state is CellState.HELD)
    assert world.path().cell.holds.reasons == {HoldReason.BAD_DATA}
    assert world.path().inbox.dropped[f"refused_{token.lower()}"] == 1
    await node.beat()
    assert sum(m.WhichOneof("message") == "permit" for m in node.got) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
async def test_a_bad_value_is_taken_as_a_message_and_holds(world: ServiceWorld, value):
    node = await world.working()
    samples = make_samples()
    samples[3, 1] = np.float32(value)
    await node.offer(convert.window(make_window(seq=1, samples=samples)))
    outcome = await node.heard("window_outcome")

    assert outcome.verdict.decision == terms_pb2.DECISION_HOLD
    assert outcome.verdict.hold_reason == terms_pb2.HOLD_REASON_BAD_DATA
    assert "row 3, channel joint_effort" in outcome.verdict.reason


async def test_a_stale_window_is_told_so(world: ServiceWorld):
    node = await world.working()
    await node.offer(age=Duration(seconds=5))
    outcome = await node.heard("window_outcome")

    assert outcome.verdict.code == "STALE"
    assert outcome.verdict.hold_reason == terms_pb2.HOLD_REASON_STALE_DATA


async def test_the_same_window_twice_is_one_window(world: ServiceWorld):
    node = await world.working()
    window = node.window()
    await node.offer(window)
    await node.heard("permit")
    await node.offer(window)
    await node.beat()

    assert world.path().cell.status().acted == 1
    assert world.path().cell.state is CellState.WORKING


async def test_a_number_used_again_for_other_samples_ends_the_session_the_third_time(
    world: ServiceWorld,
):
    node = await world.working()
    await node.offer()
    await node.heard("permit")
    for _ in range(3):
        await node.offer(seq=1)
    code, text = await node.ended()

    assert code is _CODE.INVALID_ARGUMENT
    assert text.startswith("ABUSE")
    tokens = [m.refusal.token for m in node.got if m.WhichOneof("message") == "refusal"]
    assert tokens == ["SEQ_REUSED"] * 3


async def test_a_flood_is_dropped_and_counted_and_the_cell_works_on(
    world: ServiceWorld,
):
    node = await world.working()
    for _ in range(10):
        await node.offer(*[node.window() for _ in range(60)])
    await node.beat()

    assert world.path().inbox.dropped["refused_rate_limited"] >= 190
    assert HoldReason.BAD_DATA not in world.path().cell.holds.reasons
    other = await world.working("press-2")
    assert (await other.beat()).state == terms_pb2.CELL_STATE_WORKING


async def test_too_many_windows_in_one_message(world: ServiceWorld):
    node = await world.working()
    await node.offer(*[node.window() for _ in range(65)])
    refusal = await node.heard("refusal")

    assert [refusal.token] == ["TOO_MANY_ITEMS"]


async def test_a_message_that_says_nothing_known_is_refused(world: ServiceWorld):
    node = await world.working()
    await node.send()
    refusal = await node.heard("refusal")

    assert [refusal.token] == ["MISSING_FIELD"]
    assert world.path().cell.state is CellState.WORKING


async def test_a_message_that_cannot_be_decoded_is_refused_and_the_stream_lives(
    world: ServiceWorld,
):
    raw: Any = world.channel.stream_stream("/andon.v1.CellService/Session")()
    hello = cell_pb2.NodeMessage(hello=make_hello())
    await raw.write(hello.SerializeToString())
    for _ in range(3):
        await raw.write(b"\xff\xff\xff\xff")
    got = []
    with suppress(grpc.aio.AioRpcError):
        while (content := await raw.read()) is not grpc.aio.EOF:
            got.append(cell_pb2.CoordinatorMessage.FromString(content))

    refused = [m.refusal.token for m in got if m.WhichOneof("message") == "refusal"]
    assert refused == ["MALFORMED_MESSAGE"] * 3
    assert await raw.code() is _CODE.INVALID_ARGUMENT
    await world.until(lambda: world.path().cell.state is CellState.OFFLINE)


# -- what a node says of its robot ---------------------------------------------------

NASTY = "\x1b[31mP\u202e\x00stop\n" + "x" * 5000


async def test_a_safety_stop_holds_however_it_is_spelt(world: ServiceWorld):
    node = await world.working()
    await node.send(safety_stop=cell_pb2.SafetyStopSeen(kind=NASTY))
    await node.heard("withdraw")

    cell = world.path().cell
    assert cell.holds.reasons == {HoldReason.SAFETY_STOP_SEEN}
    assert cell.holds.text.isprintable()
    await world.tick(2.5)
    assert cell.state is CellState.HELD


async def test_a_node_that_holds_by_itself_holds_the_cell(world: ServiceWorld):
    node = await world.working()
    held = cell_pb2.NodeHeld(
        reason=terms_pb2.HOLD_REASON_BAD_DATA, text=NASTY, confirmed=False
    )
    await node.send(node_held=held)
    await node.heard("withdraw")

    status = world.path().cell.status()
    assert status.reasons == {HoldReason.BAD_DATA}
    assert status.hold_unconfirmed
    assert "\x1b" not in status.text


async def test_a_node_that_holds_without_a_reason_is_held_for_its_identity(
    world: ServiceWorld,
):
    node = await world.working()
    await node.send(node_held=cell_pb2.NodeHeld())
    await node.heard("withdraw")

    assert world.path().cell.holds.reasons == {HoldReason.IDENTITY}
    assert world.path().cell.holds.text == "the node holds by itself."


async def test_started_and_dropped_permits_are_on_record(world: ServiceWorld):
    node = await world.node()
    permit = await node.heard("permit")
    scene = cell_pb2.Scene(stand=cell_pb2.STAND_IN_STEP, cycle=2, part_id=NASTY)
    started = cell_pb2.PermitStarted(permit_id=permit.permit_id, scene=scene)
    await node.send(permit_started=started)
    await node.beat(stand=cell_pb2.STAND_IN_STEP, cycle=2)
    await world.until(lambda: world.path().cell.scene.stand is Stand.IN_STEP)
    dropped = cell_pb2.PermitDropped(permit_id="p-x", text=NASTY)
    await node.send(permit_dropped=dropped)
    await node.heard("withdraw")
    await world.until(lambda: not world.path().cell.unrecorded)

    [consumed] = await world.journal(events.PermitConsumed)
    assert consumed.permit_id == permit.permit_id
    [gone] = await world.journal(events.PermitDropped)
    assert gone.text.isprintable()


async def test_losses_are_counted_under_names_that_are_names(world: ServiceWorld):
    node = await world.working()
    dropped = {f"reason_{n}": n for n in range(50)} | {"\x1b[2J": 1, "monitor": 7}
    await node.send(heartbeat=cell_pb2.Heartbeat(seq=1, dropped=dropped))
    await node.heard("heartbeat_ack")

    names = [n for n in world.path().inbox.dropped if n.startswith("node_")]
    assert len(names) <= 32
    assert all(name.isprintable() for name in names)
