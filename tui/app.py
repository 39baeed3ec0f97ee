"""The terminal: it folds events, repaints ten times a second, and carries messages out.

It owns every task. What touches the open request goes through one pair of hands, one
thing after another; pulling a cord does not wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui import messages, theme
from tui.board import Pictured, RequestChanged, fold, rings
from tui.clips import FOLDER, ClipDesk
from tui.clock import Clock, SystemClock
from tui.errands.cells import CellErrands
from tui.errands.learning import LearningErrands
from tui.evidence import Answered
from tui.identity import new_key
from tui.link import Link
from tui.scene import Scene
from tui.screens.board import BoardScreen
from tui.screens.clip import ClipScreen, Pick
from tui.screens.dialogs import Help
from tui.screens.frame import Frame
from tui.screens.models import ModelsScreen
from tui.screens.request import RequestScreen
from tui.seat import Seat
from tui.sentences import taken
from tui.terms import Actor
from tui.words import WORDS

REPAINT_S: Final = 0.1
"""Time between two pictures, s."""

ALARM_S: Final = 10.0
"""Time between two sounds while a robot does not confirm that it holds, s."""

KEEP_S: Final = 1.0
"""Time between two looks at whether the claim must be renewed, s."""


class AndonApp(CellErrands, LearningErrands):
    """One person's terminal."""

    TITLE = "andon"
    CSS_PATH = "andon.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help"),
        Binding("l", "models", "models"),
        Binding("a", "go_on", "next question by itself"),
    ]

    def __init__(
        self,
        server: str,
        actor: Actor,
        clock: Clock | None = None,
        *,
        go_on: bool = True,
        clips: Path = FOLDER,
    ) -> None:
        super().__init__(server, actor, clock or SystemClock())
        self._go_on = go_on
        self._seat: Seat | None = None
        self._clips: ClipDesk | None = None
        self._clip_folder = clips
        self._hands = asyncio.Lock()
        self._passed: frozenset[str] = frozenset()
        self._undo: tuple[str, float] = ("", 0.0)

    # -- the picture -----------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        """Begin with the board."""
        return BoardScreen()

    def on_mount(self) -> None:
        """Connect, and begin to paint."""
        self.register_theme(theme.CALM)
        self.register_theme(theme.CONTRAST)
        self.theme = theme.CALM.name
        self._link = Link(self._server, self._actor, self._clock)
        self._seat = Seat(self._link, self._clock)
        self._clips = ClipDesk(self._link, self._clip_folder)
        self.run_worker(self._watch(self._link, self._seat), name="watch")
        self.set_interval(REPAINT_S, self._repaint)
        self.set_interval(KEEP_S, self._keep)
        self.set_interval(ALARM_S, self._alarm)

    async def on_unmount(self) -> None:
        """Give the open request back, and hang up."""
        if self._seat is not None:
            await self._seat.leave()
        if self._link is not None:
            await self._link.close()

    async def _watch(self, link: Link, seat: Seat) -> None:
        async for event in link.watch():
            before, self.board = self.board, fold(self.board, event)
            if isinstance(event, Pictured):
                WORDS.learn(event.words)
            if isinstance(event, RequestChanged):
                seat.hear(event.request)
            if before.connected != self.board.connected:
                self._record.info("link", connected=self.board.connected)
            if isinstance(event, Pictured) and not before.connected:
                self._in_turn(self._link_is_back(seat))
            if rings(before, self.board):
                self.bell()

    def _alarm(self) -> None:
        """Sound again and again while a robot does not confirm that it holds."""
        if self.board.unconfirmed:
            self.bell()

    def scene(self) -> Scene:
        """The picture of this moment."""
        return Scene(
            board=self.board,
            actor=self._actor,
            server=self._server,
            now_s=self._clock.monotonic(),
            now_at=self._clock.utc_now(),
            notice=self._notice,
            sitting=self._seat.sitting if self._seat else None,
            models=self._models,
            clip=self._clips.shown if self._clips else None,
        )

    def _repaint(self) -> None:
        scene = self.scene()
        for screen in self.screen_stack:
            if isinstance(screen, Frame) and screen.is_mounted:
                screen.show(scene)

    def _handle_exception(self, error: Exception) -> None:
        """Write a crash into the log; Textual restores the terminal and shows it."""
        self._record.error("crashed", exc_info=error)
        super()._handle_exception(error)

    # -- the open request ------------------------------------------------------------

    def _in_turn(self, errand: Coroutine[Any, Any, None]) -> None:
        async def run() -> None:
            async with self._hands:
                await errand

        self.run_worker(run(), group="hands")

    def _keep(self) -> None:
        if self._seat is not None and not self._hands.locked():
            self._in_turn(self._seat.keep())

    async def _link_is_back(self, seat: Seat) -> None:
        answered = await seat.link_is_back(self.board)
        if answered is not None:
            await self._answered(seat, answered)

    def on_open_request(self, message: messages.OpenRequest) -> None:
        """Open a request on its screen."""
        if self._seat is None:
            return
        if not isinstance(self.screen, RequestScreen):
            self.push_screen(RequestScreen())
        self._in_turn(self._seat.open(message.request_id))

    def on_open_next(self) -> None:
        """Open the most urgent request, or say that there is none."""
        request = self.board.next_request(self._actor.person, self._passed)
        if request is not None:
            self.post_message(messages.OpenRequest(request.request_id))
            return
        others = any(r.claimed_by for r in self.board.requests)
        self.tell("Others have the open questions." if others else "Nothing is asked.")
        self._back_to_board()

    def on_take_over(self) -> None:
        """Take the open request from its holder."""
        if self._seat is not None:
            self._in_turn(self._seat.take_over())

    def on_say(self, message: messages.Say) -> None:
        """Answer the open request."""
        if self._seat is not None:
            self._in_turn(self._answer(self._seat, message.label))

    async def _answer(self, seat: Seat, label: str) -> None:
        answered = await seat.answer(label)
        if answered is not None:
            await self._answered(seat, answered)

    async def _answered(self, seat: Seat, answered: Answered) -> None:
        """Say what was taken, and go on to what is most urgent now."""
        request = answered.request
        now_s = self._clock.monotonic()
        self.board = fold(self.board, RequestChanged(request, now_s))
        if request.is_open:
            self._passed |= {request.request_id}
        self._undo = (request.request_id, now_s + answered.undo_s)
        self.tell(taken(answered))
        self._record.info("answered", request=request.request_id, label=request.label)
        following = self.board.next_request(self._actor.person, self._passed)
        self.on_close_clip()
        if self._go_on and following is not None:
            await seat.open(following.request_id)
        else:
            self._back_to_board()

    def on_leave_request(self) -> None:
        """Go back to the board, and let somebody else answer."""
        if self._seat is None:
            return
        if self._seat.unsent is not None:
            label = self._seat.unsent.label or "cannot tell"
            self.tell(f"Dropped: '{label}' may not have arrived.", bad=True)
        self._back_to_board()
        self._in_turn(self._seat.leave())

    def _back_to_board(self) -> None:
        self.on_close_clip()
        if isinstance(self.screen, RequestScreen):
            self.pop_screen()

    def on_undo(self) -> None:
        """Take the last answer back, while that is possible."""
        request_id, until_s = self._undo
        if not self._clock.monotonic() < until_s:
            self.tell("Nothing can be taken back now: an answer is final.")
            return
        self._ask(self._take_back(request_id))

    async def _take_back(self, request_id: str) -> None:
        if self._link is not None:
            await self._link.undo(request_id, new_key())
            self._undo = ("", 0.0)
            self.tell("Taken back: answer again.")
            self.post_message(messages.OpenRequest(request_id))

    # -- its clip --------------------------------------------------------------------

    def on_open_clip(self, message: messages.OpenClip) -> None:
        """Show the full-rate clip of the open request, as soon as it is here."""
        if self._clips is None or self._seat is None or self._seat.sitting is None:
            return
        if not isinstance(self.screen, ClipScreen):
            self.push_screen(ClipScreen())
        fetch = self._clips.open(message.clip_id, self._seat.sitting.evidence)
        self.run_worker(fetch, group="clip", exclusive=True)

    def on_close_clip(self) -> None:
        """Go back from a clip to its question."""
        while isinstance(self.screen, ClipScreen | Pick):
            self.pop_screen()

    async def on_export_clip(self) -> None:
        """Save the clip as a file."""
        if self._clips is not None:
            text, saved = await self._clips.save()
            self.tell(text, bad=not saved)

    # -- keys of every screen --------------------------------------------------------

    def action_help(self) -> None:
        """Show every key."""
        self.push_screen(Help())

    def action_models(self) -> None:
        """Show the models."""
        if isinstance(self.screen, BoardScreen):
            self.push_screen(ModelsScreen(sorted(self.board.families)))

    def action_go_on(self) -> None:
        """Switch whether an answer opens the next question."""
        self._go_on = not self._go_on
        after = "the next question opens" if self._go_on else "the board is shown"
        self.tell(f"After an answer {after}.")
