"""A simulated cell: the twin behind the topics and services that a cell names.

It speaks as the cell's configuration says: topics, types and rate, joint names and
units, ways to be held, read-back and safety topics (see `controller_node`). Parameters
besides those of robot_node: `config` (path of andon.toml; empty: the names alone),
`seed`, `rate_hz` (samples a simulated second; 0: as configured), `shift_at_cycle` (0:
never) and `deaf_from_cycle` (cycle from which it obeys no hold; 0: never).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState

from ros_nodes.adapters.stand_ins import stood_in
from ros_nodes.clock import SECOND_NS
from ros_nodes.config import DEFAULT_TOPICS, CellConfig, read_cell
from ros_nodes.controller_node import SimulatedController
from ros_nodes.likeness import JOINTS, WRENCH, Likeness, likeness_of, topic_of
from ros_nodes.permission import Begin
from ros_nodes.qos import SENSORS
from ros_nodes.robot_node import RobotNode
from ros_nodes.simulated_robot import Body, Pace, Sample, Say, Truth
from ros_nodes.talk import leave_text
from ros_nodes.terms import Permit, Purpose
from ros_nodes.twin.cell import Shift, Twin

SHIFT: Final = Shift(payload_kg=1.25, friction=0.4)
"""A heavier part in a drier fixture."""


class ShiftingTwin:
    """A twin that changes for good at one cycle. See simulated_robot.Body.

    Args:
        twin: The twin.
        likeness: How it looks, and its samples a simulated second.
        shift_at_cycle: The cycle; 0: never.
    """

    def __init__(self, twin: Twin, likeness: Likeness, *, shift_at_cycle: int) -> None:
        self._twin = twin
        self._likeness = likeness
        self._shift_at_cycle = shift_at_cycle
        self.period_s = 1.0 / likeness.rate_hz

    def begin_cycle(self, cycle: int) -> Truth:
        """Start a cycle; see Body."""
        if 0 < self._shift_at_cycle <= cycle:
            self._twin.apply_shift(SHIFT)
        return self._twin.begin_cycle(cycle)

    def advance(self) -> Sample | None:
        """See Body."""
        sample = self._twin.advance()
        return None if sample is None else self._likeness.of(sample)

    def idle(self) -> Sample:
        """See Body."""
        return self._likeness.of(self._twin.idle())

    def pause(self) -> None:
        """See Body."""
        self._twin.pause()

    def resume(self) -> None:
        """See Body."""
        self._twin.resume()


class SimulatedCellNode(RobotNode):
    """One simulated cell's process."""

    def _body(self) -> tuple[tuple[str, ...], Body]:
        path = self._text("config", "")
        self._cell: CellConfig | None = None
        likeness = Likeness(Twin.JOINT_NAMES)
        if path:
            self._cell = read_cell(Path(path), self._cell_id)
            likeness = likeness_of(self._cell, Twin.JOINT_NAMES)
        rate_hz = float(self._parameter("rate_hz", 0.0))
        if rate_hz:
            likeness = replace(likeness, rate_hz=rate_hz)
        self._likeness = likeness
        twin = Twin(
            seed=int(self._parameter("seed", 0)),
            cell_id=self._cell_id,
            rate_hz=likeness.rate_hz,
        )
        shift_at_cycle = int(self._parameter("shift_at_cycle", 0))
        return likeness.joints, ShiftingTwin(
            twin, likeness, shift_at_cycle=shift_at_cycle
        )

    def _pace(self) -> Pace:
        return replace(super()._pace(), steady=self._likeness.steady)

    def _sensor_publishers(self) -> Mapping[str, Any]:
        if self._cell is None:
            return super()._sensor_publishers()
        topics = {**DEFAULT_TOPICS, **self._cell.ros.topics}
        return {
            key: self._node.create_publisher(
                kind, topics[topic_of(self._cell.ros, name) or key].name, SENSORS
            )
            for key, name, kind in (
                ("joints", JOINTS, JointState),
                ("wrench", WRENCH, WrenchStamped),
            )
        }

    def _offer_holds(self) -> None:
        self._controller: SimulatedController | None = None
        if self._cell is None:
            super()._offer_holds()
            return
        self._controller = SimulatedController(
            self._node,
            self._robot,
            stood_in(self._cell.ros),
            self._publish,
            deaf_from_cycle=int(self._parameter("deaf_from_cycle", 0)),
        )

    def _before_tick(self) -> None:
        if self._controller is not None:
            self._controller.tick()
        if self._unasked and not self._robot.busy:
            self._robot.hear_leave(self._own_leave())

    @property
    def _unasked(self) -> bool:
        """Whether andon only watches: then its program works without leave."""
        return self._cell is not None and self._cell.ros.robot.adapter == "none"

    def _own_leave(self) -> str:
        permit = Permit(
            permit_id=f"own-{self._robot.cycle + 1}",
            purpose=Purpose.NEXT_STEP,
            session_epoch=0,
            cycle=max(0, self._robot.cycle),
            heartbeat_seq=0,
            start_within_ns=0,
            maximum_execution_ns=0,
        )
        start_by_ns = self._clock.monotonic_ns() + SECOND_NS
        return leave_text(Begin(permit, start_by_ns, start_by_ns))

    def _publish(self, said: Iterable[Say]) -> None:
        super()._publish(self._with_the_slow(said))

    def _with_the_slow(self, said: Iterable[Say]) -> Iterable[Say]:
        for say in said:
            yield say
            if say.topic == "joints" and self._controller is not None:
                self._controller.sampled()


def main(args: list[str]) -> int:
    """Run a simulated cell; see the module."""
    SimulatedCellNode("simulated_cell", args).run()
    return 0
