"""A robot on ROS 2, as a node holds it: what every adapter has.

An adapter says how to ask for a hold and how to end it. This class confirms it: the
asking must have succeeded and, where a topic shows whether the robot's program stands,
the topic must show it, all within the configured time. A program that the topic showed
to stand before andon asked was stopped by somebody else. Nothing here decides when.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final

from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import String

from ros_nodes.adapters.listening import Listening, Value, same
from ros_nodes.config import RosNames, SafetySpec
from ros_nodes.effects import HoldAnswer
from ros_nodes.hands import Look
from ros_nodes.qos import PERMITS

_log = logging.getLogger(__name__)

POLL_S: Final = 0.005
"""Time between two looks at the read-back while a hold is to be confirmed."""


class SafetyTopic:
    """One topic of the robot's safety system."""

    def __init__(self, node: Node, spec: SafetySpec, *, where: str) -> None:
        self._spec = spec
        self.listening = Listening(node, spec.topic, spec.type, spec.field, where=where)
        self.kind = ""
        """What it says now; "" in ordinary work."""

    def hear(self) -> Iterator[None]:
        """Take what it said since the last time, one word a step, oldest first."""
        for value in self.listening.hear():
            self.kind = "" if self._normal(value) else self._word(value)
            yield

    def _normal(self, value: Value) -> bool:
        return any(same(value, normal) for normal in self._spec.normal)

    def _word(self, value: Value) -> str:
        """What the message type calls a value, or the value: "PROTECTIVE_STOP"."""
        kind = self.listening.message_type
        for name in sorted(dir(type(kind))):
            if name.isupper() and same(getattr(kind, name, ""), value):
                return name
        return f"{self.listening.topic} {self._spec.field} = {value}"


def _maybe_latched(names: RosNames, topic: str) -> bool:
    """Whether a topic may be latched: a sensor's says so in its own table."""
    return all(spec.latched for spec in names.topics.values() if spec.name == topic)


class RosRobot(ABC):
    """See hands.RobotPort; besides, what is missing, and a last hold.

    Args:
        node: The control node; it spins in a thread of its own.
        names: The cell on the ROS side.

    Raises:
        ConfigRefusedError: A message type is not installed, or lacks the field.
        ForbiddenServiceError: A service is named that would end a safety stop.
    """

    def __init__(self, node: Node, names: RosNames) -> None:
        self._timeout_s = names.robot.timeout_s
        self._permits: Publisher = node.create_publisher(String, names.permits, PERMITS)
        # A program that comes for its leave needs not listen for it.
        self._needs_listener = names.program.adapter == "topics"
        self._watch: Node | None = None
        self._read_back: Listening | None = None
        self._held: tuple[Value, ...] = ()
        back = names.robot.read_back
        if back is not None:
            self._held = back.held
            self._read_back = Listening(
                self._watcher(node),
                back.topic,
                back.type,
                back.field,
                where="ros.robot.read_back",
                latched=_maybe_latched(names, back.topic),
            )
        self._safety = [
            SafetyTopic(self._watcher(node), spec, where=f"ros.safety[{number}]")
            for number, spec in enumerate(names.safety)
        ]
        self._ran_when_asked = self._stood_since = False
        self._safety_kind = ""
        self._unheard: list[str] = []

    def _watcher(self, node: Node) -> Node:
        """The node of the polled subscriptions: in no executor."""
        if self._watch is None:
            self._watch = Node(
                f"{node.get_name()}_watch",
                context=node.context,
                namespace=node.get_namespace(),
                start_parameter_services=False,
                enable_rosout=False,
            )
        return self._watch

    # ----------------------------------------------------------------- what differs

    @abstractmethod
    async def _ask(self, *, hold: bool) -> bool:
        """Ask for a hold, or end one; whether the controller says that it did it."""

    @abstractmethod
    def hold_unasked(self) -> None:
        """Ask for a hold and wait for nothing: from any thread, at the end."""

    @abstractmethod
    def _services_missing(self) -> list[str]:
        """Name what the adapter needs and does not find."""

    def lift_hold(self) -> None:  # noqa: B027 - only a standing signal needs it
        """See hands.RobotPort."""

    # ----------------------------------------------------------------- hands.RobotPort

    async def hold(self) -> HoldAnswer:
        """See hands.RobotPort."""
        self._hear()
        if not self._stands():
            self._ran_when_asked = True
        held = await self._confirmed(hold=True)
        if self._ran_when_asked:
            self._stood_since |= held
            return HoldAnswer.HELD if held else HoldAnswer.UNCONFIRMED
        # A controller may refuse to pause what does not run: it stands all the same.
        return HoldAnswer.FOUND if self._stands() else HoldAnswer.UNCONFIRMED

    async def resume(self) -> bool:
        """See hands.RobotPort."""
        self._forget_hold()
        return await self._confirmed(hold=False)

    def give_leave(self, text: str) -> None:
        """See hands.RobotPort."""
        self._permits.publish(String(data=text))

    def look(self) -> Look:
        """See hands.RobotPort."""
        self._hear()
        stands = self._stands()
        if stands is False and self._stood_since:
            self._forget_hold()  # what andon once asked for is over
        unheard, self._unheard = tuple(self._unheard), []
        return Look(stands=stands, safety=unheard)

    # ------------------------------------------------------------------------ its parts

    def missing(self) -> list[str]:
        """Name what of the robot is not there yet."""
        self._hear()
        topics = [topic.listening for topic in self._safety]
        if self._read_back is not None:
            topics.append(self._read_back)
        silent = [
            f"a message on {topic.topic}" for topic in topics if topic.newest is None
        ]
        missing = self._services_missing() + silent
        if self._needs_listener and not self._permits.get_subscription_count():
            missing.append(f"a listener on {self._permits.topic_name}")
        return missing

    def _forget_hold(self) -> None:
        self._ran_when_asked = self._stood_since = False

    def close(self) -> None:
        """Give the subscriptions back."""
        if self._watch is not None:
            self._watch.destroy_node()
            self._watch = None

    async def _confirmed(self, *, hold: bool) -> bool:
        what = "hold" if hold else "go on"
        try:
            async with asyncio.timeout(self._timeout_s):
                if not await self._ask(hold=hold):
                    return False
                while self._stands() not in (None, hold):
                    await asyncio.sleep(POLL_S)
                    self._hear()
        except TimeoutError:
            _log.error("the robot did not %s in %g s", what, self._timeout_s)
            return False
        return True

    def _stands(self) -> bool | None:
        """Whether the topic shows that the program stands; None without a topic."""
        if self._read_back is None:
            return None
        newest = self._read_back.newest
        return newest is not None and any(same(newest, held) for held in self._held)

    def _hear(self) -> None:
        if self._read_back is not None:
            self._read_back.hear()
        for topic in self._safety:
            for _ in topic.hear():
                kind = next((t.kind for t in self._safety if t.kind), "")
                if kind != self._safety_kind:
                    self._unheard.append(kind)
                self._safety_kind = kind
