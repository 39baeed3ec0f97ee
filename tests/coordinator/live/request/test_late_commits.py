"""A disk that stands still: what it keeps late is what the queue says from then on."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.errors import RequestClaimedError, StoreDegradedError, StoreLateError
from coordinator.terms import OperatorRequest, Outcome, PersonId, events
from tests.builders import ANA, BEN, FAMILY, make_key
from tests.coordinator.live.request.queue_world import QueueWorld
from tests.still_disk import StillDisk


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[QueueWorld]:
    opened = await QueueWorld.on_disk(tmp_path, undo_s=3)
    yield opened
    await opened.store.close()


async def late(world: QueueWorld, call: Any) -> None:
    """Carry out a call that the disk keeps too late for whoever made it."""
    with StillDisk(world.store), pytest.raises(StoreLateError):
        await call
    await later(world)


async def late_by_itself(world: QueueWorld, call: Any) -> None:
    """Let time do what the disk keeps too late; nobody is told of it."""
    with StillDisk(world.store):
        assert await call == []
    await later(world)


async def later(world: QueueWorld) -> None:
    # Whatever else is asked of the store now comes after it.
    await world.store.commit(events.CoordinatorStopped("a later commit"))


async def agree(world: QueueWorld) -> None:
    """The queue says what a coordinator that starts now would read."""
    found = {r.request_id: r for r in await world.store.open_requests()}
    assert found.keys() == world.open_ids()
    for mine in world.queue.all_open():
        stored = found[mine.request_id]
        for name in (
            "claimed_by",
            "claim_epoch",
            "pending_label",
            "pending_by",
            "first_by",
            "first_label",
            "level",
            "skipped_by",
            "arrived_by",
        ):
            assert getattr(mine, name) == getattr(stored, name), name


async def claimed(world: QueueWorld) -> OperatorRequest:
    request = await world.ask()
    await world.claim(request)
    return request


async def test_an_answer_that_is_late_waits_and_becomes_final(world: QueueWorld):
    request, once = await claimed(world), make_key("the answer")

    await late(world, world.answer(request, once=once))
    await agree(world)
    again = await world.answer(request, once=once)
    world.advance(10)
    (final,) = await world.queue.make_final()

    assert (again.pending_label, final.outcome) == ("ok", Outcome.ANSWERED)
    assert [r.request_id for r, _ in world.final] == [request.request_id]
    await agree(world)


async def test_an_answer_taken_back_late_does_not_wait_any_more(world: QueueWorld):
    request, once = await claimed(world), make_key("undo")
    await world.answer(request)

    await late(world, world.queue.undo(request.request_id, ANA, once))
    await agree(world)
    again = await world.queue.undo(request.request_id, ANA, once)
    world.advance(10)
    await world.queue.make_final()

    assert (again.pending_label, world.final) == ("", [])
    other = await world.answer(request, label="misaligned")
    assert other.pending_label == "misaligned"


async def test_an_answer_that_is_final_late_is_told_once(world: QueueWorld):
    request = await claimed(world)
    await world.answer(request)
    world.advance(10)

    await late_by_itself(world, world.queue.make_final())

    assert await world.queue.make_final() == []
    assert [r.request_id for r, _ in world.final] == [request.request_id]
    await agree(world)


async def test_what_expires_late_is_asked_one_level_up_and_told(world: QueueWorld):
    request = await world.ask()
    world.advance(500)

    await late_by_itself(world, world.queue.expire_due())
    await agree(world)
    told = await world.queue.expire_due()

    assert [r.request_id for r in told] == [request.request_id]
    assert told[0].outcome is Outcome.TIMED_OUT
    assert [r.level for r in world.queue.all_open()] == [1]
    assert await world.queue.expire_due() == []


async def test_a_claim_that_is_late_is_a_claim(world: QueueWorld):
    request, once = await world.ask(), make_key("claim")

    await late(world, world.claim(request, once=once))
    await agree(world)
    again = await world.claim(request, once=once)
    with pytest.raises(RequestClaimedError):
        await world.claim(request, BEN)

    answered = await world.answer(request, epoch=again.claim_epoch)
    assert answered.pending_label == "ok"


async def test_after_a_late_first_opinion_nobody_decides_alone(world: QueueWorld):
    world.family = replace(
        FAMILY,
        labels=tuple(
            replace(label, second_opinion=label.name == "misaligned")
            for label in FAMILY.labels
        ),
    )
    request, once = await claimed(world), make_key("first")

    await late(world, world.answer(request, label="misaligned", once=once))
    await agree(world)
    again = await world.answer(request, label="misaligned", once=once)
    ben = await world.claim(request, BEN)
    said = await world.answer(request, BEN, label="ok", epoch=ben.claim_epoch)

    assert (again.first_by, again.claimed_by) == ("ana", "")
    assert said.outcome is Outcome.SUPERSEDED
    assert [r.disputed_by for r in world.queue.all_open()] == [("ana", "ben")]
    assert world.final == []


@pytest.mark.parametrize("what", ["give back", "skip", "hand over", "arrive", "end"])
async def test_whatever_else_is_late_is_so_from_then_on(world: QueueWorld, what: str):
    request = await claimed(world)
    queue, name, once = world.queue, request.request_id, make_key(what)
    calls = {
        "give back": lambda: queue.release_claim(name, ANA, 1),
        "skip": lambda: queue.skip(name, ANA, 1, once),
        "hand over": lambda: queue.hand_over(name, ANA, 1, PersonId("ben"), once),
        "arrive": lambda: queue.arrive(name, ANA),
        "end": lambda: queue.end(request, Outcome.SUPERSEDED, "another part waits."),
    }

    await late(world, calls[what]())

    await agree(world)


async def test_what_waited_behind_a_late_commit_was_not_kept(world: QueueWorld):
    first, second = await claimed(world), await world.ask()

    with StillDisk(world.store):
        with pytest.raises(StoreLateError):
            await world.answer(first)
        with pytest.raises(StoreDegradedError) as refused:
            await world.claim(second)
    await world.store.commit(events.CoordinatorStopped("a later commit"))

    assert refused.value.code == "STORE_DEGRADED"
    await agree(world)
