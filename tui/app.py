"""The terminal: it folds events, repaints ten times a second, and carries messages out.

It owns every task. What touches the open request goes through one pair of hands, one
thing after another; pulling a cord does not wait for them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui import messages
from tui.board import Pictured, RequestChanged, fold
from tui.clips import FOLDER, ClipDesk
from tui.clock import Clock, SystemClock
from tui.errands.cells import CellErrands
from tui.errands.hands import HandErrands
from tui.errands.insight import InsightErrands
from tui.errands.learning import LearningErrands
from tui.errands.people import PeopleErrands
from tui.errands.teaching import TeachingErrands
from tui.evidence import Answered
from tui.identity import new_key
from tui.link import Link
from tui.scene import Scene, Undoable
from tui.screens.board import BoardScreen
from tui.screens.clip import ClipScreen, Pick
from tui.screens.dialogs import Choose
from tui.screens.journal import JournalScreen
from tui.screens.models import ModelsScreen
from tui.screens.numbers import NumbersScreen
from tui.screens.request import RequestScreen
from tui.screens.sheet import SheetScreen
from tui.seat import Seat
from tui.terms import Actor
from tui.words import labelled, say

KEEP_S: Final = 1.0
"""Time between two looks at whether the claim must be renewed, s."""


class AndonApp(
    CellErrands,
    HandErrands,
    LearningErrands,
    InsightErrands,
    PeopleErrands,
    TeachingErrands,
):
    """One person's terminal."""

    TITLE = "andon"
    CSS_PATH = "andon.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "models", "keys.models"),
        Binding("N", "numbers", "keys.numbers"),
        Binding("J", "journal", "keys.journal"),
        Binding("O", "sheet", "keys.sheet"),
        Binding("t", "teach", "teach.key_teach"),
        Binding("a", "go_on", "keys.go_on"),
    ]

    def __init__(
        self,
        server: str,
        actor: Actor,
        clock: Clock | None = None,
        *,
        go_on: bool = True,
        clips: Path = FOLDER,
        teach: bool = False,
    ) -> None:
        super().__init__(server, actor, clock or SystemClock())
        self._go_on = go_on
        self._teach_first = teach
        self._clips: ClipDesk | None = None
        self._clip_folder = clips
        self._undo: Undoable | None = None

    # -- the picture -----------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        """Begin with the board."""
        return BoardScreen()

    def on_mount(self) -> None:
        """Connect, and begin to paint."""
        self._link = Link(self._server, self._actor, self._clock)
        self._seat = Seat(self._link, self._clock)
        self._clips = ClipDesk(self._link, self._clip_folder)
        self.open_door(self._link)
        self.run_worker(self._watch(self._link, self._seat), name="watch")
        self.begin()
        self.set_interval(KEEP_S, self._keep)
        if self._teach_first:
            self.action_teach()

    async def on_unmount(self) -> None:
        """Give the open request back, and hang up."""
        if self._seat is not None:
            await self._seat.leave()
        if self._link is not None:
            await self._link.close()

    async def _watch(self, link: Link, seat: Seat) -> None:
        async for event in link.watch():
            before = self.hear(event)
            if isinstance(event, RequestChanged):
                seat.hear(event.request)
            if isinstance(event, Pictured) and not before.connected:
                self._in_turn(self._link_is_back(seat))
                self.run_worker(self.who_is_here(), group="door")

    def scene(self) -> Scene:
        """The picture of this moment."""
        return replace(
            super().scene(),
            sitting=self._seat.sitting if self._seat else None,
            clip=self._clips.shown if self._clips else None,
            undo=self._undo,
        )

    # -- the open request ------------------------------------------------------------

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
        self._in_turn(self._sit(self._seat, message.request_id))

    def on_open_next(self) -> None:
        """Open the most urgent request, or say that there is none."""
        request = self.board.next_request(self._actor.person, self._passed)
        if request is not None:
            self.post_message(messages.OpenRequest(request.request_id))
            return
        others = any(r.claimed_by for r in self.board.requests)
        self.tell(say("board.others_have" if others else "board.nothing_asked"))
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
        if answered.undo_s > 0.0:
            self._undo = Undoable(
                request.request_id,
                request.cell_id,
                request.pending_label or request.label,
                now_s + answered.undo_s,
                sum(part.taken for part in answered.others),
            )
        moved = self._of_cause(answered)
        self._record.info("answered", request=request.request_id, label=request.label)
        if moved and self._go_on:
            self.on_close_clip()
            await self._sit(seat, moved)
        else:
            await self._go_on_from(seat)

    async def _go_on_from(self, seat: Seat, but: str = "") -> None:
        """See HandErrands."""
        passed = self._passed | {but}
        following = self.board.next_request(self._actor.person, passed)
        self.on_close_clip()
        if self._go_on and following is not None:
            await self._sit(seat, following.request_id)
        else:
            self._back_to_board()

    def on_leave_request(self) -> None:
        """Go back to the board, and let somebody else answer."""
        if self._seat is None:
            return
        if self._seat.unsent is not None:
            label = self._seat.unsent.label
            said = labelled(label) if label else say("request.cannot_tell")
            self.tell(say("seat.dropped", said=said), bad=True)
        self._back_to_board()
        self._in_turn(self._seat.leave())

    async def _leave_seat(self) -> None:
        """Give the open request back: somebody else sits here now, or nobody."""
        self._back_to_board()
        if self._seat is not None:
            async with self._hands:
                await self._seat.leave()

    def _wanted(self) -> str:
        """See PeopleErrands."""
        sitting = self._seat.sitting if self._seat is not None else None
        return sitting.request_id if sitting is not None else ""

    def _come_back(self, wanted: str) -> None:
        """To the question if it is still open, else to the board."""
        if self.board.request(wanted) is not None:
            self.post_message(messages.OpenRequest(wanted))
        else:
            self._back_to_board()

    def _back_to_board(self) -> None:
        self.on_close_clip()
        if isinstance(self.screen, Choose):  # whoever was asked for is gone
            self.pop_screen()
        if isinstance(self.screen, RequestScreen):
            self.pop_screen()

    def on_undo(self) -> None:
        """Take the last answer back, while that is possible."""
        request_id = self._to_undo()
        if not request_id:
            self.tell(say("seat.is_final"))
            return
        self._ask(self._take_back(request_id))

    def _to_undo(self) -> str:
        """The request whose answer is taken back: the last one, wherever given."""
        undo, person = self._undo, self._actor.person
        if undo is not None and self._clock.monotonic() < undo.until_s:
            return undo.request_id
        mine = (r for r in self.board.requests if r.pending_by == person)
        return next((r.request_id for r in mine), "")

    async def _take_back(self, request_id: str) -> None:
        if self._link is not None:
            await self._link.undo(request_id, new_key())
            self._undo = None
            self._passed -= {request_id}
            self.tell(say("seat.taken_back"))
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

    def _open(self, screen: Screen[Any]) -> None:
        """Show a screen over the board; not over a question, which has a deadline."""
        if isinstance(self.screen, BoardScreen):
            self.push_screen(screen)
        else:
            self.tell(say("board.go_back_first"))

    def action_models(self) -> None:
        """Show the models."""
        self._open(ModelsScreen(sorted(self.board.families)))

    def action_numbers(self) -> None:
        """Show the key numbers."""
        self._open(NumbersScreen())

    def action_journal(self) -> None:
        """Show the journal."""
        self._open(JournalScreen())

    def action_sheet(self) -> None:
        """Show the hand-over sheet."""
        self._open(SheetScreen())

    def action_go_on(self) -> None:
        """Switch whether an answer opens the next question."""
        self._go_on = not self._go_on
        self.tell(say("board.goes_on" if self._go_on else "board.stays"))
