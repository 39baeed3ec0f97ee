"""The check over real topics: one world with every fault at once, one with none."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.ros_nodes.cells import ROOT, cell_up, free_domain, write_config

pytest.importorskip("rclpy")

from geometry_msgs.msg import WrenchStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.time import Time
from sensor_msgs.msg import Imu, JointState, Temperature
from std_msgs.msg import Bool, Float64, String
from std_srvs.srv import SetBool, Trigger

from tests.ros_nodes.ros_world import Spun, spun

pytestmark = [pytest.mark.ros, pytest.mark.slow]

RELIABLE = QoSProfile(depth=10)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
OLD_NS = 3_000_000_000

CONFIG = """
[coordinator]
listen = "127.0.0.1:1"

[families.peg]
channels = [
  { name = "elbow", unit = "rad", source = "joints:position:elbow" },
  { name = "warm", unit = "degC", source = "temp:temperature:value" },
  { name = "tilt", unit = "m/s^2", source = "imu:linear_acceleration:z" },
  { name = "scaling", unit = "1", source = "scaling:data:value" },
  { name = "closed", unit = "1", source = "closed:data:value" },
  { name = "push", unit = "N", source = "wrench:force:z" },
]

[cells.press-1]
family = "peg"

[cells.press-1.ros]
domain_id = DOMAIN

[cells.press-1.ros.topics]
joints = { name = "joint_states", type = "sensor_msgs/msg/JointState", rate_hz = 50.0 }
temp = { name = "/temp", type = "sensor_msgs/msg/Temperature" }
imu = { name = "/imu", type = "sensor_msgs/msg/Imu", rate_hz = 20.0, latched = true }
scaling = { name = "/scaling", type = "std_msgs/msg/Float64", rate_hz = 20.0 }
closed = { name = "/closed", type = "std_msgs/msg/Bool" }
wrench = { name = "/wrench", type = "geometry_msgs/msg/WrenchStamped" }

[cells.press-1.ros.robot]
hold = "/dashboard/pause"
resume = "/dashboard/play"

[[cells.press-1.ros.safety]]
topic = "/safety_mode"
type = "SAFETY_TYPE"
field = "data"
normal = [1.0]
"""

FAULTS = {
    ("NO_COORDINATOR", ""),
    ("RATE_OFF", "topics.joints"),
    ("CLOCK_SKEW", "topics.joints"),
    ("NOT_IN_MESSAGE", "topics.joints"),
    ("WRONG_TYPE", "topics.temp"),
    ("QOS_MISMATCH", "topics.imu"),
    ("TWO_PUBLISHERS", "topics.scaling"),
    ("SILENT", "topics.closed"),
    ("NO_PUBLISHER", "topics.wrench"),
    ("TYPE_NOT_INSTALLED", "safety[0]"),
    ("NO_PUBLISHER", "steps"),
    ("QOS_MISMATCH", "permits"),
    ("WRONG_SERVICE_TYPE", "robot.hold"),
    ("NO_SERVICE", "robot.resume"),
}


def quiet_domain(number: int) -> int:
    """A domain in which nobody is: not even a cell of another test run."""
    return free_domain(number) - 50


class Robot:
    """Publishes what a test tells it to, from a thread of its own."""

    def __init__(self, world: Spun) -> None:
        self._node = world.node

    def says(self, message: Any, topic: str, hz: float, profile=RELIABLE) -> None:
        publisher = self._node.create_publisher(type(message), topic, profile)
        self._node.create_timer(1.0 / hz, lambda: publisher.publish(message))

    def says_joints(self, *names: str, hz: float, age_ns: int = 0) -> None:
        publisher = self._node.create_publisher(JointState, "joint_states", RELIABLE)

        def say() -> None:
            now_ns = self._node.get_clock().now().nanoseconds
            message = JointState(name=list(names), position=[0.0] * len(names))
            message.header.stamp = Time(nanoseconds=now_ns - age_ns).to_msg()
            publisher.publish(message)

        self._node.create_timer(1.0 / hz, say)

    def says_once(self, message: Any, topic: str, profile=LATCHED) -> None:
        self._node.create_publisher(type(message), topic, profile).publish(message)

    def keeps_silent(self, kind: Any, topic: str) -> None:
        self._node.create_publisher(kind, topic, RELIABLE)

    def serves(self, kind: Any, name: str) -> None:
        self._node.create_service(kind, name, lambda _, response: response)

    def hears(self, topic: str, profile=RELIABLE) -> None:
        self._node.create_subscription(String, topic, lambda _: None, profile)

    def says_stamped(self, message: Any, topic: str, hz: float, profile) -> None:
        publisher = self._node.create_publisher(type(message), topic, profile)

        def say() -> None:
            message.header.stamp = self._node.get_clock().now().to_msg()
            publisher.publish(message)

        self._node.create_timer(1.0 / hz, say)


@contextmanager
def robots(domain: int, count: int = 1) -> Iterator[list[Robot]]:
    with ExitStack() as worlds:
        yield [
            Robot(worlds.enter_context(spun(f"robot_{number}", domain)))
            for number in range(count)
        ]


def write(folder: Path, domain: int, *, safety_type: str) -> Path:
    path = folder / "andon.toml"
    text = CONFIG.replace("DOMAIN", str(domain)).replace("SAFETY_TYPE", safety_type)
    path.write_text(text, encoding="utf-8")
    return path


def check(config: Path, *words: str) -> tuple[int, Any, str]:
    """Run the check as a program, on loopback: exit code, JSON, standard error."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "proto")])
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ros_nodes", "check", "--config", str(config)),
            *("--json", *words),
        ],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


