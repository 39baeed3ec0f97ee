"""CellService: the sessions of the cells' nodes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import grpc

from andon.v1 import cell_pb2, cell_pb2_grpc, terms_pb2
from coordinator import log
from coordinator.clock import SECOND_NS, seconds_to_ns
from coordinator.config import HEARTBEAT_S, LEASE_S
from coordinator.errors import (
    AndonError,
    CellInUseError,
    MissingFieldError,
    NotServedError,
    SchemaMismatchError,
    WindowRefusedError,
)
from coordinator.live.cell import control
from coordinator.live.path import LivePath
from coordinator.service import convert
from coordinator.service.plant import Plant, require_id
from coordinator.service.session import MOST_WINDOWS_A_MESSAGE, NodeSession
from coordinator.service.status import STATUS_OF
from coordinator.service.words import clean, duration, from_wire, to_wire
from coordinator.terms import HoldReason, PermitId, events

_log = log.get("cell_service")
DEAD_AFTER_NS = int(3.5 * SECOND_NS)
"""A session without a heartbeat for so long is over."""
MOST_REFUSALS = 3
"""Refused windows in a row after which the session ends: that is abuse."""

Context = grpc.aio.ServicerContext[Any, Any]


class CellService(cell_pb2_grpc.CellServiceServicer):
    """Serves nodes; one session a cell at a time."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._sessions: set[NodeSession] = set()

    async def Session(  # type: ignore[override]  # writes to the context instead
        self, request_iterator: Any, context: Context
    ) -> None:
        """See cell.proto."""
        del request_iterator  # the context is read instead: it can be awaited
        path, hello = await self._hello(context)
        session = await self._open(path, hello)
        self._sessions.add(session)
        path.inbox.post(control.Connected(session, convert.scene(hello.scene)))
        why = "the node's session ended."
        try:
            await self._talk(path, session, context)
        except WindowRefusedError as error:
            why = f"ended for abuse: {error.text}"
            raise
        finally:
            self._sessions.discard(session)
            path.cell.unrecorded.append(
                events.SessionClosed(path.cell.cell_id, session.session_epoch, why)
            )
            path.inbox.post(control.LinkEnded(session.session_epoch, why))

    async def UploadClip(
        self, request_iterator: Any, context: Context
    ) -> cell_pb2.UploadClipResponse:
        """See cell.proto."""
        del request_iterator, context
        raise NotServedError("clips are not served by this version of andon.")

    def drain(self) -> None:
        """Tell every node that the coordinator stops, and end the sessions."""
        for session in self._sessions:
            draining = cell_pb2.Draining(within=duration(seconds_to_ns(0.2)))
            session.say(cell_pb2.CoordinatorMessage(draining=draining))

    def end_all(self) -> None:
        """End every session."""
        for session in self._sessions:
            session.close()

    def end_silent(self) -> None:
        """End sessions whose node has not been heard of for too long."""
        now_ns = self._plant.clock.monotonic_ns()
        for session in self._sessions:
            if not now_ns - session.last_heard_ns <= DEAD_AFTER_NS:
                session.close()

    # -- opening ---------------------------------------------------------------------

    async def _hello(self, context: Context) -> tuple[LivePath, cell_pb2.Hello]:
        first = await context.read()
        if first is grpc.aio.EOF or _decoded(first).WhichOneof("message") != "hello":
            raise MissingFieldError("the first message must be hello.")
        hello: cell_pb2.Hello = first.hello
        path = self._plant.cell(hello.cell_id)
        require_id("node_id", hello.node_id)
        family = self._plant.family_of(path)
        if hello.schema_digest != family.schema_digest:
            told = list(hello.channels)
            expected = [channel.name for channel in family.channels]
            odd = next(
                (
                    f"channel {place} is '{a[:40]}', expected '{b}'"
                    for place, (a, b) in enumerate(zip(told, expected, strict=False))
                    if a != b
                ),
                f"{len(told)} channels, expected {len(expected)}, or other units",
            )
            path.hold(HoldReason.IDENTITY, f"node {hello.node_id}: {odd}.")
            raise SchemaMismatchError(f"{odd}.")
        return path, hello

    async def _open(self, path: LivePath, hello: cell_pb2.Hello) -> NodeSession:
        now_ns = self._plant.clock.monotonic_ns()
        for other in list(self._sessions):
            if other.cell_id != path.cell.cell_id:
                continue
            silent_ns = now_ns - other.last_heard_ns
            if silent_ns <= DEAD_AFTER_NS:
                raise CellInUseError(f"heard of {silent_ns / 1e9:.1f} s ago.")
            other.close()
        epoch = path.cell.epoch + 1
        path.cell.epoch = epoch
        await self._plant.store.commit(
            events.SessionOpened(
                path.cell.cell_id,
                epoch,
                hello.node_id,
                clean("boot_id", hello.boot_id),
                clean("software", hello.software),
            )
        )
        head = await self._plant.store.head()
        session = NodeSession(
            path.cell.cell_id,
            self._plant.family_of(path),
            epoch,
            self._plant.clock,
        )
        welcome = cell_pb2.Welcome(
            session_epoch=epoch,
            lease=duration(seconds_to_ns(LEASE_S)),
            heartbeat_period=duration(seconds_to_ns(HEARTBEAT_S)),
            coordinator=self._plant.software,
            store_id=head.store_id,
            journal_seq=head.seq,
            journal_head=head.hash,
        )
        session.say(cell_pb2.CoordinatorMessage(welcome=welcome))
        _log.info("session", cell=path.cell.cell_id, epoch=epoch, node=hello.node_id)
        return session

    # -- talking ---------------------------------------------------------------------

    async def _talk(
        self, path: LivePath, session: NodeSession, context: Context
    ) -> None:
        """Read and write until one side ends."""
        reading = asyncio.create_task(self._read(path, session, context))
        writing = asyncio.create_task(self._write(session, context))
        closing = asyncio.create_task(session.closed.wait())
        running = {reading, writing, closing}
        try:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in running:
                task.cancel()
            for task in running:
                with suppress(asyncio.CancelledError, AndonError, grpc.aio.UsageError):
                    await task

    async def _write(self, session: NodeSession, context: Context) -> None:
        while True:
            await context.write(await session.next())

    async def _read(
        self, path: LivePath, session: NodeSession, context: Context
    ) -> None:
        refused = 0
        while True:
            message = await context.read()
            if message is grpc.aio.EOF:
                return
            try:
                self._hear(path, session, _decoded(message))
                refused = 0
            except WindowRefusedError as error:
                refused += error.code != "RATE_LIMITED"
                self._refuse(session, error)
                if refused >= MOST_REFUSALS:
                    raise

    def _hear(
        self, path: LivePath, session: NodeSession, message: cell_pb2.NodeMessage
    ) -> None:
        epoch = session.session_epoch
        match message.WhichOneof("message"):
            case "heartbeat":
                self._heartbeat(path, session, message.heartbeat)
            case "windows":
                self._windows(path, session, message.windows)
            case "permit_started":
                started = message.permit_started
                self._scene(path, session, started.scene)
                path.inbox.post(control.PermitUsed(PermitId(started.permit_id), epoch))
            case "permit_dropped":
                dropped = message.permit_dropped
                path.inbox.post(
                    control.PermitUnused(
                        PermitId(dropped.permit_id),
                        epoch,
                        clean("token", dropped.token),
                        clean("text", dropped.text),
                    )
                )
            case "node_held":
                self._held(path, session, message.node_held)
            case "safety_stop":
                kind = clean("kind", message.safety_stop.kind)
                path.hold(HoldReason.SAFETY_STOP_SEEN, f"the robot stopped: {kind}.")
            case _:
                raise WindowRefusedError("nothing known was said.", "MISSING_FIELD")

    def _heartbeat(
        self, path: LivePath, session: NodeSession, beat: cell_pb2.Heartbeat
    ) -> None:
        session.heard(beat.seq)
        self._scene(path, session, beat.scene)
        for reason, count in beat.dropped.items():
            path.inbox.dropped[f"node_{reason[:40]}"] = count
        ack = cell_pb2.HeartbeatAck(
            seq=beat.seq,
            session_epoch=session.session_epoch,
            state=to_wire(path.cell.state),
            reason=to_wire(path.cell.holds.worst),
        )
        session.say(cell_pb2.CoordinatorMessage(heartbeat_ack=ack))

    def _windows(
        self, path: LivePath, session: NodeSession, message: cell_pb2.Windows
    ) -> None:
        if len(message.windows) > MOST_WINDOWS_A_MESSAGE:
            raise WindowRefusedError(
                f"{len(message.windows)} windows, limit {MOST_WINDOWS_A_MESSAGE}.",
                "TOO_MANY_ITEMS",
            )
        for item in message.windows:
            try:
                window = session.take(item)
            except WindowRefusedError as error:
                self._refuse(session, error, item.window_id)
                path.inbox.dropped[f"refused_{error.code.lower()}"] += 1
                path.hold(HoldReason.BAD_DATA, f"{error.code}: {error.text}")
                continue
            if window is not None:
                path.offer(window)

    def _held(
        self, path: LivePath, session: NodeSession, held: cell_pb2.NodeHeld
    ) -> None:
        self._scene(path, session, held.scene)
        reason = from_wire(HoldReason, held.reason) or HoldReason.IDENTITY
        path.cell.hold_unconfirmed = not held.confirmed
        path.hold(reason, clean("text", held.text) or "the node holds by itself.")

    def _scene(
        self, path: LivePath, session: NodeSession, scene: cell_pb2.Scene
    ) -> None:
        current = path.link
        if current is not None and current.session_epoch == session.session_epoch:
            path.cell.scene = convert.scene(scene)

    def _refuse(
        self, session: NodeSession, error: WindowRefusedError, window_id: str = ""
    ) -> None:
        number, _ = STATUS_OF[type(error)].value
        refusal = terms_pb2.Refusal(
            code=number, token=error.code, text=error.text, window_id=window_id
        )
        session.say(cell_pb2.CoordinatorMessage(refusal=refusal))


def _decoded(message: Any) -> cell_pb2.NodeMessage:
    if not isinstance(message, cell_pb2.NodeMessage):
        raise WindowRefusedError(
            "the message could not be decoded.", "MALFORMED_MESSAGE"
        )
    return message
