"""A store's files, read by the command line over connections that cannot write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from coordinator.errors import NotFoundError
from coordinator.store import reader
from coordinator.store.database import DATABASE, open_reader, translated
from coordinator.terms.events import JournalEntry

PAGE = 5_000
"""Journal entries read at a time."""


@contextmanager
def reading(data_dir: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can only read; a coordinator may be writing meanwhile.

    Raises:
        NotFoundError: there is no store in the folder.
        StoreError: it cannot be read.
    """
    file = data_dir / DATABASE
    if not file.is_file():
        raise NotFoundError(
            f"there is no store in {data_dir}. Name the configuration with --config.",
            "NO_STORE",
        )
    with translated(), closing(open_reader(file)) as db:
        yield db


def all_entries(data_dir: Path, *, after_seq: int = 0) -> Iterator[JournalEntry]:
    """Every journal entry after a sequence number, in order; raises like reading()."""
    with reading(data_dir) as db:
        while page := reader.entries(db, after_seq, PAGE):
            yield from page
            after_seq = page[-1].seq
