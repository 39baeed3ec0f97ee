"""Accounts of a plant whose coordinator does not run, changed in its files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from coordinator.clock import SystemClock
from coordinator.people.accounts import Accounts
from coordinator.store import Store
from coordinator.store.pin_file import PINS, PinFile

if TYPE_CHECKING:
    from coordinator.config import Settings

T = TypeVar("T")


def at_rest(settings: Settings, change: Callable[[Accounts], Awaitable[T]]) -> T:
    """Open the store, do something with its accounts, and close it.

    Raises:
        StoreError: it is in use, does not verify, or cannot be written.
        AndonError: what was asked is refused.
    """
    return asyncio.run(_at_rest(settings, change))


async def _at_rest(settings: Settings, change: Callable[[Accounts], Awaitable[T]]) -> T:
    clock = SystemClock()
    data_dir = settings.coordinator.data_dir
    store = await Store.open(data_dir, clock=clock)
    try:
        accounts = Accounts(
            store,
            PinFile(data_dir / PINS),
            clock,
            least_digits=settings.people.pin_digits,
        )
        await accounts.load()
        return await change(accounts)
    finally:
        await store.close()
