"""Full-rate clips: received whole or not at all, kept within a limit of disk.

A clip is for people who look; nothing that decides about a robot reads one. So it may
be late, and it may give way: when the limit is reached, the oldest clips go that no
open request is about, and the journal says so. A clip of an open request never goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from coordinator import log
from coordinator.clock import Clock
from coordinator.config import Settings
from coordinator.errors import (
    ClipRefusedError,
    ConflictError,
    OverloadedError,
    StoreDegradedError,
    StoreError,
    StoreLateError,
)
from coordinator.seams import ClipFiles, ClipPart, Store
from coordinator.terms import (
    CellId,
    ClipId,
    Digest,
    RequestId,
    StoredClip,
    WindowId,
    events,
    new_id,
)

_log = log.get("clips")
T = TypeVar("T")

MOST_AT_ONCE: Final = 4
"""Clips that may be received at the same time."""
LEAST_FREE_BYTES: Final = 256 << 20
"""Room on the disk that is left to the journal."""
MOST_KNOWN: Final = 1_000_000

Told = Callable[[WindowId, ClipId], None]
"""Hears that a window has a clip."""


@dataclass(frozen=True, slots=True)
class ClipClaim:
    """What a node says of the clip it brings.

    Attributes:
        cell_id: Whose it is.
        request_id: The request it was asked for.
        window_id: The window it is around.
        digest: SHA-256 over its bytes.
        bytes: Its size.
        start_at: UTC of its first message, by the node.
    """

    cell_id: CellId
    request_id: RequestId
    window_id: WindowId
    digest: Digest
    bytes: int
    start_at: datetime


@dataclass(frozen=True, slots=True)
class ClipLimits:
    """How much is taken.

    Attributes:
        all_bytes: Most disk for all clips.
        of_cell: Largest clip of a cell.
    """

    all_bytes: int
    of_cell: Callable[[CellId], int]


def limits(settings: Settings) -> ClipLimits:
    """Return the limits of a configuration.

    A clip may be as large as its node's memory of the cell, and what is written around.
    """

    def of_cell(cell_id: CellId) -> int:
        return round(1.1e6 * settings.cells[cell_id].ros.clip.maximum_mb) + 1_000_000

    return ClipLimits(round(settings.coordinator.clips_mb * 1e6), of_cell)


class ClipShelf:
    """The clips of all cells. Not thread-safe: it lives on the event loop.

    Args:
        store: Where they are journalled.
        files: Where their bytes are.
        clock: For the times on record.
        limits: How much is taken.
        told: Hears of each clip that was stored.
    """

    def __init__(
        self,
        store: Store,
        files: ClipFiles,
        clock: Clock,
        *,
        limits: ClipLimits,
        told: Told,
    ) -> None:
        self._store = store
        self._files = files
        self._clock = clock
        self._limits = limits
        self._told = told
        self._bytes = 0
        self._coming_bytes = 0
        self._coming = 0
        self._making_room = asyncio.Lock()
        self._under_way: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Take over what is stored; clear away what a killed coordinator left."""
        known = await self._store.clips(None, MOST_KNOWN)
        self._bytes = sum(clip.bytes for clip in known)
        swept = await self._files.sweep({clip.clip_id for clip in known})
        if swept:
            _log.warning("clips_swept", files=swept)
        if self._bytes > self._limits.all_bytes:  # the configuration allows less now
            try:
                await self._make_room(0)
            except StoreError as error:
                _log.warning("clips_over_limit", code=error.code, text=error.text)

    async def close(self) -> None:
        """Wait for clips that are being stored."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    # -- receiving -------------------------------------------------------------------

    async def receive(self, claim: ClipClaim, pieces: AsyncIterator[bytes]) -> ClipId:
        """Take a clip; it is durable when this returns. Twice the same changes nothing.

        Raises:
            NotFoundError: there is no such request.
            ClipRefusedError: it is another cell's or window's, too large, or not what
                was said of it.
            ConflictError: the window has another clip.
            OverloadedError: too many clips come at once.
            StoreDegradedError: there is no room, or the disk is failing.
        """
        known = await self._known(claim)
        if known is not None:
            self._told(claim.window_id, known)
            return known
        if self._coming >= MOST_AT_ONCE:
            raise OverloadedError(f"{MOST_AT_ONCE} clips come already.")
        self._coming += 1
        self._coming_bytes += claim.bytes
        try:
            return await self._receive(claim, pieces)
        finally:
            self._coming -= 1
            self._coming_bytes -= claim.bytes

    async def _known(self, claim: ClipClaim) -> ClipId | None:
        """Return the clip that is here already; None when this one is welcome."""
        asked = await self._store.request(claim.request_id)
        if asked.cell_id != claim.cell_id:
            raise ClipRefusedError(
                f"request {claim.request_id} is of {asked.cell_id}.", "WRONG_CELL"
            )
        if asked.window_id != claim.window_id:
            raise ClipRefusedError(
                f"request {claim.request_id} is about window {asked.window_id}.",
                "WRONG_WINDOW",
            )
        largest = self._limits.of_cell(claim.cell_id)
        if not 0 < claim.bytes <= largest:
            raise ClipRefusedError(
                f"{claim.bytes} bytes, limit {largest}.", "WRONG_SIZE"
            )
        known = await self._store.clip_of(claim.window_id)
        if known is None:
            return None
        if known.digest != claim.digest:
            raise ConflictError(
                f"window {claim.window_id} has clip {known.clip_id}.", "ALREADY_THERE"
            )
        return known.clip_id

    async def _receive(self, claim: ClipClaim, pieces: AsyncIterator[bytes]) -> ClipId:
        await self._make_room(claim.bytes)
        clip_id = ClipId(new_id("c"))
        part = self._files.begin(clip_id)
        with ExitStack() as undo:
            undo.callback(part.drop)
            received = 0
            async for piece in pieces:
                received += len(piece)
                if received > claim.bytes:
                    raise ClipRefusedError(
                        f"over {claim.bytes} bytes, as the header says.", "WRONG_SIZE"
                    )
                await part.write(piece)
            if received != claim.bytes:
                raise ClipRefusedError(
                    f"{received} of {claim.bytes} bytes came.", "WRONG_SIZE"
                )
            if part.digest() != claim.digest:
                raise ClipRefusedError(
                    "the digest does not match the bytes.", "DIGEST_MISMATCH"
                )
            undo.pop_all()
        return await self._to_the_end(self._keep(claim, clip_id, part))

    async def _keep(self, claim: ClipClaim, clip_id: ClipId, part: ClipPart) -> ClipId:
        """Make a whole clip durable: first its bytes, then the word that it is here."""
        try:
            await part.keep()
        except StoreError:
            part.drop()
            raise
        clip = StoredClip(
            clip_id=clip_id,
            cell_id=claim.cell_id,
            request_id=claim.request_id,
            window_id=claim.window_id,
            digest=claim.digest,
            bytes=claim.bytes,
            start_at=claim.start_at,
            stored_at=self._clock.utc_now(),
        )
        try:
            await self._store.commit(
                events.ClipStored(clip), then=lambda _: self._stored(clip)
            )
        except ConflictError:
            await self._files.remove(clip_id)
            # The same clip came on two calls, and the other was faster.
            known = await self._known(claim)
            if known is None:
                raise
            return known
        except StoreLateError:
            raise  # it may yet be kept: then the bytes must be there
        except StoreDegradedError:
            await self._files.remove(clip_id)
            raise
        return clip_id

    def _stored(self, clip: StoredClip) -> None:
        """Mirror that a clip is on record."""
        self._bytes += clip.bytes
        _log.info("clip_stored", cell=clip.cell_id, clip=clip.clip_id, bytes=clip.bytes)
        self._told(clip.window_id, clip.clip_id)

    async def _to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Finish what has begun even when the node is gone."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # Whoever still waits hears of it; this keeps the loop from complaining.
            _log.debug("clip_not_kept", error=type(task.exception()).__name__)

    # -- room ------------------------------------------------------------------------

    async def _make_room(self, size: int) -> None:
        """Let the oldest clips go until there is room.

        What is being received counts as stored: `size` is in it already.

        Raises:
            StoreDegradedError: what is left belongs to open requests, or to others.
        """
        async with self._making_room:
            while (short := await self._short(size)) is not None:
                given = await self._store.clips_to_give(1)
                if not given:
                    raise StoreDegradedError(short, "CLIPS_FULL")
                try:
                    await self._remove(given[0], short)
                except ConflictError:  # it is asked about again: another one goes
                    continue

    async def _short(self, size: int) -> str | None:
        """Say what there is too little of; None when there is room."""
        if self._bytes + self._coming_bytes > self._limits.all_bytes:
            return f"clips may take {self._limits.all_bytes / 1e6:.0f} MB"
        if size and await self._files.free_bytes() < size + LEAST_FREE_BYTES:
            return f"the disk has less than {LEAST_FREE_BYTES / 1e6:.0f} MB left"
        return None

    async def _remove(self, clip: StoredClip, why: str) -> None:
        await self._store.commit(
            events.ClipRemoved(clip.clip_id, clip.window_id, why),
            then=lambda _: self._removed(clip, why),
        )
        await self._files.remove(clip.clip_id)

    def _removed(self, clip: StoredClip, why: str) -> None:
        """Mirror that a clip is off the record; a file left over is swept later."""
        self._bytes -= clip.bytes
        _log.info("clip_removed", cell=clip.cell_id, clip=clip.clip_id, reason=why)

    # -- reading ---------------------------------------------------------------------

    async def all(self, request_id: RequestId | None, limit: int) -> list[StoredClip]:
        """Return the newest clips, newest first; of one request's window, or all."""
        return await self._store.clips(request_id, limit)

    async def read(self, clip_id: ClipId) -> tuple[StoredClip, AsyncGenerator[bytes]]:
        """Return a clip and its bytes in pieces.

        Raises:
            NotFoundError: it is not stored, or was removed.
            StoreIntegrityError: its file is gone.
        """
        return await self._store.clip(clip_id), self._files.read(clip_id)
