"""A simulated robot as ROS sees it: topics, two services, and a program behind them.

Parameters: `cell`, `seed`, `rate_hz` (samples a simulated second), `time_factor`,
`cycles` (0: without end), `shift_at_cycle` (0: never), `truth` and `trace` (paths,
optional), and the names `joints`, `wrench`, `steps`, `permits`, `hold_service`,
`resume_service`. Stamps are of the machine's monotonic clock.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable
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

from ros_nodes.clock import SECOND_NS, SystemClock, seconds_to_ns
from ros_nodes.qos import PERMITS, SENSORS, STEPS
from ros_nodes.simulated_robot import (
    Body,
    Pace,
    Records,
    Sample,
    Say,
    SimulatedRobot,
    Truth,
)
from ros_nodes.trace import Trace
from ros_nodes.twin.cell import Shift, Twin

TICK_S: Final = 0.02
SHIFT: Final = Shift(payload_kg=1.25, friction=0.4)
"""A heavier part in a drier fixture."""


class ShiftingTwin:
    """A twin that changes for good at one cycle. See simulated_robot.Body."""

    def __init__(self, twin: Twin, shift_at_cycle: int) -> None:
        self._twin = twin
        self._shift_at_cycle = shift_at_cycle

    def begin_cycle(self, cycle: int) -> Truth:
        """Start a cycle; see Body."""
        if 0 < self._shift_at_cycle <= cycle:
            self._twin.apply_shift(SHIFT)
        return self._twin.begin_cycle(cycle)

    def advance(self) -> Sample | None:
        """See Body."""
        return self._twin.advance()

    def idle(self) -> Sample:
        """See Body."""
        return self._twin.idle()

    def pause(self) -> None:
        """See Body."""
        self._twin.pause()

    def resume(self) -> None:
        """See Body."""
        self._twin.resume()


class SimulatedCellNode:
    """One simulated cell's process: physics and ROS in one thread.

    Args:
        args: Command line with ROS arguments.
    """

    def __init__(self, args: list[str]) -> None:
        self._context = Context()
        rclpy.init(
            args=args,
            context=self._context,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._node = Node(
            "simulated_cell",
            context=self._context,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._clock = SystemClock()
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._records = Records(self._trace("truth"), self._trace("trace"))
        self._robot = self._make_robot()
        self._publishers = {
            "joints": self._publisher(JointState, "joints", "joint_states", SENSORS),
            "wrench": self._publisher(WrenchStamped, "wrench", "wrench", SENSORS),
            "steps": self._publisher(String, "steps", "steps", STEPS),
        }
        self._node.create_subscription(
            String, self._text("permits", "permits"), self._permit, PERMITS
        )
        self._node.create_service(
            Trigger, self._text("hold_service", "hold"), self._hold
        )
        self._node.create_service(
            Trigger, self._text("resume_service", "resume"), self._resume
        )
        self._ending = False

    def _make_robot(self) -> SimulatedRobot:
        cell_id = self._text("cell", "cell")
        rate_hz = float(self._parameter("rate_hz", 50.0))
        twin = Twin(
            seed=int(self._parameter("seed", 0)), cell_id=cell_id, rate_hz=rate_hz
        )
        body: Body = ShiftingTwin(twin, int(self._parameter("shift_at_cycle", 0)))
        pace = Pace(
            rate_hz=rate_hz,
            time_factor=float(self._parameter("time_factor", 1.0)),
            cycles=int(self._parameter("cycles", 0)),
        )
        return SimulatedRobot(
            cell_id,
            Twin.JOINT_NAMES,
            body,
            pace,
            clock=self._clock,
            records=self._records,
        )

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


def main(args: list[str]) -> int:
    """Run a simulated cell; see the module."""
    SimulatedCellNode(args).run()
    return 0
