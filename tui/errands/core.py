"""What every errand needs: the link, the clock, the notice, and a way to say no."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import structlog
from textual.app import App

from tui import messages
from tui.board import Board
from tui.clock import Clock
from tui.errors import NotConnectedError, RefusedError
from tui.link import Link
from tui.scene import Notice
from tui.screens.dialogs import Confirm
from tui.terms import Actor
from tui.words import say


class Core(App[None]):
    """A terminal that can carry errands to the coordinator."""

    def __init__(self, server: str, actor: Actor, clock: Clock) -> None:
        super().__init__()
        self.board = Board()
        self._server = server
        self._actor = actor
        self._clock = clock
        self._link: Link | None = None
        self._notice = Notice()
        self._record = structlog.get_logger().bind(person=actor.person, server=server)

    def tell(self, text: str, *, bad: bool = False) -> None:
        """Say something to the person, in the line above the keys."""
        self._notice = Notice(text, bad, self._clock.monotonic())

    def on_tell(self, message: messages.Tell) -> None:
        """Say what a screen has to say."""
        self.tell(message.text, bad=message.bad)

    def _ask(self, errand: Coroutine[Any, Any, None], failed: str = "") -> None:
        """Carry out what only the coordinator can; a refusal is shown as it is said."""

        async def run() -> None:
            try:
                await errand
            except RefusedError as refused:
                self.tell(f"{failed}{refused.text}", bad=True)
            except NotConnectedError:
                self.tell(f"{failed}{say('link.may_not_have_arrived')}", bad=True)

        self.run_worker(run(), group="errands")

    def _confirm(self, question: str, errand: Coroutine[Any, Any, None]) -> None:
        def decided(yes: bool | None) -> None:  # noqa: FBT001 - Textual's callback
            if yes:
                self._ask(errand)
            else:
                errand.close()

        self.push_screen(Confirm(question), decided)
