"""Who has gone holds nobody up: not whoever comes next, not those who go as well."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from andon.v1 import access_pb2, operator_pb2
from coordinator.errors import StoreDegradedError
from coordinator.terms import events
from tests.coordinator.service.people_world import Front, bearer, machine
from tests.coordinator.service.service_world import ServiceWorld, refused

NOT_THE_PIN = "271828"


@pytest.fixture
def front(world: ServiceWorld) -> Front:
    return Front(world.channel)


def refuses(world: ServiceWorld, kind: type) -> Callable[[], None]:
    """Let the store refuse one kind of event until the returned is called."""
    works = world.store.commit

    async def commit(*said: Any, **more: Any) -> Any:
        if isinstance(said[0], kind):
            raise StoreDegradedError("the disk is full.")
        return await works(*said, **more)

    world.store.commit = commit  # type: ignore[method-assign]

    def again() -> None:
        world.store.commit = works  # type: ignore[method-assign]

    return again


def claim(request_id: str, key: str = "c-1") -> operator_pb2.ClaimRequest:
    return operator_pb2.ClaimRequest(request_id=request_id, idempotency_key=key)


async def test_a_person_is_switched_although_a_claim_cannot_be_let_go(
    world: ServiceWorld, front: Front
):
    _, asked = await world.asked()
    await front.add("ana")
    await front.add("ben")
    ana = bearer((await front.login("ana")).token)
    await front.operators.Claim(claim(asked.request_id), metadata=ana)

    again = refuses(world, events.ClaimEnded)
    ben = await front.login("ben")
    again()

    assert ben.replaced == "ana"
    assert [one.person for one in world.plant.people.sessions.all()] == ["ben"]
    took = claim(asked.request_id, "c-2")
    took.take_over = True
    got = await front.operators.Claim(took, metadata=bearer(ben.token))
    assert got.summary.claimed_by == "ben"


async def test_everybody_who_is_idle_goes_although_a_claim_cannot_be_let_go(
    world: ServiceWorld, front: Front
):
    _, asked = await world.asked()
    await front.add("ana")
    await front.add("ben")
    ana = bearer((await front.login("ana", "panel-1")).token)
    await front.login("ben", "panel-2")
    await front.operators.Claim(claim(asked.request_id), metadata=ana)
    world.clock.advance(timedelta(seconds=120))

    refuses(world, events.ClaimEnded)
    await world.plant.people.sessions.tick()

    ended = await world.journal(events.PersonSessionEnded)
    assert [one.person for one in ended] == ["ana", "ben"]


async def test_an_old_change_that_comes_once_more_forgives_no_wrong_pin(
    world: ServiceWorld, front: Front
):
    """Or whoever repeats it may try as often as they like."""
    await front.add("ana")
    request = access_pb2.ChangePersonRequest(
        person="ana", by="root", idempotency_key="k", locked=False
    )
    await front.access.ChangePerson(request, metadata=machine())
    for _ in range(3):
        await refused(front.login("ana", pin=NOT_THE_PIN))

    await front.access.ChangePerson(request, metadata=machine())
    waits = await refused(front.login("ana"))
    request.idempotency_key = "another"
    await front.access.ChangePerson(request, metadata=machine())
    login = await front.login("ana")

    assert "too many wrong PINs" in waits.text
    assert login.person == "ana"
