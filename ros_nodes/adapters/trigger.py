"""Hold and resume through two std_srvs/Trigger services.

For a UR: `/dashboard_client/pause` and `/dashboard_client/play`. A cell with a program
of its own offers two services; each must answer when the robot stands, or goes on. A
program that people start anew begins without a hold: it waits for leave anyway.
"""

from __future__ import annotations

from rclpy.node import Node
from std_srvs.srv import Trigger

from ros_nodes.adapters.calls import Service
from ros_nodes.adapters.robot import RosRobot
from ros_nodes.config import RosNames


class TriggerRobot(RosRobot):
    """See RosRobot."""

    def __init__(self, node: Node, names: RosNames) -> None:
        super().__init__(node, names)
        self._hold = Service(node, Trigger, names.robot.hold)
        self._resume = Service(node, Trigger, names.robot.resume)

    async def _ask(self, *, hold: bool) -> bool:
        service = self._hold if hold else self._resume
        return await service.call(Trigger.Request())

    def hold_unasked(self) -> None:
        """See RosRobot."""
        self._hold.call_unasked(Trigger.Request())

    def _services_missing(self) -> list[str]:
        return [s.name for s in (self._hold, self._resume) if not s.ready]
