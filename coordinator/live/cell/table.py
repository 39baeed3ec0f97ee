"""The cell's state machine, as data.

Theory of operation
-------------------
The table says everything that can change a cell's state; machine.py only executes it
and docs/path.md draws it. Four rules hold for every row:

1. LINK_LOST leads to OFFLINE from every state; a cell without a session is held by its
   own node.
2. HOLD leads to HELD from every state in which the cell could move or be permitted to.
3. Only RELEASED leaves HELD towards work, and it always carries a name. Connecting,
   reconnecting, time, training and restarts never do.
4. Work is entered only from IDLE by STARTED, from DECIDING by ACT and from ASKING by
   ANSWERED; each of these has a permit behind it that is already durable.

A pair that is missing is illegal: machine.py raises IllegalTransitionError and the cell
stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from coordinator.terms import CellEvent, CellState

_E = CellEvent
_S = CellState

TRANSITIONS: Final[Mapping[CellState, Mapping[CellEvent, CellState]]] = (
    MappingProxyType(
        {
            _S.OFFLINE: {
                _E.CONNECTED: _S.HELD,
                _E.LINK_LOST: _S.OFFLINE,
                _E.HOLD: _S.OFFLINE,
            },
            _S.IDLE: {
                _E.STARTED: _S.WORKING,
                _E.WINDOW: _S.DECIDING,
                _E.HOLD: _S.HELD,
                _E.LINK_LOST: _S.OFFLINE,
                _E.MAINTENANCE_ON: _S.MAINTENANCE,
            },
            _S.WORKING: {
                _E.WINDOW: _S.DECIDING,
                _E.HOLD: _S.HELD,
                _E.LINK_LOST: _S.OFFLINE,
                _E.MAINTENANCE_ON: _S.MAINTENANCE,
            },
            _S.DECIDING: {
                _E.ACT: _S.WORKING,
                _E.ASK: _S.ASKING,
                _E.HOLD: _S.HELD,
                _E.LINK_LOST: _S.OFFLINE,
                _E.MAINTENANCE_ON: _S.MAINTENANCE,
            },
            _S.ASKING: {
                _E.ANSWERED: _S.WORKING,
                _E.EXPIRED: _S.HELD,
                _E.HOLD: _S.HELD,
                _E.LINK_LOST: _S.OFFLINE,
                _E.MAINTENANCE_ON: _S.MAINTENANCE,
            },
            _S.HELD: {
                _E.RELEASED: _S.IDLE,
                _E.HOLD: _S.HELD,
                _E.LINK_LOST: _S.OFFLINE,
                _E.MAINTENANCE_ON: _S.MAINTENANCE,
            },
            _S.MAINTENANCE: {
                _E.MAINTENANCE_OFF: _S.HELD,
                _E.HOLD: _S.MAINTENANCE,
                _E.LINK_LOST: _S.OFFLINE,
            },
        }
    )
)


def diagram() -> str:
    """Draw the table as a Mermaid state diagram, for docs/path.md."""
    lines = ["stateDiagram-v2", "    [*] --> offline"]
    lines += [
        f"    {source.value} --> {dest.value}: {event.value}"
        for source, row in TRANSITIONS.items()
        for event, dest in row.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    import sys

    sys.stdout.write(diagram() + "\n")
