"""Real topics of very different rates, of a robot with 45 joints, become one window."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import numpy as np
import pytest

from ros_nodes.clock import SECOND_NS, SystemClock
from ros_nodes.config import (
    CellConfig,
    ChannelSpec,
    ConfigRefusedError,
    RosNames,
    Source,
    TopicSpec,
)
from ros_nodes.evidence import CutWindow, Evidence, WindowKind, Work
from ros_nodes.loopback import loopback_environment
from ros_nodes.talk import read_step
from ros_nodes.windowing import Span
from tests.ros_nodes.cells import ROOT, free_domain
from tests.ros_nodes.node_builders import make_config
from tests.ros_nodes.ros_programs import clean_environment

pytest.importorskip("rclpy")
pytestmark = [pytest.mark.ros, pytest.mark.slow]

TOPICS = (
    TopicSpec("joints", "joint_states", "sensor_msgs/msg/JointState", rate_hz=250.0),
    TopicSpec("wrench", "wrench", "geometry_msgs/msg/WrenchStamped", rate_hz=125.0),
    TopicSpec("imu", "imu", "sensor_msgs/msg/Imu", rate_hz=125.0),
    TopicSpec("scaling", "scaling", "std_msgs/msg/Float64", rate_hz=83.0),
    TopicSpec("arr", "array", "std_msgs/msg/Float64MultiArray", rate_hz=50.0),
    TopicSpec("cam", "camera", "sensor_msgs/msg/Image", rate_hz=10.0),
    TopicSpec("temp", "temperature", "sensor_msgs/msg/Temperature", rate_hz=4.0),
    TopicSpec("runs", "runs", "std_msgs/msg/Bool", latched=True),
)
OTHERS = (
    ("push", Source("wrench", "force", "z")),
    ("shake", Source("imu", "linear_acceleration", "x")),
    ("speed", Source("scaling", "data", "value")),
    ("second", Source("arr", "data", "1")),
    ("light", Source("cam", "feature", "mean")),
    ("heat", Source("temp", "temperature", "value")),
    ("runs", Source("runs", "data", "value")),
    ("absent", Source("arr", "data", "7")),
)
ROWS = 8
WINDOW_NS = SECOND_NS
WORK_S = 1.5
"""As mixed_publisher works; it imports rclpy, which may be absent here."""


def config_of(*, simulated: bool) -> CellConfig:
    channels = [
        ChannelSpec(f"joint_{n}", "rad", Source("joints", "position", f"joint_{n}"))
        for n in range(45)
    ]
    channels += [
        ChannelSpec(name, "1", source, "tolerate" if name == "absent" else "required")
        for name, source in OTHERS
    ]
    topics = {topic.key: topic for topic in TOPICS}
    ros = RosNames(topics=topics, use_sim_time=simulated)
    return make_config(channels=tuple(channels), rows=ROWS, ros=ros)


class Kept:
    """What would go into clips."""

    def __init__(self) -> None:
        self.stamps: dict[str, list[int | None]] = {}

    def keep(self, topic: str, message: bytes, stamp_ns: int | None = None) -> None:
        assert message[:2] == b"\x00\x01"
        self.stamps.setdefault(topic, []).append(stamp_ns)


class Listening:
    """The data node of a cell in this process."""

    def __init__(self, config: CellConfig, domain: int) -> None:
        import rclpy
        from rclpy.context import Context
        from rclpy.node import Node
        from rclpy.signals import SignalHandlerOptions

        from ros_nodes.sensors_node import Sensors

        self._context = Context()
        rclpy.init(
            args=[],
            context=self._context,
            domain_id=domain,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._node = Node(
            "data",
            context=self._context,
            namespace=config.namespace,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self.evidence = Evidence(config, SystemClock())
        self.clips = Kept()
        self.ended_ns: list[int] = []
        self.sensors = Sensors(
            self._node, config, self.evidence, self._step_said, clips=self.clips
        )

    def _step_said(self, text: str) -> None:
        self.ended_ns.append(self.evidence.place(read_step(text).stamp_ns))

    async def until_ended(self) -> None:
        async with asyncio.timeout(30.0):
            while not self.ended_ns:
                self.sensors.drain()
                await asyncio.sleep(0.01)
        for _ in range(20):  # the last features are computed
            self.sensors.drain()
            await asyncio.sleep(0.01)

    def cut(self) -> CutWindow:
        end_ns = self.ended_ns[0]
        span = Span(end_ns - WINDOW_NS, end_ns)
        return self.evidence.cut(Work(WindowKind.DECISION, 3, "insert", "part-3", span))

    def close(self) -> None:
        import rclpy

        self.sensors.close()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)


@contextmanager
def listening(config: CellConfig, domain: int) -> Iterator[Listening]:
    before = dict(os.environ)
    os.environ.update(loopback_environment())
    try:
        one = Listening(config, domain)
    finally:
        os.environ.clear()
        os.environ.update(before)
    try:
        yield one
    finally:
        one.close()


@asynccontextmanager
async def publishing(how: str, domain: int) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.ros_nodes.mixed_publisher", how,
        cwd=ROOT,
        env=clean_environment(**loopback_environment(), ROS_DOMAIN_ID=str(domain)),
        stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize(("how", "number"), [("wall", 8), ("sim", 9)])
async def test_every_sensor_of_a_robot_with_45_joints(how: str, number: int) -> None:
    domain = free_domain(number)
    with listening(config_of(simulated=how == "sim"), domain) as node:
        asked = node.sensors.missing()
        async with publishing(how, domain):
            await node.until_ended()
        window, heard = node.cut(), {h.key: h for h in node.sensors.heard()}

    assert len(asked) == len(TOPICS)
    assert "samples of temp (/press_1/temperature: nobody publishes it)" in asked
    assert node.sensors.needs_executor is False
    # Nothing was lost or refused; a skipped image is no loss.
    lost = {k: n for k, n in node.evidence.dropped.items() if k != "skipped_cam"}
    assert lost == {}
    assert {key: h.lost for key, h in heard.items() if h.lost} == {}
    assert heard["joints"].received == 376
    assert window.gap_rows == 0
    assert window.present.tolist() == [True] * 52 + [False]
    values = {
        name: window.samples[:, 45 + place] for place, (name, _) in enumerate(OTHERS)
    }
    # All that is measured rises with the time of work, and by the same clock.
    level = window.samples[:, 0]
    np.testing.assert_allclose(np.diff(level), 1 / ROWS / WORK_S, atol=0.04)
    for joint in range(45):
        np.testing.assert_allclose(window.samples[:, joint], level + joint, atol=1e-4)
    for name in ("push", "shake", "speed", "second"):
        np.testing.assert_allclose(values[name], level, atol=0.05)
    np.testing.assert_allclose(values["light"] / 100, level, atol=0.15)
    np.testing.assert_allclose(values["heat"] - 300.0, level, atol=0.3)
    assert values["runs"].tolist() == [1.0] * ROWS
    assert not values["absent"].any()
    kept = node.clips.stamps
    assert len(kept["joints"]) == 376
    assert None not in kept["joints"]
    assert kept["steps"] == [None]


async def test_a_feature_that_is_not_installed_is_refused_at_the_start() -> None:
    topic = TopicSpec("cam", "camera", "sensor_msgs/msg/Image")
    config = make_config(
        channels=(ChannelSpec("a", "1", Source("cam", "feature", "burrs")),),
        ros=RosNames(topics={"cam": topic}),
    )

    with (
        pytest.raises(ConfigRefusedError, match="known: mean, sharpness"),
        listening(config, free_domain(8)),
    ):
        pass
