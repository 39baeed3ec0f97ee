"""F41: a robot whose safety system stops it at random, while permits fly.

A real node process, a real gRPC stream, and a robot in this process that offers every
service which could end a safety stop, and counts who calls one.
"""

import asyncio
import json
import os
import random
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from andon.v1 import cell_pb2
from ros_nodes.clock import SystemClock
from ros_nodes.config import read_cell
from ros_nodes.loopback import loopback_environment
from ros_nodes.plan import plan
from ros_nodes.supervisor import command
from ros_nodes.talk import TalkError, read_leave, step_text
from ros_nodes.terms import StepEvent, StepMoment
from tests.ros_nodes.cells import ROOT, free_domain
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, serving

pytest.importorskip("rclpy")

from sensor_msgs.msg import JointState
from std_msgs.msg import Int8, String

from ros_nodes.qos import PERMITS, SENSORS, STEPS
from tests.ros_nodes.adapters.controllers import Controller
from tests.ros_nodes.ros_world import Spun, spun, until

pytestmark = [pytest.mark.ros, pytest.mark.slow]

CONFIG = """
[coordinator]
listen = "127.0.0.1:{port}"
[requests]
undo_s = 0.0
[families.f]
rows = 8
default_label = "ok"
channels = [
  {{ name = "elbow_pos", unit = "rad", source = "joints:position:elbow" }},
]
[cells.press-1]
family = "f"
[cells.press-1.ros]
domain_id = {domain}
topics = {{ joints = {{ type = "sensor_msgs/msg/JointState" }} }}
robot = {{ adapter = "{adapter}", hold = "{hold}"{back} }}
[[cells.press-1.ros.safety]]
topic = "safety"
type = "std_msgs/msg/Int8"
normal = [1, 2]
"""
RUNNING = ', read_back = { topic = "running", held = [false] }'
NORMAL, STOPPED = 1, 3
STEP_S = 0.15
TOGGLES = 12


class FakeRobot:
    """A program that takes leave, a controller that holds it, people who start it."""

    def __init__(self, world: Spun) -> None:
        node = world.node
        self.clock = SystemClock()
        self.controller = Controller(node)
        self._lock = threading.RLock()
        self._steps = node.create_publisher(String, "steps", STEPS)
        self._joints = node.create_publisher(JointState, "joint_states", SENSORS)
        node.create_subscription(String, "permits", self._leave, PERMITS)
        node.create_timer(0.02, self._live)
        self.begun: list[str] = []
        self.stops = self.stops_in_a_step = 0
        self._stopped = self._ended = False
        self._cycle = 0
        self._step: tuple[str, float] | None = None
        self.safety(NORMAL)
        self.controller.runs(True)

    @property
    def held(self) -> bool:
        asked = [what for what in self.controller.asked if what in ("hold", "resume")]
        return asked[-1:] == ["hold"]

    @property
    def worked_enough(self) -> bool:
        """Whether it worked, and was stopped at work, as often as a test needs."""
        return len(self.begun) >= 5 and self.stops_in_a_step >= 2

    def safety(self, mode: int) -> None:
        with self._lock:
            if mode == STOPPED and not self._stopped:
                self.stops += 1
                self.stops_in_a_step += self._step is not None
                self._step = None
                self._ended = True
            self._stopped = mode == STOPPED
            self.controller.safety.publish(Int8(data=mode))

    def start_anew(self) -> None:
        """Somebody starts the program: it begins without a hold, and waits."""
        with self._lock:
            self._ended = False
            self.controller.asked.append("started")
            self.controller.asked.append("resume")

    def _leave(self, message: String) -> None:
        with self._lock:
            now_ns = self.clock.monotonic_ns()
            try:
                leave = read_leave(message.data)
            except TalkError:
                return
            useless = self._stopped or self._ended or self.held or self._step
            if useless or leave.permit_id in self.begun or now_ns > leave.start_by_ns:
                return
            self.begun.append(leave.permit_id)
            self._step = (leave.permit_id, now_ns)
            self._say(StepMoment.BEGIN, now_ns)

    def _live(self) -> None:
        with self._lock:
            now_ns = self.clock.monotonic_ns()
            stamp = JointState(name=["elbow"], position=[1.0])
            stamp.header.stamp.sec, stamp.header.stamp.nanosec = divmod(now_ns, 10**9)
            self._joints.publish(stamp)
            if self._step and not self.held and now_ns - self._step[1] > STEP_S * 1e9:
                self._say(StepMoment.END, now_ns)
                self._step = None
                self._cycle += 1

    def _say(self, moment: StepMoment, stamp_ns: int) -> None:
        permit_id = self.begun[-1]
        event = StepEvent(moment, self._cycle, "part", "step", stamp_ns, permit_id)
        self._steps.publish(String(data=step_text(event)))


