"""Where the stamps of messages lie on the node's own clock.

Publishers stamp with system time, with the monotonic clock of this machine, or with the
time of a simulation. Windows, ages and leases know one clock: the node's monotonic one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ros_nodes.clock import SECOND_NS, Clock, on_monotonic_clock

FOREIGN_STAMP_NS: Final = 10 * SECOND_NS
"""A stamp so far from now belongs to no clock of this machine."""
_APART_NS: Final = SECOND_NS // 20
"""Least time between two remembered points of a simulation's time."""
_POINTS: Final = 256
_LATE_NS: Final = SECOND_NS // 10
"""Simulated time that goes back by less is a message that was overtaken."""

Facts = Mapping[str, Any]
"""What the middleware says about a message, in rclpy's words."""


class SimTime:
    """How the time of a simulation, or of a recording, lies on the node's clock.

    A line through what /clock said in the last seconds; beyond its end it goes on at
    the pace of the last second.
    """

    def __init__(self) -> None:
        self._sim: list[int] = []
        self._node: list[int] = []

    def hear(self, sim_ns: int, node_ns: int) -> bool:
        """/clock said a time.

        Args:
            sim_ns: What it said.
            node_ns: When, on the node's clock.

        Returns:
            Whether time went back, as at the loop of a recording; then all before it
            is forgotten.
        """
        if self._sim and sim_ns < self._sim[-1]:
            if self._sim[-1] - sim_ns < _LATE_NS:
                return False
            self._sim, self._node = [sim_ns], [node_ns]
            return True
        if self._sim and node_ns < self._node[-1]:
            return False
        # While it stands still, or between remembered points, the newest point moves.
        if self._sim and (
            sim_ns == self._sim[-1]
            or (len(self._node) > 1 and node_ns - self._node[-2] < _APART_NS)
        ):
            self._sim[-1], self._node[-1] = sim_ns, node_ns
            return False
        self._sim.append(sim_ns)
        self._node.append(node_ns)
        del self._sim[:-_POINTS], self._node[:-_POINTS]
        return False

    @property
    def now_ns(self) -> int | None:
        """The newest simulated time, or None before the first."""
        return self._sim[-1] if self._sim else None

    def place(self, sim_ns: int) -> int | None:
        """Place a simulated stamp on the node's clock; None before /clock spoke."""
        if not self._sim:
            return None
        right = bisect_right(self._sim, sim_ns)
        if right == 0 or len(self._sim) == 1:
            return self._node[0] + sim_ns - self._sim[0]
        if right == len(self._sim):
            return self._beyond(sim_ns)
        return self._line(right - 1, right, sim_ns)

    def _beyond(self, sim_ns: int) -> int:
        second = bisect_right(self._node, self._node[-1] - SECOND_NS)
        return self._line(min(second, len(self._node) - 2), -1, sim_ns)

    def _line(self, before: int, after: int, sim_ns: int) -> int:
        sim_0, sim_1 = self._sim[before], self._sim[after]
        node_0, node_1 = self._node[before], self._node[after]
        return node_1 + (sim_ns - sim_1) * (node_1 - node_0) // (sim_1 - sim_0)


@dataclass(frozen=True, slots=True)
class Moment:
    """Both clocks of the machine, read at once.

    Attributes:
        node_ns: The node's monotonic clock.
        utc_ns: System time.
        sim: The simulation's time, if samples are stamped by it.
    """

    node_ns: int
    utc_ns: int
    sim: SimTime | None = None

    def stamped(self, stamp_ns: int) -> int | None:
        """Place the stamp in a message's header; None before /clock spoke."""
        if self.sim is not None:
            return self.sim.place(stamp_ns)
        # As on_monotonic_clock, without its call: this runs for every message.
        if abs(stamp_ns - self.node_ns) <= abs(stamp_ns - self.utc_ns):
            return stamp_ns
        return stamp_ns - self.utc_ns + self.node_ns

    def sent(self, facts: Facts) -> int:
        """Place a message without a stamp: when it was sent, or else received.

        The middleware stamps both with system time. What was sent after it was
        received was sent by a machine whose clock is ahead.
        """
        offset_ns = self.node_ns - self.utc_ns
        received_ns = (facts.get("received_timestamp") or self.utc_ns) + offset_ns
        if abs(received_ns - self.node_ns) > FOREIGN_STAMP_NS:
            received_ns = self.node_ns
        sent_ns = facts.get("source_timestamp")
        return min(sent_ns + offset_ns, received_ns) if sent_ns else received_ns

    def said(self, stamp_ns: int) -> int:
        """Place a stamp of whichever clock is nearest: a program may use any."""
        placed_ns = on_monotonic_clock(
            stamp_ns, monotonic_ns=self.node_ns, utc_ns=self.utc_ns
        )
        now_ns = None if self.sim is None else self.sim.now_ns
        if (
            self.sim is not None
            and now_ns is not None
            and abs(stamp_ns - now_ns) < abs(placed_ns - self.node_ns)
        ):
            return self.sim.place(stamp_ns) or placed_ns
        return placed_ns


class NodeTime:
    """Reads the clocks of the machine, and hears /clock.

    Args:
        clock: The node's clock.
        simulated: Samples are stamped by /clock.
    """

    def __init__(self, clock: Clock, *, simulated: bool = False) -> None:
        self._clock = clock
        self._sim = SimTime() if simulated else None

    def now(self) -> Moment:
        """Read the clocks: once for all messages that came together."""
        return Moment(self._clock.monotonic_ns(), self._clock.utc_ns(), self._sim)

    def hear(self, sim_ns: int, facts: Facts) -> bool:
        """/clock spoke; see SimTime.hear."""
        return self._sim is not None and self._sim.hear(sim_ns, self.now().sent(facts))
