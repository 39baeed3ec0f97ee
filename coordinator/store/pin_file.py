"""The hashes of PINs: a file of its own, because a journal forgets nothing.

A PIN is short. Whoever has its hash can try them all, so the hash stands in no entry
that is exported or audited: the journal cites its digest, and here it is kept under
it. A hash that no account cites any more is gone from the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from coordinator.errors import StoreDegradedError, StoreIntegrityError
from coordinator.terms import Digest

PINS: Final = "people.pins"


def digest_of(kept: str) -> Digest:
    """SHA-256 over the text of a hash; its salt keeps the PIN from being tried."""
    return Digest(hashlib.sha256(kept.encode()).hexdigest())


class PinFile:
    """The file, read whole and replaced whole; without a path it lives in memory.

    Raises:
        StoreIntegrityError: it is there and cannot be read.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._kept: dict[Digest, str] = {}
        if path is not None and path.exists():
            self._kept = _read(path)

    def hash_of(self, digest: Digest) -> str:
        """Return the hash that an account cites.

        Raises:
            StoreIntegrityError: it is not there, or not the one that was kept.
        """
        kept = self._kept.get(digest)
        if kept is None or digest_of(kept) != digest:
            raise StoreIntegrityError(
                "a PIN is not kept as the journal says. Give the person a new one."
            )
        return kept

    def keep(self, kept: str) -> Digest:
        """Keep a hash, durably; return the digest to cite. Blocks.

        Raises:
            StoreDegradedError: the disk is full or failing.
        """
        digest = digest_of(kept)
        self._write({**self._kept, digest: kept})
        return digest

    def forget_all_but(self, cited: Collection[Digest]) -> None:
        """Remove the hashes that no account cites any more; raises like keep()."""
        left = {digest: kept for digest, kept in self._kept.items() if digest in cited}
        if left != self._kept:
            self._write(left)

    def _write(self, content: dict[Digest, str]) -> None:
        if self._path is not None:
            try:
                _replace(self._path, json.dumps(content, indent=1, sort_keys=True))
            except OSError as error:
                raise StoreDegradedError(
                    f"the PIN could not be kept: {error.strerror}."
                ) from error
        self._kept = content


def _read(path: Path) -> dict[Digest, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreIntegrityError(f"{path.name} cannot be read.") from error
    if not isinstance(content, dict):
        raise StoreIntegrityError(f"{path.name} cannot be read.")
    return {Digest(str(digest)): str(kept) for digest, kept in content.items()}


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, for its owner's eyes alone."""
    new = path.with_name(f"{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
