"""One cell's state machine: the table of table.py, run by `transitions`.

It does no I/O and never awaits, so on the event loop an event happens whole or not at
all. What must follow a change (store, tell, command) is done by the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from transitions import Machine, MachineError

from coordinator.errors import IllegalTransitionError
from coordinator.live.cell.table import TRANSITIONS
from coordinator.terms import CellEvent, CellId, CellState


class CellMachine:
    """Holds one cell's state; apply() is the only way to change it."""

    state: CellState

    def __init__(self, cell_id: CellId) -> None:
        self.cell_id = cell_id
        machine = Machine(
            model=self,
            states=CellState,
            initial=CellState.OFFLINE,
            auto_transitions=False,
        )
        for source, row in TRANSITIONS.items():
            for event, dest in row.items():
                machine.add_transition(event.name, source, dest)

    def apply(self, event: CellEvent) -> CellState:
        """Let one event happen; return the state after it.

        Raises:
            IllegalTransitionError: the table has no row for this event in this state.
        """
        before = self.state
        try:
            self.trigger(event.name)
        except MachineError as error:
            raise IllegalTransitionError(
                f"{self.cell_id}: {event.value} means nothing while {before.value}."
            ) from error
        return self.state

    if TYPE_CHECKING:

        def trigger(self, name: str) -> bool:
            """Is added by `transitions` at run time."""
