"""A ROS service, called from the event loop.

The node spins in a thread of its own; an answer crosses over by
`call_soon_threadsafe`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from ros_nodes.adapters.forbidden import allowed_service

_log = logging.getLogger(__name__)


class Service:
    """One service of the robot's controller; its answer has a `success`.

    Args:
        node: The control node.
        kind: Type of the service.
        name: Its name.

    Raises:
        ForbiddenServiceError: It would end a safety stop.
    """

    def __init__(self, node: Node, kind: Any, name: str) -> None:
        self._client: Client = node.create_client(kind, allowed_service(name))
        self.name = str(node.resolve_service_name(name))

    @property
    def ready(self) -> bool:
        """Whether somebody offers it."""
        return bool(self._client.service_is_ready())

    async def call(self, request: Any) -> bool:
        """Call it and wait; whether it answered that it did it.

        Cancelling forgets the call: an answer that comes later is dropped.
        """
        if not self.ready:
            _log.error("service %s is not there", self.name)
            return False
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[bool] = loop.create_future()

        def settle(*, success: bool, text: str) -> None:
            if not success:
                _log.error("service %s refused: %s", self.name, text[:200])
            if not answered.done():
                answered.set_result(success)

        def cross_over(call: Future) -> None:
            response = call.result()
            success = response is not None and bool(response.success)
            text = "" if response is None else str(response.message)
            # The loop is closed when the node is about to end: nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: settle(success=success, text=text))

        call = self._client.call_async(request)
        call.add_done_callback(cross_over)
        try:
            return await answered
        except asyncio.CancelledError:
            self._client.remove_pending_request(call)
            raise

    def call_unasked(self, request: Any) -> None:
        """Call it and wait for nothing: from any thread."""
        if self.ready:
            self._client.call_async(request)
