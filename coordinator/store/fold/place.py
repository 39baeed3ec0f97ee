"""Where a fold stands: the entry whose event changes the tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coordinator.errors import IllegalTransitionError, StaleEpochError


@dataclass(frozen=True, slots=True)
class Place:
    """One journal entry, inside the transaction that appends it.

    Attributes:
        db: The writer's connection, or verify's.
        seq: The entry.
        recorded_at: Its time, as written.
    """

    db: sqlite3.Connection
    seq: int
    recorded_at: str

    def change(self, sql: str, values: Sequence[Any]) -> int:
        """Run one statement; return how many rows it changed."""
        return self.db.execute(sql, values).rowcount

    def row(self, sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        """Return the one row asked for, or None."""
        found: tuple[Any, ...] | None = self.db.execute(sql, values).fetchone()
        return found

    def add(self, sql: str, values: Sequence[Any], taken: str) -> None:
        """Insert one row.

        Raises:
            IllegalTransitionError: its key is there; the text is `taken`.
        """
        try:
            self.db.execute(sql, values)
        except sqlite3.IntegrityError as error:
            raise IllegalTransitionError(taken, "ALREADY_THERE") from error

    def fence(self, cell_id: str, epoch: int) -> None:
        """Let nothing of an older session through.

        Raises:
            StaleEpochError: the cell had a newer session.
        """
        row = self.row("SELECT epoch FROM cells WHERE cell_id = ?", (cell_id,))
        if row is not None and epoch < row[0]:
            raise StaleEpochError(f"{epoch}, current {row[0]}.")
