"""A simulated cell: the twin behind the topics and services of a robot.

Parameters besides those of robot_node: `seed`, `rate_hz` (samples a simulated second)
and `shift_at_cycle` (0: never).
"""

from __future__ import annotations

from typing import Final

from ros_nodes.robot_node import RobotNode
from ros_nodes.simulated_robot import Body, Sample, Truth
from ros_nodes.twin.cell import Shift, Twin

SHIFT: Final = Shift(payload_kg=1.25, friction=0.4)
"""A heavier part in a drier fixture."""


class ShiftingTwin:
    """A twin that changes for good at one cycle. See simulated_robot.Body.

    Args:
        twin: The twin.
        rate_hz: Its samples a simulated second.
        shift_at_cycle: The cycle; 0: never.
    """

    def __init__(self, twin: Twin, *, rate_hz: float, shift_at_cycle: int) -> None:
        self._twin = twin
        self._shift_at_cycle = shift_at_cycle
        self.period_s = 1.0 / rate_hz

    def begin_cycle(self, cycle: int) -> Truth:
        """Start a cycle; see Body."""
        if 0 < self._shift_at_cycle <= cycle:
            self._twin.apply_shift(SHIFT)
        return self._twin.begin_cycle(cycle)

    def advance(self) -> Sample | None:
        """See Body."""
        return self._twin.advance()

    def idle(self) -> Sample:
        """See Body."""
        return self._twin.idle()

    def pause(self) -> None:
        """See Body."""
        self._twin.pause()

    def resume(self) -> None:
        """See Body."""
        self._twin.resume()


class SimulatedCellNode(RobotNode):
    """One simulated cell's process."""

    def _body(self) -> tuple[tuple[str, ...], Body]:
        rate_hz = float(self._parameter("rate_hz", 50.0))
        twin = Twin(
            seed=int(self._parameter("seed", 0)),
            cell_id=self._cell_id,
            rate_hz=rate_hz,
        )
        shift_at_cycle = int(self._parameter("shift_at_cycle", 0))
        body = ShiftingTwin(twin, rate_hz=rate_hz, shift_at_cycle=shift_at_cycle)
        return Twin.JOINT_NAMES, body


def main(args: list[str]) -> int:
    """Run a simulated cell; see the module."""
    SimulatedCellNode("simulated_cell", args).run()
    return 0
