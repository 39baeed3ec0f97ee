from collections.abc import AsyncIterator

import pytest

from tests.path.path_world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    opened = await World.open()
    yield opened
    await opened.close()


@pytest.fixture
async def auto() -> AsyncIterator[World]:
    """A plant whose configuration names the policy autostart."""
    opened = await World.open(autostart=True)
    yield opened
    await opened.close()
