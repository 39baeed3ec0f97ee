"""A real coordinator with its page, on real ports, and cells that really ask."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from andon.v1 import (
    access_pb2,
    access_pb2_grpc,
    cell_pb2,
    cell_pb2_grpc,
    operator_pb2,
    operator_pb2_grpc,
    terms_pb2,
)
from coordinator.app import Coordinator
from coordinator.clock import SystemClock
from coordinator.config import Settings, from_mapping
from coordinator.people.machine import KEY
from coordinator.people.pins import PinHasher
from coordinator.service import convert
from coordinator.terms import (
    CellId,
    CellState,
    Digest,
    FamilyId,
    Prediction,
    SensorWindow,
    WindowId,
    WindowKind,
    new_id,
    window_digest,
)
from tests.link.proxy import Harm, Proxy, Weather

SOON_S = 20.0
PEG = FamilyId("peg")
ROWS = 64
PIN = "271828"
CHANNELS = [
    ("force_z", "N", -200.0, 200.0),
    ("torque_x", "N*m", -20.0, 20.0),
    ("gripper_effort", "N", -80.0, 80.0),
    ("elbow_pos", "rad", -6.3, 6.3),
    ("elbow_effort", "N*m", -330.0, 330.0),
    ("wrist_1_effort", "N*m", -60.0, 60.0),
]
ATTACK = "<img src=x onerror=document.title='owned'>"
"""Text of a label: the page must show it and not obey it."""
LABELS = [
    ("collision", "stop", "collision"),
    ("misaligned", "rework", "misaligned insertion"),
    ("grip_slip", "rework", "part slipped in the gripper"),
    ("missing_part", "reject", "no part"),
    ("ok", "continue", "good"),
    ("scratched", "reject", ATTACK),
]
URGENT = "missing_part"
"""An answer with it is final at once."""
GERMAN = {"misaligned": "verkantet", "ok": "gut", "force_z": "Kraft z"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings(folder: Path, cells: int, **more: Any) -> Settings:
    """A plant of one family; sections given as keywords are added to."""
    plain: dict[str, Any] = {
        "coordinator": {
            "listen": "127.0.0.1:0",
            "data_dir": folder,
            "device": "cpu",
        },
        "service": {"web_port": free_port()},
        "gate": {"maximum_age_s": 5.0, "audit_share": 0.0},
        "policies": {"autostart": True},
        "requests": {"undo_s": 0.0, "deadline_s": 120.0},
        "people": {"blind_share": 0.0},
        "words": {"de": GERMAN},
        "families": {
            "peg": {
                "rows": ROWS,
                "default_label": "ok",
                "labels": [
                    {
                        "name": name,
                        "action": action,
                        "text": text,
                        "urgent": name == URGENT,
                    }
                    for name, action, text in LABELS
                ],
                "channels": [
                    {"name": name, "unit": unit, "minimum": low, "maximum": high}
                    for name, unit, low, high in CHANNELS
                ],
            }
        },
        "cells": {f"press-{n + 1}": {"family": "peg"} for n in range(cells)},
    }
    for section, keys in more.items():
        plain[section] = {**plain.get(section, {}), **keys}
    return from_mapping(plain)


def samples(label: str, seed: int) -> NDArray[np.float32]:
    """A window that looks like a label, in the shapes of a peg in a hole."""
    noise = np.random.default_rng(seed)
    row = np.arange(ROWS)
    bump = np.exp(-(((row - 44) / 5.0) ** 2))
    holding = (row > 12) & (row < 54)
    wrong = 0.0 if label == "ok" else 1.0
    columns = [
        -8.0 * holding - (6.0 + 22.0 * wrong) * bump,
        0.3 * np.sin(row / 6) + 1.8 * wrong * bump,
        38.0 * holding - 9.0 * wrong * bump,
        np.sin(row / 10),
        18.0 * np.sin(row / 8),
        4.0 * np.sin(row / 8 + 1.0),
    ]
    table = np.stack(columns, axis=1)
    return np.asarray(table + 0.02 * noise.normal(size=table.shape), dtype=np.float32)


class Cell:
    """A cell's node on the wire: it offers a window when told to, and obeys."""

    def __init__(self, plant: Plant, name: str) -> None:
        self.name = name
        self.permits: list[terms_pb2.Permit] = []
        self.heard: list[str] = []
        self._plant = plant
        self._seq = 0
        self._beats = 0
        self._waits: SensorWindow | None = None
        self._writing = asyncio.Lock()

    async def begin(self) -> None:
        """Open the session; the policy starts the cell."""
        self._channel = grpc.aio.insecure_channel(
            self._plant.grpc_address, options=[("grpc.use_local_subchannel_pool", 1)]
        )
        self._call: Any = cell_pb2_grpc.CellServiceStub(self._channel).Session()
        family = self._plant.family
        hello = cell_pb2.Hello(
            cell_id=self.name,
            node_id=f"node-{self.name}",
            schema_digest=family.schema_digest,
            channels=[channel.name for channel in family.channels],
            scene=self._scene(),
        )
        await self._say(hello=hello)
        self._tasks = [
            asyncio.create_task(self._read()),
            asyncio.create_task(self._beat()),
        ]
        await until(lambda: self.permits)

    async def end(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._call.cancel()
        await self._channel.close()

    async def ask(self, label: str = "misaligned", *, part: str = "") -> str:
        """End a step with an unclear window; the id of the question it raised."""
        if self._call.done():
            # A machine that stood still for a lease ends sessions, as it ought to.
            await self.end()
            self._seq = self._beats = 0
            self.permits.clear()
            await self.begin()
        self._seq += 1
        seen = len(self._plant.questions())
        table = samples(label, self._seq)
        present = np.ones(len(CHANNELS), dtype=np.bool_)
        schema = self._plant.family.schema_digest
        window = SensorWindow(
            window_id=WindowId(new_id("w")),
            cell_id=CellId(self.name),
            kind=WindowKind.DECISION,
            session_epoch=1,
            seq=self._seq,
            cycle=self._seq,
            step="insert",
            part_id=part or f"A-{1000 + self._seq}",
            start_ns=1_000,
            period_ns=100_000_000,
            samples=table,
            present=present,
            age_ns=0,
            received_ns=0,
            cut_at=SystemClock().utc_now(),
            digest=window_digest(schema, table, present),
        )
        self._waits = window
        await self._say(windows=cell_pb2.Windows(windows=[convert.window(window)]))
        await until(lambda: len(self._plant.questions()) > seen)
        return next(
            str(one.request_id)
            for one in self._plant.questions()
            if one.cell_id == self.name
        )

    @property
    def state(self) -> CellState:
        return self._plant.coordinator.plant.cell(self.name).cell.status().state

    def _scene(self) -> cell_pb2.Scene:
        if self._waits is None:
            return cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=self._seq + 1)
        return cell_pb2.Scene(
            stand=cell_pb2.STAND_DECIDING,
            cycle=self._waits.cycle,
            window_digest=self._waits.digest,
        )

    async def _say(self, **message: Any) -> None:
        async with self._writing:
            await self._call.write(cell_pb2.NodeMessage(**message))

    async def _beat(self) -> None:
        while True:
            self._beats += 1
            beat = cell_pb2.Heartbeat(seq=self._beats, scene=self._scene())
            await self._say(heartbeat=beat)
            await asyncio.sleep(0.3)

    async def _read(self) -> None:
        with suppress(grpc.aio.AioRpcError):
            while (message := await self._call.read()) is not grpc.aio.EOF:
                kind = message.WhichOneof("message")
                self.heard.append(kind)
                if kind == "permit":
                    self.permits.append(message.permit)
                    self._waits = None


