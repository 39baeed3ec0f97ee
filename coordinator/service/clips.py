"""Clips on the wire: pieces in from a node, pieces out to people's clients."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC
from typing import Any, Final

import grpc

from andon.v1 import cell_pb2, operator_pb2
from coordinator.errors import ClipRefusedError, MissingFieldError, UnavailableError
from coordinator.live.clips import ClipClaim
from coordinator.service.plant import Plant, require_id
from coordinator.service.session import LAST_UTC_S
from coordinator.service.words import timestamp
from coordinator.terms import CellId, ClipId, Digest, RequestId, StoredClip, WindowId

Context = grpc.aio.ServicerContext[Any, Any]

LARGEST_PIECE: Final = 256 << 10
"""Bytes of one piece."""
SILENT_S: Final = 30.0
"""Time without a piece after which an upload is given up, s."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


async def upload(plant: Plant, context: Context) -> cell_pb2.UploadClipResponse:
    """Take a clip from a node; see CellService.UploadClip."""
    claim = _claim(plant, await _part(context))
    async with aclosing(_pieces(context)) as pieces:
        return cell_pb2.UploadClipResponse(
            clip_id=await plant.clips.receive(claim, pieces)
        )


async def _part(context: Context) -> cell_pb2.UploadClipRequest | None:
    """Return what the node sends next; None when that was all."""
    try:
        async with asyncio.timeout(SILENT_S):
            part = await context.read()
    except TimeoutError as error:
        raise UnavailableError(f"nothing came for {SILENT_S:.0f} s.") from error
    if part is grpc.aio.EOF:
        return None
    if not isinstance(part, cell_pb2.UploadClipRequest):
        raise ClipRefusedError("a part could not be decoded.", "MALFORMED_MESSAGE")
    return part


def _claim(plant: Plant, part: cell_pb2.UploadClipRequest | None) -> ClipClaim:
    if part is None or not part.HasField("header"):
        raise MissingFieldError("the first part must be header.")
    header = part.header
    path = plant.cell(header.cell_id)
    if _DIGEST.fullmatch(header.clip_digest) is None:
        raise ClipRefusedError("clip_digest is no SHA-256.", "BAD_DIGEST")
    start_at = header.start_at
    if not (0 <= start_at.seconds <= LAST_UTC_S and 0 <= start_at.nanos < 10**9):
        raise ClipRefusedError("start_at is no time of this era.", "BAD_TIME")
    return ClipClaim(
        cell_id=CellId(path.cell.cell_id),
        request_id=RequestId(require_id("request_id", header.request_id)),
        window_id=WindowId(require_id("window_id", header.window_id)),
        digest=Digest(header.clip_digest),
        bytes=header.bytes,
        start_at=start_at.ToDatetime(tzinfo=UTC),
    )


async def _pieces(context: Context) -> AsyncGenerator[bytes]:
    while (part := await _part(context)) is not None:
        if part.HasField("header"):
            raise ClipRefusedError("a second header came.", "SECOND_HEADER")
        if not 0 < len(part.chunk) <= LARGEST_PIECE:
            raise ClipRefusedError(
                f"a chunk of {len(part.chunk)} bytes, limit {LARGEST_PIECE}.",
                "WRONG_CHUNK",
            )
        yield part.chunk


async def send(
    plant: Plant, request: operator_pb2.GetClipRequest, context: Context
) -> None:
    """Send a clip to a person's client; see OperatorService.GetClip."""
    clip_id = ClipId(require_id("clip_id", request.clip_id))
    clip, pieces = await plant.clips.read(clip_id)
    what: operator_pb2.ClipInfo | None = info(clip)
    async with aclosing(pieces):
        async for piece in pieces:
            # Each write waits until the client has room for it.
            await context.write(operator_pb2.GetClipResponse(chunk=piece, clip=what))
            what = None


def info(clip: StoredClip) -> operator_pb2.ClipInfo:
    """Convert what is known of a clip."""
    return operator_pb2.ClipInfo(
        clip_id=clip.clip_id,
        cell_id=clip.cell_id,
        request_id=clip.request_id,
        window_id=clip.window_id,
        clip_digest=clip.digest,
        bytes=clip.bytes,
        start_at=timestamp(clip.start_at),
        stored_at=timestamp(clip.stored_at),
    )
