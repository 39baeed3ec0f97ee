"""A robot of 45 joints with every sensor a node reads: typed publishers, own process.

    python -m tests.ros_nodes.mixed_publisher wall|sim

It waits until somebody listens, works for a while, and says that its step ended.
"""

import math
import sys
import time
from collections.abc import Callable
from typing import Any

import rclpy
from builtin_interfaces.msg import Time
from geometry_msgs.msg import WrenchStamped
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, Imu, JointState, Temperature
from std_msgs.msg import Bool, Float64, Float64MultiArray, String

from ros_nodes.clock import SECOND_NS
from ros_nodes.qos import LATCHED, SENSORS, STEPS
from ros_nodes.talk import step_text
from ros_nodes.terms import StepEvent, StepMoment

JOINTS = [f"joint_{n}" for n in range(45)]
TICK_S = 0.004
WORK_S = 1.5
SIM_BEGIN_NS = 70 * SECOND_NS
SIM_PACE = 2.0


class Robot:
    """Publishes typed messages; all that is measured rises with the time of work."""

    def __init__(self, node: Node, *, simulated: bool) -> None:
        self._begin_s = 0.0
        self._simulated = simulated
        self._node = node
        publishers: dict[str, tuple[Any, Any]] = {
            "joint_states": (JointState, SENSORS),
            "wrench": (WrenchStamped, SENSORS),
            "imu": (Imu, SENSORS),
            "temperature": (Temperature, SENSORS),
            "scaling": (Float64, SENSORS),
            "array": (Float64MultiArray, SENSORS),
            "runs": (Bool, LATCHED),
            "camera": (Image, SENSORS),
            "steps": (String, STEPS),
        }
        self._of = {
            name: node.create_publisher(kind, name, qos)
            for name, (kind, qos) in publishers.items()
        }
        self._clock = node.create_publisher(Clock, "/clock", SENSORS)
        self._every: list[tuple[int, Callable[[], None]]] = [
            (1, self._joints),
            (2, self._wrench),
            (2, self._imu),
            (3, self._scaling),
            (5, self._array),
            (25, self._camera),
            (60, self._temperature),
        ]

    def heard(self) -> bool:
        """Whether somebody listens to all of it."""
        wanted = [*self._of.values(), *([self._clock] if self._simulated else [])]
        return all(publisher.get_subscription_count() for publisher in wanted)

    def work(self) -> None:
        """Publish for a while, then say that the step ended."""
        self._of["runs"].publish(Bool(data=True))
        self._begin_s = time.monotonic()
        for tick in range(round(WORK_S / TICK_S)):
            due_s = self._begin_s + tick * TICK_S
            time.sleep(max(0.0, due_s - time.monotonic()))
            if self._simulated:
                self._clock.publish(Clock(clock=self._stamp()))
            for every, publish in self._every:
                if tick % every == 0:
                    publish()
        stamp = self._stamp()
        stamp_ns = stamp.sec * SECOND_NS + stamp.nanosec
        self._joints()
        self._wrench()
        event = StepEvent(StepMoment.END, 3, "part-3", "insert", stamp_ns, "")
        self._of["steps"].publish(String(data=step_text(event)))

    def _stamp(self) -> Time:
        now_ns = time.monotonic_ns()
        if self._simulated:
            begin_ns = round(self._begin_s * SECOND_NS)
            now_ns = SIM_BEGIN_NS + round((now_ns - begin_ns) * SIM_PACE)
        return Time(sec=now_ns // SECOND_NS, nanosec=now_ns % SECOND_NS)

    def _level(self) -> float:
        return (time.monotonic() - self._begin_s) / WORK_S

    def _headed(self, message: Any) -> Any:
        message.header.stamp = self._stamp()
        message.header.frame_id = "base"
        return message

    def _joints(self) -> None:
        level = self._level()
        position = [level + place for place in range(len(JOINTS))]
        message = JointState(name=JOINTS, position=position, effort=[level] * 45)
        self._of["joint_states"].publish(self._headed(message))

    def _wrench(self) -> None:
        message = self._headed(WrenchStamped())
        message.wrench.force.z = self._level()
        self._of["wrench"].publish(message)

    def _imu(self) -> None:
        message = self._headed(Imu())
        message.linear_acceleration.x = self._level()
        self._of["imu"].publish(message)

    def _temperature(self) -> None:
        message = self._headed(Temperature(temperature=300.0 + self._level()))
        self._of["temperature"].publish(message)

    def _scaling(self) -> None:
        self._of["scaling"].publish(Float64(data=self._level()))

    def _array(self) -> None:
        self._of["array"].publish(Float64MultiArray(data=[math.nan, self._level()]))

    def _camera(self) -> None:
        message = self._headed(Image(height=32, width=48, step=48, encoding="mono8"))
        message.data = bytes([min(255, round(100 * self._level()))]) * (32 * 48)
        self._of["camera"].publish(message)


def main() -> None:
    """Be heard, work, and stay until the starter ends this process."""
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = Node("robot", context=context, namespace="/press_1", enable_rosout=False)
    robot = Robot(node, simulated=sys.argv[1] == "sim")
    while not robot.heard():
        time.sleep(0.02)
    robot.work()
    sys.stdin.read()


if __name__ == "__main__":
    main()
