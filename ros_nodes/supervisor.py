"""Start a plan's nodes as processes where there is no `ros2 launch`.

A node that dies is started again, after a growing wait; it comes back held, because
permission lives in memory alone. Children die with their starter: the kernel signals
its end to them; when it ends in order they get SIGTERM, then SIGKILL.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from ros_nodes.clock import SECOND_NS, Clock
from ros_nodes.plan import NodeSpec
from ros_nodes.starter import NODE, ending_with

_log = logging.getLogger(__name__)

END_WITHIN_S: Final = 5.0
FIRST_BACKOFF_S: Final = 0.5
LONGEST_BACKOFF_S: Final = 10.0
HEALTHY_NS: Final = 30 * SECOND_NS
"""A node that lived so long is restarted without a growing wait."""

# The ROS wheels start every interpreter anew with these; a child that inherits the
# second without the first cannot import rclpy.
_WHEELS_OWN: Final = ("LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")


def command(spec: NodeSpec) -> tuple[str, ...]:
    """Return the command line that starts a node."""
    return (sys.executable, "-m", "ros_nodes", spec.executable, *spec.ros_arguments)


def environment(spec: NodeSpec, own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a node: the starter's, freed of the wheels' marks."""
    env = dict(own)
    if "_ROS_WHEELS_BOOTSTRAP_COMPLETE" in env:
        for name in _WHEELS_OWN:
            env.pop(name, None)
    return env | dict(spec.env)


def how_it_ended(code: int) -> str:
    """Say what the exit code of a node means."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    words = {0: "ended", 3: "refused its configuration (3)", 9: "found no ROS 2 (9)"}
    return words.get(code, f"ended with {code}")


class Supervisor:
    """Keeps the processes of a plan alive.

    Args:
        specs: What to start, in this order.
        clock: For waiting.
    """

    def __init__(self, specs: Sequence[NodeSpec], clock: Clock) -> None:
        self._specs = specs
        self._clock = clock
        self.pids: dict[str, int] = {}
        """Process ids of the living nodes, by name."""
        self.restarts = 0

    async def run(self) -> None:
        """Run the nodes until cancelled; none is left when this returns."""
        async with asyncio.TaskGroup() as tasks:
            for spec in self._specs:
                tasks.create_task(self._keep(spec), name=f"node:{spec.name}")

    async def _keep(self, spec: NodeSpec) -> None:
        backoff_s = FIRST_BACKOFF_S
        while True:
            started_ns = self._clock.monotonic_ns()
            code = await self._run_once(spec)
            if self._clock.monotonic_ns() - started_ns > HEALTHY_NS:
                backoff_s = FIRST_BACKOFF_S
            self.restarts += 1
            _log.error(
                "%s %s; started again in %g s", spec.name, how_it_ended(code), backoff_s
            )
            await self._clock.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)

    async def _run_once(self, spec: NodeSpec) -> int:
        process = await asyncio.create_subprocess_exec(
            *command(spec),
            env=environment(spec, os.environ) | {NODE: spec.name},
            stdin=asyncio.subprocess.DEVNULL,
            preexec_fn=ending_with(os.getpid()),
            # A group of its own: Ctrl-C reaches the starter alone, which ends its nodes
            # in order.
            start_new_session=True,
        )
        self.pids[spec.name] = process.pid
        _log.info("%s starts, process %d", spec.name, process.pid)
        try:
            return await process.wait()
        finally:
            await _end(process)
            del self.pids[spec.name]


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process in order, or else by force; it is gone when this returns."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(END_WITHIN_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
