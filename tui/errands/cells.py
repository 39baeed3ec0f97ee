"""Errands about cells: pull the cord, let go, take out of work."""

from __future__ import annotations

from functools import partial

from tui import look, messages
from tui.errands.core import Core
from tui.evidence import Release
from tui.identity import new_key
from tui.screens.dialogs import ReleaseDialog
from tui.terms import CellState
from tui.words import plant, say


class CellErrands(Core):
    """What a person does to a cell, by name."""

    def on_hold_cell(self, message: messages.HoldCell) -> None:
        """Pull the cord."""
        self._ask(self._hold(message.cell_id), say("cells.not_held"))

    async def _hold(self, cell_id: str) -> None:
        if self._link is None:
            return
        held = await self._link.hold(cell_id)
        text = say("cells.held", cells=", ".join(map(plant, held.cells)))
        if not held.recorded:
            text += say("cells.not_recorded")
        self.tell(text, bad=not held.recorded)

    def on_ask_release(self, message: messages.AskRelease) -> None:
        """Show why the cell is held, and ask about its part."""
        cell = self.board.cells.get(message.cell_id)
        if cell is None:
            return
        since = look.ago(self._clock.monotonic() - cell.since_s)
        self.push_screen(ReleaseDialog(cell, since), self._release_asked)

    def _release_asked(self, message: messages.ReleaseCell | None) -> None:
        if message is not None:
            self._ask(self._release(message), say("cells.still_held"))

    async def _release(self, message: messages.ReleaseCell) -> None:
        cell = message.cell
        if self._link is None:
            return
        release = Release(cell.cell_id, cell.reason, message.disposition, new_key())
        await self._link.release(release)
        fate = look.ACTIONS[message.disposition] or say("cells.judge_again")
        name = plant(cell.cell_id)
        person = self._actor.person
        self.tell(say("cells.released", cell=name, person=person, fate=fate))

    def on_maintain_cell(self, message: messages.MaintainCell) -> None:
        """Take a cell out of work, or back, once confirmed."""
        cell = self.board.cells.get(message.cell_id)
        if cell is None:
            return
        out = cell.state is not CellState.MAINTENANCE
        name = plant(cell.cell_id)
        question = say("cells.ask_out" if out else "cells.ask_back", cell=name)
        self._confirm(question, partial(self._maintain, cell.cell_id, out=out))

    async def _maintain(self, cell_id: str, *, out: bool) -> None:
        if self._link is None:
            return
        await self._link.maintain(cell_id, new_key(), out=out)
        key = "cells.is_out" if out else "cells.is_back"
        self.tell(say(key, cell=plant(cell_id)))
