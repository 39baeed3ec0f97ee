"""One person at one device, by the PIN of now, for so long and no longer."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from coordinator.errors import (
    LoginRefusedError,
    OverloadedError,
    StoreDegradedError,
)
from coordinator.people.sessions import MOST_TRIES
from coordinator.terms import PersonId, Role, SessionEnd, events
from tests.coordinator.people.desk import OTHER_PIN, PIN, Desk, key
from tests.coordinator.store.people_events import OWNER

WRONG = "000111"


@pytest.fixture(autouse=True)
async def _two(desk: Desk) -> None:
    await desk.accounts.add("ana", Role.OPERATOR, PIN, OWNER)
    await desk.accounts.add("ben", Role.OPERATOR, PIN, OWNER)


@pytest.mark.parametrize("people", [("ana", "ben"), ("ana", "ana"), ("ben", "ana")])
async def test_two_who_log_in_at_one_device_at_once_leave_one(
    desk: Desk, people: tuple[str, str]
):
    """F49: or the second is answered for by the first."""
    first, second = await asyncio.gather(*map(desk.login, people))

    assert [one.session for one in desk.sessions.all()] == [second.session.session]
    assert desk.sessions.of_token(first.token) is None
    assert second.replaced == first.session
    assert desk.gone == [(first.session, SessionEnd.SWITCHED)]
    assert await desk.agrees()


async def test_whoever_came_while_the_disk_was_slow_is_ended_too(desk: Desk):
    works = desk.store.commit

    async def slow(*said: Any, **more: Any) -> Any:
        await asyncio.sleep(0.02)
        return await works(*said, **more)

    desk.store.commit = slow  # type: ignore[method-assign]
    await asyncio.gather(*(desk.login(name) for name in ("ana", "ben") * 3))

    assert len(desk.sessions.all()) == 1
    assert len(desk.gone) == 5
    assert await desk.agrees()


@pytest.mark.parametrize("change", ["pin", "lock"])
async def test_a_login_that_was_proven_before_a_change_does_not_outlive_it(
    desk: Desk, change: str
):
    matches = desk.accounts.hasher.matches
    loop = asyncio.get_running_loop()

    async def changed() -> None:
        if change == "pin":
            await desk.accounts.change_pin("ana", OTHER_PIN, OWNER)
        else:
            await desk.accounts.lock("ana", OWNER)
        await desk.sessions.revoke(PersonId("ana"))

    def slow(kept: str, pin: str) -> bool:
        right = matches(kept, pin)
        asyncio.run_coroutine_threadsafe(changed(), loop).result()
        return right

    desk.accounts.hasher.matches = slow  # type: ignore[method-assign]
    with pytest.raises(LoginRefusedError, match="changed just now"):
        await desk.login("ana")

    assert desk.sessions.all() == []
    assert await desk.agrees()


async def test_no_clock_that_is_set_back_prolongs_a_session(desk: Desk):
    """F26: it ends after its hours, however they are counted."""
    login = await desk.login("ana")

    for _ in range(12 * 60 - 1):
        desk.clock.advance(timedelta(minutes=1))
        desk.sessions.touch(login.session.session)
    desk.clock.set_back(timedelta(hours=24))
    alive = desk.sessions.of_token(login.token)
    desk.clock.advance(timedelta(minutes=1))
    await desk.sessions.tick()

    assert alive == login.session
    assert desk.sessions.of_token(login.token) is None
    assert desk.gone == [(login.session, SessionEnd.EXPIRED)]
    assert await desk.agrees()


@pytest.mark.parametrize("back_h", [0, 24])
async def test_a_restart_prolongs_no_session_beyond_its_hours(desk: Desk, back_h: int):
    login = await desk.login("ana")
    desk.clock.advance(timedelta(hours=5))
    desk.clock.set_back(timedelta(hours=back_h))
    await desk.restart()
    left = 7 if back_h == 0 else 12

    for _ in range(left * 60 - 1):
        desk.clock.advance(timedelta(minutes=1))
        desk.sessions.touch(login.session.session)
    alive = desk.sessions.of_token(login.token)
    desk.clock.advance(timedelta(minutes=1))

    assert alive == login.session
    assert desk.sessions.of_token(login.token) is None


async def test_a_clock_that_is_set_ahead_ends_a_session(desk: Desk):
    login = await desk.login("ana")
    desk.clock.set_back(timedelta(hours=-12))

    assert desk.sessions.of_token(login.token) is None


async def test_what_can_be_nobodys_name_is_not_kept(desk: Desk):
    """However long it is, and however many there are."""
    for name in ("x" * 900_000, "no id", "UPPER"):
        with pytest.raises(LoginRefusedError, match="the name or the PIN is wrong"):
            await desk.login(name, pin=WRONG)
    with pytest.raises(LoginRefusedError, match="Wait") as refused:
        await desk.login("\x00", pin=WRONG)

    assert refused.value.code == "LOGIN_WAIT"
    assert await desk.store.entries(0, 9) == await desk.store.entries(0, 2)
    assert (await desk.login("ana")).session.person == "ana"


async def test_what_can_be_nobodys_name_costs_the_same_hash(desk: Desk):
    tried: list[str] = []
    matches = desk.accounts.hasher.matches

    def counted(kept: str, pin: str) -> bool:
        tried.append(kept)
        return matches(kept, pin)

    desk.accounts.hasher.matches = counted  # type: ignore[method-assign]
    for name in ("ana", "zoe", "x" * 64):
        with pytest.raises(LoginRefusedError):
            await desk.login(name, pin=WRONG)

    assert len(tried) == 3
    assert {kept.split("$")[3] for kept in tried} == {tried[0].split("$")[3]}


async def test_an_old_change_that_comes_once_more_ends_no_session(desk: Desk):
    await desk.accounts.change_pin("ana", OTHER_PIN, OWNER, key("k"))
    await desk.login("ana", pin=OTHER_PIN)
    await desk.accounts.change_pin("ana", OTHER_PIN, OWNER, key("k"))
    await desk.sessions.revoke(PersonId("ana"))

    assert [one.person for one in desk.sessions.all()] == ["ana"]
    assert await desk.agrees()


async def test_who_may_have_been_revoked_goes_when_nobody_can_look(desk: Desk):
    await desk.login("ana")

    async def fails() -> Any:
        raise StoreDegradedError("the disk cannot be read.")

    desk.store.person_sessions = fails  # type: ignore[method-assign]
    await desk.sessions.revoke(PersonId("ana"))

    assert desk.sessions.all() == []


async def test_a_login_says_by_which_pin(desk: Desk):
    await desk.login("ana")

    [started] = [
        one
        for one in await desk.journal()
        if isinstance(one, events.PersonSessionStarted)
    ]
    [ana, _] = desk.accounts.all()
    assert started.pin_digest == ana.pin_digest


async def test_wrong_pins_are_not_forgotten_at_a_restart(desk: Desk):
    for _ in range(3):
        with pytest.raises(LoginRefusedError, match="the name or the PIN is wrong"):
            await desk.login("ana", pin=WRONG)
    await desk.restart()

    with pytest.raises(LoginRefusedError) as refused:
        await desk.login("ana")
    assert refused.value.code == "LOGIN_WAIT"
    assert (await desk.login("ben")).session.person == "ben"


async def test_only_so_many_wait_for_a_login(desk: Desk):
    tries = (desk.login("ana", f"d{number}") for number in range(MOST_TRIES + 1))

    done = await asyncio.gather(*tries, return_exceptions=True)

    refused = [isinstance(one, OverloadedError) for one in done]
    assert refused == [False] * MOST_TRIES + [True]
    assert (await desk.login("ana")).session.person == "ana"


async def test_an_end_that_could_not_be_recorded_is_recorded_later(desk: Desk):
    login = await desk.login("ana")
    works = desk.store.commit

    async def fails(*_: Any, **__: Any) -> Any:
        raise StoreDegradedError("the disk is full.")

    desk.store.commit = fails  # type: ignore[method-assign]
    await desk.sessions.logout(login.session)
    gone = desk.sessions.of_token(login.token) is None
    desk.store.commit = works  # type: ignore[method-assign]
    await desk.sessions.tick()
    await desk.sessions.tick()

    ends = [e for e in await desk.journal() if isinstance(e, events.PersonSessionEnded)]
    assert gone
    assert [(one.session, one.reason) for one in ends] == [
        (login.session.session, SessionEnd.LOGOUT)
    ]
    assert await desk.agrees()
