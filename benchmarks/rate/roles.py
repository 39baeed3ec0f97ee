"""The processes that `ros_rate.py` starts: publishers, nodes, typed callbacks.

    python benchmarks/rate/roles.py ROLE '{"cells": [0, 1], ...}'

Each says {"ready": true} once all its topics are matched, begins at the line `go`, and
answers the line `end` with what it counted. A publisher ends by itself.
"""

import asyncio
import json
import struct
import sys
import time
from collections import Counter
from typing import Any

import rclpy

# Beside this file, which is started as a program and no part of a package.
from common import (
    CLOSING,
    JOINTS,
    QUIET_S,
    RATE_HZ,
    STEP_S,
    Facts,
    Listening,
    Usage,
    cell_config,
    heard,
    make_context,
    make_node,
    say,
)
from geometry_msgs.msg import WrenchStamped
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from ros_nodes.cdr import JointWriter, write_wrench
from ros_nodes.cell_node import TICK_S
from ros_nodes.clip import Clips, ClipSource
from ros_nodes.clock import SECOND_NS, SystemClock
from ros_nodes.config import (
    CellConfig,
    TopicSpec,
)
from ros_nodes.evidence import Evidence, WindowKind, Work, wanted_of
from ros_nodes.hands import LAST_SAMPLE_WITHIN_NS
from ros_nodes.qos import SENSORS, STEPS
from ros_nodes.ring import RING_ROWS, Track
from ros_nodes.sensors_node import Sensors
from ros_nodes.talk import read_step, step_text
from ros_nodes.terms import StepEvent, StepMoment
from ros_nodes.windowing import Span

_STAMP = struct.Struct("<iI")


# ------------------------------------------------------------------------- publishers


class Cobot:
    """Publishes what one cobot's driver would, serialised."""

    def __init__(self, context: Context, cell: CellConfig) -> None:
        self._node = make_node(context, "driver", cell)
        values = [0.1] * len(JOINTS)
        joints = JointWriter(JOINTS, "base_link").write(0, values, values, values)
        wrench = write_wrench(0, [0.1] * 6, "tool0")
        self._samples = [
            (self._publisher(JointState, cell.ros.topics["joints"]), bytearray(joints)),
            (
                self._publisher(WrenchStamped, cell.ros.topics["wrench"]),
                bytearray(wrench),
            ),
        ]
        self._steps = self._node.create_publisher(String, cell.ros.steps, STEPS)
        self.published = 0

    def _publisher(self, kind: Any, topic: TopicSpec) -> Any:
        return self._node.create_publisher(kind, topic.name, SENSORS)

    def matched(self) -> bool:
        """Whether somebody listens to each topic."""
        return all(p.get_subscription_count() for p, _ in self._samples)

    def sample(self) -> int:
        """Publish one sample of each topic, stamped now; return its stamp."""
        stamp_ns = time.monotonic_ns()
        for publisher, message in self._samples:
            _STAMP.pack_into(message, 4, *divmod(stamp_ns, SECOND_NS))
            publisher.publish(bytes(message))
        self.published += len(self._samples)
        return stamp_ns

    def end_step(self, cycle: int, stamp_ns: int) -> None:
        """Say that a step ended with the newest sample."""
        event = StepEvent(
            StepMoment.END, cycle, f"part-{cycle}", "insert", stamp_ns, ""
        )
        self._steps.publish(String(data=step_text(event)))


