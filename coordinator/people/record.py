"""Commits about people, and whether it is known what became of each.

A commit that was late may yet be kept, and whoever made it has been told so. Until a
later commit has come back, which the store takes in order, nobody can say: what is in
memory is read again from the record meanwhile.
"""

from __future__ import annotations

from typing import Final

from coordinator.errors import StoreDegradedError
from coordinator.seams import Store
from coordinator.terms import IdempotencyKey, events

LATE: Final = "STORE_LATE"
"""Code of a commit that may yet be kept."""


class Record:
    """The store, as accounts and sessions write to it. It lives on the event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lates = 0
        self._late = False
        self._decided = False

    @property
    def unsure(self) -> bool:
        """Whether something may be on record that nobody here has heard of."""
        return self._late

    def mark(self) -> int | None:
        """Return a mark for was_read; None while something is still undecided.

        What is read after this call holds whatever was late before it.
        """
        return self._lates if self._decided else None

    def was_read(self, mark: int | None) -> None:
        """Note that everything was read again since a mark."""
        if mark == self._lates:
            self._late = False

    async def commit(
        self, event: events.Event, once: IdempotencyKey | None = None
    ) -> None:
        """Record one event; raises what the store raises."""
        before = self._lates
        try:
            await self._store.commit(event, once=once, reply="done")
        except StoreDegradedError as error:
            if error.code == LATE:
                self._lates += 1
                self._late, self._decided = True, False
            raise
        if before == self._lates:
            self._decided = True
