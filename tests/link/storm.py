"""Two hundred nodes without robots that come back all at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from andon.v1 import cell_pb2
from ros_nodes.clock import SystemClock
from ros_nodes.terms import new_id
from ros_nodes.uplink import Uplink
from ros_nodes.windowing import schema_digest
from tests.link.sender import HEARTBEAT_S, SCHEMA


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
