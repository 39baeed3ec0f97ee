"""Hold and resume through two std_srvs/Trigger services.

For a UR: `/dashboard_client/pause` and `/dashboard_client/play`. A cell with a program
of its own offers two services; each must answer when the robot stands, or goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from rclpy.client import Client
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.task import Future
from std_msgs.msg import String
from std_srvs.srv import Trigger

from ros_nodes.adapters.forbidden import allowed_service
from ros_nodes.config import RosNames
from ros_nodes.qos import PERMITS

_log = logging.getLogger(__name__)


class TriggerRobot:
    """One robot behind two Trigger services and a topic for permits.

    The node spins in a thread of its own; these coroutines run on the event loop, and
    an answer crosses over by `call_soon_threadsafe`.

    Args:
        node: The control node.
        names: Names of the services and of the topic.

    Raises:
        ForbiddenServiceError: A service is named that would end a safety stop.
    """

    def __init__(self, node: Node, names: RosNames) -> None:
        self._timeout_s = names.robot.timeout_s
        self._hold: Client = node.create_client(
            Trigger, allowed_service(names.robot.hold)
        )
        self._resume: Client = node.create_client(
            Trigger, allowed_service(names.robot.resume)
        )
        self._permits: Publisher = node.create_publisher(String, names.permits, PERMITS)

    def missing(self) -> list[str]:
        """Name what of the robot is not there yet."""
        missing = [
            client.srv_name
            for client in (self._hold, self._resume)
            if not client.service_is_ready()
        ]
        if self._permits.get_subscription_count() == 0:
            missing.append(f"a listener on {self._permits.topic_name}")
        return missing

    async def hold(self) -> bool:
        """See hands.RobotPort."""
        return await self._call(self._hold)

    async def resume(self) -> bool:
        """See hands.RobotPort."""
        return await self._call(self._resume)

    def give_leave(self, text: str) -> None:
        """See hands.RobotPort."""
        self._permits.publish(String(data=text))

    def hold_unasked(self) -> None:
        """Call the hold service and wait for nothing: from any thread, at the end."""
        if self._hold.service_is_ready():
            self._hold.call_async(Trigger.Request())

    async def _call(self, client: Client) -> bool:
        if not client.service_is_ready():
            _log.error("service %s is not there", client.srv_name)
            return False
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[bool] = loop.create_future()

        def settle(*, success: bool) -> None:
            if not answered.done():
                answered.set_result(success)

        def cross_over(call: Future) -> None:
            response = call.result()
            success = response is not None and bool(response.success)
            # The loop is closed when the node is about to end: nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: settle(success=success))

        call = client.call_async(Trigger.Request())
        call.add_done_callback(cross_over)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await answered
        except TimeoutError:
            client.remove_pending_request(call)
            _log.error("%s gave no answer in %g s", client.srv_name, self._timeout_s)
            return False
