"""CellService: the sessions of the cells' nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import grpc

from andon.v1 import cell_pb2, cell_pb2_grpc, terms_pb2
from coordinator import log
from coordinator.clock import seconds_to_ns
from coordinator.config import HEARTBEAT_S, LEASE_S
from coordinator.errors import (
    AndonError,
    MissingFieldError,
    OverloadedError,
    SchemaMismatchError,
    WindowRefusedError,
)
from coordinator.live.cell import control
from coordinator.live.path import LivePath
from coordinator.service import clips, convert
from coordinator.service.plant import Plant, require_id
from coordinator.service.session import MOST_WINDOWS_A_MESSAGE, Caller, NodeSession
from coordinator.service.sessions import Sessions
from coordinator.service.status import STATUS_OF
from coordinator.service.words import duration, from_wire, legible, to_wire
from coordinator.terms import HoldReason, PermitId, is_id

_log = log.get("cell_service")
LAST_WORDS_S = 0.5
"""Time for what still waits to be said when a session ends, s."""
FLOOD_PAUSE_S = 0.05
"""Time in which nothing is read of a node that says too much, s; its line fills up."""
MOST_WAITING = 1024
"""Messages of a node that may wait for its cell's loop; more are abuse."""
MOST_REFUSALS = 3
"""Refusals without a good window between, after which a session ends as abuse."""
HARMLESS = frozenset({"RATE_LIMITED"})
"""Refusals that say nothing about the sensors: counted, and the cell works on."""
MOST_REASONS = 32
"""Reasons for losses that a node may name."""

_STANDS_OR_WORKS = frozenset(
    {
        cell_pb2.ROBOT_HOLD_FREE,
        cell_pb2.ROBOT_HOLD_HELD,
        cell_pb2.ROBOT_HOLD_STOPPED,
    }
)
"""What a node says of a robot that holds, or that may work."""

Context = grpc.aio.ServicerContext[Any, Any]


