"""A real server on a free port over real paths and a real store; learning is small."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from andon.v1 import cell_pb2, cell_pb2_grpc, operator_pb2, operator_pb2_grpc
from coordinator.clock import SECOND_NS, ManualClock
from coordinator.feed import Feed, PresenceChanged
from coordinator.insight.why import Explainer
from coordinator.learning.correction.accept import accept
from coordinator.live.cell import control
from coordinator.live.cell.permit import PermitMaker
from coordinator.live.cell.record import CellRecord
from coordinator.live.clips import ClipLimits, ClipShelf
from coordinator.live.gate.audit import AuditPlan
from coordinator.live.gate.keeper import GateKeeper
from coordinator.live.gate.plan import GatePlan, Mode, Word
from coordinator.live.path import LivePath, PathSettings
from coordinator.live.request.queue import RequestQueue, Times
from coordinator.seams import CellRow
from coordinator.seams import Store as StoreSeam
from coordinator.service import convert
from coordinator.service.plant import Plant
from coordinator.service.presence import Presence
from coordinator.service.server import Server
from coordinator.store import Store
from coordinator.store.clip_files import ClipFolder
from coordinator.store.codec import decode
from coordinator.terms import (
    CellId,
    LearningStatus,
    PersonId,
    Prediction,
    SensorWindow,
    TimeoutOutcome,
    events,
)
from coordinator.vocabulary import Vocabulary
from tests.builders import FAMILY, MODEL, NOON, PEG, make_prediction, make_window
from tests.coordinator.service.people_world import nobody_yet
from tests.path.path_world import HandledStore

CELLS = (CellId("press-1"), CellId("press-2"))
SOON_S = 10.0
"""Longest wait for something that comes at once on a machine that is not busy."""


@dataclass
class SmallTeacher:
    """Learning, as far as the services look at it."""

    status: LearningStatus = field(default_factory=lambda: LearningStatus(PEG))
    noted: int = 0

    def note_example(self) -> None:
        self.noted += 1


@dataclass
class Limits:
    """How much is taken of clips; a test may change it."""

    all_bytes: int = 10_000_000
    largest: int = 1_000_000

    def of_cell(self, cell_id: CellId) -> int:
        return self.largest


class ServiceWorld:
    def __init__(
        self,
        store: Store,
        clock: ManualClock,
        folder: Path,
        *,
        autostart: bool,
        undo_ns: int = 0,
    ) -> None:
        self.clock = clock
        self.real = store
        self.store = HandledStore(store)
        self.prediction: Prediction | None = make_prediction()
        self.teacher = SmallTeacher()
        seam = cast(StoreSeam, self.store)
        feed = Feed(capacity=8)
        vocabulary = Vocabulary({PEG: FAMILY})
        requests = RequestQueue(
            store=seam,
            clock=clock,
            publish=feed.publish,
            family_of=vocabulary.family,
            make_example=partial(accept, clock=clock),
            times=Times(claim_lease_ns=60 * SECOND_NS, undo_ns=undo_ns),
            answered=lambda request, who: self.plant.carry_out(request, who),
        )
        self.clip_files = ClipFolder(folder)
        self.limits = Limits()
        word = Word(PersonId("eva"), 0.9, timedelta(hours=8))
        self.gate = GateKeeper(
            family_now=lambda: vocabulary.family(PEG),
            plan=GatePlan(
                Mode.PROVISIONAL, audits=AuditPlan(provisional_share=0.0), word=word
            ),
            store=seam,
            clock=clock,
            serving=lambda: MODEL,
            changed=lambda: None,
        )
        self.plant = Plant(
            cells={
                cell: LivePath(
                    cell=CellRecord(
                        cell,
                        PEG,
                        clock=clock,
                        remembered=CellRow(),
                        publish=feed.publish,
                    ),
                    family_now=lambda: vocabulary.family(PEG),
                    predict=self._predict,
                    gate=self.gate,
                    requests=requests,
                    permits=PermitMaker(cell, maximum_step_ns=60 * SECOND_NS),
                    store=seam,
                    clock=clock,
                    settings=PathSettings(
                        maximum_age_ns=SECOND_NS,
                        audit_seed="seed",
                        time_allowed_ns=120 * SECOND_NS,
                        audit_allowed_ns=3600 * SECOND_NS,
                        on_timeout=TimeoutOutcome.HOLD,
                        autostart=autostart,
                    ),
                )
                for cell in CELLS
            },
            learning=cast(Any, {PEG: self.teacher}),
            gates={PEG: self.gate},
            vocabulary=vocabulary,
            requests=requests,
            clips=ClipShelf(
                seam,
                self.clip_files,
                clock,
                limits=cast(ClipLimits, self.limits),
                told=requests.has_clip,
            ),
            store=seam,
            feed=feed,
            clock=clock,
            presence=Presence(lambda: feed.publish(PresenceChanged())),
            people=nobody_yet(seam, requests, clock),
            explainer=Explainer(store, folder / "models"),
            claim_lease_ns=60 * SECOND_NS,
            software="andon test",
        )
        self.server = Server(self.plant)
        self.nodes: list[Node] = []
        self.loops: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls, folder: Path, *, autostart: bool = True, undo_ns: int = 0
    ) -> Self:
        clock = ManualClock(NOON)
        store = await Store.open(None, clock=clock, commit_deadline_s=30)
        world = cls(store, clock, folder, autostart=autostart, undo_ns=undo_ns)
        await world.plant.clips.open()
        await world.plant.people.sessions.load()
        world.loops = [
            asyncio.create_task(path.run()) for path in world.plant.cells.values()
        ]
        await world.gate.begin()
        world.address = await world.server.start("127.0.0.1:0")
        world.channel = grpc.aio.insecure_channel(world.address)
        world.operators = operator_pb2_grpc.OperatorServiceStub(world.channel)
        return world

    address: str
    channel: grpc.aio.Channel
    operators: Any

    async def close(self) -> None:
        for node in self.nodes:
            await node.leave()
        await self.channel.close()
        await self.server.stop()
        await self.plant.clips.close()
        await self.plant.explainer.close()
        await self.clip_files.close()
        for loop in self.loops:
            loop.cancel()
        await asyncio.gather(*self.loops, return_exceptions=True)
        await self.real.close()

    async def _predict(self, window: SensorWindow) -> Prediction | None:
        return self.prediction

    def path(self, cell: str = "press-1") -> LivePath:
        return self.plant.cells[CellId(cell)]

    async def tick(self, seconds: float = 0.0) -> None:
        for _ in range(round(seconds / 0.25)):
            self.clock.advance(timedelta(seconds=0.25))
            self.server.cells.sessions.look()
        self.clock.advance(timedelta(seconds=seconds % 0.25))
        self.server.cells.sessions.look()
        for path in self.plant.cells.values():
            path.inbox.post(control.Tick())
        await asyncio.sleep(0)

    def stranger(self) -> "Node":
        """A node that has not said anything yet."""
        node = Node(self, "press-1")
        self.nodes.append(node)
        return node

    async def node(self, cell: str = "press-1", **hello: Any) -> "Node":
        node = Node(self, cell)
        self.nodes.append(node)
        await node.send(hello=make_hello(cell_id=cell, **hello))
        return node

    async def working(self, cell: str = "press-1") -> "Node":
        """A node whose cell the policy has started."""
        node = await self.node(cell)
        await node.heard("welcome")
        await node.heard("permit")
        return node

    async def asked(self) -> tuple["Node", operator_pb2.RequestSummary]:
        """A node that waits for a person's answer."""
        node = await self.working()
        self.prediction = make_prediction(confidence=0.5)
        await node.offer()
        outcome = await node.heard("window_outcome")
        assert outcome.request_id
        got = await self.operators.GetRequest(
            operator_pb2.GetRequestRequest(request_id=outcome.request_id)
        )
        return node, got.summary

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(SOON_S):
            while not holds():  # noqa: ASYNC110 - the server runs beside us
                await asyncio.sleep(0.005)

    async def journal(self, kind: type[events.Event]) -> list[Any]:
        found = [
            decode(entry.kind, entry.payload_json)
            for entry in await self.real.entries(0, 100_000)
        ]
        return [event for event in found if isinstance(event, kind)]


