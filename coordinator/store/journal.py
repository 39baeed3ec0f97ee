"""The journal's hash chain: each entry's hash covers the one before it.

h(n) = SHA-256(h(n-1), seq, recorded_at, kind, payload), and h(0) is taken over the
store's identity, so entries of another store do not fit. A changed, inserted, removed
or reordered entry breaks the chain at that place; a cut tail does not, which is why the
head is also kept beside the store (store/checkpoint.py).
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from coordinator.errors import StoreIntegrityError
from coordinator.seams import JournalHead
from coordinator.store.codec import read_time
from coordinator.terms.events import JournalEntry

EMPTY_HASH: Final = "0" * 64
"""What the head of an empty journal is called."""

Row = tuple[int, str, str, str, str]
"""As in the table: seq, recorded_at, kind, payload, hash."""

APPEND: Final = "INSERT INTO journal VALUES (?, ?, ?, ?, ?)"
SELECT: Final = "SELECT seq, recorded_at, kind, payload, hash FROM journal"


def genesis(store_id: str) -> str:
    """Return h(0) of a store."""
    return hashlib.sha256(f"andon journal 1\n{store_id}\n".encode()).hexdigest()


def link(previous: str, seq: int, recorded_at: str, kind: str, payload: str) -> str:
    """Return the hash of an entry, in hexadecimal."""
    content = hashlib.sha256(bytes.fromhex(previous))
    content.update(f"{seq}\n{recorded_at}\n{kind}\n{payload}".encode())
    return content.hexdigest()


@dataclass(frozen=True, slots=True)
class Chain:
    """Where the chain stands: what the next entry is linked to.

    Attributes:
        store_id: Identity of the store.
        seq: Number of entries.
        hash: Hash of the newest entry, or the genesis hash.
    """

    store_id: str
    seq: int
    hash: str

    @property
    def head(self) -> JournalHead:
        """The same, as others see it."""
        return JournalHead(
            self.store_id, self.seq, self.hash if self.seq else EMPTY_HASH
        )

    def append(self, recorded_at: str, kind: str, payload: str) -> tuple[Chain, Row]:
        """Return the chain after one more entry, and the entry's row."""
        seq = self.seq + 1
        found = link(self.hash, seq, recorded_at, kind, payload)
        return Chain(self.store_id, seq, found), (
            seq,
            recorded_at,
            kind,
            payload,
            found,
        )

    def follow(self, row: Row) -> Chain:
        """Return the chain after an entry that was read.

        Raises:
            StoreIntegrityError: the entry does not fit here.
        """
        seq, recorded_at, kind, payload, said = row
        if seq != self.seq + 1:
            raise StoreIntegrityError(f"entry {self.seq + 1} is missing.")
        if link(self.hash, seq, recorded_at, kind, payload) != said:
            raise StoreIntegrityError(f"entry {seq} is not what was recorded.")
        return Chain(self.store_id, seq, said)


def read_store_id(db: sqlite3.Connection) -> str:
    """Return the identity of a store.

    Raises:
        StoreIntegrityError: it has none.
    """
    row = db.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()
    if row is None:
        raise StoreIntegrityError("the store does not say which store it is.")
    return str(row[0])


def read_chain(db: sqlite3.Connection) -> Chain:
    """Return where the chain of a store stands."""
    store_id = read_store_id(db)
    row = db.execute(f"{SELECT} ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        return Chain(store_id, 0, genesis(store_id))
    return Chain(store_id, row[0], row[4])


def rows(db: sqlite3.Connection, after: int = 0) -> Iterator[Row]:
    """Return the entries after a sequence number, in order."""
    return db.execute(f"{SELECT} WHERE seq > ? ORDER BY seq", (after,))


def check_tail(db: sqlite3.Connection, entries: int) -> None:
    """Follow the chain through the newest entries.

    Raises:
        StoreIntegrityError: an entry does not fit, or they are not numbered densely.
    """
    chain = read_chain(db)
    before = max(0, chain.seq - entries)
    at = Chain(chain.store_id, 0, genesis(chain.store_id))
    if before:
        row = db.execute(f"{SELECT} WHERE seq = ?", (before,)).fetchone()
        if row is None:
            raise StoreIntegrityError(f"entry {before} is missing.")
        if not re.fullmatch("[0-9a-f]{64}", row[4]):
            raise StoreIntegrityError(f"entry {before} is not what was recorded.")
        at = Chain(chain.store_id, before, row[4])
    for row in rows(db, before):
        at = at.follow(row)


def entry(row: Row) -> JournalEntry:
    """Return an entry as others see it."""
    seq, recorded_at, kind, payload, found = row
    return JournalEntry(seq, read_time(recorded_at), kind, payload, found)
