"""What happened to one cell, on its way into the journal.

A hold takes effect without waiting for a disk, so what is written down runs behind what
is true. Only the cell's own loop commits here: the order in the journal is the order in
which things happened, and nothing is written twice or left out. While a slow disk holds
a commit, and nobody knows whether it is kept, this cell brings no other one.
"""

from __future__ import annotations

from collections.abc import Sequence

from coordinator import log
from coordinator.errors import (
    AlreadyDoneError,
    AndonError,
    ConflictError,
    KeyReusedError,
    NotFoundError,
    StoreLateError,
)
from coordinator.live.cell.record import CellRecord
from coordinator.seams import Store, Then, nothing_follows
from coordinator.terms import IdempotencyKey, SensorWindow, events
from coordinator.terms.events import JournalEntry

_log = log.get("live")


class Ledger:
    """Makes one cell's events durable, what was not written down yet before them."""

    def __init__(self, cell: CellRecord, store: Store) -> None:
        self._cell = cell
        self._store = store
        self._late: StoreLateError | None = None

    async def commit(
        self,
        *happened: events.Event,
        window: SensorWindow | None = None,
        once: IdempotencyKey | None = None,
        reply: str = "",
        then: Then = nothing_follows,
    ) -> None:
        """Make events durable in one transaction, after all that happened before.

        What fails is kept for the next time, apart from `happened`: the caller knows
        whether it still holds then. Raises like StoreWriter.commit.
        """
        waiting = tuple(self._cell.unrecorded)
        try:
            await self._commit(
                *waiting, *happened, window=window, once=once, reply=reply, then=then
            )
        except (AlreadyDoneError, KeyReusedError):
            raise
        except (ConflictError, NotFoundError):
            if not waiting:
                raise
            await self._one_by_one(waiting)
            if happened:
                await self._commit(
                    *happened, window=window, once=once, reply=reply, then=then
                )

    async def record(self) -> None:
        """Write down what was not written down yet."""
        if self._cell.unrecorded:
            await self.commit()

    async def _commit(
        self,
        *happened: events.Event,
        window: SensorWindow | None = None,
        once: IdempotencyKey | None = None,
        reply: str = "",
        then: Then = nothing_follows,
    ) -> None:
        if self._late is not None and not self._late.is_known():
            raise StoreLateError(self._late.text, self._late.is_known)

        def written(entries: tuple[JournalEntry, ...]) -> None:
            self._cell.written(happened)
            then(entries)

        self._cell.under_way = happened
        try:
            await self._store.commit(
                *happened, window=window, once=once, reply=reply, then=written
            )
        except StoreLateError as late:
            self._late = late
            raise
        except AndonError:
            self._cell.under_way = ()
            raise

    async def _one_by_one(self, waiting: Sequence[events.Event]) -> None:
        """Keep what may be kept: one refused event must not bar the way for ever."""
        for event in waiting:
            try:
                await self._commit(event)
            except (ConflictError, NotFoundError) as error:
                _log.error(
                    "journal_refused",
                    cell=self._cell.cell_id,
                    kind=type(event).__name__,
                    text=error.text,
                )
                self._cell.written((event,))
