"""A COMMIT that failed may be kept: who waited hears late, and memory follows it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import (
    AlreadyDoneError,
    IllegalTransitionError,
    StoreDegradedError,
    StoreLateError,
)
from coordinator.store import Store, verify
from coordinator.terms import CellId, PermitId
from coordinator.terms import events as e
from tests.coordinator.store.store_world import once, session
from tests.doubtful_disk import DoubtfulDisk

LONGEST_S = 30.0


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "store", clock=clock, commit_deadline_s=30)
    yield opened
    await opened.close()


async def until_known(late: StoreLateError) -> None:
    async with asyncio.timeout(LONGEST_S):
        while not late.is_known():  # noqa: ASYNC110 - it is only ever asked
            await asyncio.sleep(0.01)


async def test_what_is_found_kept_is_followed_without_another_commit(
    store: Store,
) -> None:
    told: list[Any] = []

    with DoubtfulDisk(store, keeps=True), pytest.raises(StoreLateError) as late:
        await store.commit(session(), then=told.append)
    await until_known(late.value)

    assert [[entry.seq for entry in kept] for kept in told] == [[1]]
    assert (await store.head()).seq == 1


async def test_it_is_late_at_once_and_known_when_the_disk_is_back(
    store: Store,
) -> None:
    told: list[str] = []

    with DoubtfulDisk(store, keeps=True) as disk:
        disk.opens = False
        with pytest.raises(StoreLateError) as late:
            await store.commit(session(), then=lambda _: told.append("late"))
        with pytest.raises(StoreDegradedError, match="nothing was kept"):
            await store.commit(session(epoch=2), then=lambda _: told.append("no"))
        before = late.value.is_known(), list(told)
        disk.opens = True
        await until_known(late.value)
    await store.commit(session(epoch=3), then=lambda _: told.append("next"))

    assert before == (False, [])
    assert told == ["late", "next"]
    assert (await store.head()).seq == 2


async def test_what_is_not_kept_is_followed_by_nothing(store: Store) -> None:
    told: list[str] = []

    with (
        DoubtfulDisk(store, keeps=False),
        pytest.raises(StoreDegradedError, match="nothing was kept"),
    ):
        await store.commit(session(), then=lambda _: told.append("kept"))
    await store.commit(session(), then=lambda _: told.append("next"))

    assert told == ["next"]
    assert (await store.head()).seq == 1


async def test_what_is_not_kept_after_all_is_known_too(store: Store) -> None:
    told: list[str] = []

    with DoubtfulDisk(store, keeps=False) as disk:
        disk.opens = False
        with pytest.raises(StoreLateError) as late:
            await store.commit(session(), then=lambda _: told.append("kept"))
        disk.opens = True
        await until_known(late.value)

    assert told == []
    assert (await store.head()).seq == 0


async def test_of_callers_in_one_commit_each_is_followed_by_its_own(
    store: Store,
) -> None:
    told: list[str] = []

    def refused() -> Any:
        used = e.PermitConsumed(PermitId("p-none"), CellId("press-1"), 1)
        return store.commit(used, then=lambda _: told.append("refused"))

    await store.commit(session())
    with DoubtfulDisk(store, keeps=True) as disk:
        disk.opens = False
        with store._writer._wake:  # all three are there before one is taken
            calls = [
                asyncio.ensure_future(call)
                for call in (
                    store.commit(session(epoch=2), then=lambda _: told.append("a")),
                    refused(),
                    store.commit(session(epoch=3), then=lambda _: told.append("b")),
                )
            ]
            await asyncio.sleep(0)
        late = await asyncio.gather(*calls, return_exceptions=True)
        before = list(told)
        disk.opens = True
        for result in late:
            assert isinstance(result, StoreLateError)
            await until_known(result)
    with pytest.raises(IllegalTransitionError):
        await refused()

    assert (before, told) == ([], ["a", "b"])
    assert (await store.head()).seq == 3


async def test_a_call_that_was_found_kept_is_not_carried_out_twice(
    store: Store,
) -> None:
    with DoubtfulDisk(store, keeps=True), pytest.raises(StoreLateError):
        await store.commit(session(), once=once(), reply="opened")

    with pytest.raises(AlreadyDoneError) as done:
        await store.commit(session(), once=once(), reply="opened")
    assert done.value.reply == "opened"


async def test_a_journal_that_ends_elsewhere_takes_nothing_more(
    store: Store, tmp_path: Path
) -> None:
    await store.commit(session())
    await store.commit(session(epoch=2))

    with DoubtfulDisk(store, keeps=False) as disk:
        disk.forgets = True
        for _ in range(2):
            with pytest.raises(StoreDegradedError):
                await store.commit(session(epoch=3))
        with pytest.raises(StoreDegradedError, match="start it again"):
            await store.commit(session(epoch=3))


async def test_a_store_that_is_closed_in_doubt_tells_at_the_next_start(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "store"
    told: list[Any] = []
    store = await Store.open(path, clock=clock, commit_deadline_s=30)
    with DoubtfulDisk(store, keeps=True) as disk:
        disk.opens = False
        with pytest.raises(StoreLateError):
            await store.commit(session(), then=told.append)
        await store.close()
    again = await Store.open(path, clock=clock)
    head = await again.head()
    await again.close()

    assert (told, head.seq) == ([], 1)
    assert verify(path).ok


async def test_a_full_disk_leaves_no_doubt(store: Store) -> None:
    with DoubtfulDisk(store, keeps=False) as disk:
        disk.code = sqlite3.SQLITE_FULL
        disk.opens = False
        for _ in range(2):
            with pytest.raises(StoreDegradedError, match=r"full; nothing was kept"):
                await store.commit(session())
