"""One Chromium for all; a coordinator with its page for each test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.tablet.plant import Plant, plant_of
from tests.tablet.seat import Tablet, open_tablet

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
SESSION: dict[str, Any] = {"scope": "session", "loop_scope": "session"}

OpenTablet = Callable[..., Awaitable[Tablet]]
MakePlant = Callable[..., Awaitable[Plant]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run them all on one loop, as they share a browser; skip where there is none."""
    for item in items:
        if "tests/tablet" not in item.path.as_posix():
            continue
        if item.get_closest_marker("browser") is None:
            continue
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        if CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="there is no Chromium here"))


@pytest_asyncio.fixture(**SESSION)
async def chromium() -> AsyncIterator[Any]:
    """Debian's Chromium, without a window."""
    api = pytest.importorskip("playwright.async_api", reason="playwright is missing")
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def make_plant(tmp_path: Path) -> AsyncIterator[MakePlant]:
    """Make the plant that a test needs."""
    async with AsyncExitStack() as stack:

        async def make(**more: Any) -> Plant:
            return await stack.enter_async_context(plant_of(tmp_path / "data", **more))

        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def plant(make_plant: MakePlant) -> Plant:
    """Three cells at work; answers are final at once."""
    return await make_plant()


@pytest_asyncio.fixture(loop_scope="session")
async def tablet(chromium: Any) -> AsyncIterator[OpenTablet]:
    """Open a tablet at a plant; a test may open several."""
    async with AsyncExitStack() as stack:

        async def make(plant: Plant, person: str = "ana", **more: Any) -> Tablet:
            opened = open_tablet(chromium, plant.url, **more)
            one = await stack.enter_async_context(opened)
            if person:
                await one.enter(person)
            return one

        yield make
