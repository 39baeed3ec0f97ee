"""Hold and resume through one std_srvs/SetBool service: true holds.

The service must answer when the robot stands, or goes on. A program that people start
anew begins without a hold: it waits for leave anyway.
"""

from __future__ import annotations

from rclpy.node import Node
from std_srvs.srv import SetBool

from ros_nodes.adapters.calls import Service
from ros_nodes.adapters.robot import RosRobot
from ros_nodes.config import RosNames


class SetBoolRobot(RosRobot):
    """See RosRobot."""

    def __init__(self, node: Node, names: RosNames) -> None:
        super().__init__(node, names)
        self._service = Service(node, SetBool, names.robot.hold)

    async def _ask(self, *, hold: bool) -> bool:
        return await self._service.call(SetBool.Request(data=hold))

    def hold_unasked(self) -> None:
        """See RosRobot."""
        self._service.call_unasked(SetBool.Request(data=True))

    def _services_missing(self) -> list[str]:
        return [] if self._service.ready else [self._service.name]