def publish(wish: Facts) -> None:
    """Publish at a steady pace; what is late is made up for, and the lag is told."""
    context = make_context()
    cobots = [Cobot(context, cell_config(number)) for number in wish["cells"]]
    while not all(cobot.matched() for cobot in cobots):
        time.sleep(0.02)
    say({"ready": True})
    heard("go")
    usage, lags = Usage(), []
    begin_s, ticks = time.monotonic(), round(wish["seconds"] * RATE_HZ)
    per_step = round(STEP_S * RATE_HZ)
    for tick in range(ticks):
        due_s = begin_s + tick / RATE_HZ
        wait_s = due_s - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        lags.append(max(0.0, -wait_s))
        for cobot in cobots:
            stamp_ns = cobot.sample()
            if tick % per_step == per_step - 1:
                cobot.end_step(tick // per_step, stamp_ns)
    facts = usage.facts()
    for _ in range(CLOSING):
        time.sleep(QUIET_S)
        for cobot in cobots:
            cobot.sample()
    time.sleep(QUIET_S)
    lags.sort()
    say(
        facts
        | {
            "published": sum(cobot.published for cobot in cobots),
            "lag_p99_s": lags[int(0.99 * len(lags))],
            "lag_worst_s": lags[-1],
        }
    )
    rclpy.shutdown(context=context)


# ------------------------------------------------------------------------------- nodes


class Cell:
    """The data path of one cell as its node has it: sensors, evidence, clips."""

    def __init__(self, context: Context, config: CellConfig) -> None:
        self._clock = SystemClock()
        self._config = config
        self.evidence = Evidence(config, self._clock)
        clips = Clips(
            ClipSource.of(config, "bench"), self._clock, self.evidence.dropped
        )
        self._take = self.evidence.take
        self.evidence.take = self._timed  # type: ignore[method-assign]
        self.sensors = Sensors(
            make_node(context, "cell_data", config),
            config,
            self.evidence,
            self._step_said,
            clips=clips,
        )
        self._due: Work | None = None
        self._due_by_ns = 0
        self.in_ring: list[tuple[int, list[int | None]]] = []
        self.cut: list[int] = []
        self.gaps = 0

    def matched(self) -> bool:
        """Whether somebody publishes each topic."""
        return all(hearing.publishers for hearing in self.sensors.heard())

    def tick(self) -> None:
        """What cell_node does every few milliseconds, and a window when it is due."""
        self.sensors.drain()
        if self._due is None:
            return
        heard_ns, now_ns = self.evidence.heard_until_ns, self._clock.monotonic_ns()
        end_ns = self._due.span.end_ns
        if (heard_ns is not None and heard_ns >= end_ns) or now_ns >= self._due_by_ns:
            window = self.evidence.cut(self._due)
            self.cut.append(self._clock.monotonic_ns() - end_ns)
            self.gaps += window.gap_rows
            self._due = None

    def _timed(self, key: str, taken: Any) -> list[int | None]:
        stamps = self._take(key, taken)
        self.in_ring.append((self._clock.monotonic_ns(), stamps))
        return stamps

    def _step_said(self, text: str) -> None:
        event = read_step(text)
        span = Span(event.stamp_ns - round(0.9 * STEP_S * 1e9), event.stamp_ns)
        self._due = Work(
            WindowKind.DECISION, event.cycle, event.step, event.part_id, span
        )
        self._due_by_ns = self._clock.monotonic_ns() + LAST_SAMPLE_WITHIN_NS


async def _drain_until_ended(cells: list[Cell], listening: Listening) -> None:
    quiet = 0
    while quiet * TICK_S < QUIET_S:
        for cell in cells:
            cell.tick()
        quiet = quiet + 1 if listening.ended.is_set() else 0
        await asyncio.sleep(TICK_S)


def serve(wish: Facts) -> None:
    """Be the nodes of some cells in one event loop."""
    context = make_context()
    cells = [Cell(context, cell_config(number)) for number in wish["cells"]]
    while not all(cell.matched() for cell in cells):
        time.sleep(0.02)
    say({"ready": True})
    heard("go")
    usage, listening = Usage(), Listening()
    listening.start()
    if wish.get("profile"):
        import cProfile

        with cProfile.Profile() as profile:
            asyncio.run(_drain_until_ended(cells, listening))
        profile.dump_stats(wish["profile"])
    else:
        asyncio.run(_drain_until_ended(cells, listening))
    facts = usage.facts()
    heards = [
        hearing
        for cell in cells
        for hearing in cell.sensors.heard()
        if hearing.key != "steps"
    ]
    dropped: Counter[str] = Counter()
    for cell in cells:
        dropped += cell.evidence.dropped
    say(
        facts
        | {
            "received": sum(hearing.received for hearing in heards),
            "lost": sum(hearing.lost for hearing in heards),
            "dropped": dict(dropped),
            "in_ring_ns": [
                now_ns - stamp_ns
                for cell in cells
                for now_ns, stamps in cell.in_ring
                for stamp_ns in stamps
                if stamp_ns is not None
            ],
            "cut_ns": [age_ns for cell in cells for age_ns in cell.cut],
            "gap_rows": sum(cell.gaps for cell in cells),
        }
    )
    rclpy.shutdown(context=context)


# --------------------------------------------------------------------- typed callbacks


class Typed:
    """What most nodes do: a typed callback a topic, here into the same kind of ring."""

    def __init__(self, node: Node, config: CellConfig) -> None:
        self.node = node
        self.received = 0
        self.in_ring: list[int] = []
        wanted = wanted_of(config)
        self._wanted = wanted["joints"]
        self._joints, self._wrench = (
            Track(capacity=RING_ROWS),
            Track(capacity=RING_ROWS),
        )
        # Depth and reliability as the data path has them.
        profile = QoSProfile(
            depth=SENSORS.depth, reliability=ReliabilityPolicy.BEST_EFFORT
        )
        topics = config.ros.topics
        self.subscriptions = [
            node.create_subscription(
                JointState, topics["joints"].name, self.joints, profile
            ),
            node.create_subscription(
                WrenchStamped, topics["wrench"].name, self.wrench, profile
            ),
        ]

    def joints(self, message: JointState) -> None:
        """Keep the wanted values of a message."""
        places = {name: place for place, name in enumerate(message.name)}
        row = [getattr(message, field)[places[joint]] for field, joint in self._wanted]
        self._keep(self._joints, message.header.stamp, row)

    def wrench(self, message: WrenchStamped) -> None:
        """Keep the values of a message."""
        force, torque = message.wrench.force, message.wrench.torque
        row = [force.x, force.y, force.z, torque.x, torque.y, torque.z]
        self._keep(self._wrench, message.header.stamp, row)

    def _keep(self, track: Track, stamp: Any, row: list[float]) -> None:
        stamp_ns = stamp.sec * SECOND_NS + stamp.nanosec
        track.extend(tuple(range(len(row))), [stamp_ns], [row])
        self.in_ring.append(time.monotonic_ns() - stamp_ns)
        self.received += 1


def spin(wish: Facts) -> None:
    """Be typed callbacks in a SingleThreadedExecutor, for comparison."""
    context = make_context()
    executor = SingleThreadedExecutor(context=context)
    cells = []
    for number in wish["cells"]:
        config = cell_config(number)
        cells.append(Typed(make_node(context, "typed", config), config))
        executor.add_node(cells[-1].node)
    while not all(
        s.get_publisher_count() for cell in cells for s in cell.subscriptions
    ):
        time.sleep(0.02)
    say({"ready": True})
    heard("go")
    usage, listening = Usage(), Listening()
    listening.start()
    while not listening.ended.is_set():
        executor.spin_once(timeout_sec=0.1)
    facts = usage.facts()
    say(
        facts
        | {
            "received": sum(cell.received for cell in cells),
            "in_ring_ns": [age for cell in cells for age in cell.in_ring],
        }
    )
    rclpy.shutdown(context=context)


if __name__ == "__main__":
    {"publish": publish, "andon": serve, "typed": spin}[sys.argv[1]](
        json.loads(sys.argv[2])
    )
