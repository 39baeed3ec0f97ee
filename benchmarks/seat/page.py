"""The page in headless Chromium: when a card is on it, and when a finger touches it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page, async_playwright

SOON_MS = 30_000
WIDTH, HEIGHT = 1280, 800
PERSON = json.dumps({"person": "ana", "shown": "ana"})

START = f"""
sessionStorage.setItem("andon.person", '{PERSON}');
localStorage.setItem("andon.language", "en");
globalThis.now_ms = () => performance.timeOrigin + performance.now();
globalThis.touched_ms = 0;
addEventListener("pointerdown", () => {{ touched_ms = now_ms(); }}, true);
"""

WAIT = """([selector, text]) => {
  globalThis.seen_ms = new Promise((done) => {
    const look = () => {
      const there = [...document.querySelectorAll(selector)].some(
        (one) => !one.disabled && one.textContent.includes(text));
      if (there) requestAnimationFrame(() => done(now_ms()));
      else requestAnimationFrame(look);
    };
    look();
  });
}"""
"""Done when it has been painted: in the frame after the one in which it was made."""


class Tablet:
    """One tablet that shows the page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    @asynccontextmanager
    async def on(cls, port: int) -> AsyncIterator[Tablet]:
        """Ana's tablet, until the block ends.

        Raises:
            FileNotFoundError: there is no chromium on PATH.
        """
        chromium = shutil.which("chromium")
        if chromium is None:
            raise FileNotFoundError("chromium is not installed")
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox"]
            )
            page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.set_default_timeout(SOON_MS)
            await page.add_init_script(START)
            await page.goto(f"http://127.0.0.1:{port}/")
            try:
                yield cls(page)
            finally:
                await browser.close()

    async def look_for(self, selector: str, text: str = "") -> None:
        """From now on look for an element with this text."""
        await self.page.evaluate(WAIT, [selector, text])

    async def seen_ns(self) -> int:
        """Wait until it is painted; return when, wall clock ns."""
        return ns(await self.page.evaluate("() => seen_ms"))

    async def tap(self, selector: str) -> int:
        """Touch an element; return when the page felt it, wall clock ns."""
        await self.page.click(selector)
        return ns(await self.page.evaluate("() => touched_ms"))


def ns(milliseconds: Any) -> int:
    """Milliseconds of the page's clock, as nanoseconds."""
    return round(float(milliseconds) * 1e6)


def wall_ns(monotonic_ns: int) -> int:
    """What the wall clock said at a moment of the monotonic one, ns."""
    return time.time_ns() - time.monotonic_ns() + monotonic_ns
