"""A change that comes twice counts once: memory says what is on record."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from coordinator.errors import (
    KeyReusedError,
    StoreDegradedError,
    StoreIntegrityError,
)
from coordinator.people.accounts import Accounts
from coordinator.terms import Digest, IdempotencyKey, Role
from tests.coordinator.people.desk import OTHER_PIN, PIN, THIRD_PIN, Desk, key
from tests.coordinator.store.people_events import OWNER

Change = Callable[[Accounts, IdempotencyKey], Awaitable[Any]]


async def pin(accounts: Accounts, once: IdempotencyKey) -> Any:
    return await accounts.change_pin("ana", OTHER_PIN, OWNER, once)


async def lock(accounts: Accounts, once: IdempotencyKey) -> Any:
    return await accounts.lock("ana", OWNER, once)


async def unlock(accounts: Accounts, once: IdempotencyKey) -> Any:
    return await accounts.unlock("ana", OWNER, once)


async def role(accounts: Accounts, once: IdempotencyKey) -> Any:
    return await accounts.change_role("ana", Role.ENGINEER, OWNER, once)


async def team(accounts: Accounts, once: IdempotencyKey) -> Any:
    return await accounts.change_team("ana", "late", OWNER, once)


async def another_pin(accounts: Accounts, once: IdempotencyKey) -> Any:
    return await accounts.change_pin("ana", THIRD_PIN, OWNER, once)


async def another_role(accounts: Accounts, once: IdempotencyKey) -> Any:
    return await accounts.change_role("ana", Role.ADMIN, OWNER, once)


async def another_team(accounts: Accounts, once: IdempotencyKey) -> Any:
    return await accounts.change_team("ana", "early", OWNER, once)


@pytest.mark.parametrize("again", [OTHER_PIN, THIRD_PIN], ids=["same", "another"])
async def test_a_pin_change_that_comes_twice_leaves_the_pin_on_record(
    desk: Desk, again: str
):
    # Each hash has a salt of its own: the second is no copy of the first.
    await desk.accounts.add("ana", Role.OPERATOR, PIN, OWNER)
    await pin(desk.accounts, key("k"))
    await desk.accounts.change_pin("ana", again, OWNER, key("k"))

    assert await desk.agrees()
    await desk.restart()
    assert (await desk.login("ana", pin=OTHER_PIN)).session.person == "ana"


async def test_an_account_that_is_added_twice_keeps_its_pin(desk: Desk):
    for said in (PIN, OTHER_PIN):
        await desk.accounts.add("ana", Role.OPERATOR, said, OWNER, once=key("k"))

    assert await desk.agrees()
    assert (await desk.login("ana")).session.person == "ana"


@pytest.mark.parametrize(
    ("old", "newer"),
    [
        (lock, unlock),
        (unlock, lock),
        (role, another_role),
        (team, another_team),
        (pin, another_pin),
    ],
)
async def test_an_old_change_that_comes_once_more_changes_nothing(
    desk: Desk, old: Change, newer: Change
):
    await desk.accounts.add("ana", Role.OPERATOR, PIN, OWNER)
    await old(desk.accounts, key("old"))
    done = await newer(desk.accounts, key("newer"))
    head = await desk.store.head()

    assert await old(desk.accounts, key("old")) == done
    assert await desk.agrees()
    assert await desk.store.head() == head


@pytest.mark.parametrize("change", [lock, unlock, role, team, pin])
async def test_a_change_that_was_done_in_between_is_read_from_the_record(
    desk: Desk, change: Change
):
    """The first call was late on the disk: it counts just as the second is made."""
    await desk.accounts.add("ana", Role.OPERATOR, PIN, OWNER)
    looked = desk.store.replied

    async def not_yet(once: IdempotencyKey) -> str | None:
        assert await looked(once) is None
        desk.store.replied = looked  # type: ignore[method-assign]
        await change(await desk.beside(), once)
        return None

    desk.store.replied = not_yet  # type: ignore[method-assign]
    await change(desk.accounts, key("k"))

    assert await desk.agrees()
    await desk.restart()
    assert await desk.agrees()


async def test_a_key_that_was_used_for_something_else_is_refused(desk: Desk):
    await desk.accounts.add("ana", Role.OPERATOR, PIN, OWNER)
    await lock(desk.accounts, key("k"))
    other = replace(key("k"), payload_digest=Digest("cd" * 32))

    with pytest.raises(KeyReusedError):
        await pin(desk.accounts, other)
    assert await desk.agrees()


async def test_a_hash_is_forgotten_only_when_the_record_cites_it_no_more(desk: Desk):
    """Memory may lag behind the record; the file must not."""
    await desk.accounts.add("ana", Role.OPERATOR, PIN, OWNER)
    await desk.accounts.add("ben", Role.OPERATOR, PIN, OWNER)
    await pin(await desk.beside(), key("k"))  # this memory has not heard of it

    await desk.accounts.change_pin("ben", OTHER_PIN, OWNER, key("l"))

    await desk.restart()
    assert await desk.agrees()
    assert (await desk.login("ana", pin=OTHER_PIN)).session.person == "ana"


async def test_nothing_is_changed_when_it_cannot_be_recorded(desk: Desk):
    await desk.accounts.add("ana", Role.OPERATOR, PIN, OWNER)
    works = desk.store.commit

    async def fails(*_: Any, **__: Any) -> Any:
        raise StoreDegradedError("the disk is full.")

    desk.store.commit = fails  # type: ignore[method-assign]
    for change in (lock, role, team, pin):
        with pytest.raises(StoreDegradedError):
            await change(desk.accounts, key("k"))
    desk.store.commit = works  # type: ignore[method-assign]

    assert await desk.agrees()
    assert (await desk.login("ana")).session.person == "ana"


async def test_the_hash_of_a_pin_that_was_changed_is_gone(desk: Desk):
    old = (await desk.accounts.add("ana", Role.OPERATOR, PIN, OWNER)).pin_digest
    await pin(desk.accounts, key("k"))

    with pytest.raises(StoreIntegrityError):
        desk.pins.hash_of(old)
    assert await desk.agrees()
