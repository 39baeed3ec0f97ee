"""Programs of andon in processes of their own, and a node that hears and speaks."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from ros_nodes.loopback import loopback_environment
from tests.ros_nodes.cells import ROOT

PYTHON_PATH = os.pathsep.join([str(ROOT), str(ROOT / "proto")])


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what the ROS wheels put into it."""
    own = dict(os.environ)
    if "_ROS_WHEELS_BOOTSTRAP_COMPLETE" in own:
        for name in ("LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE"):
            own.pop(name, None)
    return {**own, "PYTHONPATH": PYTHON_PATH, "OMP_NUM_THREADS": "1", **more}


class Program:
    """One process, and what it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ended(self, *, within: float = 30.0) -> tuple[int, str, str]:
        """Its exit code, and what it wrote on both outputs."""
        async with asyncio.timeout(within):
            out, error = await self.process.communicate()
        code = self.process.returncode
        assert code is not None
        return code, out.decode(), error.decode()


@asynccontextmanager
async def program(
    *words: str, cwd: Path, python: str = sys.executable, env: Mapping[str, str] = {}
) -> AsyncIterator[Program]:
    """Run `python -m ros_nodes WORDS`; it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        python, "-m", "ros_nodes", *words,
        cwd=cwd, env=clean_environment(**env),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Listener:
    """A node in this process, in a domain of its own."""

    def __init__(self, domain: int) -> None:
        import rclpy
        from rclpy.context import Context
        from rclpy.node import Node
        from rclpy.signals import SignalHandlerOptions

        self._context = Context()
        rclpy.init(
            args=[],
            context=self._context,
            domain_id=domain,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.node = Node("listener", context=self._context, enable_rosout=False)
        self.heard: dict[str, list[bytes]] = {}
        self._subscriptions: list[Any] = []

    def listen(self, topic: str, kind: Any, qos: Any = 1_000) -> list[bytes]:
        """Keep every message of a topic, serialised."""
        kept = self.heard.setdefault(topic, [])
        self._subscriptions.append(
            self.node.create_subscription(kind, topic, kept.append, qos, raw=True)
        )
        return kept

    def take(self) -> None:
        """Take what came, without an executor."""
        for subscription in self._subscriptions:
            handle, kind = subscription.handle, subscription.msg_type
            with handle:
                while (taken := handle.take_message(kind, True)) is not None:
                    self.heard[subscription.topic_name].append(taken[0])

    async def until(self, fact: Callable[[], object], *, within: float = 15.0) -> None:
        """Take what comes until a fact holds."""
        async with asyncio.timeout(within):
            while not fact():
                self.take()
                await asyncio.sleep(0.005)

    def close(self) -> None:
        import rclpy

        self.node.destroy_node()
        rclpy.shutdown(context=self._context)


@contextmanager
def listener(domain: int) -> Iterator[Listener]:
    """A node that hears this machine alone."""
    before = dict(os.environ)
    os.environ.update(loopback_environment())
    try:
        one = Listener(domain)
    finally:
        os.environ.clear()
        os.environ.update(before)
    try:
        yield one
    finally:
        one.close()
