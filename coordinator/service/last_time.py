"""How the coordinator before this one ended."""

from __future__ import annotations

from coordinator.people.accounts import CHANGED_OFFLINE
from coordinator.seams import StoreReader


async def was_unclean(store: StoreReader) -> bool:
    """Return whether it ended without saying so.

    Raises:
        StoreError: the journal cannot be read.
    """
    head = await store.head()
    last = await store.entries(max(head.seq - 64, 0), 64)
    told = [entry.kind for entry in last if entry.kind not in CHANGED_OFFLINE]
    return told[-1:] not in ([], ["CoordinatorStopped"])
