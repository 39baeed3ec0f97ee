"""A real gRPC server for every test that wants one, and a patient way to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.tui.fake_coordinator import FakeCoordinator, make_coordinator
from tui.link import Link
from tui.terms import Actor
from tui.words import LANGUAGES, WORDS

ANA = Actor("ana", "desk-1")
BEN = Actor("ben", "desk-2")


async def until(true: Callable[[], object], limit_s: float = 20.0) -> None:
    """Wait for something to become true; it usually does at once."""
    async with asyncio.timeout(limit_s):
        while not true():  # noqa: ASYNC110 - the fake has no event for everything
            await asyncio.sleep(0.01)


class HandClock:
    """A clock that moves when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s

    def monotonic_ns(self) -> int:
        return round(self.now_s * 1e9)

    def utc_now(self) -> datetime:
        return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now_s)


@pytest.fixture(autouse=True)
def _nothing_learned() -> Iterator[None]:
    """What one test's plant calls things is unknown to the next."""
    yield
    WORDS.learn({})
    WORDS.speak(LANGUAGES[0])


@pytest.fixture
async def coordinator() -> AsyncIterator[FakeCoordinator]:
    """Three cells of one family, all working; it serves while the test runs."""
    fake = make_coordinator()
    for number in (1, 2, 3):
        fake.put_cell(f"press-{number}", "WORKING")
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def ana(coordinator: FakeCoordinator) -> AsyncIterator[Link]:
    """A person's link to the coordinator."""
    link = Link(f"127.0.0.1:{coordinator.port}", ANA)
    yield link
    await link.close()


@pytest.fixture
async def ben(coordinator: FakeCoordinator) -> AsyncIterator[Link]:
    """Another person's link."""
    link = Link(f"127.0.0.1:{coordinator.port}", BEN)
    yield link
    await link.close()
