"""A disk that stands still under a cell: held until it is known, then as it is kept."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from coordinator.errors import (
    ReleaseRefusedError,
    StoreDegradedError,
    StoreLateError,
)
from coordinator.live.cell import control
from coordinator.live.linked import unrecorded
from coordinator.terms import CellState, Decision, HoldReason, events
from tests.builders import ANA, CELL, make_key
from tests.path.path_world import World
from tests.still_disk import StillDisk


@pytest.fixture
async def world() -> AsyncIterator[World]:
    opened = await World.open()
    yield opened
    await opened.close()


async def on_record(world: World) -> Any:
    """The cell as a coordinator that starts now would read it."""
    await world.real.commit(events.CoordinatorStopped("a later commit"))
    await world.tick()
    return (await world.real.cells())[CELL]


async def test_a_release_that_is_late_releases_nothing_and_is_not_on_record(
    world: World,
):
    await world.connect()
    world.path.hold(HoldReason.IDENTITY, "two programs say that they are the node.")
    await world.settle()
    once = make_key("release")

    with StillDisk(world.real), pytest.raises(StoreLateError):
        await world.release(once=once)
    row = await on_record(world)

    assert world.state() is CellState.HELD
    assert HoldReason.IDENTITY in world.reasons
    assert world.reasons <= set(row.reasons) | {HoldReason.STORE_DEGRADED}
    with pytest.raises(ReleaseRefusedError):
        await world.release(once=once)
    assert world.link is not None
    assert world.link.permits == []
    await world.release()
    assert world.state() is CellState.WORKING


async def test_a_question_that_is_kept_late_can_be_answered(world: World):
    await world.start()

    with StillDisk(world.real):
        await world.doubt()
        held = world.state(), world.requests.all_open()
    await on_record(world)
    (request,) = world.requests.all_open()

    assert held == (CellState.HELD, [])
    assert [r.request_id for r in await world.real.open_requests()] == [
        request.request_id
    ]
    assert world.path.cell.status().asked == 1


async def test_a_decision_that_is_kept_late_permits_nothing(world: World):
    await world.start()
    assert world.link is not None
    before = len(world.link.permits)

    with StillDisk(world.real):
        await world.offer(world.window())
    row = await on_record(world)

    assert (world.state(), len(world.link.permits)) == (CellState.HELD, before)
    assert HoldReason.STORE_DEGRADED in row.reasons
    assert row.counts[Decision.ACT.value] == world.path.cell.status().acted == 1


async def test_what_is_under_way_is_not_brought_again(world: World):
    await world.connect()
    world.path.hold(HoldReason.OPERATOR_HOLD, "pulled.", ANA)

    with StillDisk(world.real):
        await world.settle()
        attempts = world.store.attempts
        for _ in range(5):
            await world.tick()
        tried = world.store.attempts - attempts
    await on_record(world)
    await world.tick()

    placed = [e for e in await world.journal() if isinstance(e, events.HoldPlaced)]
    told = [e.text for e in placed if e.reason is HoldReason.OPERATOR_HOLD]
    assert (tried, told) == (0, ["pulled."])
    assert world.path.cell.unrecorded == []


async def test_a_step_that_began_is_on_record_once_however_late(world: World):
    await world.start()
    assert world.link is not None
    used = world.link.permits[-1]

    with StillDisk(world.real):
        world.path.inbox.post(control.PermitUsed(used.permit_id, used.session_epoch))
        await world.settle()
    await on_record(world)

    assert world.path.cell.unrecorded == []
    consumed = [
        e for e in await world.journal() if isinstance(e, events.PermitConsumed)
    ]
    assert [e.permit_id for e in consumed] == [used.permit_id]


async def test_ticks_do_not_pile_up_while_the_disk_stands_still(world: World):
    for _ in range(100):
        world.path.tick()
        world.path.hold(HoldReason.OPERATOR_HOLD, "pulled.", ANA)

    assert len(world.path.inbox) == 1


async def test_whoever_wants_it_on_record_waits_no_longer_than_allowed(world: World):
    await world.connect()
    world.path.hold(HoldReason.OPERATOR_HOLD, "pulled.", ANA)
    running = asyncio.create_task(world.path.run())

    with StillDisk(world.real, None):
        still = await unrecorded([world.path], 0.01)
    after = await unrecorded([world.path], 30.0)
    running.cancel()

    assert (still, after) == ([CELL], [])


async def test_holds_of_people_are_counted_where_they_cannot_be_written(world: World):
    await world.connect()
    world.store.failure = StoreDegradedError("the disk is full.")
    for number in range(2000):
        world.path.hold(HoldReason.OPERATOR_HOLD, f"pulled {number % 100}.", ANA)
        await world.settle()
    waiting = len(world.path.cell.unrecorded)
    world.store.failure = None
    await world.tick()

    placed = [e for e in await world.journal() if isinstance(e, events.HoldPlaced)]
    assert waiting < 100
    assert sum(e.times for e in placed if e.actor == ANA) == 2000
