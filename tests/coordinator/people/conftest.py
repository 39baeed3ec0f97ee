"""Somebody at a desk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.coordinator.people.desk import Desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    opened = await Desk.opened(tmp_path)
    yield opened
    await opened.store.close()
