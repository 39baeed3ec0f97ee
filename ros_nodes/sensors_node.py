"""The data node of a cell: its sensor topics, drained by the event loop.

Raw subscriptions in no executor. Every few milliseconds the loop calls `drain`, which
takes all messages that arrived as bytes and hands them to the evidence, the steps of
the robot's program last: the word that a step ended then finds its last sample there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from geometry_msgs.msg import WrenchStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from ros_nodes.cdr import CdrError, read_text
from ros_nodes.config import CellConfig
from ros_nodes.evidence import Evidence
from ros_nodes.qos import SENSORS, STEPS
from ros_nodes.tap import Tap


class Keeper(Protocol):
    """Keeps messages at full rate: the ring buffer of clips."""

    def keep(self, topic: str, message: bytes, stamp_ns: int) -> None:
        """Keep one message of a topic key, stamped on the monotonic clock."""


class Sensors:
    """Topics in, evidence out.

    Args:
        node: Has the subscriptions; belongs to no executor unless `needs_executor`.
        config: The cell: its topics.
        evidence: Takes the samples.
        step_said: Takes what the robot's program says about steps.
        clips: Keeps all messages at full rate, if wanted.
    """

    def __init__(
        self,
        node: Node,
        config: CellConfig,
        evidence: Evidence,
        step_said: Callable[[str], None],
        *,
        clips: Keeper | None = None,
    ) -> None:
        self._evidence = evidence
        self._step_said = step_said
        self._clips = clips
        names = config.ros
        self._joints = Tap("joints", evidence.dropped)
        self._wrench = Tap("wrench", evidence.dropped)
        self._steps = Tap("steps", evidence.dropped)
        polled = self._tap(node, self._joints, JointState, names.topics["joints"].name)
        if any(topic.key == "wrench" for topic in config.topics):
            polled &= self._tap(
                node, self._wrench, WrenchStamped, names.topics["wrench"].name
            )
        polled &= self._tap(node, self._steps, String, names.steps)
        self.needs_executor = not polled
        """This rclpy cannot poll: the node must be added to an executor."""

    @staticmethod
    def _tap(node: Node, tap: Tap, kind: Any, topic: str) -> bool:
        profile = STEPS if kind is String else SENSORS
        subscription = node.create_subscription(
            kind, topic, tap.keep, profile, raw=True
        )
        return tap.poll(subscription)

    def drain(self) -> None:
        """Take all that arrived; call it every few milliseconds, on the loop."""
        steps = list(self._steps.drain())
        for message in self._joints.drain():
            self._evidence.add_joints(message)
        for message in self._wrench.drain():
            self._evidence.add_wrench(message)
        for message in steps:
            try:
                text = read_text(message)
            except CdrError:
                self._evidence.dropped["malformed_step"] += 1
            else:
                self._step_said(text)

    def missing(self) -> list[str]:
        """Name the topics without which nothing can be judged."""
        if self._evidence.heard_until_ns is None:
            return ["samples of every sensor topic"]
        return []
