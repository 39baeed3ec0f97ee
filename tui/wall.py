"""`andon tui --wall`: a terminal that only shows; it never asks to change anything.

It watches without counting as somebody who can answer, and has no way to a claim, an
answer, a hold or a model: there is no such method here.
"""

from __future__ import annotations

from typing import Any

from textual.screen import Screen

from tui.clock import Clock, SystemClock
from tui.errands.insight import InsightErrands
from tui.link import Link
from tui.screens.wall import WallScreen
from tui.terms import Actor


class WallApp(InsightErrands):
    """The screen beside the coffee machine."""

    TITLE = "andon"
    CSS_PATH = "andon.tcss"

    def __init__(self, server: str, actor: Actor, clock: Clock | None = None) -> None:
        super().__init__(server, actor, clock or SystemClock())

    def get_default_screen(self) -> Screen[Any]:
        """The wall, and nothing behind it."""
        return WallScreen()

    def on_mount(self) -> None:
        """Watch, and paint."""
        self._link = Link(self._server, self._actor, self._clock, answering=False)
        self.begin()
        self.run_worker(self._watch(self._link), name="watch")

    async def on_unmount(self) -> None:
        """Hang up."""
        if self._link is not None:
            await self._link.close()

    async def _watch(self, link: Link) -> None:
        async for event in link.watch():
            self.hear(event)
