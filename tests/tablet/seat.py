"""A person's hands and eyes on the page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

PATIENCE_MS = 20_000
LOOK_MS = 550
HURRY_MS = 200
PORTRAIT = (800, 1280)
LANDSCAPE = (1280, 800)


class Tablet:
    """One tablet: a page in a profile of its own."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)

    def _listen(self, message: Any) -> None:
        # A refused connection is what cut lines are made of; all else is a fault.
        if message.type == "error" and "net::" not in message.text:
            self.complaints.append(message.text)

    async def open(self) -> None:
        """Open the page; it has its contract when it asks who is there.

        Its clock goes as always, and can be put forward: nobody waits for a wait.
        """
        await self.page.clock.install()
        await self.page.goto(self.url)
        await self.page.wait_for_selector(".app")

    async def enter(self, person: str) -> None:
        """Say who this is, where no PIN is needed."""
        await self.page.fill("#person", person)
        await self.tap("form button")
        await self.see(".board")

    async def log_in(self, person: str, pin: str) -> None:
        """Tap a name, then the PIN."""
        await self.tap(f".names button:has-text('{person}')")
        await self.type_pin(pin)

    async def type_pin(self, pin: str) -> None:
        for digit in pin:
            await self.tap(f".keys button:text-is('{digit}')")
        await self.tap(".keys .primary")

    async def tap(self, selector: str) -> None:
        await self.page.tap(selector, timeout=PATIENCE_MS)

    async def see(self, selector: str) -> Any:
        return await self.page.wait_for_selector(selector, timeout=PATIENCE_MS)

    async def see_text(self, text: str, within: str = ".app") -> None:
        """Wait for words anywhere inside."""
        await self.page.locator(within, has_text=text).first.wait_for(
            timeout=PATIENCE_MS
        )

    async def gone(self, selector: str) -> None:
        await self.page.wait_for_selector(
            selector, state="detached", timeout=PATIENCE_MS
        )

    async def text(self, selector: str) -> str:
        return str(await self.page.inner_text(selector, timeout=PATIENCE_MS))

    async def texts(self, selector: str) -> list[str]:
        return [str(one) for one in await self.page.locator(selector).all_inner_texts()]

    async def count(self, selector: str) -> int:
        return int(await self.page.locator(selector).count())

    async def open_question(self, cell: str) -> None:
        """Open the question of a cell, and wait until it may be answered."""
        await self.tap(f".question:has-text('{cell}')")
        await self.ready()

    async def ready(self) -> None:
        """Wait until an answer would be taken: claimed, and looked at long enough."""
        await self.see(".answer:not([disabled])")
        await self.look()

    async def look(self) -> None:
        """Look for long enough that a tap is meant for what is shown.

        Twice: what is drawn with the first may have moved the answers, and then they
        have to stand still for as long again.
        """
        await self.page.clock.fast_forward(LOOK_MS)
        await self.page.clock.fast_forward(LOOK_MS)

    async def stop_time(self) -> None:
        """Let no time pass for the page, however slow the machine is."""
        now = await self.page.evaluate("Date.now()")
        await self.page.clock.set_fixed_time(now)

    async def wait_for(self, selector: str) -> None:
        """Wait for what comes with time: the page's clock goes three times as fast."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not await self.count(selector):
                await self.page.clock.fast_forward(HURRY_MS)
                await asyncio.sleep(HURRY_MS / 2000)

    async def answer(self, words: str) -> None:
        await self.tap(f".answer:has-text('{words}')")

    async def answer_first(self) -> None:
        await self.tap(".answer >> nth=0")


@asynccontextmanager
async def open_tablet(
    chromium: Any,
    url: str,
    *,
    size: tuple[int, int] = PORTRAIT,
    language: str = "en",
    reopen: Any = None,
) -> AsyncIterator[Tablet]:
    """A tablet at the page, in a profile of its own or in one that is there."""
    width, height = size
    context = reopen or await chromium.new_context(
        viewport={"width": width, "height": height},
        has_touch=True,
        locale=language,
        reduced_motion="reduce",
    )
    one = Tablet(await context.new_page(), url)
    await one.open()
    yield one
    await context.close()
    assert not one.complaints, one.complaints