class CellService(cell_pb2_grpc.CellServiceServicer):
    """Serves nodes; one session a cell at a time."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.sessions = Sessions(plant.clock)

    async def Session(  # type: ignore[override]  # writes to the context instead
        self, request_iterator: Any, context: Context
    ) -> None:
        """See cell.proto."""
        del request_iterator  # the context is read instead: it can be awaited
        path, hello, caller = await self._hello(context)
        session = await self._open(path, hello, caller)
        self.sessions.begin(session, path)
        path.inbox.post(control.Connected(session, convert.scene(hello.scene)))
        why = "the node's session ended."
        try:
            await self._talk(path, session, context)
        except AndonError as error:
            why = f"the session was ended: {error.text}"
            raise
        finally:
            self.sessions.end(session, why)

    async def UploadClip(
        self, request_iterator: Any, context: Context
    ) -> cell_pb2.UploadClipResponse:
        """See cell.proto."""
        del request_iterator
        return await clips.upload(self._plant, context)

    def drain(self) -> None:
        """Tell every node that the coordinator stops, and end the sessions."""
        for session in self.sessions:
            draining = cell_pb2.Draining(within=duration(seconds_to_ns(0.2)))
            session.say(cell_pb2.CoordinatorMessage(draining=draining))

    # -- opening ---------------------------------------------------------------------

    async def _hello(self, context: Context) -> tuple[LivePath, cell_pb2.Hello, Caller]:
        first = await context.read()
        if first is grpc.aio.EOF or _decoded(first).WhichOneof("message") != "hello":
            raise MissingFieldError("the first message must be hello.")
        hello: cell_pb2.Hello = first.hello
        path = self._plant.cell(hello.cell_id)
        require_id("node_id", hello.node_id)
        family = self._plant.family_of(path)
        if hello.schema_digest != family.schema_digest:
            odd = _odd(hello.channels, [channel.name for channel in family.channels])
            path.hold(HoldReason.IDENTITY, f"node {hello.node_id}: {odd}.")
            raise SchemaMismatchError(f"{odd}.")
        caller = Caller(hello.node_id, legible(hello.boot_id), first.sent_ns)
        return path, hello, caller

    async def _open(
        self, path: LivePath, hello: cell_pb2.Hello, caller: Caller
    ) -> NodeSession:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        opening = control.Opening(
            node_id=caller.node_id,
            boot_id=caller.boot_id,
            software=legible(hello.software),
            done=done,
        )
        with self.sessions.opening(path.cell.cell_id, caller):
            path.inbox.post(opening)
            return await self._welcome(path, await done, caller)

    async def _welcome(self, path: LivePath, epoch: int, caller: Caller) -> NodeSession:
        head = await self._plant.store.head()
        session = NodeSession(
            path.cell.cell_id,
            self._plant.family_of(path),
            epoch,
            self._plant.clock,
            caller,
        )
        session.arrived(caller.sent_ns)
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
        _log.info("session", cell=path.cell.cell_id, epoch=epoch)
        return session

    # -- talking ---------------------------------------------------------------------

    async def _talk(
        self, path: LivePath, session: NodeSession, context: Context
    ) -> None:
        """Read and write until one side ends; what is said last still goes out."""
        reading = asyncio.create_task(self._read(path, session, context))
        writing = asyncio.create_task(self._write(session, context))
        closing = asyncio.create_task(session.closed.wait())
        running = {reading, writing, closing}
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            session.close()
            if not reading.done() or reading.exception() is not None:
                # The node is still there: it hears why.
                await asyncio.wait({writing}, timeout=LAST_WORDS_S)
            if reading.done():
                reading.result()
        finally:
            for task in running:
                task.cancel()
            for task in running:
                with suppress(asyncio.CancelledError, AndonError, grpc.aio.UsageError):
                    await task

    async def _write(self, session: NodeSession, context: Context) -> None:
        with suppress(grpc.aio.InternalError):  # the node is gone: the reader knows
            while (message := await session.next()) is not None:
                await context.write(message)

    async def _read(
        self, path: LivePath, session: NodeSession, context: Context
    ) -> None:
        while True:
            message = await context.read()
            # What lay in a buffer while the coordinator slept is not read.
            if message is grpc.aio.EOF or not self.sessions.awake():
                return
            while session.floods():  # one node at a time must not take the loop
                await self._plant.clock.sleep(FLOOD_PAUSE_S)
            if len(path.inbox) > MOST_WAITING:
                raise OverloadedError(f"{MOST_WAITING} messages wait already.")
            try:
                self._hear(path, session, _decoded(message))
            except WindowRefusedError as error:
                self._refuse(session, error)
            if session.strikes >= MOST_REFUSALS:
                raise WindowRefusedError(f"{session.strikes} refusals.", "ABUSE")

    def _hear(
        self, path: LivePath, session: NodeSession, message: cell_pb2.NodeMessage
    ) -> None:
        epoch = session.session_epoch
        session.arrived(message.sent_ns)
        self.sessions.heard(session, message.sent_ns)
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
                        legible(dropped.token),
                        legible(dropped.text),
                    )
                )
            case "node_held":
                self._held(path, session, message.node_held)
            case "safety_stop":
                kind = legible(message.safety_stop.kind)
                path.hold(HoldReason.SAFETY_STOP_SEEN, f"the robot stopped: {kind}.")
            case _:
                raise WindowRefusedError("nothing known was said.", "MISSING_FIELD")

    def _heartbeat(
        self, path: LivePath, session: NodeSession, beat: cell_pb2.Heartbeat
    ) -> None:
        session.heard(beat.seq, beat.round_trip.ToNanoseconds())
        self._scene(path, session, beat.scene)
        self._robot(path, session, beat.robot)
        self._compare_clocks(path, session, beat)
        for reason, count in list(beat.dropped.items())[:MOST_REASONS]:
            if is_id(reason):
                path.inbox.dropped[f"node_{reason}"] = count
        ack = cell_pb2.HeartbeatAck(
            seq=beat.seq,
            session_epoch=session.session_epoch,
            state=to_wire(path.cell.state),
            reason=to_wire(path.cell.holds.worst),
        )
        session.say(cell_pb2.CoordinatorMessage(heartbeat_ack=ack))

    def _compare_clocks(
        self, path: LivePath, session: NodeSession, beat: cell_pb2.Heartbeat
    ) -> None:
        """Warn of a wall clock that is wrong, hold where records would be of no use."""
        if not beat.HasField("sent_at"):
            return
        skew = session.skew
        sent_s = beat.sent_at.seconds + beat.sent_at.nanos / 1e9
        if skew.told(sent_s, self._plant.clock.utc_now()):
            ahead_s = round(skew.ahead_s, 1)
            _log.warning("clock_skew", cell=path.cell.cell_id, ahead_s=ahead_s)
        if skew.holds:
            path.hold(HoldReason.BAD_DATA, str(skew))

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
                self._refuse(session, error, legible(item.window_id))
                path.inbox.dropped[f"refused_{error.code.lower()}"] += 1
                if error.code not in HARMLESS:
                    path.hold(HoldReason.BAD_DATA, f"{error.code}: {error.text}")
                continue
            if window is not None:
                session.strikes = 0
                path.offer(window)

    def _held(
        self, path: LivePath, session: NodeSession, held: cell_pb2.NodeHeld
    ) -> None:
        self._scene(path, session, held.scene)
        reason = from_wire(HoldReason, held.reason) or HoldReason.IDENTITY
        path.hold_answered(confirmed=held.confirmed)
        path.hold(reason, legible(held.text) or "the node holds by itself.")

    def _scene(
        self, path: LivePath, session: NodeSession, scene: cell_pb2.Scene
    ) -> None:
        current = path.link
        if current is not None and current.session_epoch == session.session_epoch:
            path.cell.scene = convert.scene(scene)

    def _robot(
        self, path: LivePath, session: NodeSession, robot: cell_pb2.RobotHold.ValueType
    ) -> None:
        """Take note of the hold on the robot; while it is asked for, nothing is new."""
        current = path.link
        if current is None or current.session_epoch != session.session_epoch:
            return
        if robot == cell_pb2.ROBOT_HOLD_UNCONFIRMED:
            path.hold_answered(confirmed=False)
        elif robot in _STANDS_OR_WORKS:
            path.hold_answered(confirmed=True)

    def _refuse(
        self, session: NodeSession, error: WindowRefusedError, window_id: str = ""
    ) -> None:
        session.strikes += error.code not in HARMLESS
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


def _odd(told: Sequence[str], expected: Sequence[str]) -> str:
    """Name the first channel that differs."""
    return next(
        (
            f"channel {place} is '{legible(a, 40)}', expected '{b}'"
            for place, (a, b) in enumerate(zip(told, expected, strict=False))
            if a != b
        ),
        f"{len(told)} channels, expected {len(expected)}, or other units",
    )
