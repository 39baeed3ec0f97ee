"""Load: floods begin and end, a cold start is none, nothing is ever dropped."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from coordinator.live.request.pressure import Limits, Pressure
from coordinator.terms import CellId, FamilyId, OperatorRequest, events
from tests.builders import PEG, make_request
from tests.coordinator.live.request.queue_world import QueueWorld


@pytest.fixture
async def world() -> AsyncIterator[QueueWorld]:
    opened = await QueueWorld.open()
    yield opened
    await opened.store.close()


def pressed(world: QueueWorld, people: int = 1, cells: int = 10) -> Pressure:
    return Pressure(
        world.clock,
        limits=Limits(flood_short=10, budget_hour=6),
        people=lambda: people,
        cells_of={PEG: cells},
    )


def asked(number: int, cause: str = "one") -> OperatorRequest:
    return replace(make_request(), cell_id=CellId(f"press-{number}"), cause=cause)


async def test_more_than_ten_in_ten_minutes_are_a_flood_until_half_of_it(
    world: QueueWorld,
):
    pressure = pressed(world)
    for _ in range(10):
        pressure.asked(asked(1))
    calm = pressure.look([])
    pressure.asked(asked(1))
    begun = pressure.look([])
    again = pressure.look([])
    world.advance(601)
    for _ in range(6):
        pressure.asked(asked(1))
    still = pressure.look([])
    world.advance(601)
    ended = pressure.look([])

    assert (calm, again, still) == ([], [], [])
    assert begun == [events.FloodBegan(11, 1)]
    assert ended == [events.FloodEnded(0, 1)]


async def test_more_people_can_take_more(world: QueueWorld):
    pressure = pressed(world, people=3)
    for _ in range(30):
        pressure.asked(asked(1))

    assert pressure.look([]) == []
    assert pressure.load().budget_hour == 18
    assert pressure.load().asked_hour == 30


async def test_a_cold_start_and_an_audit_are_no_flood(world: QueueWorld):
    pressure = pressed(world)
    for _ in range(100):
        pressure.asked(asked(1, cause=""))

    assert pressure.look([]) == []
    assert pressure.load().asked_short == 0


async def test_a_model_that_asks_in_many_cells_at_once_is_told_of_once(
    world: QueueWorld,
):
    pressure = pressed(world, cells=10)
    now_ns = world.clock.monotonic_ns()
    open_now = [
        replace(asked(n), deadline_ns=now_ns + 120, time_allowed_ns=120)
        for n in range(1, 5)
    ]

    few = pressure.look(open_now[:3])
    many = pressure.look(open_now)
    again = pressure.look(open_now)
    told = pressure.load().doubted
    over = pressure.look([])

    assert (few, again, over) == ([], [], [])
    assert many == [events.ModelDoubted(FamilyId("peg"), 4, 10)]
    assert (told, pressure.load().doubted) == ((PEG,), ())


async def test_two_cells_of_three_are_no_reason_to_doubt_a_model(world: QueueWorld):
    pressure = pressed(world, cells=3)
    now_ns = world.clock.monotonic_ns()
    two = [
        replace(asked(n), deadline_ns=now_ns + 120, time_allowed_ns=120) for n in (1, 2)
    ]

    assert pressure.look(two) == []


async def test_a_flood_is_on_record_and_drops_nothing(world: QueueWorld):
    questions = [await world.ask(CellId(f"press-{n}")) for n in range(200)]

    changed = await world.queue.look_at_load()
    again = await world.queue.look_at_load()

    assert (changed, again) == (True, False)
    assert len(await world.of_kind(events.FloodBegan)) == 1
    assert len(world.open_ids()) == 200
    assert world.queue.alike_count(questions[0]) == 200
    assert world.queue.pressure.flood


async def test_what_is_open_after_a_restart_is_asked_now(world: QueueWorld):
    for n in range(11):
        await world.ask(CellId(f"press-{n}"))

    after = await world.restarted()
    await after.queue.look_at_load()

    assert after.queue.pressure.flood
