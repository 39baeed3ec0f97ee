"""The threads that read, each with a connection that cannot write."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from coordinator.store.database import open_reader, translated

T = TypeVar("T")

LOOKING: Final = 2
"""Threads for who looks back: reports, exports, pages of the journal."""
AT_WORK: Final = 1
"""Threads for the paths and the queue alone: short reads that nothing long delays."""


class Readers:
    """A few threads that read. It lives on the event loop."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._own = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._looking = ThreadPoolExecutor(LOOKING, thread_name_prefix="store-reader")
        self._at_work = ThreadPoolExecutor(AT_WORK, thread_name_prefix="store-at-work")

    async def read(
        self, ask: Callable[[sqlite3.Connection], T], *, at_work: bool = False
    ) -> T:
        """Ask in one transaction.

        Args:
            ask: The question; it runs on another thread.
            at_work: It is short, and a cell or a person's call waits for it.
        """
        threads = self._at_work if at_work else self._looking
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, self._ask, ask)

    def close(self) -> None:
        """Finish what is being read; blocks."""
        self._at_work.shutdown(wait=True)
        self._looking.shutdown(wait=True)
        for db in self._all:
            db.close()

    def _ask(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        """Ask on the calling thread's own connection."""
        with translated():
            db: sqlite3.Connection | None = getattr(self._own, "db", None)
            if db is None:
                db = self._own.db = open_reader(self._file)
                self._all.append(db)
            db.execute("BEGIN")
            try:
                return ask(db)
            finally:
                db.execute("ROLLBACK")
