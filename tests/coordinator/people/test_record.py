"""A commit that was late may yet be kept: memory finds out, and never guesses."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from coordinator.errors import StoreDegradedError
from coordinator.terms import Role, events
from tests.coordinator.people.desk import OTHER_PIN, PIN, Desk, key
from tests.coordinator.store.people_events import OWNER

Commit = Callable[..., Awaitable[Any]]


class SlowDisk:
    """Lets commits be late: kept when `land` is called, and not before."""

    def __init__(self, desk: Desk) -> None:
        self.works: Commit = desk.store.commit
        self.late: list[Callable[[], Awaitable[Any]]] = []
        self.slow = True
        desk.store.commit = self.commit  # type: ignore[method-assign]

    async def commit(self, *said: Any, **more: Any) -> Any:
        if not self.slow:
            return await self.works(*said, **more)
        self.late.append(lambda: self.works(*said, **more))
        raise StoreDegradedError("the commit may yet be kept.", "STORE_LATE")

    async def land(self) -> None:
        self.slow = False
        for one in self.late:
            await one()


@pytest.fixture(autouse=True)
async def _ana(desk: Desk) -> None:
    await desk.accounts.add("ana", Role.OPERATOR, PIN, OWNER)


CHANGES: list[Callable[[Desk], Awaitable[Any]]] = [
    lambda desk: desk.accounts.add("ben", Role.OPERATOR, PIN, OWNER),
    lambda desk: desk.accounts.change_pin("ana", OTHER_PIN, OWNER, key("k")),
    lambda desk: desk.accounts.lock("ana", OWNER),
    lambda desk: desk.accounts.unlock("ana", OWNER),
    lambda desk: desk.accounts.change_role("ana", Role.ADMIN, OWNER),
    lambda desk: desk.accounts.change_team("ana", "late", OWNER),
    lambda desk: desk.login("ana", "d1"),
    lambda desk: desk.login("ana", "d2"),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("looks", [0, 1, 3])
async def test_what_landed_late_is_found_by_itself(
    desk: Desk, change: Callable[[Desk], Awaitable[Any]], looks: int
):
    await desk.login("ana", "d1")
    disk = SlowDisk(desk)
    with pytest.raises(StoreDegradedError):
        await change(desk)
    for _ in range(looks):  # nothing has come of it yet
        await desk.sessions.tick()
    await disk.land()

    for _ in range(2):
        await desk.sessions.tick()

    assert await desk.agrees()
    # Whatever comes after it, says that all before is decided: nobody looks any more.
    await desk.accounts.add("cleo", Role.OPERATOR, PIN, OWNER)
    await desk.sessions.tick()
    assert not desk.accounts.record.unsure


async def test_whoever_was_locked_late_is_out_with_the_next_look(desk: Desk):
    login = await desk.login("ana")
    disk = SlowDisk(desk)
    with pytest.raises(StoreDegradedError):
        await desk.accounts.lock("ana", OWNER)
    before = desk.sessions.of_token(login.token)
    await disk.land()
    await desk.sessions.tick()

    assert before == login.session
    assert desk.sessions.of_token(login.token) is None
    assert [one for one, _ in desk.gone] == [login.session]


async def test_a_session_whose_token_nobody_was_given_ends(desk: Desk):
    disk = SlowDisk(desk)
    with pytest.raises(StoreDegradedError):
        await desk.login("ana")
    await disk.land()
    await desk.sessions.tick()

    assert list(await desk.store.person_sessions()) == []
    ends = [e for e in await desk.journal() if isinstance(e, events.PersonSessionEnded)]
    assert [one.reason.value for one in ends] == ["idle"]


async def test_what_is_not_late_makes_nobody_unsure(desk: Desk):
    async def full(*_: Any, **__: Any) -> Any:
        raise StoreDegradedError("the disk is full.")

    works, desk.store.commit = desk.store.commit, full  # type: ignore[method-assign]
    with pytest.raises(StoreDegradedError):
        await desk.accounts.lock("ana", OWNER)
    desk.store.commit = works  # type: ignore[method-assign]

    assert not desk.accounts.record.unsure


async def test_a_commit_that_began_before_another_was_late_says_nothing_of_it(
    desk: Desk,
):
    """The store takes them in order: only a later one says what became of it."""
    disk = SlowDisk(desk)
    disk.slow = False
    waits = asyncio.Event()
    works = disk.works

    async def held(*said: Any, **more: Any) -> Any:
        await waits.wait()
        return await works(*said, **more)

    disk.works = held
    early = asyncio.create_task(desk.accounts.change_team("ana", "early", OWNER))
    await asyncio.sleep(0)
    disk.slow = True
    with pytest.raises(StoreDegradedError):
        await desk.login("ana")
    waits.set()
    await early
    await desk.sessions.tick()
    unsure = desk.accounts.record.unsure
    await disk.land()
    await desk.sessions.tick()

    assert unsure
    assert await desk.agrees()
