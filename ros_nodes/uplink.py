"""The node's only line to the coordinator: one gRPC stream, lost and found again.

Control messages are never dropped within a session; of decision and monitor windows
only the newest waits to be sent, and what it replaced is counted. Nothing outlives its
session: a message that could not be sent is worthless in the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

import grpc
import grpc.aio

from andon.v1 import cell_pb2, cell_pb2_grpc
from ros_nodes.clock import Clock
from ros_nodes.round_trips import RoundTrips

_log = logging.getLogger(__name__)

CHANNEL_OPTIONS: Final = (
    # A silent partition is seen within 3.3 s; the lease has held the cell before.
    ("grpc.keepalive_time_ms", 2_000),
    ("grpc.keepalive_timeout_ms", 1_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", 1 << 20),
    # Each attempt starts afresh; the waiting between them is ours.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)
FIRST_BACKOFF_S: Final = 0.2
LONGEST_BACKOFF_S: Final = 2.0
CONTROL_LIMIT: Final = 256
"""Unsent control messages at which the session is given up: nobody reads it."""
WELCOME_WITHIN_S: Final = 3.0
STATUS_WITHIN_S: Final = 0.2

FINAL: Final = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""Refusals that the same clip would meet again."""

Message = Callable[[int], cell_pb2.NodeMessage]
"""Makes a window message at the moment of sending, given its number."""


class UploadFailedError(Exception):
    """A clip did not arrive.

    Attributes:
        final: Trying again would change nothing.
    """

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


class Listener(Protocol):
    """Who is told what happens on the link. Called on the event loop; never waits."""

    def hello(self) -> cell_pb2.NodeMessage:
        """Say who speaks and where the robot stands now."""

    def received(self, message: cell_pb2.CoordinatorMessage) -> None:
        """The coordinator said something; the first is a Welcome."""

    def lost(self, text: str) -> None:
        """The session ended, and why."""


class Outbox:
    """What waits to be sent in one session.

    Not thread-safe: it lives on the event loop.
    """

    def __init__(self, dropped: Counter[str]) -> None:
        self._control: deque[cell_pb2.NodeMessage] = deque()
        self._decision: Message | None = None
        self._monitor: Message | None = None
        self._filled = asyncio.Event()
        self._seq = 0
        self._dropped = dropped

    def say(self, message: cell_pb2.NodeMessage) -> bool:
        """Queue a control message; False when so many wait that nobody is reading."""
        self._control.append(message)
        self._filled.set()
        return len(self._control) <= CONTROL_LIMIT

    def offer_decision(self, message: Message) -> None:
        """Send a decision window next; an older one that still waits is dropped."""
        if self._decision is not None:
            self._dropped["decision_replaced"] += 1
        self._decision = message
        self._filled.set()

    def offer_monitor(self, message: Message) -> None:
        """Send a monitor window when nothing else waits; the newest wins."""
        if self._monitor is not None:
            self._dropped["monitor_replaced"] += 1
        self._monitor = message
        self._filled.set()

    async def next(self) -> cell_pb2.NodeMessage:
        """Wait for the next message: control first, then decision, then monitor."""
        while True:
            if self._control:
                return self._control.popleft()
            make, self._decision = self._decision, None
            if make is None:
                make, self._monitor = self._monitor, None
            if make is not None:
                # Numbered as it leaves, so that a dropped window leaves no hole.
                self._seq += 1
                return make(self._seq)
            self._filled.clear()
            await self._filled.wait()


