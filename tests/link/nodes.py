"""Real nodes without ROS: conductor, station, permission and uplink of many cells.

What stands in for ROS is a socket to the robot's process; all else is what a cell
controller runs. Traces go to `<name>.node.jsonl`.

    python -m tests.link.nodes CONFIG FOLDER NAME=CELL@HOST:PORT...
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

from ros_nodes.clock import Clock, SystemClock, seconds_to_ns
from ros_nodes.conductor import Conductor, Identity, new_identity
from ros_nodes.config import read_cell
from ros_nodes.effects import HoldAnswer
from ros_nodes.hands import Look
from ros_nodes.trace import Trace
from tests.link.robots import (
    HELD,
    HOLD,
    KINDS,
    LEAVE,
    RESUME,
    RESUMED,
    frame,
    read_frame,
)

TICK_S = 0.01
"""As in cell_node.py."""
ANSWER_S = 1.0


class Settable(SystemClock):
    """A wall clock that a test sets, see plant.py."""

    ahead_ns = 0

    def utc_ns(self) -> int:
        return super().utc_ns() + self.ahead_ns

    def obey(self, path: Path) -> None:
        def read(_number: int, _frame: FrameType | None) -> None:
            self.ahead_ns = seconds_to_ns(float(path.read_text()))

        signal.signal(signal.SIGUSR1, read)


class SocketRobot:
    """A RobotPort over a socket."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._answers: dict[bytes, asyncio.Future[bool]] = {}

    async def hold(self) -> HoldAnswer:
        held = await self._ask(HOLD, HELD)
        return HoldAnswer.HELD if held else HoldAnswer.UNCONFIRMED

    async def resume(self) -> bool:
        return await self._ask(RESUME, RESUMED)

    def give_leave(self, text: str) -> None:
        self._writer.write(frame(LEAVE, text.encode()))

    def lift_hold(self) -> None:
        self._writer.write(frame(RESUME))

    def look(self) -> Look:
        return Look()

    def answered(self, kind: bytes) -> None:
        waiting = self._answers.pop(kind, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(True)

    async def _ask(self, kind: bytes, answer: bytes) -> bool:
        self._answers[answer] = asyncio.get_running_loop().create_future()
        self._writer.write(frame(kind))
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                return await self._answers[answer]
        return False


class Node:
    """One cell's node."""

    def __init__(self, config: Path, folder: Path, words: str, clock: Clock) -> None:
        self._clock = clock
        self.name, _, rest = words.partition("=")
        cell, _, target = rest.partition("@")
        self._folder = folder
        self._config = replace(read_cell(config, cell), target=target)
        # Two nodes of one name are two programs with one identity: a clone.
        stem = self.name.partition("+")[0]
        clone = "+" in self.name
        self._identity = (
            Identity(f"node-{stem}", "test") if clone else new_identity("test")
        )

    async def live(self) -> None:
        cell = self._config.cell_id
        reader, writer = await self._robot(self._folder / f"{cell}.sock")
        robot = SocketRobot(writer)
        clock = self._clock
        conductor = Conductor(
            self._config,
            clock,
            robot,
            trace=Trace(self._folder / f"{self.name}.node.jsonl", clock),
            identity=self._identity,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(reader, robot, conductor))
                tasks.create_task(self._tick(conductor))
                tasks.create_task(conductor.run())
        finally:
            # As cell_node.py does: the last act of a node is to hold its robot.
            writer.write(frame(HOLD))
            await writer.drain()

    @staticmethod
    async def _robot(
        path: Path,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while True:
            with suppress(OSError):
                return await asyncio.open_unix_connection(path)
            await asyncio.sleep(0.05)

    @staticmethod
    async def _tick(conductor: Conductor) -> None:
        while True:
            conductor.tick()
            await asyncio.sleep(TICK_S)

    @staticmethod
    async def _hear(
        reader: asyncio.StreamReader, robot: SocketRobot, conductor: Conductor
    ) -> None:
        topics = {KINDS[topic]: topic for topic in ("joints", "wrench")}
        while True:
            kind, content = await read_frame(reader)
            if kind in topics:
                conductor.evidence.take(topics[kind], [(content, {})])
            elif kind == KINDS["steps"]:
                conductor.step_said(content.decode())
            else:
                robot.answered(kind)


async def main(config: Path, folder: Path, cells: list[str]) -> None:
    clock = Settable()
    clock.obey(folder / "wall.nodes")
    nodes = [Node(config, folder, one, clock) for one in cells]
    living = [asyncio.create_task(node.live()) for node in nodes]
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    ended = asyncio.create_task(told.wait())
    await asyncio.wait([ended, *living], return_when=asyncio.FIRST_COMPLETED)
    for task in living:
        task.cancel()
    for outcome in await asyncio.gather(*living, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
