"""A terminal under test, and how to read what is on its screen.

`python -m tests.tui.pilot FOLDER` takes pictures of every screen, to be looked at.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from tests.tui.conftest import ANA, until
from tests.tui.fake_clips import make_clip
from tests.tui.fake_coordinator import FakeCoordinator, make_coordinator
from tui import seat
from tui.app import AndonApp
from tui.scene import Scene
from tui.terms import Actor

SMALL, LARGE = (80, 24), (160, 48)


@dataclass
class Desk:
    """One person's terminal in a test."""

    app: AndonApp
    pilot: Pilot[None]

    @property
    def text(self) -> str:
        """Everything on the screen, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    @property
    def scene(self) -> Scene:
        """What is drawn now."""
        return self.app.scene()

    async def sees(self, *words: str) -> None:
        """Wait until all the words are on the screen."""
        try:
            await until(lambda: all(word in self.text for word in words))
        except TimeoutError:
            missing = [word for word in words if word not in self.text]
            raise AssertionError(f"{missing} is not on\n{self.text}") from None

    async def sees_no(self, word: str) -> None:
        """Wait until the word is gone."""
        await until(lambda: word not in self.text)

    async def begins(self) -> None:
        """Wait until the first picture is here: before it, keys say so."""
        await until(lambda: self.app.board.families)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, true: Callable[[], object]) -> None:
        await until(true)


@asynccontextmanager
async def desk(
    coordinator: FakeCoordinator,
    size: tuple[int, int] = SMALL,
    actor: Actor = ANA,
    *,
    go_on: bool = True,
) -> AsyncIterator[Desk]:
    """A terminal of that size, connected to the coordinator."""
    app = AndonApp(f"127.0.0.1:{coordinator.port}", actor, go_on=go_on)
    async with app.run_test(size=size) as pilot:
        yield Desk(app, pilot)


async def main(folder: Path) -> None:
    """Take a picture of each screen in both sizes, from the same little story."""
    seat.LOOK_S = 0.0  # type: ignore[misc]
    for size in (SMALL, LARGE):
        coordinator = make_coordinator()
        coordinator.put_cell("press-1", "WORKING", part_id="A-1041", cycle=41)
        coordinator.put_cell("press-3", "HELD", "STOP_LABEL", text="ana says collision")
        await coordinator.start()
        request_id = coordinator.ask(
            "press-2", 17, {"misaligned": 0.55, "grip_slip": 0.3, "ok": 0.15}
        )
        coordinator.put_clip(request_id, make_clip())
        coordinator.learning.add_model("RETIRED", risk=0.031, coverage=0.6)
        coordinator.learning.add_model("LIVE", risk=0.012, coverage=0.81)
        coordinator.learning.put(
            phase="training", progress=0.4, time_left_s=9, gate="PROVISIONAL"
        )
        name = f"{size[0]}x{size[1]}"
        async with desk(coordinator, size) as terminal:

            async def take(
                what: str, *words: str, name: str = name, terminal: Desk = terminal
            ) -> None:
                await terminal.sees(*words)
                path = f"{what}-{name}.svg"
                terminal.app.save_screenshot(path, str(folder))

            await take("board", "press-2", "ASKING")
            await terminal.press("n")
            await take("request", "yours", "misaligned insertion")
            await terminal.press("c")
            await take("clip", "12.0 s at full rate")
            await terminal.press("escape", "escape")
            await terminal.sees("CELLS")
            await terminal.press("r")
            await take("release", "Look at the cell")
            await terminal.press("escape", "l")
            await take("models", "LIVE")
            await coordinator.stop()
            await take("not-connected", "NOT CONNECTED")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
