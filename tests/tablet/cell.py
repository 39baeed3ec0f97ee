"""A cell on the wire: it offers windows when told to, obeys, and brings clips."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
from numpy.typing import NDArray

from andon.v1 import cell_pb2, cell_pb2_grpc, terms_pb2
from coordinator.clock import SystemClock
from coordinator.service import convert
from coordinator.terms import (
    CellId,
    CellState,
    SensorWindow,
    WindowId,
    WindowKind,
    new_id,
    window_digest,
)

if TYPE_CHECKING:
    from tests.tablet.plant import Plant

SOON_S = 20.0
ROWS = 64
PIECE = 200_000
CHANNELS = [
    ("force_z", "N", -200.0, 200.0),
    ("torque_x", "N*m", -20.0, 20.0),
    ("gripper_effort", "N", -80.0, 80.0),
    ("elbow_pos", "rad", -6.3, 6.3),
    ("elbow_effort", "N*m", -330.0, 330.0),
    ("wrist_1_effort", "N*m", -60.0, 60.0),
]


async def until(true: Callable[[], object], limit_s: float = SOON_S) -> None:
    """Wait for something to become true; it usually does at once."""
    async with asyncio.timeout(limit_s):
        while not true():  # noqa: ASYNC110 - the server runs beside us
            await asyncio.sleep(0.01)


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

    async def bring_clip(self, content: bytes) -> str:
        """Upload the full-rate recording of the open question; the clip's id."""
        asked = next(one for one in self._plant.questions() if one.cell_id == self.name)
        stub: Any = cell_pb2_grpc.CellServiceStub(self._channel)
        header = cell_pb2.ClipHeader(
            cell_id=self.name,
            request_id=asked.request_id,
            window_id=asked.window_id,
            clip_digest=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
        )

        async def parts() -> AsyncIterator[cell_pb2.UploadClipRequest]:
            yield cell_pb2.UploadClipRequest(header=header)
            for start in range(0, len(content), PIECE):
                piece = content[start : start + PIECE]
                yield cell_pb2.UploadClipRequest(chunk=piece)

        return str((await stub.UploadClip(parts())).clip_id)

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
