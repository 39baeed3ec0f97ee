"""What a queue knows at the start of how much people were asked before it."""

from pathlib import Path

from coordinator.service import asking
from coordinator.store import Store
from coordinator.terms import CellId, RequestKind, events
from tests.coordinator.live.request.queue_world import QueueWorld


async def started_again(world: QueueWorld, path: Path) -> QueueWorld:
    """Close the store and open its files again, as after a restart."""
    await world.store.close()
    store = await Store.open(path, clock=world.clock, commit_deadline_s=30)
    after = QueueWorld(store, world.clock)
    await asking.load(after.queue, store, store)
    return after


async def answered(world: QueueWorld, number: int) -> None:
    for n in range(number):
        request = await world.ask(CellId(f"press-{n}"))
        await world.claim(request)
        await world.answer(request)


async def test_a_flood_goes_on_over_a_restart_though_all_is_answered(tmp_path: Path):
    before = await QueueWorld.on_disk(tmp_path)
    await answered(before, 11)
    await before.queue.look_at_load()
    began_at = before.queue.pressure.load().since_at
    before.advance(60)

    after = await started_again(before, tmp_path)
    await after.queue.look_at_load()
    load = after.queue.pressure.load()
    floods = await after.of_kind(events.FloodBegan)
    await after.store.close()

    assert began_at is not None
    assert (load.flood, load.since_at) == (True, began_at)
    assert (load.asked_short, load.asked_hour) == (11, 11)
    assert len(floods) == 1


async def test_a_flood_that_is_over_at_the_start_is_said_to_be_over(tmp_path: Path):
    before = await QueueWorld.on_disk(tmp_path)
    await answered(before, 11)
    await before.queue.look_at_load()
    before.advance(1800)

    after = await started_again(before, tmp_path)
    await after.queue.look_at_load()
    load = after.queue.pressure.load()
    again = await started_again(after, tmp_path)
    ended = await again.of_kind(events.FloodEnded)
    flood_again = again.queue.pressure.flood
    await again.store.close()

    assert (load.flood, load.asked_short, load.asked_hour) == (False, 0, 11)
    assert (len(ended), flood_again) == (1, False)


async def test_questions_count_an_hour_from_when_they_were_asked(tmp_path: Path):
    before = await QueueWorld.on_disk(tmp_path)
    await answered(before, 4)
    before.advance(1800)
    await answered(before, 2)
    await before.ask(CellId("audited"), kind=RequestKind.AUDIT)

    after = await started_again(before, tmp_path)
    at_start = after.queue.pressure.load().asked_hour
    has_room = after.queue.pressure.has_room
    after.advance(1801)
    later = after.queue.pressure.load().asked_hour
    await after.store.close()

    assert (at_start, later) == (6, 2)
    assert not has_room