class Uplink:
    """Keep one session with the coordinator, as often as it takes.

    Args:
        target: host:port of the coordinator.
        listener: Who is told.
        clock: For waiting between attempts.
        jitter: Source of randomness in [0, 1), so that cells do not return together.
    """

    def __init__(
        self,
        target: str,
        listener: Listener,
        clock: Clock,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._target = target
        self._listener = listener
        self._clock = clock
        self._jitter = jitter
        self._outbox: Outbox | None = None
        self._stub: cell_pb2_grpc.CellServiceAsyncStub | None = None
        self._leave = asyncio.Event()
        self._leave_text = ""
        self._welcomed = asyncio.Event()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self.dropped: Counter[str] = Counter()
        """Windows that were never sent, by reason."""
        self.round_trips = RoundTrips()
        """Of this session's heartbeats."""

    # ------------------------------------------------------------------------- speaking

    def say(self, message: cell_pb2.NodeMessage) -> None:
        """Send a control message; without a session it means nothing and is dropped."""
        if self._outbox is not None and not self._outbox.say(message):
            self.leave(f"over {CONTROL_LIMIT} control messages wait to be sent")

    def offer_decision(self, message: Message) -> None:
        """Send a decision window as soon as possible."""
        if self._outbox is None:
            self.dropped["decision_without_session"] += 1
        else:
            self._outbox.offer_decision(message)

    def offer_monitor(self, message: Message) -> None:
        """Send a monitor window when there is room."""
        if self._outbox is None:
            self.dropped["monitor_without_session"] += 1
        else:
            self._outbox.offer_monitor(message)

    def leave(self, text: str) -> None:
        """End the session now; another one is tried."""
        self._leave_text = text
        self._leave.set()

    def rest(self, text: str) -> None:
        """End the session and try none until woken."""
        self._wanted.clear()
        self.leave(text)

    def wake(self) -> None:
        """Try sessions again."""
        self._wanted.set()

    async def upload(self, parts: AsyncIterator[cell_pb2.UploadClipRequest]) -> str:
        """Send a clip beside the session, over the same connection; return its id.

        Raises:
            UploadFailedError: there is no session, it ended meanwhile, or the
                coordinator refused.
        """
        if self._stub is None or not self._welcomed.is_set():
            raise UploadFailedError("no session")
        call = self._stub.UploadClip()
        try:
            # A refusal, or a clip known already, is answered before all of it is sent.
            with contextlib.suppress(asyncio.InvalidStateError):
                async for part in parts:
                    await call.write(part)
                await call.done_writing()
            response = await call
        except grpc.aio.AioRpcError as error:
            raise UploadFailedError(
                f"{error.code().name}: {error.details()}", final=error.code() in FINAL
            ) from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Not this task: the session's channel was closed under the call.
            raise UploadFailedError("the session ended") from error
        finally:
            call.cancel()
        return response.clip_id

    # ------------------------------------------------------------------------- sessions

    async def run(self) -> None:
        """Hold sessions until cancelled, with growing and jittered waits between."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            await self._wanted.wait()
            text = await self._session()
            if self._welcomed.is_set():
                backoff_s = FIRST_BACKOFF_S
                _log.warning("session lost: %s", text)
            else:
                _log.info("no session: %s", text)
            await self._clock.sleep(backoff_s * (0.5 + 0.5 * self._jitter()))
            backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)

    async def _session(self) -> str:
        """Hold one session and say why it ended."""
        self._leave.clear()
        self._welcomed.clear()
        self.round_trips = RoundTrips()
        self._outbox = Outbox(self.dropped)
        self._outbox.say(self._listener.hello())
        text = "the node ends"
        channel = grpc.aio.insecure_channel(self._target, options=CHANNEL_OPTIONS)
        try:
            self._stub = cell_pb2_grpc.CellServiceStub(channel)
            call = self._stub.Session()
            text = await self._talk(call, self._outbox)
        finally:
            self._outbox = self._stub = None
            # The cell is told first: closing a broken channel may take its time.
            self._listener.lost(text)
            await channel.close(grace=None)
        return text

    async def _talk(self, call: SessionCall, outbox: Outbox) -> str:
        """Speak and listen until one of them ends; return why."""
        tasks = [
            # In the order in which they know best why the session ended.
            asyncio.create_task(self._wait_to_leave(), name="uplink:leave"),
            asyncio.create_task(self._read(call), name="uplink:read"),
            asyncio.create_task(self._expect_welcome(), name="uplink:welcome"),
            asyncio.create_task(self._write(call, outbox), name="uplink:write"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            call.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return next(task for task in tasks if task in done).result()

    async def _wait_to_leave(self) -> str:
        await self._leave.wait()
        return self._leave_text

    async def _read(self, call: SessionCall) -> str:
        try:
            async for message in call:
                if message is None:
                    # What grpc makes of bytes that are no message: nothing after
                    # them can be trusted to be what was said.
                    return "the coordinator said what cannot be understood"
                self._welcomed.set()
                if message.WhichOneof("message") == "heartbeat_ack":
                    seq = message.heartbeat_ack.seq
                    self.round_trips.answered(seq, self._clock.monotonic_ns())
                self._listener.received(message)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
        return "the coordinator ended the session"

    async def _write(self, call: SessionCall, outbox: Outbox) -> str:
        try:
            while True:
                message = await outbox.next()
                self._stamp(message)
                await call.write(message)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The reader knows the status; give it the moment it needs to say it.
            await asyncio.sleep(STATUS_WITHIN_S)
            return "the stream broke"

    def _stamp(self, message: cell_pb2.NodeMessage) -> None:
        """Say when a message leaves: what waited here is older than it says."""
        message.sent_ns = self._clock.monotonic_ns()
        if message.WhichOneof("message") == "heartbeat":
            beat = message.heartbeat
            beat.sent_at.FromNanoseconds(self._clock.utc_ns())
            shortest_ns = self.round_trips.shortest_ns
            if shortest_ns is not None:
                beat.round_trip.FromNanoseconds(shortest_ns)
            self.round_trips.sent(beat.seq, message.sent_ns)

    async def _expect_welcome(self) -> str:
        """Give up on a coordinator that accepts the call but never answers."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WELCOME_WITHIN_S):
                await self._welcomed.wait()
        if self._welcomed.is_set():
            await asyncio.Event().wait()
        return f"no welcome within {WELCOME_WITHIN_S:g} s"


class SessionCall(Protocol):
    """What the uplink uses of a gRPC bidirectional call."""

    async def write(self, request: cell_pb2.NodeMessage) -> None:
        """Send one message."""

    def __aiter__(self) -> AsyncIterator[cell_pb2.CoordinatorMessage | None]:
        """Receive messages; None is one that could not be decoded."""

    def cancel(self) -> bool:
        """End the call."""
