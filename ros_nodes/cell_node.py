"""The node of one cell: topics in, windows up, permits and holds down.

A managed node (see `managed_node`), its two helpers (see `configured_node`), a thread
that spins what has services (see `control_node`) and the event loop that owns the rest:

    python -m ros_nodes cell_node --ros-args -p config:=andon.toml -p cell:=press-1

Parameters: see `parameters`. Exit codes: 0 ended as asked, 3 configuration refused
while `autostart` is true. Any other end is a bug; the robot is held before it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import signal
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Final

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.context import Context
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions

from ros_nodes.adapters.forbidden import ForbiddenServiceError
from ros_nodes.adapters.stand_ins import stood_in
from ros_nodes.arguments import divide
from ros_nodes.clock import SECOND_NS, SystemClock
from ros_nodes.config import ConfigRefusedError, read_cell
from ros_nodes.configured_node import ConfiguredCell
from ros_nodes.control_node import Control
from ros_nodes.diagnostics import Status, about_lifecycle
from ros_nodes.managed_node import ManagedNode, NotNowError
from ros_nodes.parameters import Parameters
from ros_nodes.qos import DIAGNOSTICS
from ros_nodes.trace import Trace

_log = logging.getLogger(__name__)

NAME: Final = "cell_node"
TICK_S: Final = 0.02
"""Half of it is what a window waits for; twice as often costs a third more CPU."""
LOOK_S: Final = 0.1
REPORT_NS: Final = SECOND_NS
"""Time between two reports on /diagnostics."""


class ControlDiedError(Exception):
    """A callback of the control thread failed: the process ends, the robot held."""


class CellNode:
    """One cell's process. What transitions mean is here: see managed_node.Deeds.

    Args:
        args: Command line with ROS arguments.

    Raises:
        ConfigRefusedError: ROS cannot read the command line.
    """

    def __init__(self, args: list[str]) -> None:
        arguments = divide(args, NAME)
        self._context = Context()
        try:
            rclpy.init(
                args=list(arguments.shared),
                context=self._context,
                signal_handler_options=SignalHandlerOptions.NO,
            )
        except RuntimeError as error:  # what rclpy raises for every refusal of rcl
            said = str(error).partition(", at ")[0]
            raise ConfigRefusedError(f"command line: {said}") from error
        self._clock = SystemClock()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._cell: ConfiguredCell | None = None
        self._life: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._refused = ""
        self._thread = Control(self._context)
        self._managed = ManagedNode(arguments.name, self._context, self, self._do)
        self._thread.executor.add_node(self._managed)
        self._diagnostics = self._managed.create_publisher(
            DiagnosticArray, "/diagnostics", DIAGNOSTICS
        )
        self._reported_ns = self._clock.monotonic_ns()

    # ------------------------------------------------------------------- the process

    def run(self) -> None:
        """Run until SIGINT or SIGTERM; the robot is held at the end.

        Raises:
            ConfigRefusedError: The configuration cannot run this cell, and nobody is
                there to be told by a failed transition.
        """
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._until_over())
        finally:
            self._thread.end()
            if self._cell is not None:
                self._cell.close()
            self._managed.destroy_node()
            rclpy.shutdown(context=self._context)
        if self._refused:
            raise ConfigRefusedError(self._refused)

    async def _until_over(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._over.set)
        async with asyncio.TaskGroup() as self._tasks:
            running = [
                self._tasks.create_task(self._pump(), name="pump"),
                self._tasks.create_task(self._watch_control(), name="watch"),
            ]
            self._thread.start()
            if self._managed.said("autostart") is not False:
                self._thread.executor.create_task(self._start_by_itself)
            await self._over.wait()
            if self._cell is not None:
                await self._cell.end("the node ends")
            for task in (*running, self._life):
                if task is not None:
                    task.cancel()

    async def _pump(self) -> None:
        """Take what arrived and let time pass, every few milliseconds."""
        while True:
            if self._cell is not None:
                self._cell.tick()
            self._report_if_due()
            await self._clock.sleep(TICK_S)

    async def _watch_control(self) -> None:
        while self._thread.is_alive():
            await self._clock.sleep(LOOK_S)
        raise ControlDiedError("the control thread ended")

    # ------------------------------------------------------------ in the control thread

    def _start_by_itself(self) -> None:
        done = self._managed.trigger_configure()
        if done is TransitionCallbackReturn.SUCCESS:
            self._managed.trigger_activate()
        else:
            self._refused = self._managed.refusal
            self._loop.call_soon_threadsafe(self._over.set)

    def _do(self, deed: Coroutine[Any, Any, None]) -> None:
        """Run a deed on the event loop, wait for it, and raise what it raised."""
        doing = asyncio.run_coroutine_threadsafe(deed, self._loop)
        while True:
            done, _ = concurrent.futures.wait([doing], timeout=LOOK_S)
            if done:
                return doing.result()
            if self._thread.ending:
                doing.cancel()
                raise NotNowError("the node ends")

    # ----------------------------------------------- what transitions mean, on the loop

    async def configure(self, parameters: Parameters) -> None:
        """See managed_node.Deeds."""
        config = parameters.over(read_cell(parameters.config, parameters.cell))
        if parameters.simulated:
            config = replace(config, ros=stood_in(config.ros))
        trace = Trace(parameters.trace, self._clock)
        try:
            self._cell = ConfiguredCell(
                self._managed, self._thread.executor, config, trace
            )
        except (ConfigRefusedError, ForbiddenServiceError) as error:
            trace.close()
            raise ConfigRefusedError(str(error)) from error
        self._thread.guard(self._cell.guarded)
        if self._tasks is not None:
            self._life = self._tasks.create_task(self._cell.run(), name="cell")

    async def activate(self) -> None:
        """See managed_node.Deeds."""
        if self._cell is not None:
            self._cell.activate()

    async def deactivate(self) -> None:
        """See managed_node.Deeds."""
        if self._cell is not None:
            self._cell.deactivate("the node was deactivated")

    async def cleanup(self) -> None:
        """See managed_node.Deeds."""
        if self._cell is not None and not self._cell.left_alone:
            raise NotNowError("the robot's controller has not confirmed that it holds")
        await self._forget()

    async def give_up(self) -> None:
        """See managed_node.Deeds."""
        if self._cell is not None:
            self._cell.deactivate("the node was shut down")
        await self._forget()

    async def _forget(self) -> None:
        cell, self._cell = self._cell, None
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            await asyncio.wait([life])
        if cell is not None:
            if not cell.left_alone:
                cell.guarded.robot.hold_unasked()
            self._thread.guard(None)
            cell.close()

    # --------------------------------------------------------------------- diagnostics

    def _report_if_due(self) -> None:
        now_ns = self._clock.monotonic_ns()
        since_ns = now_ns - self._reported_ns
        if since_ns < REPORT_NS:
            return
        self._reported_ns = now_ns
        statuses = [about_lifecycle(self._managed.state, self._managed.refusal)]
        if self._cell is not None:
            statuses += self._cell.statuses(since_ns / SECOND_NS)
        name = self._managed.get_fully_qualified_name().lstrip("/")
        message = DiagnosticArray(
            status=[_status(status, name, self._hardware) for status in statuses]
        )
        message.header.stamp = self._managed.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    @property
    def _hardware(self) -> str:
        """Id of the cell; what was said about it while it is not configured."""
        if self._cell is not None:
            return self._cell.config.cell_id
        return str(self._managed.said("cell"))


def _status(status: Status, name: str, hardware: str) -> DiagnosticStatus:
    return DiagnosticStatus(
        level=bytes([status.level]),
        name=f"{name}: {status.name}",
        message=status.text,
        hardware_id=hardware,
        values=[KeyValue(key=key, value=value) for key, value in status.values.items()],
    )


def main(args: list[str]) -> int:
    """Run the node of one cell; see the module."""
    CellNode(args).run()
    return 0
