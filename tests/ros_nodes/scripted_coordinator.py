"""A coordinator that says what a test tells it to say, on a real gRPC server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration

from andon.v1 import cell_pb2, cell_pb2_grpc, terms_pb2

SMALL_STREAMS = ("grpc.http2.bdp_probe", 0)
"""As the coordinator has it: little of a clip is under way at any time."""


class Spoken:
    """One session of one node, as the coordinator sees it."""

    def __init__(self, epoch: int, context: Any) -> None:
        self.epoch = epoch
        self.heard: list[cell_pb2.NodeMessage] = []
        self.last_heartbeat = 0
        self.acknowledge = True
        self.over = asyncio.Event()
        self._changed = asyncio.Event()
        self._context = context
        # A stream takes one write at a time: acknowledgements and a test's own words.
        self._writing = asyncio.Lock()

    @property
    def hello(self) -> cell_pb2.Hello:
        return self.heard[0].hello

    def of(self, kind: str) -> list[Any]:
        return [getattr(m, kind) for m in self.heard if m.WhichOneof("message") == kind]

    @property
    def windows(self) -> list[terms_pb2.Window]:
        return [window for message in self.of("windows") for window in message.windows]

    @property
    def scene(self) -> cell_pb2.Scene:
        beats = self.of("heartbeat")
        return beats[-1].scene if beats else self.hello.scene

    @property
    def robot(self) -> cell_pb2.RobotHold.ValueType:
        beats = self.of("heartbeat")
        return beats[-1].robot if beats else cell_pb2.ROBOT_HOLD_UNSPECIFIED

    async def take(self, message: cell_pb2.NodeMessage) -> None:
        self.heard.append(message)
        if message.HasField("heartbeat"):
            self.last_heartbeat = message.heartbeat.seq
            if self.acknowledge:
                await self.ack(message.heartbeat.seq)
        self.wake()

    def wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def until(self, fact: Callable[[], object], *, within: float = 10.0) -> None:
        """Wait until a fact about what was heard holds."""
        async with asyncio.timeout(within):
            while not fact():
                await self._changed.wait()

    async def say(self, **message) -> None:
        async with self._writing:
            await self._context.write(cell_pb2.CoordinatorMessage(**message))

    async def ack(self, seq: int, *, epoch: int | None = None) -> None:
        await self.say(
            heartbeat_ack=cell_pb2.HeartbeatAck(
                seq=seq, session_epoch=self.epoch if epoch is None else epoch
            )
        )

    async def permit(self, purpose: str, **facts) -> terms_pb2.Permit:
        """Give leave as a good coordinator would, except for the facts named."""
        scene = self.scene
        permit = terms_pb2.Permit(
            permit_id=facts.pop("permit_id", f"p-{self.epoch}-{len(self.heard)}"),
            purpose=getattr(terms_pb2, f"PERMIT_PURPOSE_{purpose}"),
            action=facts.pop("action", terms_pb2.ACTION_CONTINUE),
            session_epoch=facts.pop("session_epoch", self.epoch),
            cycle=facts.pop("cycle", scene.cycle),
            window_digest=facts.pop("window_digest", ""),
            heartbeat_seq=facts.pop("heartbeat_seq", self.last_heartbeat),
            start_within=facts.pop(
                "start_within", Duration(seconds=1, nanos=500000000)
            ),
            maximum_execution=Duration(seconds=60),
        )
        assert not facts, facts
        await self.say(permit=permit)
        return permit

    async def permit_for(self, window: terms_pb2.Window, **facts) -> terms_pb2.Permit:
        return await self.permit(
            "NEXT_STEP",
            cycle=window.cycle,
            window_digest=window.window_digest,
            **facts,
        )


class ScriptedCoordinator(cell_pb2_grpc.CellServiceServicer):
    """Opens sessions under rising epochs, acknowledges heartbeats, waits to be told."""

    def __init__(self, *, first_epoch: int = 1) -> None:
        self.next_epoch = first_epoch
        self.sessions: list[Spoken] = []
        self.welcome = True
        self.clips: list[tuple[cell_pb2.ClipHeader, bytes]] = []
        self.clip_refusals: list[tuple[grpc.StatusCode, str]] = []
        """Of the next uploads, one each."""
        self.refused_clips: dict[str, tuple[grpc.StatusCode, str]] = {}
        """By request, however often it comes."""
        self.clip_bytes = self.largest_piece = 0
        self._opened = asyncio.Event()

    async def Session(  # type: ignore[override]  # writes to the context instead
        self, request_iterator, context
    ) -> None:
        session = Spoken(self.next_epoch, context)
        self.next_epoch += 1
        try:
            async for message in request_iterator:
                if message.HasField("hello"):
                    session.heard.append(message)
                    if not self.welcome:
                        continue
                    await session.say(
                        welcome=cell_pb2.Welcome(
                            session_epoch=session.epoch,
                            lease=Duration(seconds=2),
                            heartbeat_period=Duration(nanos=500_000_000),
                            store_id="store-of-the-test",
                        )
                    )
                    self.sessions.append(session)
                    opened, self._opened = self._opened, asyncio.Event()
                    opened.set()
                else:
                    await session.take(message)
        finally:
            session.over.set()
            session.wake()

    async def UploadClip(self, request_iterator, context):
        if self.clip_refusals:
            await context.abort(*self.clip_refusals.pop(0))
        header, content = cell_pb2.ClipHeader(), b""
        async for part in request_iterator:
            if part.HasField("header"):
                header = part.header
            if header.request_id in self.refused_clips:
                await context.abort(*self.refused_clips[header.request_id])
            content += part.chunk
            self.clip_bytes = len(content)
            self.largest_piece = max(self.largest_piece, len(part.chunk))
        # A call that was cut ends its iterator as a whole one does.
        if len(content) == header.bytes:
            self.clips.append((header, content))
        return cell_pb2.UploadClipResponse(clip_id=f"c-{len(self.clips)}")

    async def session(self, number: int = 1, *, within: float = 15.0) -> Spoken:
        """Wait for the n-th session."""
        async with asyncio.timeout(within):
            while len(self.sessions) < number:
                await self._opened.wait()
        session = self.sessions[number - 1]
        await session.until(lambda: session.last_heartbeat >= 1)
        return session


@asynccontextmanager
async def serving(
    coordinator: ScriptedCoordinator, *, port: int = 0
) -> AsyncIterator[tuple[grpc.aio.Server, int]]:
    """Serve on a port of this machine; stop without grace."""
    server = grpc.aio.server(
        options=(
            ("grpc.so_reuseport", 0),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
            SMALL_STREAMS,
        )
    )
    cell_pb2_grpc.add_CellServiceServicer_to_server(coordinator, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield server, bound
    finally:
        with suppress(asyncio.CancelledError):
            await server.stop(grace=None)
