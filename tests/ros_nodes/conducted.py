"""A conductor against a real gRPC stream, with a robot that obeys at once; no ROS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ros_nodes.cdr import JointWriter, write_wrench
from ros_nodes.clock import SECOND_NS, SystemClock
from ros_nodes.conductor import Conductor, new_identity
from ros_nodes.effects import HoldAnswer
from ros_nodes.hands import Look
from ros_nodes.talk import read_leave, step_text
from ros_nodes.terms import StepEvent, StepMoment
from ros_nodes.trace import Trace
from tests.ros_nodes.node_builders import make_config
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, Spoken, serving

MS = SECOND_NS // 1000


class ObedientRobot:
    """Holds and resumes at once, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.leaves: list[str] = []
        self.obeys = True
        self.shows = Look()

    async def hold(self) -> HoldAnswer:
        self.asked.append("hold")
        return HoldAnswer.HELD if self.obeys else HoldAnswer.UNCONFIRMED

    async def resume(self) -> bool:
        self.asked.append("resume")
        return self.obeys

    def give_leave(self, text: str) -> None:
        self.leaves.append(read_leave(text).permit_id)

    def lift_hold(self) -> None:
        self.asked.append("lift")

    def look(self) -> Look:
        look, self.shows = self.shows, Look()
        return look


class Sleepy(SystemClock):
    """A clock that went on while its process did not."""

    asleep_ns = 0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.asleep_ns


class Cell:
    """A conductor with its robot, and a step that a test can play."""

    def __init__(
        self, conductor: Conductor, robot: ObedientRobot, clock: Sleepy
    ) -> None:
        self.conductor = conductor
        self.robot = robot
        self.clock = clock
        self._writer = JointWriter(["elbow"])

    def feel(self, stamp_ns: int, *, force: float = 3.0) -> None:
        joints = self._writer.write(stamp_ns, [1.0], [], [2.0])
        wrench = write_wrench(stamp_ns, [0, 0, force, 0, 0, 0])
        self.conductor.evidence.take("joints", [(joints, {})])
        self.conductor.evidence.take("wrench", [(wrench, {})])

    def say(self, moment: StepMoment, cycle: int, stamp_ns: int) -> None:
        permit_id = self.robot.leaves[-1] if self.robot.leaves else ""
        event = StepEvent(moment, cycle, f"part-{cycle}", "insert", stamp_ns, permit_id)
        self.conductor.step_said(step_text(event))

    def play(self, cycle: int) -> None:
        """Work one cycle of 160 ms that ends now."""
        end_ns = self.clock.monotonic_ns()
        begin_ns = end_ns - 160 * MS
        self.say(StepMoment.BEGIN, cycle, begin_ns)
        for stamp_ns in range(begin_ns, end_ns + 1, 10 * MS):
            self.feel(stamp_ns)
        self.say(StepMoment.END, cycle, end_ns)

    async def until(self, fact) -> None:
        async with asyncio.timeout(10):
            while not fact():  # noqa: ASYNC110 - facts of another task
                await asyncio.sleep(0.005)


@asynccontextmanager
async def running(port: int, folder: Path, **facts: Any) -> AsyncIterator[Cell]:
    """A cell's node; facts are of its configuration."""
    clock, robot = Sleepy(), ObedientRobot()
    config = make_config(target=f"127.0.0.1:{port}", **facts)
    trace = Trace(folder / "node.jsonl", clock)
    conductor = Conductor(
        config, clock, robot, trace=trace, identity=new_identity("test")
    )
    cell = Cell(conductor, robot, clock)

    async def tick() -> None:
        while True:
            conductor.tick()
            await asyncio.sleep(0.005)

    tasks = [asyncio.create_task(tick()), asyncio.create_task(conductor.run())]
    try:
        yield cell
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        trace.close()


@asynccontextmanager
async def started(
    folder: Path, *, monitor_every_s: float = 0.0
) -> AsyncIterator[tuple[Cell, Spoken]]:
    """A cell in a session, with leave for its first cycle."""
    coordinator = ScriptedCoordinator()
    async with (
        serving(coordinator) as (_, port),
        running(port, folder, monitor_every_s=monitor_every_s) as cell,
    ):
        session = await coordinator.session()
        await session.permit("START", permit_id="p-1")
        await cell.until(lambda: cell.robot.leaves)
        yield cell, session
