"""A node that only sends: windows and heartbeats as fast as it is told, by raw gRPC."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc
import grpc.aio
import numpy as np

from andon.v1 import cell_pb2, cell_pb2_grpc
from ros_nodes import convert
from ros_nodes.evidence import CutWindow, WindowKind
from ros_nodes.terms import new_id
from ros_nodes.window_bytes import schema_digest, window_digest

SCHEMA = [("elbow_pos", "rad"), ("elbow_effort", "N*m"), ("force_z", "N")]
ROWS = 16
HEARTBEAT_S = 0.5


class Sender:
    """One session of one cell.

    Args:
        address: Of the coordinator, or of a proxy.
        cell: The cell.
    """

    def __init__(self, address: str, cell: str) -> None:
        self.cell = cell
        self.sent_ns: dict[str, int] = {}
        """When each window left, by its digest."""
        self.heard: Counter[str] = Counter()
        """What the coordinator said, by kind; refusals and outcomes by token."""
        self.over = asyncio.Event()
        self._address = address
        self._call: Any = None
        self._seq = 0
        self._beats = 0
        self._noise = np.random.default_rng(0)
        self._writing = asyncio.Lock()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Sender]:
        """Hold a session until the block ends; heartbeats go by themselves."""
        async with grpc.aio.insecure_channel(
            self._address, options=[("grpc.use_local_subchannel_pool", 1)]
        ) as channel:
            self._call = cell_pb2_grpc.CellServiceStub(channel).Session()
            hello = cell_pb2.Hello(
                cell_id=self.cell,
                node_id=new_id("node"),
                boot_id="boot",
                schema_digest=schema_digest(SCHEMA),
                channels=[name for name, _ in SCHEMA],
                scene=cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=1),
            )
            await self._say(cell_pb2.NodeMessage(hello=hello))
            tasks = [
                asyncio.create_task(self._read()),
                asyncio.create_task(self._beat()),
            ]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def windows(self, *, every_s: float, until: asyncio.Event) -> None:
        """Send windows about which the rule is sure, one at a time or in tight rows."""
        while not until.is_set() and not self.over.is_set():
            await self._say(self._window())
            await asyncio.sleep(every_s)

    async def heartbeats(self, *, until: asyncio.Event) -> None:
        """Send heartbeats as fast as they go."""
        while not until.is_set() and not self.over.is_set():
            await self._say(self._heartbeat())

    def _window(self) -> cell_pb2.NodeMessage:
        samples = self._noise.uniform(1.0, 2.0, (ROWS, 3)).astype(np.float32)
        present = np.ones(3, dtype=np.bool_)
        digest = window_digest(schema_digest(SCHEMA), samples, present)
        self._seq += 1
        now_ns = time.monotonic_ns()
        self.sent_ns[digest] = now_ns
        window = CutWindow(
            window_id=new_id("w"),
            kind=WindowKind.DECISION,
            cycle=self._seq,
            step="insert",
            part_id=f"part-{self._seq}",
            start_ns=now_ns,
            period_ns=1_000_000,
            samples=samples,
            present=present,
            digest=digest,
            gap_rows=0,
            scene_ns=now_ns,
            cut_ns=now_ns,
            cut_utc_ns=time.time_ns(),
        )
        return convert.windows_message(
            window, seq=self._seq, age_ns=0, offered_again=False
        )

    def _heartbeat(self) -> cell_pb2.NodeMessage:
        self._beats += 1
        scene = cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=1)
        beat = cell_pb2.Heartbeat(seq=self._beats, scene=scene)
        return cell_pb2.NodeMessage(heartbeat=beat)

    async def _beat(self) -> None:
        while not self.over.is_set():
            await self._say(self._heartbeat())
            await asyncio.sleep(HEARTBEAT_S)

    async def _say(self, message: cell_pb2.NodeMessage) -> None:
        message.sent_ns = time.monotonic_ns()
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            async with self._writing:  # one write at a time
                await self._call.write(message)

    async def _read(self) -> None:
        try:
            async for message in self._call:
                kind = message.WhichOneof("message")
                self.heard[kind] += 1
                if kind == "refusal":
                    self.heard[message.refusal.token] += 1
                elif kind == "window_outcome":
                    self.heard[message.window_outcome.verdict.code] += 1
        except grpc.aio.AioRpcError as error:
            self.heard[error.code().name] += 1
        finally:
            self.over.set()