@dataclasses.dataclass
class Plant:
    """A served coordinator, its cells, and the line that tablets reach it by."""

    coordinator: Coordinator
    grpc_address: str
    proxy: Proxy
    url: str
    folder: Path
    cells: dict[str, Cell] = dataclasses.field(default_factory=dict)

    @property
    def family(self) -> Any:
        return self.coordinator.plant.vocabulary.family(PEG)

    def questions(self) -> list[Any]:
        return list(self.coordinator.plant.requests.all_open())

    def request(self, request_id: str) -> Any:
        return next(one for one in self.questions() if one.request_id == request_id)

    def cut(self) -> None:
        """Cut the tablets' line; the cells' lines stay."""
        self.proxy.become(Weather(Harm.RESET))

    def mend(self) -> None:
        self.proxy.heal()

    async def answers(self, request_id: str) -> list[Any]:
        """What the journal says was answered to a request."""
        entries = await self.coordinator.plant.store.entries(0, 100_000)
        return [
            entry
            for entry in entries
            if entry.kind == "RequestAnswered" and request_id in entry.payload_json
        ]

    async def add_person(self, person: str, role: str = "operator") -> None:
        """Give somebody an account, as who owns the coordinator's files."""
        key = (self.folder / KEY).read_text(encoding="ascii").strip()
        async with grpc.aio.insecure_channel(self.grpc_address) as channel:
            stub: Any = access_pb2_grpc.AccessServiceStub(channel)
            await stub.AddPerson(
                access_pb2.AddPersonRequest(
                    person=person,
                    shown=person.title(),
                    role=role,
                    pin=PIN,
                    by="test",
                    idempotency_key=new_id("k"),
                ),
                metadata=(("authorization", f"Machine {key}"),),
            )

    async def answer(self, request_id: str, label: str, person: str = "ben") -> None:
        """Let somebody answer at another device, logged in where that is needed."""
        async with grpc.aio.insecure_channel(self.grpc_address) as channel:
            access: Any = access_pb2_grpc.AccessServiceStub(channel)
            operators: Any = operator_pb2_grpc.OperatorServiceStub(channel)
            login: tuple[tuple[str, str], ...] = ()
            if self.coordinator.plant.people.accounts.exist:
                said = access_pb2.LoginRequest(person=person, pin=PIN, device="desk-1")
                token = (await access.Login(said)).token
                login = (("authorization", f"Bearer {token}"),)
            actor = operator_pb2.Actor(person=person, device="desk-1")
            shown = await operators.GetRequest(
                operator_pb2.GetRequestRequest(request_id=request_id), metadata=login
            )
            claimed = await operators.Claim(
                operator_pb2.ClaimRequest(
                    request_id=request_id, actor=actor, idempotency_key=new_id("k")
                ),
                metadata=login,
            )
            await operators.Answer(
                operator_pb2.AnswerRequest(
                    request_id=request_id,
                    actor=actor,
                    claim_epoch=claimed.claim_epoch,
                    idempotency_key=new_id("k"),
                    view_digest=shown.view_digest,
                    label=label,
                ),
                metadata=login,
            )

    async def label_some(self, count: int) -> None:
        """Let ben answer about so many parts: windows for a second opinion."""
        cell = self.cells["press-1"]
        for number in range(count):
            permits = len(cell.permits) + 1
            asked = await cell.ask("misaligned", part=f"T-{number}")
            await self.answer(asked, URGENT)
            await until(partial(_has, cell.permits, permits))

    def believe(self, label: str, confidence: float) -> None:
        """Let a model think so of every window from now on."""
        names = self.family.label_names
        rest = (1.0 - confidence) / (len(names) - 1)
        shares = tuple(confidence if name == label else rest for name in names)
        logits = tuple(math.log(share) for share in shares)
        made = Prediction(Digest("5e" * 32), tuple(names), logits, shares, 0.5)

        async def predict(window: SensorWindow, family: FamilyId) -> Prediction:
            del window, family
            return made

        self.coordinator._worker.predict = predict  # type: ignore[method-assign]


