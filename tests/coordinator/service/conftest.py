from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.coordinator.service.service_world import ServiceWorld


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ServiceWorld]:
    """Two cells that start by policy."""
    opened = await ServiceWorld.open(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def manned(tmp_path: Path) -> AsyncIterator[ServiceWorld]:
    """Two cells that only people start."""
    opened = await ServiceWorld.open(tmp_path, autostart=False)
    yield opened
    await opened.close()
