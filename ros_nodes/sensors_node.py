"""The data node of a cell: its topics, drained by the event loop.

Raw subscriptions in no executor. Every few milliseconds the loop calls `drain`, which
takes all messages that arrived as bytes and hands them to the evidence, the steps of
the robot's program last: the word that a step ended then finds its last sample there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from rclpy.node import Node
from rclpy.qos import QoSProfile

from ros_nodes.adapters.listening import message_type
from ros_nodes.cdr import READABLE, CdrError, read_clock, read_text
from ros_nodes.config import CellConfig
from ros_nodes.evidence import Evidence, wanted_of
from ros_nodes.images import Reducer
from ros_nodes.qos import SIM_TIME, STEPS, sensor_profile
from ros_nodes.tap import Tap

_STEPS: Final = "steps"
_CLOCK: Final = "clock"


class Keeper(Protocol):
    """Keeps messages at full rate: the ring of clips."""

    def keep(self, topic: str, message: bytes, stamp_ns: int | None = None) -> None:
        """Keep one message of a topic key, stamped on the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """How a topic is heard, for diagnostics.

    Attributes:
        key: Key of the topic.
        name: Its full name on the ROS side.
        publishers: How many speak on it now.
        received: Messages since the node began.
        lost: Messages that were sent and did not arrive.
        counts_losses: Whether this middleware says what was lost.
        newest_ns: Stamp of the newest sample, monotonic clock; None before the first,
            or for a topic that no channel comes from.
    """

    key: str
    name: str
    publishers: int
    received: int
    lost: int
    counts_losses: bool
    newest_ns: int | None


class Sensors:
    """Topics in, evidence out.

    Args:
        node: Has the subscriptions; belongs to no executor unless `needs_executor`.
        config: The cell: its topics.
        evidence: Takes the samples.
        step_said: Takes what the robot's program says about steps.
        clips: Keeps all messages at full rate, if wanted.

    Raises:
        ConfigRefusedError: The messages of a type, or a feature of an image, are not
            installed here.
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
        self._node = node
        self._config = config
        self._evidence = evidence
        self._step_said = step_said
        self._clips = clips
        self._subscriptions: dict[str, Any] = {}
        self._taps: dict[str, Tap] = {}
        self._reducers: dict[str, Reducer] = {}
        self.needs_executor = False
        """This rclpy cannot poll: the node must be added to an executor."""
        wanted = wanted_of(config)
        for key, spec in config.ros.topics.items():
            if key in wanted and spec.type not in READABLE:
                names = [name for _, name in wanted[key]]
                self._reducers[key] = Reducer(key, spec.type, names, evidence.dropped)
            if key in wanted or clips is not None:
                self._listen(key, spec.type, spec.name, sensor_profile(spec))
        self._listen(_STEPS, "std_msgs/msg/String", config.ros.steps, STEPS)
        if config.ros.use_sim_time:
            self._listen(_CLOCK, "rosgraph_msgs/msg/Clock", "/clock", SIM_TIME)

    def _listen(self, key: str, kind: str, name: str, profile: QoSProfile) -> None:
        tap = Tap(key, self._evidence.dropped)
        subscription = self._node.create_subscription(
            message_type(kind, f"topic {key}"), name, tap.keep, profile, raw=True
        )
        self.needs_executor |= not tap.poll(subscription)
        self._subscriptions[key] = subscription
        self._taps[key] = tap

    def drain(self) -> None:
        """Take all that arrived; call it every few milliseconds, on the loop."""
        steps = self._taps[_STEPS].drain()
        if _CLOCK in self._taps:
            self._hear_clock()
        for key in self._config.ros.topics:
            if key in self._taps:
                self._hear(key)
        for message, _ in steps:
            if self._clips is not None:
                self._clips.keep(_STEPS, message)
            try:
                text = read_text(message)
            except CdrError:
                self._evidence.dropped["malformed_step"] += 1
            else:
                self._step_said(text)

    def _hear(self, key: str) -> None:
        taken = self._taps[key].drain()
        reducer = self._reducers.get(key)
        stamps: list[int | None] = [None] * len(taken)
        if reducer is not None:
            reducer.offer([message for message, _ in taken])
            for stamp_ns, row in reducer.take():
                self._evidence.take_features(key, stamp_ns, row)
        elif taken and self._evidence.reads(key):
            stamps = self._evidence.take(key, taken)
        if self._clips is not None:
            for (message, _), placed_ns in zip(taken, stamps, strict=True):
                self._clips.keep(key, message, placed_ns)

    def _hear_clock(self) -> None:
        for message, facts in self._taps[_CLOCK].drain():
            try:
                self._evidence.clock_said(read_clock(message), facts)
            except CdrError:
                self._evidence.dropped["malformed_clock"] += 1

    def missing(self) -> list[str]:
        """Name the topics without which nothing can be judged, and say why."""
        return [
            f"samples of {hearing.key} ({hearing.name}: {self._why(hearing)})"
            for hearing in self.heard()
            if hearing.newest_ns is None and self._evidence.requires(hearing.key)
        ]

    @staticmethod
    def _why(hearing: Hearing) -> str:
        if not hearing.publishers:
            return "nobody publishes it"
        return "no sample among its messages" if hearing.received else "silent"

    def heard(self) -> tuple[Hearing, ...]:
        """How each topic is heard now."""
        return tuple(
            Hearing(
                key=key,
                name=str(self._subscriptions[key].topic_name),
                publishers=self._subscriptions[key].get_publisher_count(),
                received=tap.received,
                lost=tap.lost,
                counts_losses=tap.counts_losses,
                newest_ns=self._evidence.newest_ns(key),
            )
            for key, tap in self._taps.items()
        )

    def close(self) -> None:
        """Stop computing features of images."""
        for reducer in self._reducers.values():
            reducer.close()
