"""The board: every cell, every open request, what is learned, what happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from tui.messages import (
    AskRelease,
    HoldCell,
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

TWICE_S = 3.0
"""Longest time between two presses that belong together, s."""


class BoardScreen(Frame):
    """Where a person waits, and sees who waits for a person."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open"),
        Binding("n,space", "next", "most urgent"),
        Binding("h", "hold", "hold the cell"),
        Binding("H", "hold_all", "hold all"),
        Binding("r", "release", "release"),
        Binding("u", "undo", "undo"),
        Binding("q", "app.quit", "quit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._scene: Scene | None = None
        self._hold_all_s = float("-inf")
        self._cells = CellRows(id="cells")
        self._queue = QueueRows(id="queue")

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        cells, queue = self._cells, self._queue
        learning, lately = LearningStrip(id="learning"), Happenings(id="lately")
        titles = ("CELLS", "QUESTIONS", "LEARNING", "LATELY")
        for panel, title in zip((cells, queue, learning, lately), titles, strict=True):
            panel.border_title = title
        yield cells
        yield Container(queue, Container(learning, lately, id="beside"), id="below")

    def on_mount(self) -> None:
        """Begin at the questions: that is what people come for."""
        self._queue.focus()

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        keys = [("Enter", "open"), ("n", "next"), ("Tab", "cells")]
        if any(c.state is CellState.HELD for c in scene.board.cells.values()):
            keys.append(("r", "release"))
        return [
            *keys,
            ("h", "hold"),
            ("H", "all"),
            ("l", "models"),
            ("?", "help"),
            ("q", "quit"),
        ]

    def show(self, scene: Scene) -> None:
        """See Frame."""
        self._scene = scene
        super().show(scene)
        waiting, audits = len(scene.board.questions), len(scene.board.requests)
        audits -= waiting
        title = f"QUESTIONS {waiting}" if waiting else "QUESTIONS"
        self._queue.border_title = f"{title}, AUDITS {audits}" if audits else title

    @property
    def _cell(self) -> str:
        """The cell that the person means: the one chosen, or the one that asks."""
        cells, queue = self._cells, self._queue
        if queue.has_focus and self._scene is not None:
            request = self._scene.board.request(queue.chosen)
            if request is not None:
                return request.cell_id
        return cells.chosen

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
            self.post_message(Tell("Nothing is asked here."))

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
        text = f"Press H again to hold all {count} cells."
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
            self.post_message(Tell("Choose the cell first: Tab, then up and down."))
        else:
            self.post_message(Tell("No cell is held."))

    def action_undo(self) -> None:
        """Take the last answer back."""
        self.post_message(Undo())
