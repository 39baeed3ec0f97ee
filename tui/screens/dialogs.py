"""Small questions over a screen: release a cell, are you sure, which keys there are."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui import look
from tui.messages import ReleaseCell
from tui.terms import Action, Cell


class ReleaseDialog(ModalScreen[ReleaseCell | None]):
    """Why the cell is held, and what is to be done with the part that waits."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "release('continue')", "accept the part, go on"),
        Binding("w", "release('rework')", "do it again"),
        Binding("x", "release('reject')", "put the part aside"),
        Binding("j", "release('unspecified')", "judge again"),
        Binding("escape", "dismiss(None)", "leave it held"),
    ]

    def __init__(self, cell: Cell, held_for: str) -> None:
        super().__init__()
        self._cell = cell
        self._held_for = held_for

    def compose(self) -> ComposeResult:
        """Say why before offering how."""
        cell = self._cell
        part = f"part {cell.part_id}" if cell.part_id else "the part"
        with Container(classes="dialog"):
            yield Static(
                Content.assemble(
                    ("■ ", look.BAD),
                    (cell.cell_id, look.STRONG),
                    (f"  held for {self._held_for}\n", look.DIM),
                    (f"{look.REASONS[cell.reason]}\n", look.BAD),
                    (f"{cell.text}\n\n" if cell.text else "\n", ""),
                    ("Look at the cell. Then, in your name:\n\n", look.DIM),
                    _keys(
                        ("c", f"accept {part} and go on"),
                        ("w", f"do the operation again on {part}"),
                        ("x", f"put {part} aside and go on with the next"),
                        ("j", "let it be judged again, or no part waits"),
                        ("Esc", "leave it held"),
                    ),
                )
            )

    def action_release(self, disposition: str) -> None:
        """Release with that word about the part."""
        self.dismiss(ReleaseCell(self._cell, Action(disposition)))


class Confirm(ModalScreen[bool]):
    """Are you sure: y, or anything that is not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "yes"),
        Binding("n,escape", "dismiss(False)", "no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Ask."""
        with Container(classes="dialog"):
            yield Static(
                Content.assemble(
                    (f"{self._question}\n\n", look.STRONG),
                    _keys(("y", "yes"), ("n", "no")),
                )
            )


_HELP: Final = (
    ("BOARD", ""),
    ("↑ ↓", "choose a row"),
    ("Tab", "cells or questions"),
    ("Enter", "open the question: it is yours while you look at it"),
    ("n", "open the most urgent question"),
    ("r", "release a held cell, in your name"),
    ("h  H", "hold the chosen cell; all cells, at the second press"),
    ("a", "after an answer: next question, or back to the board"),
    ("l", "models: promote, roll back, train"),
    ("q", "quit"),
    ("QUESTION", ""),
    ("1-4  m", "answer; other labels on the same keys"),
    ("0", "cannot tell: it goes to the shift lead"),
    ("t", "take it from whoever has it"),
    ("c", "the full-rate clip around the moment, when it is here"),
    ("u", "take the last answer back, while that is possible"),
    ("↑ ↓", "more channels"),
    ("Esc", "back to the board: somebody else can answer"),
    ("CLIP", ""),
    ("← →", "earlier, later; + - closer, wider; w the window; Home all"),
    ("p  e", "pick channels; save it to a file"),
)


class Help(ModalScreen[None]):
    """Every key, and what the lamps mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "close"),
    ]

    def compose(self) -> ComposeResult:
        """List them."""
        lamps = Content("  ").join(
            [
                Content.assemble((f"{lamp.shape} {lamp.word}", lamp.style))
                for lamp in look.LAMPS.values()
            ]
        )
        with Container(classes="dialog wide"):
            yield Static(Content.assemble(_keys(*_HELP), "\n\n", lamps))


def _keys(*keys: tuple[str, str]) -> Content:
    """One line a key; a key without words is a heading."""
    return Content("\n").join(
        [
            Content.assemble((f"{key:<7}", "bold $accent"), f" {text}")
            if text
            else Content.styled(key, look.DIM)
            for key, text in keys
        ]
    )
