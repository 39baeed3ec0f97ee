"""ROS 2 inside a test: contexts of its own, on a domain of its own, on loopback."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ros_nodes.loopback import loopback_environment

# Before any context of this process: Fast DDS reads its profile once.
os.environ.update(loopback_environment())


class Spun:
    """A node that spins in a thread of its own."""

    def __init__(self, name: str, domain: int, namespace: str = "/press_1") -> None:
        self._context = Context()
        rclpy.init(
            context=self._context,
            domain_id=domain,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.node = Node(
            name,
            context=self._context,
            namespace=namespace,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._spin, name=name)
        self._thread.start()

    def _spin(self) -> None:
        while not self._ending.is_set():
            self._executor.spin_once(timeout_sec=0.05)

    def end(self) -> None:
        self._ending.set()
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)


@contextmanager
def spun(name: str, domain: int, namespace: str = "/press_1") -> Iterator[Spun]:
    world = Spun(name, domain, namespace)
    try:
        yield world
    finally:
        world.end()


async def until(fact: Callable[[], object], *, within: float = 10.0) -> None:
    """Wait until something that another thread or process does is there."""
    async with asyncio.timeout(within):
        while not fact():  # noqa: ASYNC110 - of another thread
            await asyncio.sleep(0.005)


def answer(response: Any, *, success: bool) -> Any:
    response.success = success
    response.message = "" if success else "Failed to execute: pause"
    return response
