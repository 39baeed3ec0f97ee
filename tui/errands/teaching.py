"""Errands of the labelling party: borrow windows, carry words, take them back."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Final

from textual.timer import Timer

from tui import messages
from tui.errands.core import Core
from tui.errors import TerminalError
from tui.lessons import Stage
from tui.scene import Scene
from tui.school import School
from tui.screens.board import BoardScreen
from tui.screens.teach import TeachScreen
from tui.teacher import Teacher
from tui.words import say

LOOK_S: Final = 2.0
"""Time between two looks at how far the party is, s."""


class TeachingErrands(Core):
    """What a person does at the labelling party."""

    _teacher: Teacher | None = None
    _looks: Timer | None = None

    def scene(self) -> Scene:
        """The picture of this moment."""
        desk = self._teacher.desk if self._teacher is not None else None
        return replace(super().scene(), teaching=desk)

    def action_teach(self) -> None:
        """Join the labelling party."""
        if isinstance(self.screen, BoardScreen):
            self.push_screen(TeachScreen())
        else:
            self.tell(say("board.go_back_first"))

    def on_join_party(self, message: messages.JoinParty) -> None:
        """Begin with one family's windows."""
        if self._link is None:
            return
        self._leave_party()
        school = School(self._link, message.family)
        self._teacher = Teacher(school, message.family, self._clock, self.tell)
        self._ask(self._teacher.fill())
        self._looks = self.set_interval(LOOK_S, self._look_at_party)

    def _look_at_party(self) -> None:
        if self._teacher is not None and self.board.connected:
            self._quietly(self._teacher.look())

    def on_teach_word(self, message: messages.TeachWord) -> None:
        """Take a word, and show the next window before it has arrived."""
        teacher = self._teacher
        if teacher is None or not teacher.say(message.label):
            return
        self._repaint()
        self._quietly(teacher.fill())
        self._ask(teacher.send())

    def on_teach_alike(self) -> None:
        """Show what else would get the label."""
        if self._teacher is not None:
            self._ask(self._teacher.ask_alike())

    def on_teach_skip(self) -> None:
        """Show another window."""
        if self._teacher is not None:
            self._ask(self._teacher.skip())
            self._quietly(self._teacher.fill())

    def on_teach_order(self) -> None:
        """Show the oldest first, or what teaches most."""
        if self._teacher is not None:
            self._ask(self._teacher.turn_order())

    def on_teach_undo(self) -> None:
        """Take the last word back."""
        if self._teacher is not None:
            self._ask(self._teacher.take_back())

    def on_leave_party(self) -> None:
        """Back from the edge to the window, or from the party to the board."""
        teacher = self._teacher
        if teacher is not None and teacher.desk.stage is Stage.EDGE:
            self._ask(teacher.leave_edge())
            return
        self._leave_party()
        if isinstance(self.screen, TeachScreen):
            self.pop_screen()

    def _leave_party(self) -> None:
        if self._looks is not None:
            self._looks.stop()
            self._looks = None
        if self._teacher is not None:
            self._ask(self._teacher.leave())
            self._teacher = None

    def _quietly(self, errand: Coroutine[Any, Any, None]) -> None:
        """What goes on by itself is not worth a word when the link is gone."""

        async def run() -> None:
            try:
                await errand
            except TerminalError as error:
                self._record.info("party", text=error.text)

        self.run_worker(run(), group="party")
