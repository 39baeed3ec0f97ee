"""A robot that is not there, as ROS sees it: topics, two services and a program.

Parameters of every such node: `cell`, `time_factor`, `cycles` (0: without end), `truth`
and `trace` (paths, optional), and the names `joints`, `wrench`, `steps`, `permits`,
`hold_service`, `resume_service`, `part` and `decide` (the service its program calls;
empty: it hears leave on `permits`). Stamps are of the machine's monotonic clock.
"""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

import rclpy
from geometry_msgs.msg import WrenchStamped
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from ros_nodes.adapters.forbidden import allowed_service
from ros_nodes.calling_program import CallingProgram
from ros_nodes.clock import SECOND_NS, SystemClock, seconds_to_ns
from ros_nodes.qos import LATCHED, PERMITS, SENSORS, STEPS
from ros_nodes.simulated_robot import Body, Pace, Records, Say, SimulatedRobot
from ros_nodes.trace import Trace

TICK_S: Final = 0.02


class RobotNode(ABC):
    """One process: a body, its program and its ROS side in one thread.

    Args:
        name: Name of the ROS node.
        args: Command line with ROS arguments.
    """

    def __init__(self, name: str, args: list[str]) -> None:
        self._context = Context()
        rclpy.init(
            args=args,
            context=self._context,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._node = Node(
            name,
            context=self._context,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._clock = SystemClock()
        self._ending = False
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._cell_id = self._text("cell", "cell")
        self._records = Records(self._trace("truth"), self._trace("trace"))
        joint_names, body = self._body()
        decide, part = self._text("decide", ""), self._text("part", "part")
        pace = self._pace()
        if decide:  # what it does around its steps is evidence as well
            pace = replace(pace, steady=True)
        self._robot = SimulatedRobot(
            self._cell_id,
            joint_names,
            body,
            pace,
            clock=self._clock,
            records=self._records,
        )
        self._publishers = {
            **self._sensor_publishers(),
            "steps": self._publisher(String, "steps", "steps", STEPS),
        }
        self._node.create_subscription(
            String, self._text("permits", "permits"), self._permit, PERMITS
        )
        self._offer_holds()
        self._program: CallingProgram | None = None
        if decide:
            self._program = CallingProgram(
                self._node.create_client(Trigger, allowed_service(decide)),
                self._node.create_publisher(String, part, LATCHED),
                self._robot,
                self._clock,
            )

    @abstractmethod
    def _body(self) -> tuple[tuple[str, ...], Body]:
        """Make the body, and say what its joints are called."""

    def _pace(self) -> Pace:
        """How fast the robot lives."""
        return Pace(
            time_factor=float(self._parameter("time_factor", 1.0)),
            cycles=self._cycles(),
        )

    def _offer_holds(self) -> None:
        """Offer what holds the robot: two services that always succeed."""
        self._node.create_service(
            Trigger, self._text("hold_service", "hold"), self._hold
        )
        self._node.create_service(
            Trigger, self._text("resume_service", "resume"), self._resume
        )

    def _cycles(self) -> int:
        """Cycles to work; 0: without end."""
        return int(self._parameter("cycles", 0))

    def _sensor_publishers(self) -> Mapping[str, Any]:
        """Publishers of what the body measures, by what its samples call them."""
        return {
            "joints": self._publisher(JointState, "joints", "joint_states", SENSORS),
            "wrench": self._publisher(WrenchStamped, "wrench", "wrench", SENSORS),
        }

    def _before_tick(self) -> None:  # noqa: B027 - most have nothing to do
        """Do what else is to be done before each tick."""

    def run(self) -> None:
        """Live until SIGINT or SIGTERM."""

        def end(_number: int, _frame: FrameType | None) -> None:
            self._ending = True

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        due_ns = self._clock.monotonic_ns()
        while not self._ending:
            due_ns = max(due_ns + seconds_to_ns(TICK_S), self._clock.monotonic_ns())
            self._spin_until(due_ns)
            self._before_tick()
            if self._program is not None:
                self._program.tick()
            self._publish(self._robot.tick())
        self._executor.shutdown()
        self._node.destroy_node()
        self._records.truth.close()
        self._records.motions.close()
        rclpy.shutdown(context=self._context)

    def _spin_until(self, due_ns: int) -> None:
        while not self._ending:
            left_ns = due_ns - self._clock.monotonic_ns()
            if left_ns <= 0:
                return
            self._executor.spin_once(timeout_sec=left_ns / SECOND_NS)

    def _publish(self, said: Iterable[Say]) -> None:
        for say in said:
            content = say.content
            if self._program is not None and isinstance(content, str):
                self._program.say(content)
                continue
            message = String(data=content) if isinstance(content, str) else content
            self._publishers[say.topic].publish(message)

    def _permit(self, message: String) -> None:
        self._robot.hear_leave(message.data)

    def _hold(
        self, _request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        self._publish(self._robot.hold())
        response.success = True
        return response

    def _resume(
        self, _request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        self._robot.resume()
        response.success = True
        return response

    def _parameter(self, name: str, default: float | str) -> Any:
        return self._node.declare_parameter(name, default).value

    def _text(self, name: str, default: str) -> str:
        return str(self._parameter(name, default))

    def _trace(self, name: str) -> Trace:
        path = self._text(name, "")
        return Trace(Path(path) if path else None, self._clock)

    def _publisher(self, kind: Any, parameter: str, topic: str, profile: Any) -> Any:
        return self._node.create_publisher(kind, self._text(parameter, topic), profile)