@asynccontextmanager
async def plant_of(
    folder: Path, *, cells: int = 3, **more: Any
) -> AsyncIterator[Plant]:
    """Serve until the block ends."""
    chosen = settings(folder, cells, **more)
    coordinator = Coordinator(chosen, SystemClock())
    await coordinator.open()
    # A PIN costs as little as it can: here nobody tries to guess one.
    coordinator.plant.people.accounts.hasher = PinHasher(passes=1, memory_kib=64)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(coordinator.run(ready.set_result))
    async with asyncio.timeout(SOON_S):
        address = await ready
    proxy = Proxy(chosen.service.web_port)
    url = f"http://127.0.0.1:{await proxy.start()}/"
    plant = Plant(coordinator, address, proxy, url, folder)
    try:
        for name in chosen.cells:
            plant.cells[name] = Cell(plant, name)
            await plant.cells[name].begin()
        yield plant
    finally:
        for cell in plant.cells.values():
            await cell.end()
        await proxy.close()
        coordinator.stop()
        async with asyncio.timeout(SOON_S):
            assert await running == 0
            await coordinator.close()


def _has(found: list[Any], count: int) -> bool:
    return len(found) >= count


async def until(true: Callable[[], object], limit_s: float = SOON_S) -> None:
    """Wait for something to become true; it usually does at once."""
    async with asyncio.timeout(limit_s):
        while not true():  # noqa: ASYNC110 - the server runs beside us
            await asyncio.sleep(0.01)
