"""An answer sooner than anybody can look is refused; what stops a robot never waits."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from coordinator.clock import SECOND_NS
from coordinator.errors import LookFirstError
from coordinator.live.request.looks import REMEMBERED, Looks
from coordinator.live.request.view import view_digest
from coordinator.terms import Action, Label, Outcome, PersonId, RequestId, events
from tests.builders import ANA, BEN, FAMILY, make_key
from tests.coordinator.live.request.queue_world import QueueWorld

LEAST_NS = 2 * SECOND_NS


def patient(world: QueueWorld) -> None:
    world.queue.looks = Looks(world.clock, LEAST_NS)


@pytest.fixture
async def world() -> AsyncIterator[QueueWorld]:
    opened = await QueueWorld.open()
    patient(opened)
    yield opened
    await opened.store.close()


async def test_an_answer_at_once_is_refused_and_may_be_given_again(world: QueueWorld):
    world.advance(60)
    request = await world.ask()
    await world.claim(request)
    world.advance(0.6)
    once = make_key("said")

    with pytest.raises(LookFirstError, match=r"look for 1\.4 s more, then answer\."):
        await world.answer(request, once=once)
    world.advance(1.4)
    answered = await world.answer(request, once=once)

    assert answered.outcome is Outcome.ANSWERED


async def test_the_first_look_of_that_person_counts(world: QueueWorld):
    request = await world.ask()
    await world.queue.see(request.request_id, BEN)
    world.advance(5)
    await world.queue.see(request.request_id, ANA)
    await world.claim(request)

    with pytest.raises(LookFirstError):
        await world.answer(request)
    world.advance(2)
    await world.queue.see(request.request_id, ANA)

    assert (await world.answer(request)).label == "ok"


async def test_a_claim_leaves_the_first_look_where_it_was(world: QueueWorld):
    request = await world.ask()
    began = world.clock.utc_now()
    await world.queue.see(request.request_id, BEN)
    world.advance(10)

    claimed = await world.claim(request)

    assert claimed.seen_at == began
    assert (await world.store.request(request.request_id)).seen_at == began
    assert len(await world.of_kind(events.RequestSeen)) == 1


async def test_what_stops_the_robot_never_waits(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)

    assert (await world.answer(request, label="collision")).label == "collision"


async def test_an_urgent_answer_and_cannot_tell_never_wait(world: QueueWorld):
    urgent = Label("misaligned", Action.REWORK, urgent=True)
    labels = [urgent if x.name == "misaligned" else x for x in FAMILY.labels]
    world.family = replace(FAMILY, labels=tuple(labels))
    first, second = await world.ask(), await world.ask()
    await world.claim(first)
    await world.claim(second)

    assert (await world.answer(first, label="misaligned")).label == "misaligned"
    ended = await world.queue.pass_on(second.request_id, ANA, 1, make_key())
    assert ended.outcome is Outcome.SUPERSEDED


async def test_one_look_is_for_all_of_a_cause(world: QueueWorld):
    shown, other = await world.ask(), await world.ask()
    await world.claim(shown)
    world.advance(2)
    await world.answer(shown)
    await world.claim(other)

    said = await world.queue.answer(
        other.request_id,
        ANA,
        claim_epoch=1,
        label="ok",
        view=view_digest(other, world.family),
        once=make_key(),
        shown=shown.request_id,
    )

    assert said.outcome is Outcome.ANSWERED


async def test_after_a_restart_the_look_began_with_it_at_the_latest(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    again = await world.restarted()
    patient(again)

    with pytest.raises(LookFirstError):
        await again.answer(request)
    again.advance(2)

    assert (await again.answer(request)).outcome is Outcome.ANSWERED


async def test_without_a_least_time_nobody_waits(world: QueueWorld):
    world.queue.looks = Looks(world.clock)
    request = await world.ask()
    await world.claim(request)

    assert (await world.answer(request)).outcome is Outcome.ANSWERED


def test_what_is_forgotten_was_looked_at_long_ago(world: QueueWorld):
    looks = world.queue.looks
    person = PersonId("ana")
    ok = Label("ok", Action.CONTINUE)
    for number in range(REMEMBERED + 1):
        looks.begin(RequestId(f"r-{number}"), person)

    with pytest.raises(LookFirstError):
        looks.require(RequestId("r-0"), person, ok)
    world.advance(2)
    looks.require(RequestId("r-0"), person, ok)
