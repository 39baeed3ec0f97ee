from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coordinator.clock import ManualClock
from coordinator.store import Store
from tests.coordinator.store.store_world import NOON


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture(params=["file", "memory"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Store]:
    """Both kinds promise the same, apart from what a power cut leaves."""
    path = tmp_path / "store" if request.param == "file" else None
    opened = await Store.open(path, clock=clock, commit_deadline_s=30)
    yield opened
    await opened.close()


@pytest.fixture
async def in_memory(clock: ManualClock) -> AsyncIterator[Store]:
    opened = await Store.open(None, clock=clock, commit_deadline_s=30)
    yield opened
    await opened.close()
