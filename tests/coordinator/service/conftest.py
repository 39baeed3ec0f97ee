from collections.abc import AsyncIterator

import pytest

from tests.coordinator.service.service_world import ServiceWorld


@pytest.fixture
async def world() -> AsyncIterator[ServiceWorld]:
    """Two cells that start by policy."""
    opened = await ServiceWorld.open()
    yield opened
    await opened.close()


@pytest.fixture
async def manned() -> AsyncIterator[ServiceWorld]:
    """Two cells that only people start."""
    opened = await ServiceWorld.open(autostart=False)
    yield opened
    await opened.close()
