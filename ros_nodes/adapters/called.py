"""The robot's program as it comes for its leave: `~/decide`, or two plain signals.

Both are polled by the event loop, as the sensors are: a call is taken, kept as long as
people need, and answered in the very moment in which a permit starts. No callback of an
executor waits meanwhile, and no thread has to be woken.

The same program speaks JSON on two topics instead (`talk`) when it can.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.service import Service
from rclpy.utilities import get_rmw_implementation_identifier
from std_msgs.msg import Int8
from std_srvs.srv import Trigger

from ros_nodes.adapters.listening import Listening
from ros_nodes.adapters.robot import RosRobot
from ros_nodes.clock import SECOND_NS, Clock
from ros_nodes.config import ConfigRefusedError, RosNames
from ros_nodes.decide import UNCOUNTED, Answer, DecisionPoint
from ros_nodes.qos import STEPS
from ros_nodes.talk import LONGEST_PART
from ros_nodes.terms import Action

_log = logging.getLogger(__name__)

SERVICE: Final = "~/decide"
ABSENT_LOOKS: Final = 2
"""Looks at the graph that must agree before a program counts as gone."""
LOOK_NS: Final = SECOND_NS // 2
"""Time between two looks at the graph, and between two cyclic signals."""

HELD: Final = -1
WAIT: Final = 0
SIGNAL: Final[Mapping[Action, int]] = {
    Action.CONTINUE: 1,
    Action.REWORK: 2,
    Action.REJECT: 3,
}
"""What a program that knows only numbers is told."""


class Polled(CallbackGroup):
    """Entities of a node that no executor ever takes from: somebody polls them."""

    def can_execute(self, entity: Any) -> bool:
        """See CallbackGroup."""
        del entity
        return False

    def beginning_execution(self, entity: Any) -> bool:
        """See CallbackGroup."""
        del entity
        return False

    def ending_execution(self, entity: Any) -> None:
        """See CallbackGroup."""


def numbers_begin_at_one() -> bool:
    """Whether every client of this middleware counts its calls from 1."""
    # Cyclone DDS counts the calls of all clients of a process together.
    return "cyclone" not in str(get_rmw_implementation_identifier())


class Program(Protocol):
    """How calls of the robot's program arrive at its decision point."""

    def take(self) -> Callable[[], None]:
        """Take what the program said; what is returned lets the point hear it.

        Samples and the part's serial number are taken in between: what was said before
        a call is then known when the call is heard.
        """

    def facts(self) -> Mapping[str, str]:
        """For /diagnostics."""

    def close(self) -> None:
        """Give back what it has of the node."""


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """One call of ~/decide; see decide.Call."""

    service: Service
    header: Any
    number: int

    def answer(self, answer: Answer) -> bool:
        """Answer now; whether the answer could be sent."""
        response = Trigger.Response(
            success=answer.action is not None, message=answer.text
        )
        try:
            self.service.send_response(response, self.header)
        except RuntimeError as error:  # what rclpy raises for every refusal of rcl
            _log.warning("decide could not be answered: %s", error)
            return False
        return True


