"""Clips as files: a clip has its name only when all of it is on the disk.

    <data dir>/clips/<clip id>.mcap        whole, read-only
    <data dir>/clips/<clip id>.part        being received; removed at the next start

The journal says which clips there are; a file that it does not name is a leftover of a
coordinator that was killed. One thread does all of it, so that no disk stops the loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncGenerator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Final, TypeVar

from coordinator.errors import StoreIntegrityError
from coordinator.store.database import translated
from coordinator.terms import ClipId, Digest

T = TypeVar("T")

FOLDER: Final = "clips"
WHOLE: Final = ".mcap"
PART: Final = ".part"
READ_BYTES: Final = 256 << 10
"""A piece that is read, and sent, at once."""


class ClipFolder:
    """The files of all clips; see seams.ClipFiles. Lives on one event loop.

    Args:
        data_dir: The store's directory.

    Raises:
        StoreDegradedError: the folder cannot be made.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="clips")
        with translated():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def close(self) -> None:
        """Finish what is under way."""
        await asyncio.to_thread(self._thread.shutdown)

    async def run(self, work: Callable[[], T]) -> T:
        """Do something with the disk, in this folder's thread."""

        def errors_translated() -> T:
            with translated():
                return work()

        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, errors_translated)

    def path(self, clip_id: ClipId, suffix: str = WHOLE) -> Path:
        """Where a clip's bytes are."""
        return self._folder / f"{clip_id}{suffix}"

    def forget(self, work: Callable[[], None]) -> None:
        """Do something with the disk after all that is queued; nobody waits for it."""
        self._thread.submit(work)

    def begin(self, clip_id: ClipId) -> Part:
        """See ClipFiles."""
        return Part(self, clip_id)

    async def read(self, clip_id: ClipId) -> AsyncGenerator[bytes]:
        """See ClipFiles."""
        # Removing a clip does not disturb who reads it: the descriptor lives.
        file = await self.run(lambda: _opened(self.path(clip_id), clip_id))
        try:
            while piece := await self.run(lambda: file.read(READ_BYTES)):
                yield piece
        finally:
            self.forget(file.close)

    async def remove(self, clip_id: ClipId) -> None:
        """See ClipFiles."""
        await self.run(lambda: self.path(clip_id).unlink(missing_ok=True))

    async def sweep(self, known: Collection[ClipId]) -> int:
        """See ClipFiles."""
        return await self.run(lambda: self._sweep(frozenset(known)))

    def _sweep(self, known: frozenset[ClipId]) -> int:
        left = [
            path
            for path in self._folder.iterdir()
            if path.suffix == PART
            or (path.suffix == WHOLE and ClipId(path.stem) not in known)
        ]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    async def free_bytes(self) -> int:
        """See ClipFiles."""
        return await self.run(lambda: shutil.disk_usage(self._folder).free)

    def sync(self) -> None:
        """Make the names in the folder durable; blocks."""
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Part:
    """A clip that is being received; see seams.ClipPart."""

    def __init__(self, folder: ClipFolder, clip_id: ClipId) -> None:
        self._folder = folder
        self._path = folder.path(clip_id, PART)
        self._whole = folder.path(clip_id)
        self._file: BufferedWriter | None = None
        self._over = False
        self._hash = hashlib.sha256()

    async def write(self, chunk: bytes) -> None:
        """See ClipPart."""
        await self._folder.run(lambda: self._write(chunk))

    def _write(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self._opened().write(chunk)

    def _opened(self) -> BufferedWriter:
        # Not before: whatever happens to the caller, its _drop is queued behind.
        if self._over:
            raise ValueError("the clip was kept or dropped already")
        if self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            self._file = os.fdopen(os.open(self._path, flags, 0o600), "wb")
        return self._file

    def digest(self) -> Digest:
        """See ClipPart."""
        return Digest(self._hash.hexdigest())

    async def keep(self) -> None:
        """See ClipPart."""
        await self._folder.run(self._keep)

    def _keep(self) -> None:
        file = self._opened()
        file.flush()
        os.fsync(file.fileno())
        file.close()
        self._over = True
        self._path.rename(self._whole)
        self._folder.sync()

    def drop(self) -> None:
        """See ClipPart."""
        self._folder.forget(self._drop)

    def _drop(self) -> None:
        if self._over:
            return
        self._over = True
        with suppress(OSError):  # closing writes what is buffered: to a full disk
            if self._file is not None:
                self._file.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _opened(path: Path, clip_id: ClipId) -> BufferedReader:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise StoreIntegrityError(f"the file of clip {clip_id} is gone.") from error
