"""Simulated robots in a process of their own, each behind a socket of its cell.

A robot must outlive its node: a node that is killed must not take the motion with it.
What the robot did is in `<cell>.motions.jsonl`, by its own account.

    python -m tests.link.robots FOLDER CELL...
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ros_nodes.clock import SystemClock
from ros_nodes.recording import RecordedTruth
from ros_nodes.simulated_robot import Pace, Records, Say, SimulatedRobot
from ros_nodes.trace import Trace

TICK_S = 0.02
LATE_NS = 50_000_000
"""Time between two ticks from which a robot says that its process was late."""
PERIOD_S = 0.02
SAMPLES = 25
"""Of one cycle: half a second."""
DOUBTFUL_EVERY = 4
"""Every so many cycles the force is one that the model has doubts about."""
SURE_N, DOUBTFUL_N = 3.0, -3.0
"""The force of a cycle; plant.py is sure of the first and asks about the second, N."""

KINDS = {"joints": b"J", "wrench": b"W", "steps": b"S"}
LEAVE, HOLD, RESUME, HELD, RESUMED = b"L", b"H", b"R", b"h", b"r"


def frame(kind: bytes, content: bytes = b"") -> bytes:
    """One message between a node and its robot."""
    return kind + len(content).to_bytes(4, "big") + content


async def read_frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The next message; raises IncompleteReadError at the end."""
    head = await reader.readexactly(5)
    return head[:1], await reader.readexactly(int.from_bytes(head[1:], "big"))


@dataclass(frozen=True, slots=True)
class Felt:
    """One sample of the arm."""

    position: NDArray[np.float64]
    velocity: NDArray[np.float64]
    effort: NDArray[np.float64]
    wrench: NDArray[np.float64]
    joints_sent: bool = True
    wrench_sent: bool = True


class Arm:
    """An arm with one joint that presses, cycle after cycle."""

    period_s = PERIOD_S

    def __init__(self) -> None:
        self._left = 0
        self._paused = False
        self._force = SURE_N
        self._noise = np.random.default_rng()

    def begin_cycle(self, cycle: int) -> RecordedTruth:
        self._left = SAMPLES
        self._force = DOUBTFUL_N if cycle % DOUBTFUL_EVERY == 2 else SURE_N
        return RecordedTruth(f"part-{cycle}", label="ok")

    def advance(self) -> Felt | None:
        if not self._paused:
            if self._left == 0:
                return None
            self._left -= 1
        return self._felt(self._force)

    def idle(self) -> Felt:
        return self._felt(0.1)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def _felt(self, force: float) -> Felt:
        # No window twice: evidence is known by its digest.
        shiver = 1e-3 * self._noise.standard_normal(3)  # (3,)
        wrench = np.array([0.0, 0.0, force + shiver[0], 0.0, 0.0, 0.0])
        return Felt(1.0 + shiver[1:2], np.zeros(1), 2.0 + shiver[2:], wrench)


class Socket:
    """One robot and the nodes that speak to it."""

    def __init__(self, cell: str, folder: Path) -> None:
        self._clock = clock = SystemClock()
        self._motions = Trace(folder / f"{cell}.motions.jsonl", clock)
        self._path = folder / f"{cell}.sock"
        self._writers: set[asyncio.StreamWriter] = set()
        self._robot = SimulatedRobot(
            cell,
            ("elbow",),
            Arm(),
            Pace(),
            clock=clock,
            records=Records(Trace(None, clock), self._motions),
        )

    async def live(self) -> None:
        server = await asyncio.start_unix_server(self._node, self._path)
        async with server:
            ticked_ns = self._clock.monotonic_ns()
            while True:
                now_ns = self._clock.monotonic_ns()
                if now_ns - ticked_ns > LATE_NS:
                    self._motions.write("late", gap_ns=now_ns - ticked_ns)
                ticked_ns = now_ns
                self._tell(self._robot.tick())
                await asyncio.sleep(TICK_S)

    async def _node(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._writers.add(writer)
        try:
            while True:
                kind, content = await read_frame(reader)
                if kind == LEAVE:
                    self._robot.hear_leave(content.decode())
                elif kind == HOLD:
                    self._tell(self._robot.hold())
                    writer.write(frame(HELD))
                elif kind == RESUME:
                    self._robot.resume()
                    writer.write(frame(RESUMED))
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _tell(self, said: Iterable[Say]) -> None:
        for say in said:
            content = say.content
            raw = content.encode() if isinstance(content, str) else content
            for writer in self._writers:
                # A node that does not read (stopped) loses samples, not the robot.
                if writer.transport.get_write_buffer_size() < 1 << 20:
                    writer.write(frame(KINDS[say.topic], raw))


async def main(folder: Path, cells: list[str]) -> None:
    living = [asyncio.create_task(Socket(cell, folder).live()) for cell in cells]
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()
    for task in living:
        task.cancel()
    await asyncio.gather(*living, return_exceptions=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
