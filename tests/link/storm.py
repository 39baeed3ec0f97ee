"""Two hundred nodes without robots that come back all at once."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import grpc.aio

from andon.v1 import cell_pb2, operator_pb2, operator_pb2_grpc
from ros_nodes.clock import SystemClock
from ros_nodes.terms import new_id
from ros_nodes.uplink import Uplink
from ros_nodes.window_bytes import schema_digest
from tests.link.cuts import judge
from tests.link.judge import Findings
from tests.link.sender import HEARTBEAT_S, SCHEMA
from tests.link.world import PERSON, plant

HOLD_WITHIN_S = 10.0


class Bare:
    """A node's uplink, real, and nothing behind it: it greets and beats."""

    def __init__(self, address: str, cell: str) -> None:
        self.cell = cell
        self.epochs: list[int] = []
        self.welcomed_ns = 0
        """When the newest session began."""
        self.open = False
        self._node_id = new_id("node")
        self._beats = 0
        self._uplink = Uplink(address, self, SystemClock())

    def hello(self) -> cell_pb2.NodeMessage:
        return cell_pb2.NodeMessage(
            hello=cell_pb2.Hello(
                cell_id=self.cell,
                node_id=self._node_id,
                boot_id="boot",
                schema_digest=schema_digest(SCHEMA),
                channels=[name for name, _ in SCHEMA],
                scene=cell_pb2.Scene(stand=cell_pb2.STAND_AT_START),
            )
        )

    def received(self, message: cell_pb2.CoordinatorMessage) -> None:
        if message.WhichOneof("message") == "welcome":
            self.epochs.append(message.welcome.session_epoch)
            self.welcomed_ns = time.monotonic_ns()
            self.open, self._beats = True, 0

    def lost(self, text: str) -> None:
        self.open = False

    async def live(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._uplink.run())
            tasks.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            if self.open:
                self._beats += 1
                scene = cell_pb2.Scene(stand=cell_pb2.STAND_AT_START)
                beat = cell_pb2.Heartbeat(seq=self._beats, scene=scene)
                self._uplink.say(cell_pb2.NodeMessage(heartbeat=beat))


async def all_open(nodes: Sequence[Bare], *, within_s: float) -> None:
    """Wait until every node has a session."""
    try:
        async with asyncio.timeout(within_s):
            while not all(node.open for node in nodes):  # noqa: ASYNC110 - of many
                await asyncio.sleep(0.02)
    except TimeoutError:
        away = [node.cell for node in nodes if not node.open]
        raise AssertionError(f"not within {within_s:g} s: {away}") from None


async def struck(
    folder: Path, count: int, found: Findings, *, within_s: float
) -> tuple[list[int], int]:
    """Kill the coordinator under so many nodes, and one cell that works.

    Returns:
        How long after the coordinator served again each node had a session, rising,
        and how long a person's hold took in the midst of it; both in nanoseconds.
    """
    cells = [f"bare-{n}" for n in range(count)]
    async with plant(folder, [*cells, "c0"], seed=25) as world:
        address = f"127.0.0.1:{world.port}"
        nodes = [Bare(address, cell) for cell in cells]
        living = [asyncio.create_task(node.live()) for node in nodes]
        await world.crowd({"c0": "c0"})
        await all_open(nodes, within_s=within_s)
        await world.at_work("c0")
        assert world.coordinator is not None

        killed_ns = time.monotonic_ns()
        await world.coordinator.end(signal.SIGKILL)
        await world.serve()
        serves_ns = time.monotonic_ns()
        async with grpc.aio.insecure_channel(address) as channel:
            hold = operator_pb2.HoldRequest(cell_id=cells[0], actor=PERSON)
            stub = operator_pb2_grpc.OperatorServiceStub(channel)
            await stub.Hold(hold, timeout=HOLD_WITHIN_S)
        held_ns = time.monotonic_ns() - serves_ns
        await all_open(nodes, within_s=within_s)
        await world.at_work("c0", after_epoch=1)
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)
    judge(world, found, away=[(killed_ns, serves_ns)])
    for node in nodes:
        if any(after <= before for before, after in pairwise(node.epochs)):
            found.wrong(f"{node.cell}: sessions {node.epochs}")
    return sorted(node.welcomed_ns - serves_ns for node in nodes), held_ns