@asynccontextmanager
async def node_up(folder: Path, config: str) -> AsyncIterator[Path]:
    """The node of one cell in a process of its own; yields its trace."""
    path = folder / "andon.toml"
    path.write_text(config, encoding="utf-8")
    [spec] = plan(read_cell(path, "press-1"), path, trace=folder)
    python_path = os.pathsep.join([str(ROOT), str(ROOT / "proto")])
    with (folder / "node.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command(spec),
            env={
                **os.environ,
                **loopback_environment(),
                **spec.env,
                "PYTHONPATH": python_path,
            },
            stderr=log,
        )
        try:
            yield folder / "press-1.node.jsonl"
        finally:
            process.terminate()
            await process.wait()


def lines(trace: Path) -> list[dict[str, Any]]:
    text = trace.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def told_last(coordinator: ScriptedCoordinator, stand: int) -> bool:
    return coordinator.sessions[-1].scene.stand == stand


async def permits(coordinator: ScriptedCoordinator, chance: random.Random) -> None:
    """Give every kind of leave, right and wrong ones, as fast as they are used."""
    number = 0
    while True:
        await asyncio.sleep(chance.uniform(0.01, 0.08))
        number += 1
        session = coordinator.sessions[-1]
        digest = session.scene.window_digest
        purpose = "NEXT_STEP" if digest else chance.choice(["START"] * 5 + ["RESUME"])
        # A busy machine may lose the session, and then gRPC says so in many ways.
        with suppress(Exception):
            await session.permit(purpose, permit_id=f"p-{number}", window_digest=digest)


def looks_right(trace: list[dict[str, Any]]) -> None:
    """I1 and F41, from the node's own trace, line by line."""
    stopped, stop_since_begin = False, False
    used: set[str] = set()
    for line in trace:
        match line["event"]:
            case "safety":
                stopped = bool(line["kind"])
                stop_since_begin |= stopped
            case "permit_started":
                assert not stopped, line
                assert line["permit_id"] not in used
                used.add(line["permit_id"])
            case "resume":
                assert not stop_since_begin, line
            case "begin" if line["permit_id"] in used:
                stop_since_begin = stopped


@pytest.mark.parametrize(
    ("adapter", "hold", "back"),
    [
        pytest.param("set_bool", "held", "", id="service"),
        pytest.param("topic", "hold_signal", RUNNING, id="signal-and-read-back"),
    ],
)
async def test_no_permit_outlives_a_safety_stop_and_nobody_ends_one(
    tmp_path: Path, adapter: str, hold: str, back: str
) -> None:
    chance = random.Random(f"{adapter}{back}")  # noqa: S311 - a test's own
    coordinator = ScriptedCoordinator()
    domain = free_domain(4)
    async with serving(coordinator) as (_, port):
        text = CONFIG.format(
            port=port, domain=domain, adapter=adapter, hold=hold, back=back
        )
        with spun("robot", domain) as world:
            robot = FakeRobot(world)
            async with node_up(tmp_path, text) as trace:
                await coordinator.session()
                flying = asyncio.create_task(permits(coordinator, chance))
                async with asyncio.timeout(90.0):
                    while robot.stops < TOGGLES or not robot.worked_enough:
                        await asyncio.sleep(chance.uniform(0.1, 0.9))
                        robot.safety(STOPPED)
                        await asyncio.sleep(chance.uniform(0.0, 0.2))
                        robot.safety(NORMAL)
                        robot.start_anew()
                robot.safety(STOPPED)
                await until(lambda: told_last(coordinator, cell_pb2.STAND_STOPPED))
                begun = len(robot.begun)
                await asyncio.sleep(0.5)
                flying.cancel()
                await asyncio.gather(flying, return_exceptions=True)

                assert len(robot.begun) == begun
                assert robot.controller.forbidden == []
                assert len(set(robot.begun)) == len(robot.begun)
                told = [line for line in lines(trace) if line["event"] == "safety"]
                assert sum(bool(line["kind"]) for line in told) >= TOGGLES // 2
                heard = [
                    s for one in coordinator.sessions for s in one.of("safety_stop")
                ]
                assert len(heard) >= TOGGLES // 2
                looks_right(lines(trace))
                started = {
                    line["permit_id"]
                    for line in lines(trace)
                    if line["event"] == "permit_started"
                }
                assert set(robot.begun) <= started


async def test_a_stop_is_mirrored_before_its_next_sample(tmp_path: Path) -> None:
    coordinator = ScriptedCoordinator()
    domain = free_domain(5)
    async with serving(coordinator) as (_, port):
        text = CONFIG.format(
            port=port, domain=domain, adapter="set_bool", hold="held", back=""
        )
        with spun("robot", domain) as world:
            robot = FakeRobot(world)
            async with node_up(tmp_path, text) as trace:
                session = await coordinator.session()
                robot.start_anew()
                await session.permit("START", permit_id="p-1")
                await until(lambda: robot.begun)
                for _ in range(3):
                    robot.safety(NORMAL)
                    await asyncio.sleep(0.2)
                robot.safety(STOPPED)  # once: there is no next sample to wait for
                await session.until(lambda: session.of("safety_stop"))

                seen = [x for x in lines(trace) if x["event"] == "safety" and x["kind"]]
                assert len(seen) == 1
                assert session.of("safety_stop")[0].kind == "/press_1/safety data = 3"
