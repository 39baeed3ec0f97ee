"""Draws every screen of the page: `python -m tests.tablet.pictures FOLDER`.

A real coordinator serves it; the cells and what a model thinks of them are made for the
picture.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import async_playwright

from tests.tablet import plant as plants
from tests.tablet.conftest import CHROMIUM
from tests.tablet.plant import plant_of
from tests.tablet.seat import LANDSCAPE, PORTRAIT, Tablet, open_tablet
from tests.tablet.walk import CELLS, FEW, prepare, walk

COLOURS = 128
LIGHTS = ("night", "sun")
SETTLED_MS = 700


async def draw(folder: Path) -> None:
    """Draw each screen upright and lengthwise, and the board in every light."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        for size in (PORTRAIT, LANDSCAPE):
            await draw_size(chromium, folder, size)
        await chromium.close()


async def draw_size(chromium: Any, folder: Path, size: tuple[int, int]) -> None:
    """Draw each screen in one size."""
    name = f"{size[0]}x{size[1]}"
    with tempfile.TemporaryDirectory() as data:
        kept = Path(data) / "data"
        async with plant_of(kept, cells=CELLS, requests=FEW) as plant:
            await prepare(plant, plain=True)
            async with open_tablet(chromium, plant.url, size=size) as one:
                async for screen in walk(plant, one, "Board", "Close"):
                    await one.page.wait_for_timeout(SETTLED_MS)
                    await shoot(one, folder / f"tablet-{screen}-{name}.png")
                    for light in LIGHTS if screen == "board" else ():
                        await dress(one, light)
                        await shoot(one, folder / f"tablet-board-{light}-{name}.png")
                    await dress(one, "day")


async def dress(one: Tablet, light: str) -> None:
    """Give the page another light."""
    await one.page.evaluate(f"document.documentElement.dataset.theme = '{light}'")


async def shoot(one: Tablet, path: Path) -> None:
    """Write one picture with few colours: small in the repository."""
    await one.page.screenshot(path=path)
    with Image.open(path) as image:
        image.quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    plants.LABELS[-1] = ("scratched", "reject", "scratched")
    chosen = Path(sys.argv[1])
    chosen.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw(chosen))
