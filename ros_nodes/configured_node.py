"""What a cell's node has between configure and cleanup.

Two helper nodes in one process besides the managed one: the data node is in no
executor, the event loop takes its messages serialised; the robot node has the adapter's
clients and is spun by the control thread. Not thread-safe: it lives on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from rclpy.executors import Executor
from rclpy.node import Node

from ros_nodes.adapters.called import (
    CalledRobot,
    DecideProgram,
    Part,
    Program,
    SignalProgram,
    numbers_begin_at_one,
    require_a_hold,
)
from ros_nodes.adapters.factory import make_robot
from ros_nodes.adapters.listening import Listening
from ros_nodes.called_station import CalledStation
from ros_nodes.clock import SECOND_NS, SystemClock
from ros_nodes.conductor import Conductor, new_identity
from ros_nodes.config import CellConfig, RosNames
from ros_nodes.control_node import Guarded
from ros_nodes.decide import Cell, DecisionPoint
from ros_nodes.diagnostics import (
    Status,
    TopicFacts,
    about_clips,
    about_drops,
    about_hold,
    about_link,
    about_missing,
    about_program,
    about_topic,
)
from ros_nodes.effects import Robot
from ros_nodes.sensors_node import Hearing, Sensors
from ros_nodes.trace import Trace

_log = logging.getLogger(__name__)

SAY_MISSING_S: Final = 5.0
LOOK_S: Final = 0.05
END_HELD_S: Final = 0.5
"""Time for the robot's controller to confirm the hold at a node's end."""

NOT_ACTIVE: Final = "link_lost: the node is not active"


class ConfiguredCell:
    """One cell, from configure to cleanup.

    Args:
        managed: The node that users know; it offers what programs call.
        executor: Spins the robot node.
        config: The cell.
        trace: Where to write what happened.

    Raises:
        ConfigRefusedError: The cell cannot be run here.
        ForbiddenServiceError: A service is named that would end a safety stop.
    """

    def __init__(
        self, managed: Node, executor: Executor, config: CellConfig, trace: Trace
    ) -> None:
        require_a_hold(config.ros)
        self.config = config
        self._managed = managed
        self._executor = executor
        self._trace = trace
        self._clock = SystemClock()
        self.active = False
        """Whether a session is wanted."""
        self._running = self._ready = False
        self._dropped_before: Counter[str] = Counter()
        self._heard_before: dict[str, tuple[int, int]] = {}
        self._robot_node = self._helper("robot")
        self._data_node = self._helper("data")
        with contextlib.ExitStack() as undo:
            undo.callback(self._data_node.destroy_node)
            undo.callback(self._robot_node.destroy_node)
            self._build()
            undo.pop_all()

    def _build(self) -> None:
        config = self.config
        self._robot = make_robot(self._robot_node, config.ros)
        called = None
        if config.ros.program.adapter != "topics":
            called = CalledRobot(self._robot)
        self.conductor = Conductor(
            config,
            self._clock,
            called or self._robot,
            trace=self._trace,
            identity=new_identity(f"andon {_version()}"),
        )
        self.conductor.rest("not active")
        self._sensors = Sensors(
            self._data_node,
            config,
            self.conductor.evidence,
            self.conductor.step_said,
            clips=self.conductor.clips,
        )
        self.point: DecisionPoint | None = None
        self.program: Program | None = None
        if called is not None:
            self._listen_for_calls(called)
        self._executor.add_node(self._robot_node)
        if self._sensors.needs_executor:
            self._executor.add_node(self._data_node)

    def _helper(self, name: str) -> Node:
        return Node(
            f"{self._managed.get_name()}_{name}",
            context=self._managed.context,
            namespace=self._managed.get_namespace(),
            start_parameter_services=False,
            enable_rosout=False,
        )

    def _listen_for_calls(self, called: CalledRobot) -> None:
        station, names = self.conductor.station, self.config.ros
        if not isinstance(station, CalledStation):
            raise TypeError(f"{type(station).__name__} gives leave to nobody who calls")
        part = Part(
            self._data_node,
            names,
            lambda: str(self._managed.get_parameter("part_id").value),
            self.conductor.evidence.dropped,
        )
        point = DecisionPoint(
            Cell(
                station=station,
                step_said=self.conductor.step,
                carry_out=self.conductor.carry_out,
                part_id=part.id,
                heard_until_ns=lambda: self.conductor.evidence.heard_until_ns,
                step=names.program.step,
                from_one=numbers_begin_at_one(),
            ),
            self._clock,
        )
        point.close(NOT_ACTIVE)
        self.point = called.point = point
        self.program = self._program(names, point)

    def _program(self, names: RosNames, point: DecisionPoint) -> Program:
        if names.program.adapter == "decide":
            return DecideProgram(self._managed, names, point, self._clock)
        done = Listening(
            self._data_node,
            names.program.done,
            "std_msgs/msg/Bool",
            "data",
            where="ros.program",
            latched=False,
        )
        return SignalProgram(self._robot_node, names, done, point, self._clock)

    # ------------------------------------------------------------------ what others see

    def statuses(self, period_s: float) -> list[Status]:
        """What /diagnostics says about the cell.

        Args:
            period_s: Time since the last report, s.
        """
        conductor, now_ns = self.conductor, self._clock.monotonic_ns()
        dropped = conductor.dropped
        before, self._dropped_before = self._dropped_before, dropped
        topics = [self._about(hearing, now_ns) for hearing in self._sensors.heard()]
        return [
            about_link(
                conductor.station.permission,
                now_ns,
                why_not=conductor.link_text,
                wanted=self.active,
                target=self.config.target,
            ),
            about_hold(conductor.station),
            about_missing(self.missing()),
            *(about_topic(topic, period_s) for topic in topics if topic is not None),
            *self._about_program(),
            about_clips(conductor.clips.ring, dropped, before),
            about_drops(dropped, before),
        ]

    def _about(self, hearing: Hearing, now_ns: int) -> TopicFacts | None:
        """What changed on a sensor topic since the last report; None for another."""
        spec = self.config.ros.topics.get(hearing.key)
        if spec is None or not self.conductor.evidence.knows(hearing.key):
            return None
        before = self._heard_before.get(hearing.key)
        self._heard_before[hearing.key] = (hearing.received, hearing.lost)
        newest_ns = hearing.newest_ns
        return TopicFacts(
            key=hearing.key,
            name=hearing.name,
            required=self.conductor.evidence.requires(hearing.key),
            rate_hz=spec.rate_hz,
            maximum_age_s=spec.maximum_age_s,
            received=None if before is None else hearing.received - before[0],
            lost=0 if before is None else hearing.lost - before[1],
            age_s=None if newest_ns is None else (now_ns - newest_ns) / SECOND_NS,
        )

    def _about_program(self) -> list[Status]:
        if self.point is None or self.program is None:
            return []
        return [
            about_program(
                adapter=self.config.ros.program.adapter,
                waiting=self.point.waiting,
                working=self.point.working,
                values=self.program.facts(),
            )
        ]

    @property
    def guarded(self) -> Guarded:
        """What the control thread watches over."""
        return Guarded(self._robot, self.conductor)

    @property
    def left_alone(self) -> bool:
        """Whether the robot may be left: it stands, or was never asked for anything."""
        return not self._running or self.conductor.station.robot in (
            Robot.HELD,
            Robot.STOPPED,
        )

    def missing(self) -> list[str]:
        """Name what is not there yet and must be for a session."""
        if self._ready:
            return []
        return [*self._robot.missing(), *self._sensors.missing()]

    # ------------------------------------------------------------------------- its life

    async def run(self) -> None:
        """Hold the robot once it is there, and be ready for sessions, until cancelled.

        Without its services nothing is held, without sensors nothing is judged.
        """
        async with asyncio.TaskGroup() as tasks:
            await self._until_there(self._robot.missing)
            tasks.create_task(self.conductor.run(), name="conductor")
            self._running = True
            await self._until_there(self._sensors.missing)
            self._trace.write("robot_there")
            self._ready = True
            self._seek_session()

    def activate(self) -> None:
        """Seek a session as soon as everything is there."""
        self.active = True
        if self.point is not None:
            self.point.open()
        self._seek_session()

    def deactivate(self, text: str) -> None:
        """Hold the robot, end the session, and let no permit be used."""
        self.active = False
        if self.point is not None:
            self.point.close(f"link_lost: {text}")
        if self._running:
            self.conductor.disconnect(text)

    async def end(self, text: str) -> None:
        """Deactivate, and give the robot's controller time to confirm the hold."""
        self.deactivate(text)
        until_ns = self._clock.monotonic_ns() + round(END_HELD_S * SECOND_NS)
        while not self.left_alone and self._clock.monotonic_ns() < until_ns:
            await self._clock.sleep(LOOK_S / 5)

    def tick(self) -> None:
        """Take what arrived and let time pass; call it every few milliseconds."""
        # Calls first and heard last: what was measured before them is then known.
        tell = None if self.program is None else self.program.take()
        self._sensors.drain()
        if tell is not None:
            tell()
        self.conductor.tick()
        if self.point is not None:
            self.point.look()

    def close(self) -> None:
        """Give all nodes back; nothing is to be called afterwards."""
        if self.program is not None:
            self.program.close()
        self._sensors.close()
        self._robot.close()
        for node in (self._robot_node, self._data_node):
            self._executor.remove_node(node)
            node.destroy_node()
        self._trace.close()

    # ---------------------------------------------------------------------------- parts

    def _seek_session(self) -> None:
        if self.active and self._ready:
            self.conductor.connect()

    async def _until_there(self, missing: Callable[[], list[str]]) -> None:
        said_ns = 0
        while absent := missing():
            now_ns = self._clock.monotonic_ns()
            if now_ns - said_ns > SAY_MISSING_S * SECOND_NS:
                _log.warning("waiting for %s", ", ".join(absent))
                said_ns = now_ns
            await self._clock.sleep(LOOK_S)


def _version() -> str:
    try:
        return importlib.metadata.version("andon")
    except importlib.metadata.PackageNotFoundError:
        return "uninstalled"
