"""Hold and resume through a std_msgs/Bool topic: true holds, for as long as it stands.

For a PLC or a program that takes signals. The topic is latched, and true is said again
while it stands, so that a listener that was away holds when it is back. A topic answers
nothing: the configuration must name a read-back that shows whether the robot stands.

After a stop of the robot's own safety system the signal stands until the program, which
people started anew, has begun a step under new leave: a program that people start
begins without regard to the signal that it finds, and waits for leave.
"""

from __future__ import annotations

from typing import Final

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import Bool

from ros_nodes.adapters.robot import RosRobot
from ros_nodes.config import RosNames
from ros_nodes.qos import HOLDS

AGAIN_S: Final = 0.5
"""Time after which a hold that stands is said again."""


class TopicRobot(RosRobot):
    """See RosRobot."""

    def __init__(self, node: Node, names: RosNames) -> None:
        super().__init__(node, names)
        self._signal: Publisher = node.create_publisher(Bool, names.robot.hold, HOLDS)
        self._holding = False
        # Not on the node's own clock: a simulated one may stand still.
        node.create_timer(
            AGAIN_S, self._again, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    async def _ask(self, *, hold: bool) -> bool:
        self._say(hold=hold)
        return bool(self._signal.get_subscription_count())

    def lift_hold(self) -> None:
        """See hands.RobotPort."""
        self._forget_hold()
        self._say(hold=False)

    def hold_unasked(self) -> None:
        """See RosRobot."""
        self._say(hold=True)

    def _services_missing(self) -> list[str]:
        if self._signal.get_subscription_count():
            return []
        return [f"a listener on {self._signal.topic_name}"]

    def _say(self, *, hold: bool) -> None:
        self._holding = hold
        self._signal.publish(Bool(data=hold))

    def _again(self) -> None:
        if self._holding:
            self._signal.publish(Bool(data=True))
