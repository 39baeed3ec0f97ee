"""The board: every cell, every open request, what is learned, what happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from tui.messages import (
    AskRelease,
    HoldCell,
    MaintainCell,
    OpenNext,
    OpenRequest,
    Tell,
    Undo,
)
from tui.scene import Scene
from tui.screens.frame import Frame
from tui.terms import CellState
from tui.widgets.cells import CellRows
from tui.widgets.happenings import Happenings
from tui.widgets.learning import LearningStrip
from tui.widgets.queue import QueueRows
from tui.words import say

PANELS: Final = ("cells", "questions", "learning", "lately")
"""The panels, by the key of their title."""

TWICE_S: Final = 3.0
"""Longest time between two presses that belong together, s."""


class BoardScreen(Frame):
    """Where a person waits, and sees who waits for a person."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "keys.open"),
        Binding("n,space", "next", "keys.next"),
        Binding("h", "hold", "keys.hold"),
        Binding("H", "hold_all", "keys.hold_all"),
        Binding("r", "release", "keys.release"),
        Binding("M", "maintain", "keys.maintain"),
        Binding("u", "undo", "keys.undo"),
        Binding("q", "app.quit", "keys.quit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._scene: Scene | None = None
        self._hold_all_s = float("-inf")
        self._cells = CellRows(id="cells")
        self._queue = QueueRows(id="queue")
        self._panels: tuple[Widget, ...] = ()

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        cells, queue = self._cells, self._queue
        learning, lately = LearningStrip(id="learning"), Happenings(id="lately")
        self._panels = (cells, queue, learning, lately)
        yield cells
        yield Container(queue, Container(learning, lately, id="beside"), id="below")

    def on_mount(self) -> None:
        """Begin at the questions: that is what people come for."""
        self._queue.focus()

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        keys = [
            ("Enter", say("keys.open")),
            ("n", say("keys.next_short")),
            ("Tab", say("keys.cells")),
        ]
        if any(c.state is CellState.HELD for c in scene.board.cells.values()):
            keys.append(("r", say("keys.release")))
        return [
            *keys,
            ("h", say("keys.hold_short")),
            ("H", say("keys.all")),
            ("l", say("keys.models")),
            ("t", say("teach.key_teach")),
            ("?", say("keys.help")),
            ("N", say("keys.numbers")),
            ("J", say("keys.journal")),
            ("O", say("keys.sheet")),
            ("M", say("keys.maintain")),
            ("^P", say("keys.palette")),
            ("q", say("keys.quit")),
        ]

    def show(self, scene: Scene) -> None:
        """See Frame."""
        self._scene = scene
        super().show(scene)
        waiting, audits = len(scene.board.questions), len(scene.board.requests)
        audits -= waiting
        for panel, name in zip(self._panels, PANELS, strict=True):
            panel.border_title = say(f"board.{name}")
        title = say("board.questions")
        title = f"{title} {waiting}" if waiting else title
        also = f", {say('board.audits')} {audits}" if audits else ""
        self._queue.border_title = f"{title}{also}"

    @property
    def _cell(self) -> str:
        """The cell that the person means: the one chosen, or the one that asks."""
        cells, queue = self._cells, self._queue
        if queue.has_focus and self._scene is not None:
            request = self._scene.board.request(queue.chosen)
            if request is not None:
                return request.cell_id
        return cells.chosen

    def choose_cell(self, step: int) -> None:
        """Move the cursor of the cells, which is then what a key is about."""
        self._cells.focus()
        self._cells.action_move(step)

    def action_open(self) -> None:
        """Open the chosen request, or the one that the chosen cell waits for."""
        request_id = self._queue.chosen
        if self._cells.has_focus and self._scene is not None:
            cell = self._scene.board.cells.get(self._cells.chosen)
            if cell is not None and cell.state is CellState.HELD:
                self.post_message(AskRelease(cell.cell_id))
                return
            request_id = cell.request_id if cell is not None else ""
        if request_id:
            self.post_message(OpenRequest(request_id))
        else:
            self.post_message(Tell(say("board.nothing_here")))

    def action_next(self) -> None:
        """Open the most urgent request."""
        self.post_message(OpenNext())

    def action_hold(self) -> None:
        """Pull the cord of the chosen cell."""
        if self._cell:
            self.post_message(HoldCell(self._cell))

    def action_hold_all(self) -> None:
        """Pull every cord, at the second press."""
        if self._scene is None:
            return
        if self._scene.now_s - self._hold_all_s < TWICE_S:
            self._hold_all_s = float("-inf")
            self.post_message(HoldCell(""))
            return
        self._hold_all_s = self._scene.now_s
        count = len(self._scene.board.cells)
        text = say("board.press_again", count=count)
        self.post_message(Tell(text, bad=True))

    def action_release(self) -> None:
        """Ask about the part of the chosen cell, or of the only one that is held."""
        if self._scene is None:
            return
        held = [
            cell.cell_id
            for cell in self._scene.board.cells.values()
            if cell.state is CellState.HELD
        ]
        if self._cell in held:
            self.post_message(AskRelease(self._cell))
        elif len(held) == 1:
            self.post_message(AskRelease(held[0]))
        elif held:
            self.post_message(Tell(say("board.choose_cell")))
        else:
            self.post_message(Tell(say("board.none_held")))

    def action_maintain(self) -> None:
        """Take the chosen cell out of work, or back."""
        if self._cell:
            self.post_message(MaintainCell(self._cell))

    def action_undo(self) -> None:
        """Take the last answer back."""
        self.post_message(Undo())