class DecideProgram:
    """A program that calls the service ~/decide; see Program.

    Args:
        node: The node that offers the service.
        names: The cell on the ROS side.
        point: Who is told.
        clock: For looking at the graph.
    """

    def __init__(
        self, node: Node, names: RosNames, point: DecisionPoint, clock: Clock
    ) -> None:
        self._node = node
        self._point = point
        self._clock = clock
        self._one_client = names.program.one_client
        self._name = node.resolve_service_name(SERVICE)
        self._service: Service = node.create_service(
            Trigger, SERVICE, _nobody_calls_this, callback_group=Polled()
        )
        self._look_ns = 0
        self._absent = 0
        self._calls = 0

    def take(self) -> Callable[[], None]:
        """See Program."""
        calls: list[ServiceCall] = []
        handle = self._service.handle
        with handle:
            while True:
                _, header = handle.service_take_request(Trigger.Request)
                if header is None:
                    break
                number = header.request_id.sequence_number
                calls.append(
                    ServiceCall(
                        self._service, header, number if self._one_client else UNCOUNTED
                    )
                )
        self._calls += len(calls)

        def tell() -> None:
            for call in calls:
                self._point.called(call)
            self._look_for_client()

        return tell

    def facts(self) -> Mapping[str, str]:
        """See Program."""
        return {
            "service": self._name,
            "clients": str(self._node.count_clients(self._name)),
            "calls": str(self._calls),
            "superseded": str(self._point.superseded),
        }

    def close(self) -> None:
        """See Program."""
        self._node.destroy_service(self._service)

    def _look_for_client(self) -> None:
        """Notice that the program is gone: who waits for nobody is given nothing."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._look_ns < LOOK_NS:
            return
        self._look_ns = now_ns
        between_clients = not self._one_client and not self._point.waiting
        if self._node.count_clients(self._name) or between_clients:
            self._absent = 0
            return
        self._absent += 1
        if self._absent == ABSENT_LOOKS:
            self._point.gone()


class Edge:
    """One rising edge of the signal; see decide.Call."""

    number: Final = UNCOUNTED

    def __init__(self, show: Callable[[int], None]) -> None:
        self._show = show

    def answer(self, answer: Answer) -> bool:
        """Answer now; whether the answer could be sent."""
        self._show(HELD if answer.action is None else SIGNAL[answer.action])
        return True


class SignalProgram:
    """A program that knows a Bool and an Int8, a PLC perhaps; see Program.

    The program raises `done` and waits until `action` is not 0. It lowers `done`, waits
    until `action` is 0 again, and then does what it was told. Both are levels, to be
    said again about twice a second; the first level seen is no edge.

    Args:
        node: The node that publishes.
        listening: What is heard on `done`.
        point: Who is told.
        clock: For saying the level again.
    """

    def __init__(
        self,
        node: Node,
        names: RosNames,
        listening: Listening,
        point: DecisionPoint,
        clock: Clock,
    ) -> None:
        self._node = node
        self._listening = listening
        self._point = point
        self._clock = clock
        self._action: Publisher = node.create_publisher(
            Int8, names.program.action, STEPS
        )
        self._level: bool | None = None
        self._shown = WAIT
        self._said_ns = 0
        self._calls = 0

    def take(self) -> Callable[[], None]:
        """See Program."""
        levels = [bool(level) for level in self._listening.hear()]

        def tell() -> None:
            for level in levels:
                self._hear(level=level)
            if self._clock.monotonic_ns() - self._said_ns >= LOOK_NS:
                self._show(self._shown)

        return tell

    def facts(self) -> Mapping[str, str]:
        """See Program."""
        return {
            "done": "" if self._level is None else str(self._level).lower(),
            "action": str(self._shown),
            "calls": str(self._calls),
        }

    def close(self) -> None:
        """See Program."""
        self._node.destroy_publisher(self._action)

    def _hear(self, *, level: bool) -> None:
        before, self._level = self._level, level
        if level and before is False:
            self._calls += 1
            self._point.called(Edge(self._show))
        elif not level:
            if self._point.waiting:
                self._point.forgotten()
            self._show(WAIT)

    def _show(self, action: int) -> None:
        self._shown = action
        self._said_ns = self._clock.monotonic_ns()
        self._action.publish(Int8(data=action))


class CalledRobot:
    """A robot whose program comes for its leave; see hands.RobotPort.

    Args:
        robot: Its adapter.
    """

    def __init__(self, robot: RosRobot) -> None:
        self._robot = robot
        self.point: DecisionPoint | None = None
        """Where leave is heard, once there is a station."""
        self.hold, self.resume = robot.hold, robot.resume
        self.lift_hold, self.look = robot.lift_hold, robot.look

    def give_leave(self, text: str) -> None:
        """See hands.RobotPort."""
        if self.point is not None:
            self.point.hear_leave(text)


class Part:
    """The serial number of the part: from its topic, or else from a parameter.

    Args:
        node: A node that is in no executor.
        names: The cell on the ROS side.
        parameter: Says what the parameter says now.
        dropped: Where serial numbers that nobody could store are counted.
    """

    def __init__(
        self,
        node: Node,
        names: RosNames,
        parameter: Callable[[], str],
        dropped: Counter[str],
    ) -> None:
        self._parameter = parameter
        self._dropped = dropped
        self._newest = ""
        self._listening = Listening(
            node, names.program.part, "std_msgs/msg/String", "data", where="ros.program"
        )

    def id(self) -> str:
        """The serial number, as it is known now."""
        for said in self._listening.hear():
            part_id = str(said)
            if len(part_id) <= LONGEST_PART and part_id.isprintable():
                self._newest = part_id
            else:
                self._dropped["malformed_part"] += 1
        return self._newest or self._parameter()


def require_a_hold(names: RosNames) -> None:
    """Refuse a program that comes for leave where nothing holds the robot.

    Raises:
        ConfigRefusedError: The cell has no adapter that holds.
    """
    if names.program.adapter != "topics" and names.robot.adapter == "none":
        raise ConfigRefusedError(
            f"ros.program: adapter {names.program.adapter!r} gives leave to a robot "
            "that can be held, and ros.robot.adapter is 'none'"
        )


def _nobody_calls_this(_request: Any, response: Any) -> Any:
    """The service is polled: its callback group is in no executor."""
    return response
