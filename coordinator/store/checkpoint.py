"""The head beside the store: a witness that the journal once was this long.

A hash chain does not see that its tail was cut: when `-wal` was deleted, or the file
was copied without it. So the newest head is written into a small file of its own after
each commit. Two slots of one sector each take turns, so that a power cut can spoil one
of them at most; the file is synced when the store is closed. The head is only written
when its entries are durable: the store can be ahead of it, never behind.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Final

from coordinator.errors import StoreIntegrityError
from coordinator.seams import JournalHead
from coordinator.store.codec import dumps

SLOT: Final = 512
"""Bytes; disks write a sector whole or not at all."""


def _check(head: JournalHead) -> str:
    return hashlib.sha256(
        f"{head.store_id} {head.seq} {head.hash}".encode()
    ).hexdigest()


class Checkpoint:
    """The open file. Not thread-safe: the writer thread owns it."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._turn = 0

    def write(self, head: JournalHead) -> None:
        """Note a head whose entries are durable; not synced.

        Raises:
            OSError: the disk is failing.
        """
        content = {
            "check": _check(head),
            "hash": head.hash,
            "seq": head.seq,
            "store_id": head.store_id,
        }
        line = dumps(content).ljust(SLOT - 1) + "\n"
        os.pwrite(self._fd, line.encode(), self._turn * SLOT)
        self._turn = 1 - self._turn

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def read_checkpoint(path: Path) -> JournalHead | None:
    """Return the newest head that was noted, None if no file is there.

    Raises:
        StoreIntegrityError: the file cannot be read as one.
    """
    if not path.exists():
        return None
    content = path.read_bytes()
    slots = (content[:SLOT], content[SLOT : 2 * SLOT])
    heads = [head for slot in slots if (head := _read_slot(slot)) is not None]
    if not heads:
        raise StoreIntegrityError("the head that is kept beside the store is damaged.")
    return max(heads, key=lambda head: head.seq)


def _read_slot(slot: bytes) -> JournalHead | None:
    try:
        content = json.loads(slot)
        head = JournalHead(content["store_id"], content["seq"], content["hash"])
        return head if content["check"] == _check(head) else None
    except (KeyError, TypeError, ValueError):
        return None
