"""Small questions over a screen: release a cell, are you sure, which keys there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from tui import look
from tui.messages import ReleaseCell
from tui.terms import Action, Cell
from tui.widgets.cells import held_because
from tui.words import plant, say


class ReleaseDialog(ModalScreen[ReleaseCell | None]):
    """Why the cell is held, and what is to be done with the part that waits."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "release('continue')", "release.accept_key"),
        Binding("w", "release('rework')", "release.again_key"),
        Binding("x", "release('reject')", "release.aside_key"),
        Binding("j", "release('unspecified')", "release.judge"),
        Binding("escape", "dismiss(None)", "release.leave"),
    ]

    def __init__(self, cell: Cell, held_for: str) -> None:
        super().__init__()
        self._cell = cell
        self._held_for = held_for

    def compose(self) -> ComposeResult:
        """Say why before offering how."""
        cell = self._cell
        known = say("release.part", part=cell.part_id)
        part = known if cell.part_id else say("release.the_part")
        with Container(classes="dialog"):
            yield Static(
                Content.assemble(
                    ("■ ", look.BAD),
                    (plant(cell.cell_id), look.STRONG),
                    (f"  {say('release.held_for', time=self._held_for)}\n", look.DIM),
                    (f"{held_because(cell)}\n\n", look.BAD),
                    (f"{say('release.look')}\n\n", look.DIM),
                    _keys(
                        ("c", say("release.accept", part=part)),
                        ("w", say("release.again", part=part)),
                        ("x", say("release.aside", part=part)),
                        ("j", say("release.judge")),
                        ("Esc", say("release.leave")),
                    ),
                )
            )

    def action_release(self, disposition: str) -> None:
        """Release with that word about the part."""
        self.dismiss(ReleaseCell(self._cell, Action(disposition)))


class Confirm(ModalScreen[bool]):
    """Are you sure: y, or anything that is not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,j", "dismiss(True)", "keys.yes"),
        Binding("n,escape", "dismiss(False)", "keys.no"),
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
                    _keys(
                        (say("dialog.yes_key"), say("keys.yes")), ("n", say("keys.no"))
                    ),
                )
            )


class Choose(ModalScreen[str | None]):
    """One of a few: up and down, Enter; Escape chooses none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "keys.no"),
    ]

    def __init__(self, question: str, options: Sequence[str]) -> None:
        super().__init__()
        self._question = question
        self._options = tuple(options)

    def compose(self) -> ComposeResult:
        """List them, in the words of the plant."""
        with Container(classes="dialog pick"):
            yield Static(Content.styled(self._question, look.STRONG))
            yield OptionList(*(Content(plant(option)) for option in self._options))
            text = say("dialog.choose" if self._options else "dialog.nothing_to_choose")
            yield Static(Content.styled(text, look.DIM))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take it."""
        self.dismiss(self._options[event.option_index])


class Help(ModalScreen[None]):
    """The keys that do something here, and what the lamps mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "keys.close"),
    ]

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._here = tuple(keys)

    def compose(self) -> ComposeResult:
        """List them, in two columns where they are many."""
        lamps = Content("  ").join(
            [
                Content.assemble((f"{lamp.shape} {lamp.word}", lamp.style))
                for lamp in look.LAMPS.values()
            ]
        )
        half = (len(self._here) + 1) // 2
        lines = []
        for left, right in zip_longest(self._here[:half], self._here[half:]):
            # Even the longest word leaves a blank before the second column.
            row = ((_help(left), 36), (Content(""), 1), (_help(right), 37))
            lines.append(look.columns(*row))
        with Container(classes="dialog wide"):
            yield Static(
                Content("\n").join(
                    [
                        *lines,
                        Content(""),
                        lamps,
                        Content.styled(say("help.palette"), look.DIM),
                    ]
                )
            )


def _help(key: tuple[str, str] | None) -> Content:
    if key is None:
        return Content("")
    return Content.assemble((f"{key[0]:<8}", "bold $accent"), f" {key[1]}")


def _keys(*keys: tuple[str, str]) -> Content:
    """One line a key."""
    return Content("\n").join(
        [
            Content.assemble((f"{key:<7}", "bold $accent"), f" {text}")
            for key, text in keys
        ]
    )
