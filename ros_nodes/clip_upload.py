"""Clips on their way to the coordinator: beside the session, and never in its way.

A clip travels over its own call on the session's connection, in small pieces and at a
bounded rate, so that it never lies in front of a heartbeat or a window. When
acknowledgements of heartbeats come late for whatever reason, it waits: the lease is
what lets the robot move, and a clip is for people who look later. A clip that did not
arrive is sent again, from its beginning, when there is a session.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from andon.v1 import cell_pb2
from ros_nodes.clip import Clips
from ros_nodes.clip_file import Clip, write_clip
from ros_nodes.clock import SECOND_NS, Clock
from ros_nodes.msgdef import UnknownTypeError
from ros_nodes.trace import Trace
from ros_nodes.uplink import UploadFailedError

_log = logging.getLogger(__name__)

CHUNK_BYTES: Final = 64 << 10
"""A quarter of what a piece may have: what is on its way cannot be called back."""
BYTES_PER_S: Final = 8_000_000
"""Rate that a clip never exceeds, however good the link."""
LEAST_LEASE_NS: Final = 12 * SECOND_NS // 10
"""Lease left below which a clip waits; a good link leaves at least 1.5 s of 2 s."""
ANSWER_S: Final = 0.1
"""Time after the header for an early answer, s: a refusal, or that it is known. One
that crosses a piece on its way costs its reason, and another try."""
WAIT_S: Final = 0.02
"""Time between two looks at the lease, s."""
FIRST_BACKOFF_S: Final = 0.5
LONGEST_BACKOFF_S: Final = 30.0
MOST_TRIES: Final = 30
"""Refusals after which a clip is given up; waiting for a session is none."""


class Line(Protocol):
    """What an upload needs of the uplink."""

    async def upload(self, parts: AsyncIterator[cell_pb2.UploadClipRequest]) -> str:
        """Send a clip and return its id; see Uplink."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an upload reaches.

    Attributes:
        line: The uplink.
        clock: The node's clock.
        trace: Where it is written down.
        lease_left_ns: Says how much of the lease is left; None without one.
    """

    line: Line
    clock: Clock
    trace: Trace
    lease_left_ns: Callable[[], int | None]


class ClipUpload:
    """Writes what was cut and sends it, one clip at a time.

    Args:
        clips: Where clips are cut.
        around: What the upload reaches.
    """

    def __init__(self, clips: Clips, around: Surroundings) -> None:
        self._clips = clips
        self._line = around.line
        self._clock = around.clock
        self._trace = around.trace
        self._lease_left_ns = around.lease_left_ns

    async def run(self) -> None:
        """Carry clips to the coordinator until cancelled."""
        while True:
            cut = await self._clips.next()
            try:
                # Compression and digest take their time: not on the event loop.
                clip = await asyncio.to_thread(write_clip, cut, self._clips.source)
            except UnknownTypeError as error:
                self._give_up(cut.wanted.request_id, str(error))
                continue
            self._trace.write(
                "clip_cut",
                request_id=cut.wanted.request_id,
                window_id=cut.wanted.window_id,
                messages=len(cut.messages),
                bytes=len(clip.content),
                whole=cut.whole,
            )
            await self._carry(clip)

    async def _carry(self, clip: Clip) -> None:
        """Send a clip as often as it takes."""
        backoff_s, tries = FIRST_BACKOFF_S, 0
        while tries < MOST_TRIES:
            await self._until_leased()
            tries += 1
            try:
                clip_id = await self._line.upload(self._parts(clip))
            except UploadFailedError as error:
                if error.final:
                    self._give_up(clip.wanted.request_id, str(error))
                    return
                self._trace.write("clip_delayed", text=str(error))
            else:
                self._trace.write(
                    "clip_uploaded",
                    request_id=clip.wanted.request_id,
                    clip_id=clip_id,
                    bytes=len(clip.content),
                )
                return
            await self._clock.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)
        self._give_up(clip.wanted.request_id, f"not taken in {MOST_TRIES} tries")

    def _give_up(self, request_id: str, text: str) -> None:
        self._clips.lose()
        self._trace.write("clip_lost", request_id=request_id, text=text)
        _log.warning("clip of %s is lost: %s", request_id, text)

    async def _parts(self, clip: Clip) -> AsyncIterator[cell_pb2.UploadClipRequest]:
        """The header, then the pieces, each when the link has room for it."""
        start_at = Timestamp()
        start_at.FromNanoseconds(clip.start_utc_ns)
        yield cell_pb2.UploadClipRequest(
            header=cell_pb2.ClipHeader(
                cell_id=self._clips.source.cell_id,
                request_id=clip.wanted.request_id,
                window_id=clip.wanted.window_id,
                start_at=start_at,
                bytes=len(clip.content),
                clip_digest=clip.digest,
            )
        )
        await self._clock.sleep(ANSWER_S)
        for at in range(0, len(clip.content), CHUNK_BYTES):
            piece = clip.content[at : at + CHUNK_BYTES]
            await self._until_leased()
            yield cell_pb2.UploadClipRequest(chunk=piece)
            await self._clock.sleep(len(piece) / BYTES_PER_S)

    async def _until_leased(self) -> None:
        """Wait while heartbeats are not acknowledged as they should be."""
        while not (self._lease_left_ns() or 0) >= LEAST_LEASE_NS:
            await self._clock.sleep(WAIT_S)
