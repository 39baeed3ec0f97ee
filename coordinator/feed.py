"""Fan-out of what happens to everybody who watches: terminals, tablets, tests.

A slow watcher loses its oldest changes and is told how many; it never slows the path.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from coordinator.terms import CellStatus, LearningStatus, OperatorRequest


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """Somebody came or went who can answer, or somebody answered."""


Change = CellStatus | OperatorRequest | LearningStatus | PresenceChanged
"""What a watcher is told: the new value of what changed."""


class Watcher:
    """One watcher's bounded queue. Not thread-safe: it lives on the event loop."""

    def __init__(self, capacity: int) -> None:
        self.missed = 0
        self._changes: deque[Change] = deque(maxlen=capacity)
        self._waiting = asyncio.Event()

    def offer(self, change: Change) -> None:
        """Keep a change, dropping the oldest when full."""
        if len(self._changes) == self._changes.maxlen:
            self.missed += 1
        self._changes.append(change)
        self._waiting.set()

    async def next(self) -> Change:
        """Return the oldest change kept, waiting if there is none."""
        while not self._changes:
            self._waiting.clear()
            await self._waiting.wait()
        return self._changes.popleft()

    def forget(self) -> int:
        """Drop everything kept; return how many changes were missed before."""
        missed, self.missed = self.missed, 0
        self._changes.clear()
        return missed


class Feed:
    """Where the paths say what changed."""

    def __init__(self, capacity: int = 256) -> None:
        self._capacity = capacity
        self._watchers: set[Watcher] = set()

    def publish(self, change: Change) -> None:
        """Tell every watcher; never blocks."""
        for watcher in self._watchers:
            watcher.offer(change)

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        """Watch until the block ends."""
        watcher = Watcher(self._capacity)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