class Node:
    """A node on the wire; it says what it is told to say."""

    def __init__(self, world: ServiceWorld, cell: str) -> None:
        self.world = world
        self.cell = cell
        self.seq = 0
        self.beats = 0
        # Its own channel: two nodes do not share a connection.
        self.channel = grpc.aio.insecure_channel(
            world.address, options=[("grpc.use_local_subchannel_pool", 1)]
        )
        self.call: Any = cell_pb2_grpc.CellServiceStub(self.channel).Session()
        self.got: list[cell_pb2.CoordinatorMessage] = []

    async def send(self, **message: Any) -> None:
        await self.call.write(cell_pb2.NodeMessage(**message))

    async def next(self) -> Any:
        async with asyncio.timeout(SOON_S):
            message = await self.call.read()
        if message is grpc.aio.EOF:
            return None
        self.got.append(message)
        return message

    async def heard(self, kind: str) -> Any:
        """Read until this kind of message comes, and return it."""
        while (message := await self.next()) is not None:
            if message.WhichOneof("message") == kind:
                return getattr(message, kind)
        raise AssertionError(f"the session ended before {kind}: {await self.ended()}")

    async def ended(self) -> tuple[grpc.StatusCode, str]:
        """How the session ended, and its token; drains what was said before."""
        with suppress(grpc.aio.AioRpcError):
            while await self.next() is not None:
                pass
        async with asyncio.timeout(SOON_S):
            code = await self.call.code()
            return code, await self.call.details()

    async def beat(self, **scene: Any) -> Any:
        self.beats += 1
        facts = {"stand": cell_pb2.STAND_AT_START, **scene}
        beat = cell_pb2.Heartbeat(seq=self.beats, scene=cell_pb2.Scene(**facts))
        await self.send(heartbeat=beat)
        return await self.heard("heartbeat_ack")

    def window(self, **changes: Any) -> Any:
        self.seq += 1
        term = make_window(seq=self.seq, cell_id=CellId(self.cell))
        message = convert.window(term)
        for name, value in changes.items():
            if hasattr(value, "CopyFrom") or hasattr(value, "DESCRIPTOR"):
                getattr(message, name).CopyFrom(value)
            else:
                setattr(message, name, value)
        return message

    async def offer(self, *windows: Any, **changes: Any) -> None:
        chosen = windows or (self.window(**changes),)
        await self.send(windows=cell_pb2.Windows(windows=chosen))

    async def leave(self) -> None:
        self.call.cancel()
        await self.channel.close()


def make_hello(**changes: Any) -> cell_pb2.Hello:
    facts: dict[str, Any] = {
        "cell_id": "press-1",
        "node_id": "node-1",
        "boot_id": "boot-1",
        "schema_digest": FAMILY.schema_digest,
        "channels": [channel.name for channel in FAMILY.channels],
        "scene": cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=1),
        "software": "test",
    }
    return cell_pb2.Hello(**{**facts, **changes})


def actor(person: str = "ana") -> operator_pb2.Actor:
    return operator_pb2.Actor(person=person, device="panel-1")


async def refused(call: Awaitable[Any]) -> SimpleNamespace:
    """Await a call that must be refused; its code, token and sentence."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        status = rpc_status.from_call(cast(Any, error))
        reason = domain = ""
        if status is not None:
            info = error_details_pb2.ErrorInfo()
            assert status.details[0].Unpack(info)
            reason, domain = info.reason, info.domain
        return SimpleNamespace(
            code=error.code(), token=reason, domain=domain, text=error.details() or ""
        )
    raise AssertionError("the call was not refused")
