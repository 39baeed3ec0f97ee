"""The thread of a cell's control nodes, the last to hold the robot.

It spins what has services, clients and parameters. It also watches the event loop: when
that hangs while the robot may move, this thread holds the robot.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Final

from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor

from ros_nodes.adapters.robot import RosRobot
from ros_nodes.clock import SystemClock
from ros_nodes.conductor import Conductor
from ros_nodes.effects import Robot

_log = logging.getLogger(__name__)

SPIN_S: Final = 0.1
LAST_HOLD_S: Final = 0.3
"""Time given to a hold that is called while the process ends."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A robot, and the conductor whose lease is watched."""

    robot: RosRobot
    conductor: Conductor

    @property
    def stands(self) -> bool:
        """Whether the robot is known to stand."""
        return self.conductor.station.robot in (Robot.HELD, Robot.STOPPED)


class Control(threading.Thread):
    """Spins the control nodes, and holds the robot if the event loop does not.

    Args:
        context: Context of the nodes.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(name="control")
        self.executor = SingleThreadedExecutor(context=context)
        self._guarded: Guarded | None = None
        self._clock = SystemClock()
        self._ending = threading.Event()
        self._late = False

    def guard(self, guarded: Guarded | None) -> None:
        """Watch over a robot from now on, or over none."""
        self._guarded = guarded

    def run(self) -> None:
        """Spin until ended; a bug in a callback holds the robot and ends the thread."""
        try:
            while not self._ending.is_set():
                self.executor.spin_once(timeout_sec=SPIN_S)
                self._watch()
        finally:
            if not self._ending.is_set():
                _log.error("a callback failed: holding the robot, the node ends")
                self._hold()

    def end(self) -> None:
        """Hold the robot unless it stands, stop spinning and join."""
        guarded = self._guarded
        if guarded is not None and not guarded.stands:
            self._hold()
            self._clock.block(LAST_HOLD_S)
        self._ending.set()
        if self.ident is not None:
            self.join()
        self.executor.shutdown()

    @property
    def ending(self) -> bool:
        """Whether the thread was told to end."""
        return self._ending.is_set()

    def _watch(self) -> None:
        guarded = self._guarded
        late = guarded is not None and guarded.conductor.overdue(
            self._clock.monotonic_ns()
        )
        if late and not self._late:
            _log.error("the event loop hangs: holding the robot")
            self._hold()
        self._late = late

    def _hold(self) -> None:
        if self._guarded is not None:
            self._guarded.robot.hold_unasked()
