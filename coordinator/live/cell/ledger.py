"""What happened to one cell, on its way into the journal.

A hold takes effect without waiting for a disk, so what is written down runs behind what
is true. Only the cell's own loop commits here: the order in the journal is the order in
which things happened, and nothing is written twice or left out.
"""

from __future__ import annotations

from coordinator import log
from coordinator.errors import (
    AlreadyDoneError,
    ConflictError,
    KeyReusedError,
    NotFoundError,
)
from coordinator.live.cell.record import CellRecord
from coordinator.seams import Store
from coordinator.terms import IdempotencyKey, SensorWindow, events

_log = log.get("live")


class Ledger:
    """Makes one cell's events durable, what was not written down yet before them."""

    def __init__(self, cell: CellRecord, store: Store) -> None:
        self._cell = cell
        self._store = store

    async def commit(
        self,
        *happened: events.Event,
        window: SensorWindow | None = None,
        once: IdempotencyKey | None = None,
        reply: str = "",
    ) -> None:
        """Make events durable in one transaction, after all that happened before.

        What fails is kept for the next time, apart from `happened`: the caller knows
        whether it still holds then. Raises like StoreWriter.commit.
        """
        waiting = self._cell.unrecorded  # others only append to it meanwhile
        count = len(waiting)
        try:
            await self._store.commit(
                *waiting, *happened, window=window, once=once, reply=reply
            )
        except (AlreadyDoneError, KeyReusedError):
            raise
        except (ConflictError, NotFoundError):
            if not count:
                raise
            await self._one_by_one(count)
            if happened:
                await self._store.commit(
                    *happened, window=window, once=once, reply=reply
                )
        else:
            del waiting[:count]

    async def record(self) -> None:
        """Write down what was not written down yet."""
        if self._cell.unrecorded:
            await self.commit()

    async def _one_by_one(self, count: int) -> None:
        """Keep what may be kept: one refused event must not bar the way for ever."""
        for _ in range(count):
            event = self._cell.unrecorded[0]
            try:
                await self._store.commit(event)
            except (ConflictError, NotFoundError) as error:
                _log.error(
                    "journal_refused",
                    cell=self._cell.cell_id,
                    kind=type(event).__name__,
                    text=error.text,
                )
            del self._cell.unrecorded[0]
