"""A real coordinator in a process of its own, and cells that speak raw gRPC to it.

The model is the rule of tests/link/plant.py: sure of a window whose force is positive,
in doubt about any other. Everything else is andon's own.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np

from andon.v1 import cell_pb2, cell_pb2_grpc
from ros_nodes import convert
from ros_nodes.evidence import CutWindow, WindowKind
from ros_nodes.terms import new_id
from ros_nodes.window_bytes import schema_digest, window_digest
from tests.link.world import ROOT, Program, andon_toml, free_port

__all__ = ["ROOT", "Cell", "Plant", "busy", "cells", "cpu_s", "share"]

SCHEMA = [("elbow_pos", "rad"), ("elbow_effort", "N*m"), ("force_z", "N")]
ROWS = 16
HEARTBEAT_S = 0.5
SERVES_WITHIN_S = 60.0
SOON_S = 30.0
"""Longest wait for something that comes at once, s."""
CALLS_A_CHANNEL = 48
"""The coordinator takes 64 calls a connection."""
TICKS = os.sysconf("SC_CLK_TCK")

PATIENT = "deadline_s = 3600.0\nundo_s = 0.0\n"
"""Of [requests]. What is measured is the way, not the wait."""


class Plant:
    """A coordinator that serves.

    Attributes:
        address: Of its gRPC server.
        web_port: Of the page.
        pid: Of its process.
    """

    def __init__(self, program: Program, address: str, web_port: int) -> None:
        self.address = address
        self.web_port = web_port
        self.pid = program.process.pid

    @classmethod
    @asynccontextmanager
    async def serving(
        cls, folder: Path, cells: Sequence[str], requests: str = PATIENT
    ) -> AsyncIterator[Plant]:
        """A coordinator of these cells, until the block ends.

        Args:
            folder: Where its configuration and its data are.
            cells: Their names.
            requests: Lines of the section [requests].
        """
        address, web_port = f"127.0.0.1:{free_port()}", free_port()
        config = folder / "andon.toml"
        text = andon_toml(address, cells).replace("undo_s = 0.0\n", requests)
        text += f"[service]\nweb_port = {web_port}\n"
        config.write_text(text, encoding="utf-8")
        program = await Program.start(
            folder, "coordinator", "tests.link.plant", str(config)
        )
        try:
            assert program.process.stdout is not None
            async with asyncio.timeout(SERVES_WITHIN_S):
                assert await program.process.stdout.readline(), (
                    program.complaints.read_text(encoding="utf-8")
                )
            yield cls(program, address, web_port)
        finally:
            await program.end()


class Cell:
    """One cell's node: it sends windows, and notes when leave comes."""

    def __init__(self, channel: grpc.aio.Channel, name: str) -> None:
        self.name = name
        self.leave: asyncio.Queue[int] = asyncio.Queue()
        """When each permit came, monotonic ns."""
        self._call: Any = cell_pb2_grpc.CellServiceStub(channel).Session()
        self._cuts = 0
        self._beats = itertools.count(1)
        self._writing = asyncio.Lock()
        self._rng = np.random.default_rng(0)
        self._scene = cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=1)

    async def begin(self) -> None:
        """Open the session, and wait for leave to do the first step."""
        hello = cell_pb2.Hello(
            cell_id=self.name,
            node_id=new_id("node"),
            boot_id="boot",
            schema_digest=schema_digest(SCHEMA),
            channels=[name for name, _ in SCHEMA],
            scene=self._scene,
        )
        await self._say(cell_pb2.NodeMessage(hello=hello))

    async def work(self) -> None:
        """Read and beat, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            tasks.create_task(self._beat())

    @property
    def next_part(self) -> str:
        """Id of the part that the next window is about."""
        return f"P{self._cuts + 1:05d}"

    async def cut(self, *, sure: bool) -> int:
        """Send a window; return when it was cut, monotonic ns."""
        part_id = self.next_part
        self._cuts = seq = self._cuts + 1
        low, high = (1.0, 2.0) if sure else (-2.0, -1.0)
        samples = self._rng.uniform(low, high, (ROWS, 3)).astype(np.float32)
        present = np.ones(3, dtype=np.bool_)
        now_ns = time.monotonic_ns()
        window = CutWindow(
            window_id=new_id("w"),
            kind=WindowKind.DECISION,
            cycle=seq,
            step="insert",
            part_id=part_id,
            start_ns=now_ns,
            period_ns=1_000_000,
            samples=samples,
            present=present,
            digest=window_digest(schema_digest(SCHEMA), samples, present),
            gap_rows=0,
            scene_ns=now_ns,
            cut_ns=now_ns,
            cut_utc_ns=time.time_ns(),
        )
        self._scene = cell_pb2.Scene(
            stand=cell_pb2.STAND_DECIDING,
            cycle=seq,
            step=window.step,
            part_id=window.part_id,
            window_digest=window.digest,
        )
        message = convert.windows_message(
            window, seq=seq, age_ns=0, offered_again=False
        )
        await self._say(message)
        return now_ns

    async def permitted_ns(self) -> int:
        """Wait for leave; return when it came, monotonic ns."""
        async with asyncio.timeout(SOON_S):
            return await self.leave.get()

    async def _say(self, message: cell_pb2.NodeMessage) -> None:
        message.sent_ns = time.monotonic_ns()
        async with self._writing:
            await self._call.write(message)

    async def _beat(self) -> None:
        while True:
            beat = cell_pb2.Heartbeat(seq=next(self._beats), scene=self._scene)
            await self._say(cell_pb2.NodeMessage(heartbeat=beat))
            await asyncio.sleep(HEARTBEAT_S)

    async def _read(self) -> None:
        async for message in self._call:
            if message.HasField("permit"):
                self.leave.put_nowait(time.monotonic_ns())
                await self._start(message.permit)

    async def _start(self, permit: Any) -> None:
        """Begin the step that was permitted."""
        cycle = permit.cycle + (self._scene.stand == cell_pb2.STAND_DECIDING)
        self._scene = cell_pb2.Scene(
            stand=cell_pb2.STAND_IN_STEP, cycle=cycle, step="insert"
        )
        started = cell_pb2.PermitStarted(permit_id=permit.permit_id, scene=self._scene)
        await self._say(cell_pb2.NodeMessage(permit_started=started))


@asynccontextmanager
async def cells(address: str, names: Sequence[str]) -> AsyncIterator[list[Cell]]:
    """Nodes of these cells, all at work, until the block ends."""
    channels = [
        grpc.aio.insecure_channel(
            address, options=[("grpc.use_local_subchannel_pool", 1)]
        )
        for _ in range(0, len(names), CALLS_A_CHANNEL)
    ]
    made = [Cell(channels[n // CALLS_A_CHANNEL], name) for n, name in enumerate(names)]
    for cell in made:
        await cell.begin()
    working = [asyncio.create_task(cell.work()) for cell in made]
    try:
        for cell in made:
            await cell.permitted_ns()
        yield made
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        for channel in channels:
            await channel.close()


def cpu_s(pid: int) -> float:
    """CPU that a process has used, s."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    facts = text.rpartition(")")[2].split()
    return (int(facts[11]) + int(facts[12])) / TICKS


async def share(pid: int, seconds: float) -> float:
    """CPU that a process uses over some time, as a share of one core."""
    before, begin_ns = cpu_s(pid), time.monotonic_ns()
    await asyncio.sleep(seconds)
    return (cpu_s(pid) - before) / ((time.monotonic_ns() - begin_ns) / 1e9)


@asynccontextmanager
async def busy(made: Sequence[Cell], every_s: float) -> AsyncIterator[None]:
    """These cells send a window each so often, about which nobody is asked."""

    async def one(cell: Cell, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        while True:
            await cell.cut(sure=True)
            await asyncio.sleep(every_s)

    waits = spread(len(made), every_s)
    tasks = [
        asyncio.create_task(one(cell, wait_s))
        for cell, wait_s in zip(made, waits, strict=True)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


def spread(count: int, seconds: float) -> Iterator[float]:
    """So many moments, evenly over some time, s."""
    return (n * seconds / count for n in range(count))
