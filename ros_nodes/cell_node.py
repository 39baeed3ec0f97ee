"""The node of one cell: topics in, windows up, permits and holds down.

Two ROS nodes in one process. The data node is in no executor: the event loop takes its
messages serialised, every 10 ms. The control node has clients and a publisher and spins
in a thread of its own, which is also the last to hold the robot when the event loop
hangs or the process ends.

Parameters: `config` (path of andon.toml), `cell` (id), `trace` (path, optional).
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import logging
import signal
import threading
from pathlib import Path
from typing import Final

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ros_nodes.adapters.factory import make_robot
from ros_nodes.adapters.robot import RosRobot
from ros_nodes.clock import SystemClock
from ros_nodes.conductor import Conductor, new_identity
from ros_nodes.config import read_cell
from ros_nodes.sensors_node import Sensors
from ros_nodes.trace import Trace

_log = logging.getLogger(__name__)

TICK_S: Final = 0.01
SPIN_S: Final = 0.1
SAY_MISSING_S: Final = 5.0
LAST_HOLD_S: Final = 0.3
"""Time given to a hold that is called while the process ends."""


class Control(threading.Thread):
    """Spins the control node, and holds the robot if the event loop does not.

    Args:
        context: Context of the nodes.
        robot: The robot.
        conductor: Whose lease is watched.
    """

    def __init__(
        self, context: Context, robot: RosRobot, conductor: Conductor
    ) -> None:
        super().__init__(name="control")
        self.executor = SingleThreadedExecutor(context=context)
        self._robot = robot
        self._conductor = conductor
        self._clock = SystemClock()
        self._ending = threading.Event()
        self._late = False

    def run(self) -> None:
        """Spin until ended."""
        while not self._ending.is_set():
            self.executor.spin_once(timeout_sec=SPIN_S)
            late = self._conductor.overdue(self._clock.monotonic_ns())
            if late and not self._late:
                _log.error("the event loop hangs: holding the robot")
                self._robot.hold_unasked()
            self._late = late

    def end(self) -> None:
        """Hold the robot, stop spinning and join."""
        self._robot.hold_unasked()
        self._clock.block(LAST_HOLD_S)
        self._ending.set()
        self.join()
        self.executor.shutdown()


class CellNode:
    """One cell's process.

    Args:
        args: Command line with ROS arguments.

    Raises:
        ConfigRefusedError: The configuration cannot run this cell.
    """

    def __init__(self, args: list[str]) -> None:
        self._context = Context()
        rclpy.init(
            args=args,
            context=self._context,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._control = self._node("cell_node")
        config = read_cell(Path(self._parameter("config")), self._parameter("cell"))
        trace = self._parameter("trace")
        self._clock = SystemClock()
        self._trace = Trace(Path(trace) if trace else None, self._clock)
        self._robot = make_robot(self._control, config.ros)
        self._conductor = Conductor(
            config,
            self._clock,
            self._robot,
            trace=self._trace,
            identity=new_identity(f"andon {_version()}"),
        )
        self._data = self._node("cell_data")
        self._sensors = Sensors(
            self._data,
            config,
            self._conductor.evidence,
            self._conductor.step_said,
            clips=self._conductor.clips,
        )
        self._thread = Control(self._context, self._robot, self._conductor)
        self._thread.executor.add_node(self._control)
        if self._sensors.needs_executor:
            self._thread.executor.add_node(self._data)

    def _node(self, name: str) -> Node:
        return Node(
            name,
            context=self._context,
            start_parameter_services=False,
            enable_rosout=False,
        )

    def _parameter(self, name: str) -> str:
        return str(self._control.declare_parameter(name, "").value)

    def run(self) -> None:
        """Run until SIGINT or SIGTERM; the robot is held at the end."""
        self._thread.start()
        try:
            asyncio.run(self._until_signal())
        finally:
            self._thread.end()
            self._trace.close()
            self._robot.close()
            self._data.destroy_node()
            self._control.destroy_node()
            rclpy.shutdown(context=self._context)

    async def _until_signal(self) -> None:
        loop = asyncio.get_running_loop()
        main = asyncio.current_task()
        if main is not None:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, main.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(), name="pump")
                await self._robot_is_there()
                await self._conductor.run()

    async def _pump(self) -> None:
        """Take what arrived and let time pass, every few milliseconds."""
        while True:
            self._sensors.drain()
            self._conductor.tick()
            await self._clock.sleep(TICK_S)

    async def _robot_is_there(self) -> None:
        """Wait for sensors, services and a listener; without them nothing is held."""
        said_ns = 0
        while missing := self._missing():
            now_ns = self._clock.monotonic_ns()
            if now_ns - said_ns > SAY_MISSING_S * 1e9:
                _log.warning("waiting for %s", ", ".join(missing))
                said_ns = now_ns
            await self._clock.sleep(0.05)
        self._trace.write("robot_there")

    def _missing(self) -> list[str]:
        return [*self._robot.missing(), *self._sensors.missing()]


def _version() -> str:
    try:
        return importlib.metadata.version("andon")
    except importlib.metadata.PackageNotFoundError:
        return "uninstalled"


def main(args: list[str]) -> int:
    """Run the node of one cell; see the module."""
    CellNode(args).run()
    return 0
