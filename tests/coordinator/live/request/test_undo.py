"""An answer may be taken back for a while; then it is final, once, whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from coordinator.errors import (
    AlreadyDoneError,
    AnswerWaitsError,
    KeyReusedError,
    NotYourClaimError,
    RequestClosedError,
)
from coordinator.terms import Label, Outcome, RequestId, events
from tests.builders import ANA, BEN, CELL, FAMILY, make_key
from tests.coordinator.live.request.queue_world import QueueWorld

UNDO_S = 3


@pytest.fixture
async def world() -> AsyncIterator[QueueWorld]:
    opened = await QueueWorld.open(undo_s=UNDO_S)
    yield opened
    await opened.store.close()


async def given(world: QueueWorld, label: str = "ok") -> RequestId:
    """A request that ana has answered, and may still take back."""
    request = await world.ask()
    await world.claim(request)
    answered = await world.answer(request, label=label)
    assert answered.is_open
    assert (answered.pending_label, answered.pending_by) == (label, "ana")
    return request.request_id


async def test_an_answer_moves_nothing_until_it_is_final(world: QueueWorld):
    await given(world)
    world.advance(UNDO_S - 0.001)

    assert await world.queue.make_final() == []
    assert world.final == []
    assert await world.of_kind(events.RequestAnswered) == []
    assert await world.of_kind(events.ExampleAdded) == []
    assert len(await world.of_kind(events.AnswerGiven)) == 1


async def test_an_answer_nobody_takes_back_is_final_once(world: QueueWorld):
    request_id = await given(world)
    world.advance(UNDO_S)

    (final,) = await world.queue.make_final()
    again = await world.queue.make_final()

    assert (final.outcome, final.label, again) == (Outcome.ANSWERED, "ok", [])
    assert [(r.request_id, who) for r, who in world.final] == [(request_id, ANA)]
    (answered,) = await world.of_kind(events.RequestAnswered)
    assert (answered.label, answered.actor, answered.waited) == ("ok", ANA, True)
    (learned,) = await world.of_kind(events.ExampleAdded)
    assert learned.example.label == "ok"
    assert world.open_ids() == set()


async def test_an_answer_taken_back_opens_the_request_for_the_same_claim(
    world: QueueWorld,
):
    request_id = await given(world, label="misaligned")
    world.advance(2)

    opened = await world.queue.undo(request_id, ANA, make_key("undo"))

    assert not opened.is_pending
    assert (opened.claimed_by, opened.claim_epoch) == ("ana", 1)
    answered = await world.answer(opened, label="ok")
    world.advance(UNDO_S)
    (final,) = await world.queue.make_final()
    assert (answered.pending_label, final.label) == ("ok", "ok")
    assert [e.label for e in await world.of_kind(events.RequestAnswered)] == ["ok"]
    assert len(await world.of_kind(events.ExampleAdded)) == 1


async def test_the_time_an_answer_waited_is_not_taken_from_the_deadline(
    world: QueueWorld,
):
    request = await world.ask()
    await world.claim(request)
    await world.answer(request)
    world.advance(2)

    opened = await world.queue.undo(request.request_id, ANA, make_key("undo"))

    assert opened.deadline_ns == request.deadline_ns + 2_000_000_000


async def test_only_who_answered_takes_it_back_and_only_once(world: QueueWorld):
    request_id = await given(world)

    with pytest.raises(NotYourClaimError, match="ana gave the answer"):
        await world.queue.undo(request_id, BEN, make_key("undo", by=BEN))
    once = make_key("undo")
    first = await world.queue.undo(request_id, ANA, once)
    again = await world.queue.undo(request_id, ANA, once)
    with pytest.raises(NotYourClaimError, match="no answer waits"):
        await world.queue.undo(request_id, ANA, make_key("undo"))

    assert (first.pending_label, again.pending_label) == ("", "")
    assert len(await world.of_kind(events.AnswerUndone)) == 1


async def test_a_final_answer_cannot_be_taken_back(world: QueueWorld):
    request_id = await given(world)
    world.advance(UNDO_S)
    await world.queue.make_final()

    with pytest.raises(RequestClosedError, match="by ana as ok"):
        await world.queue.undo(request_id, ANA, make_key("undo"))

    assert await world.of_kind(events.AnswerUndone) == []


async def test_an_undo_and_the_end_of_its_time_leave_one_of_both(world: QueueWorld):
    for _ in range(20):
        request_id = await given(world)
        world.advance(UNDO_S)

        await asyncio.gather(
            world.queue.undo(request_id, ANA, make_key("undo")),
            world.queue.make_final(),
            return_exceptions=True,
        )

        stored = await world.store.request(request_id)
        undone = [e.request_id for e in await world.of_kind(events.AnswerUndone)].count(
            request_id
        )
        final = [
            e.request_id for e in await world.of_kind(events.RequestAnswered)
        ].count(request_id)
        assert undone + final == 1
        assert stored.is_open is bool(undone)
        assert not stored.is_pending


async def test_nobody_takes_over_what_was_answered(world: QueueWorld):
    request_id = await given(world)
    request = world.queue.get(request_id)
    assert request is not None

    with pytest.raises(AnswerWaitsError, match="ana answered ok: final in 3 s"):
        await world.claim(request, BEN, take_over=True)
    with pytest.raises(AnswerWaitsError):
        await world.queue.release_claim(request_id, ANA, 1)
    with pytest.raises(AnswerWaitsError):
        await world.answer(request, label="misaligned")
    with pytest.raises(AnswerWaitsError):
        await world.queue.pass_on(request_id, ANA, 1, make_key("pass"))

    assert (await world.claim(request, ANA)).claim_epoch == 1


@pytest.mark.parametrize(
    "refused",
    [
        lambda request_id: events.RequestClaimed(
            request_id, BEN, 2, taken_from=ANA.person
        ),
        lambda request_id: events.ClaimEnded(request_id, 1, "given back."),
        lambda request_id: events.RequestEnded(
            request_id, CELL, Outcome.TIMED_OUT, "nobody."
        ),
    ],
    ids=["claimed", "claim-ended", "timed-out"],
)
async def test_the_store_itself_guards_an_answer_that_waits(world: QueueWorld, refused):
    request_id = await given(world)
    before = (await world.store.head()).seq

    with pytest.raises(AnswerWaitsError, match="may still take it back"):
        await world.store.commit(refused(request_id))

    assert (await world.store.head()).seq == before


async def test_a_deadline_that_passes_meanwhile_ends_nothing(world: QueueWorld):
    request = await world.ask()
    world.advance(119)
    await world.claim(request)
    await world.answer(request)
    world.advance(2)

    assert world.queue.due() == []
    late = await world.queue.expire(request)
    world.advance(1)
    (final,) = await world.queue.make_final()

    assert late.is_open
    assert final.outcome is Outcome.ANSWERED
    assert await world.of_kind(events.RequestEnded) == []


async def test_a_claim_does_not_lapse_under_an_answer(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    world.advance(59)
    await world.answer(request)
    world.advance(2)

    await world.queue.end_lapsed_claims()

    assert world.queue.all_open()[0].claimed_by == "ana"


async def test_whoever_ends_the_request_only_makes_the_answer_final(
    world: QueueWorld,
):
    request_id = await given(world)
    request = world.queue.get(request_id)
    assert request is not None

    ended = await world.queue.end(request, Outcome.SUPERSEDED, "released by ben.")

    assert (ended.outcome, ended.label) == (Outcome.ANSWERED, "ok")
    assert await world.of_kind(events.RequestEnded) == []
    assert len(world.final) == 1


async def test_an_answer_outlives_the_coordinator(world: QueueWorld):
    request_id = await given(world)
    world.advance(2)

    after = await world.restarted()
    waiting = after.queue.get(request_id)
    assert waiting is not None
    assert (waiting.pending_label, waiting.pending_by) == ("ok", "ana")
    after.advance(UNDO_S)
    (final,) = await after.queue.make_final()

    assert (final.outcome, final.label) == (Outcome.ANSWERED, "ok")
    assert len(await after.of_kind(events.RequestAnswered)) == 1


async def test_an_answer_can_be_taken_back_after_a_restart(world: QueueWorld):
    request_id = await given(world)

    after = await world.restarted()
    opened = await after.queue.undo(request_id, ANA, make_key("undo"))

    assert (opened.claimed_by, opened.pending_label) == ("ana", "")
    assert (await after.store.request(request_id)).pending_label == ""


async def test_the_same_answer_again_is_one_answer(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    once = make_key("answer ok", key="k-1")
    first = await world.answer(request, once=once)
    again = await world.answer(request, once=once)
    with pytest.raises(KeyReusedError):
        await world.answer(
            request, label="misaligned", once=make_key("answer misaligned", key="k-1")
        )
    world.advance(UNDO_S)
    await world.queue.make_final()
    late = await world.answer(request, once=once)

    assert (first.pending_label, again.pending_label) == ("ok", "ok")
    assert (late.outcome, late.label) == (Outcome.ANSWERED, "ok")
    assert len(await world.of_kind(events.AnswerGiven)) == 1


@pytest.mark.parametrize("label", ["collision", "burning"], ids=["stop", "urgent"])
async def test_what_is_urgent_is_final_at_once(world: QueueWorld, label: str):
    stop = FAMILY.labels[0]
    burning = Label("burning", FAMILY.labels[1].action, urgent=True)
    world.family = replace(FAMILY, labels=(stop, burning, *FAMILY.labels[1:]))
    request = await world.ask()
    await world.claim(request)

    answered = await world.answer(request, label=label)

    assert (answered.outcome, answered.label) == (Outcome.ANSWERED, label)
    assert len(world.final) == 1


async def test_a_stall_gives_the_time_to_think_again_back(world: QueueWorld):
    await given(world)
    world.advance(UNDO_S)

    world.queue.postpone(2_000_000_000)

    assert await world.queue.make_final() == []


async def test_a_repeated_undo_that_comes_with_its_first_is_one_undo(
    world: QueueWorld,
):
    request_id = await given(world)
    once = make_key("undo", key="u-1")

    both = await asyncio.gather(
        world.queue.undo(request_id, ANA, once), world.queue.undo(request_id, ANA, once)
    )

    assert [one.pending_label for one in both] == ["", ""]
    assert len(await world.of_kind(events.AnswerUndone)) == 1
    assert AlreadyDoneError.refusal not in {one.outcome.value for one in both}