def test_every_fault_of_a_world_is_found_at_once(tmp_path: Path) -> None:
    domain = quiet_domain(3)
    config = write(tmp_path, domain, safety_type="nowhere_msgs/msg/Mode")
    with robots(domain, 2) as (robot, other):
        robot.says_joints("ur_elbow", "ur_wrist", hz=20.0, age_ns=OLD_NS)
        robot.says(Float64(data=20.0), "/temp", hz=5.0)
        robot.says_stamped(Imu(), "/imu", 20.0, RELIABLE)
        robot.says(Float64(), "/scaling", hz=10.0)
        other.says(Float64(), "/scaling", hz=10.0)
        robot.keeps_silent(Bool, "/closed")
        robot.serves(SetBool, "/dashboard/pause")
        robot.serves(Trigger, "/dashboard_client/play")
        robot.hears("permits", LATCHED)

        code, [report], _ = check(config)

    assert code == 1
    table = "cells.press-1.ros"
    found = {
        (one["code"], one["where"].removeprefix(table).removeprefix("."))
        for one in report["findings"]
    }
    assert found == FAULTS
    texts = {one["code"]: one["text"] for one in report["findings"]}
    assert "did you mean ur_elbow?" in texts["NOT_IN_MESSAGE"]
    assert "did you mean /dashboard_client/play?" in texts["NO_SERVICE"]
    assert "3 s old when they come" in texts["CLOCK_SKEW"]


def test_a_world_without_a_fault_lets_the_cell_start(tmp_path: Path) -> None:
    domain = quiet_domain(4)
    config = write(tmp_path, domain, safety_type="std_msgs/msg/Float64")
    with robots(domain) as (robot,):
        robot.says_joints("elbow", "wrist", hz=50.0)
        robot.says_stamped(Temperature(temperature=20.0), "/temp", 10.0, RELIABLE)
        robot.says_stamped(Imu(), "/imu", 20.0, LATCHED)
        robot.says(Float64(), "/scaling", hz=20.0)
        robot.says(Bool(), "/closed", hz=10.0)
        robot.says_once(Float64(data=1.0), "/safety_mode")
        robot.serves(Trigger, "/dashboard/pause")
        robot.serves(Trigger, "/dashboard/play")
        robot.hears("permits")
        robot.keeps_silent(String, "steps")
        robot.says_stamped(WrenchStamped(), "/wrench", 50.0, RELIABLE)

        code, [report], told = check(config)

    holding = [one for one in report["findings"] if one["weight"] == "holds"]
    assert holding == []
    assert code == 0, told
    [joints] = [t for t in report["topics"] if t["where"] == "topics.joints"]
    assert joints["rate_hz"] == pytest.approx(50.0, rel=0.2)
    assert joints["publishers"] == ["/press_1/robot_0"]
    assert report["seconds"] >= 2.0


def test_an_empty_domain_is_told_in_one_finding(tmp_path: Path) -> None:
    config = write(tmp_path, quiet_domain(5), safety_type="std_msgs/msg/Float64")

    code, [report], _ = check(config)

    assert code == 1
    assert "NOBODY_THERE" in {one["code"] for one in report["findings"]}


def test_a_cell_that_is_not_configured_is_refused(tmp_path: Path) -> None:
    config = write(tmp_path, quiet_domain(5), safety_type="std_msgs/msg/Float64")

    code, _, told = check(config, "--cell", "press-9")

    assert code == 3
    assert "known: press-1" in told


def test_what_the_node_would_refuse_is_refused_before(tmp_path: Path) -> None:
    config = write(tmp_path, quiet_domain(5), safety_type="std_msgs/msg/Float64")
    text = config.read_text(encoding="utf-8")
    program = '[cells.press-1.ros.program]\nadapter = "decide"\n'
    text = text.replace('hold = "/dashboard/pause"', 'adapter = "none"')
    config.write_text(text + program, encoding="utf-8")

    code, _, told = check(config)

    assert code == 3
    assert "andon: error: CONFIG: " in told


async def test_andon_check_live_looks_at_a_simulated_cell(tmp_path: Path) -> None:
    domain = quiet_domain(6)
    config = write_config(tmp_path, port=1, domain=domain)
    path = os.pathsep.join([str(ROOT), str(ROOT / "proto")])
    async with cell_up(tmp_path, port=1, domain=domain) as cell:
        await cell.until(lambda: cell.trace("robot_there"), within=20.0)
        done = subprocess.run(  # noqa: ASYNC221 - nothing else happens here
            [
                *(sys.executable, "-m", "coordinator", "check", "--live"),
                *("--config", str(config), "--cell", "press-1", "--simulate"),
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "/press_1/joint_states" in done.stdout
    assert "cell press-1 can start" in done.stdout
