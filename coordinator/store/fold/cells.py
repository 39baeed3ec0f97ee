"""Sessions, states and holds of cells."""

from __future__ import annotations

import json
from collections.abc import Iterable

from coordinator.errors import StaleEpochError
from coordinator.store.codec import dumps
from coordinator.store.fold.place import Place
from coordinator.terms import CellState, Decision, HoldReason, WindowKind
from coordinator.terms.events import (
    CellMoved,
    HoldConfirmed,
    HoldPlaced,
    HoldReleased,
    HoldUnconfirmed,
    SessionOpened,
    WindowDecided,
)

COUNTS = {
    decision: tuple(int(decision is one) for one in Decision) for decision in Decision
}
"""What one verdict adds to the three counts of its cell."""

NEW = "INSERT INTO cells VALUES (?, ?, '[]', 'offline', 0, 0, 0, ?)"


def session_opened(at: Place, event: SessionOpened) -> None:
    """Guard: the epoch is greater than any before."""
    row = at.row("SELECT epoch FROM cells WHERE cell_id = ?", (event.cell_id,))
    if row is None and event.epoch > 0:
        at.change(NEW, (event.cell_id, event.epoch, at.seq))
        return
    if not at.change(
        "UPDATE cells SET epoch = ? WHERE cell_id = ? AND epoch < ?",
        (event.epoch, event.cell_id, event.epoch),
    ):
        raise StaleEpochError(f"{event.epoch}, current {row[0] if row else 0}.")


def cell_moved(at: Place, event: CellMoved) -> None:
    """Guard: no newer session."""
    at.fence(event.cell_id, event.epoch)
    at.change(
        """INSERT INTO cells VALUES (?, ?, ?, ?, 0, 0, 0, ?) ON CONFLICT (cell_id)
        DO UPDATE SET reasons = excluded.reasons, state = excluded.state""",
        (
            event.cell_id,
            event.epoch,
            write_reasons(event.reasons),
            event.after.value,
            at.seq,
        ),
    )


def window_counted(at: Place, event: WindowDecided) -> None:
    """Count the verdicts about decision windows."""
    if event.kind is not WindowKind.DECISION:
        return
    at.change(
        """INSERT INTO cells VALUES (?, ?, '[]', ?, ?, ?, ?, ?) ON CONFLICT (cell_id)
        DO UPDATE SET act = act + excluded.act, ask = ask + excluded.ask,
        hold = hold + excluded.hold""",
        (
            event.cell_id,
            event.epoch,
            CellState.OFFLINE.value,
            *COUNTS[event.verdict.decision],
            at.seq,
        ),
    )


def hold_placed(at: Place, event: HoldPlaced) -> None:
    """Latch the reason, whatever state the cell is in."""
    latched = _reasons(at, event.cell_id)
    _latch(at, event.cell_id, {*latched, event.reason})


def hold_released(at: Place, event: HoldReleased) -> None:
    """Clear the reasons that were released."""
    latched = _reasons(at, event.cell_id)
    _latch(at, event.cell_id, latched.difference(event.reasons))


def hold_unconfirmed(at: Place, event: HoldUnconfirmed) -> None:
    """Remember that nobody knows whether the robot stands."""
    at.change(
        "INSERT OR REPLACE INTO unconfirmed VALUES (?, ?, ?)",
        (event.cell_id, event.epoch, at.seq),
    )


def hold_confirmed(at: Place, event: HoldConfirmed) -> None:
    """Forget it again."""
    at.change("DELETE FROM unconfirmed WHERE cell_id = ?", (event.cell_id,))


def write_reasons(reasons: Iterable[HoldReason]) -> str:
    """Return hold reasons as JSON, most severe first."""
    return dumps([one.name for one in sorted(set(reasons), reverse=True)])


def read_reasons(text: str) -> tuple[HoldReason, ...]:
    """Return what write_reasons wrote."""
    return tuple(HoldReason[name] for name in json.loads(text))


def _reasons(at: Place, cell_id: str) -> set[HoldReason]:
    row = at.row("SELECT reasons FROM cells WHERE cell_id = ?", (cell_id,))
    return set() if row is None else set(read_reasons(row[0]))


def _latch(at: Place, cell_id: str, reasons: Iterable[HoldReason]) -> None:
    at.change(
        """INSERT INTO cells VALUES (?, 0, ?, 'offline', 0, 0, 0, ?)
        ON CONFLICT (cell_id) DO UPDATE SET reasons = excluded.reasons""",
        (cell_id, write_reasons(reasons), at.seq),
    )
