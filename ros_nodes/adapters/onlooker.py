"""No hold at all: andon watches, asks and learns, and the robot does what it does.

Its node takes the steps of the robot's program as they come (see `onlooker`); it gives
no leave, calls nothing and publishes nothing.
"""

from __future__ import annotations

import logging

from rclpy.node import Node

from ros_nodes.adapters.robot import RosRobot
from ros_nodes.config import RosNames

_log = logging.getLogger(__name__)

WARNING = (
    "MONITOR ONLY: andon holds nothing here. A hold is information for people, a "
    "permit is not given to the robot, and the robot works without either"
)


class UnheldRobot(RosRobot):
    """See RosRobot."""

    def __init__(self, node: Node, names: RosNames) -> None:
        super().__init__(node, names)
        self._needs_listener = False
        _log.warning(WARNING)

    async def _ask(self, *, hold: bool) -> bool:
        del hold
        return False

    def give_leave(self, text: str) -> None:
        """Publish nothing: leave that nobody waits for would mislead who listens."""

    def hold_unasked(self) -> None:
        """Nobody holds this robot."""

    def _services_missing(self) -> list[str]:
        return []
