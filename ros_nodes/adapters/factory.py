"""The adapter that a cell's configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rclpy.node import Node

from ros_nodes.adapters.onlooker import UnheldRobot
from ros_nodes.adapters.robot import RosRobot
from ros_nodes.adapters.set_bool import SetBoolRobot
from ros_nodes.adapters.topic import TopicRobot
from ros_nodes.adapters.trigger import TriggerRobot
from ros_nodes.config import RosNames

_ADAPTERS: Final[Mapping[str, type[RosRobot]]] = {
    "trigger": TriggerRobot,
    "set_bool": SetBoolRobot,
    "topic": TopicRobot,
    "none": UnheldRobot,
}


def make_robot(node: Node, names: RosNames) -> RosRobot:
    """Make the adapter of a cell.

    Args:
        node: The control node; it spins in a thread of its own.
        names: The cell on the ROS side.

    Raises:
        ConfigRefusedError: A message type is not installed, or lacks the field.
        ForbiddenServiceError: A service is named that would end a safety stop.
    """
    return _ADAPTERS[names.robot.adapter](node, names)
