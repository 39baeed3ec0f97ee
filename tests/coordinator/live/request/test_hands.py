"""From hand to hand: arrival, hand-over, skip, warning, deadlines that spread."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from coordinator.clock import SECOND_NS
from coordinator.errors import (
    NotYourClaimError,
    RequestClosedError,
    StaleEpochError,
    StoreDegradedError,
)
from coordinator.live.request.rules import extra_ns
from coordinator.terms import CellId, Outcome, PersonId, RequestId, events
from tests.builders import ANA, BEN, make_key
from tests.coordinator.live.request.queue_world import ALLOWED_NS, QueueWorld

TO_BEN = PersonId("ben")


@pytest.fixture
async def world() -> AsyncIterator[QueueWorld]:
    opened = await QueueWorld.open()
    yield opened
    await opened.store.close()


async def test_the_first_to_stand_at_the_cell_is_on_record_once(world: QueueWorld):
    request = await world.ask()
    world.advance(5)

    first = await world.queue.arrive(request.request_id, ANA)
    world.advance(5)
    later = await world.queue.arrive(request.request_id, BEN)

    assert (first.arrived_by, later.arrived_by) == ("ana", "ana")
    assert first.arrived_at == later.arrived_at
    assert len(await world.of_kind(events.RequestArrived)) == 1


async def test_a_request_has_five_times(world: QueueWorld):
    request = await world.ask()
    world.advance(1)
    await world.queue.see(request.request_id, ANA)
    world.advance(1)
    await world.claim(request)
    world.advance(1)
    await world.queue.arrive(request.request_id, ANA)
    world.advance(1)
    await world.answer(request)

    stored = await world.store.request(request.request_id)

    times = [
        stored.raised_at,
        stored.seen_at,
        stored.claimed_at,
        stored.arrived_at,
        stored.resolved_at,
    ]
    known = [at for at in times if at is not None]
    assert known == sorted(set(known))
    assert len(known) == 5


async def test_nobody_arrives_at_what_has_ended(world: QueueWorld):
    request = await world.ask()
    await world.queue.end(request, Outcome.CANCELLED, "withdrawn.")

    with pytest.raises(RequestClosedError, match="cancelled"):
        await world.queue.arrive(request.request_id, ANA)


async def test_a_claim_is_handed_to_a_named_person(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    once = make_key("hand over")

    handed = await world.queue.hand_over(request.request_id, ANA, 1, TO_BEN, once)
    again = await world.queue.hand_over(request.request_id, ANA, 1, TO_BEN, once)

    assert (handed.claimed_by, handed.claim_epoch) == ("ben", 2)
    assert (again.claimed_by, again.claim_epoch) == ("ben", 2)
    with pytest.raises(NotYourClaimError):
        await world.answer(request)
    answered = await world.answer(request, BEN, epoch=2)
    assert answered.answered_by == "ben"
    assert len(await world.of_kind(events.ClaimHandedOver)) == 1


@pytest.mark.parametrize(
    ("who", "epoch", "error"),
    [(BEN, 1, NotYourClaimError), (ANA, 0, StaleEpochError)],
    ids=["not-theirs", "old-claim"],
)
async def test_only_the_holder_hands_a_claim_over(world: QueueWorld, who, epoch, error):
    request = await world.ask()
    await world.claim(request)

    with pytest.raises(error):
        await world.queue.hand_over(
            request.request_id, who, epoch, TO_BEN, make_key(by=who)
        )

    assert await world.of_kind(events.ClaimHandedOver) == []


async def test_who_skips_leaves_it_to_others_first(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)

    once = make_key("skip")
    skipped = await world.queue.skip(request.request_id, ANA, 1, once)
    again = await world.queue.skip(request.request_id, ANA, 1, once)
    after = await world.restarted()

    assert (skipped.claimed_by, skipped.skipped_by) == ("", ("ana",))
    assert again.skipped_by == ("ana",)
    kept = after.queue.get(request.request_id)
    assert kept is not None
    assert (kept.skipped_by, kept.claimed_by) == (("ana",), "")
    assert (await world.claim(request, ANA)).claim_epoch == 2


async def test_a_question_raised_again_is_offered_to_everybody(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    await world.queue.skip(request.request_id, ANA, 1, make_key("skip"))
    await world.queue.arrive(request.request_id, BEN)
    world.advance(120)

    await world.queue.expire_due()

    (successor,) = world.queue.all_open()
    assert (successor.skipped_by, successor.arrived_at) == ((), None)
    assert successor.level == 1


async def test_people_are_warned_once_before_a_deadline():
    world = await QueueWorld.open(warning_share=0.25)
    request = await world.ask()
    world.advance(89.999)
    before = world.queue.warn()
    world.advance(0.001)
    warned = world.queue.warn()
    again = world.queue.warn()
    await world.store.close()

    assert (before, again) == ([], [])
    assert [r.request_id for r in warned] == [request.request_id]
    assert world.told[-1].warned


def test_extra_time_never_shortens_and_is_spread():
    extra = [extra_ns(RequestId(f"r-{n}"), ALLOWED_NS, 0.1) for n in range(2000)]
    buckets = Counter(ns * 10 // (ALLOWED_NS // 10) for ns in extra)

    assert min(extra) >= 0
    assert max(extra) <= ALLOWED_NS * 0.1
    assert set(buckets) == set(range(10))
    assert max(buckets.values()) < 2 * min(buckets.values())


async def test_the_extra_time_is_the_same_after_a_restart():
    world = await QueueWorld.open(extra_share=0.1)
    request = await world.ask()
    asked = world.queue.get(request.request_id)
    after = await world.restarted()
    kept = after.queue.get(request.request_id)
    await world.store.close()

    assert asked is not None
    assert kept is not None
    assert asked.deadline_ns == kept.deadline_ns
    assert asked.deadline_ns >= request.deadline_ns


@pytest.mark.parametrize("count", [600, pytest.param(2_500, marks=pytest.mark.slow)])
async def test_a_storm_of_time_outs_is_carried_in_batches(world: QueueWorld, count):
    """Each ends once and has one successor, and others get a word in between."""
    first = await world.ask()
    storm = [replace(first, request_id=RequestId(f"r-{n}")) for n in range(1, count)]
    for start in range(0, len(storm), 4000):  # what the store lets wait
        opened = map(events.RequestOpened, storm[start : start + 4000])
        await asyncio.gather(*map(world.store.commit, opened))
    for request in storm:
        world.queue.add(request)
    world.advance(120)
    batches: list[int] = []
    words: list[int] = []

    async def somebody_else() -> None:
        while True:
            words.append(len(batches))
            await asyncio.sleep(0)

    talking = asyncio.create_task(somebody_else())
    while done := await world.queue.expire_due():
        batches.append(len(done))
    talking.cancel()

    assert max(batches) == 256
    assert sum(batches) == count
    assert set(words) >= set(range(len(batches)))
    ended = {r.request_id for r in await world.store.ended_requests(count + 1)}
    assert len(ended) == count
    assert len(world.open_ids()) == count
    assert not ended & world.open_ids()


async def test_ten_at_once_end_once_each_with_one_successor(world: QueueWorld):
    asked = [await world.ask(CellId(f"press-{n}")) for n in range(1, 11)]
    world.advance(121)

    done = await world.queue.expire_due()
    nothing = await world.queue.expire_due()

    assert {r.request_id for r in done} == {r.request_id for r in asked}
    assert nothing == []
    ended = await world.of_kind(events.RequestEnded)
    assert len(ended) == 10
    assert len(world.open_ids()) == 10
    assert {e.successor for e in ended} == world.open_ids()
    assert all(r.level == 1 for r in world.queue.all_open())
    assert (world.clock.monotonic_ns() // SECOND_NS) >= 121


async def test_one_that_cannot_end_keeps_no_other_from_ending(
    world: QueueWorld, monkeypatch: pytest.MonkeyPatch
):
    asked = [await world.ask(CellId(f"press-{n}")) for n in range(1, 6)]
    stuck = asked[2].request_id
    world.advance(121)
    whole = world.store.commit

    async def commit(*happened: events.Event, **more: Any) -> Any:
        if getattr(happened[0], "request_id", "") == stuck:
            raise StoreDegradedError("the disk is full.")
        return await whole(*happened, **more)

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "commit", commit)
        done = await world.queue.expire_due()
    rest = await world.queue.expire_due()

    assert {r.request_id for r in done} == {r.request_id for r in asked} - {stuck}
    assert [r.request_id for r in rest] == [stuck]
