"""The labelling party: one stored window after another, a key each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from tui.lessons import Desk, Stage
from tui.messages import (
    JoinParty,
    LeaveParty,
    TeachAlike,
    TeachOrder,
    TeachSkip,
    TeachUndo,
    TeachWord,
)
from tui.scene import Scene
from tui.screens.frame import Frame
from tui.widgets.lesson import LabelKeys, LessonAbout, PartyProgress
from tui.widgets.strips import Strips
from tui.words import say


class TeachScreen(Frame):
    """A key labels the window and brings the next one; what a model said is hidden."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(n), f"label({n - 1})", "teach.key_label", show=False)
            for n in range(1, 10)
        ),
        Binding("0", "cannot_tell", "request.cannot_tell"),
        Binding("m", "more", "request.other_labels"),
        Binding("u", "undo", "keys.undo"),
        Binding("space", "skip", "teach.key_skip"),
        Binding("equals_sign", "alike", "teach.key_alike"),
        Binding("o", "order", "teach.key_order"),
        Binding("left", "family(-1)", "keys.family", show=False),
        Binding("right", "family(1)", "keys.family", show=False),
        Binding("escape", "leave", "keys.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._families: tuple[str, ...] = ()
        self._place = 0
        self._desk: Desk | None = None
        self._strips = Strips(id="strips")
        self._labels = LabelKeys()

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        yield LessonAbout()
        with Container(id="evidence"):
            yield self._strips
            with Container(id="said"):
                yield self._labels
        yield PartyProgress()

    def on_mount(self) -> None:
        """Let up and down move through the channels."""
        self._strips.focus()

    def _join(self) -> None:
        self.post_message(JoinParty(self._families[self._place]))

    def show(self, scene: Scene) -> None:
        """See Frame."""
        self._desk = scene.teaching
        if not self._families and scene.board.families:
            self._families = tuple(sorted(scene.board.families))
            self._join()
        super().show(scene)
        shown = scene.teaching.shown if scene.teaching else None
        self._strips.show_evidence(shown.evidence if shown else None)

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        stage = scene.teaching.stage if scene.teaching else Stage.COMING
        help_ = ("?", say("keys.help"))
        undo = ("u", say("keys.undo"))
        if stage is Stage.EDGE:
            return [
                ("1-9", say("teach.key_label_all")),
                ("Esc", say("teach.key_only_one")),
                ("↑↓", say("keys.scroll")),
                help_,
            ]
        if stage is not Stage.LOOKING:
            return [undo, *self._turns(), ("Esc", say("keys.board")), help_]
        return [
            ("1-9", say("teach.key_label")),
            ("0", say("request.cannot_tell")),
            undo,
            ("Space", say("teach.key_skip")),
            ("=", say("teach.key_alike")),
            ("Esc", say("keys.board")),
            help_,
            ("o", say("teach.key_order")),
            *self._turns(),
        ]

    def _turns(self) -> list[tuple[str, str]]:
        return [("← →", say("keys.family"))] if len(self._families) > 1 else []

    def action_label(self, place: int) -> None:
        """Say that the window is what that key means."""
        labels = self._labels.options
        if place < len(labels):
            self.post_message(TeachWord(labels[place].name))

    def action_cannot_tell(self) -> None:
        """Say that it cannot be told; the edge of many is never answered so."""
        if self._desk is None or self._desk.stage is Stage.LOOKING:
            self.post_message(TeachWord(""))

    def action_more(self) -> None:
        """Show the other labels on the keys."""
        self._labels.turn()

    def action_undo(self) -> None:
        """Take the last word back."""
        self.post_message(TeachUndo())

    def action_skip(self) -> None:
        """Leave the window to others."""
        if self._desk is not None and self._desk.stage is Stage.LOOKING:
            self.post_message(TeachSkip())

    def action_alike(self) -> None:
        """Label what is nearly the same with it."""
        self.post_message(TeachAlike())

    def action_order(self) -> None:
        """Show the oldest first, or what teaches most."""
        self.post_message(TeachOrder())

    def action_family(self, step: int) -> None:
        """Label another family's windows."""
        if len(self._families) > 1:
            self._place = (self._place + step) % len(self._families)
            self._join()

    def action_leave(self) -> None:
        """Go back."""
        self.post_message(LeaveParty())
