"""What one topic says while it is measured. Pure: messages are handed in."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any, Final

from ros_nodes.cdr import CdrError, read_clock
from ros_nodes.check.seen import Heard, Value
from ros_nodes.check.wants import WantedTopic
from ros_nodes.clock import SECOND_NS
from ros_nodes.node_time import Facts, Moment, SimTime
from ros_nodes.tap import Tap

READ_AT_ONCE: Final = 3
"""Messages that are read of those that came together; all of them are counted."""
SILENT_PERIODS: Final = 3
SILENT_NS: Final = SECOND_NS // 4
_LISTS: Final = ("position", "velocity", "effort", "data")


class Ear:
    """One topic of a cell.

    Args:
        wanted: The topic.
        tap: Its messages.
        deserialise: Makes a message of bytes.
        read: Reads the field that is looked at; None: none is.
    """

    def __init__(
        self,
        wanted: WantedTopic,
        tap: Tap,
        deserialise: Callable[[bytes], Any],
        read: Callable[[Any], Value] | None,
    ) -> None:
        self.wanted = wanted
        self._tap = tap
        self._deserialise = deserialise
        self._read = read
        self._arrived_ns: list[int] = []
        self._ages_s: list[float] = []
        self._unstamped = False
        self._names: dict[str, None] = {}
        self._lengths: dict[str, int] = {}
        self._value: Value | None = None

    def hear(self, moment: Moment) -> None:
        """Take what came."""
        taken = self._tap.drain()
        for _, facts in taken:
            self._arrived_ns.append(_received_ns(facts, moment))
        for data, facts in taken[-READ_AT_ONCE:]:
            message = self._deserialise(data)
            self._note_stamp(message, facts, moment)
            self._note_content(message)

    def heard(self, end_utc_ns: int, pace: float) -> Heard:
        """What came in all.

        Args:
            end_utc_ns: When listening ended, UTC.
            pace: Seconds of the cell's clock a second.
        """
        return Heard(
            count=len(self._arrived_ns),
            lost=self._tap.lost,
            rate_hz=rate_hz(self._arrived_ns, end_utc_ns) / pace,
            age_s=statistics.median(self._ages_s) if self._ages_s else None,
            unstamped=self._unstamped,
            names=tuple(self._names),
            lengths=dict(self._lengths),
            value=self._value,
        )

    def _note_stamp(self, message: Any, facts: Facts, moment: Moment) -> None:
        header = getattr(message, "header", None)
        if header is None:
            return
        stamp_ns = header.stamp.sec * SECOND_NS + header.stamp.nanosec
        self._unstamped |= not stamp_ns
        placed_ns = moment.stamped(stamp_ns) if stamp_ns else None
        if placed_ns is not None:
            arrived_ns = moment.node_ns - moment.utc_ns + _received_ns(facts, moment)
            self._ages_s.append((arrived_ns - placed_ns) / SECOND_NS)

    def _note_content(self, message: Any) -> None:
        for name in getattr(message, "name", ()):
            self._names[str(name)] = None
        for field in _LISTS:
            try:
                length = len(getattr(message, field, ()))
            except TypeError:  # one value: a Bool's data
                continue
            self._lengths[field] = max(self._lengths.get(field, 0), length)
        if self._read is not None:
            self._value = self._read(message)


class ClockEar:
    """The time of a simulation, and how fast it goes."""

    def __init__(self) -> None:
        self.tap: Tap | None = None
        self._sim = SimTime()
        self._ends: list[tuple[int, int]] = []

    def hear(self, node_ns: int) -> SimTime:
        """Take what /clock said until now."""
        for data, _ in [] if self.tap is None else self.tap.drain():
            try:
                sim_ns = read_clock(data)
            except CdrError:
                continue
            if self._sim.hear(sim_ns, node_ns):
                self._ends.clear()  # it began anew
            self._ends[1:] = [(sim_ns, node_ns)]
        return self._sim

    @property
    def runs(self) -> bool:
        """Whether it moved."""
        return len({sim_ns for sim_ns, _ in self._ends}) > 1

    @property
    def pace(self) -> float:
        """Simulated seconds a second; 1 when nobody can say."""
        if not self.runs:
            return 1.0
        (sim_0, node_0), (sim_1, node_1) = self._ends
        pace = (sim_1 - sim_0) / max(node_1 - node_0, 1)
        return pace if pace > 0.0 else 1.0


def rate_hz(arrived_ns: Sequence[int], end_ns: int) -> float:
    """Messages a second; of a topic that fell silent, over the silence as well.

    Args:
        arrived_ns: When messages came.
        end_ns: When listening ended, on the same clock.
    """
    if len(arrived_ns) < 2 or arrived_ns[-1] <= arrived_ns[0]:
        return 0.0
    spoke_ns = arrived_ns[-1] - arrived_ns[0]
    silent_ns = end_ns - arrived_ns[-1]
    period_ns = spoke_ns / (len(arrived_ns) - 1)
    if silent_ns > SILENT_PERIODS * period_ns + SILENT_NS:
        spoke_ns += silent_ns
    return (len(arrived_ns) - 1) * SECOND_NS / spoke_ns


def _received_ns(facts: Facts, moment: Moment) -> int:
    """When a message came, UTC."""
    return facts.get("received_timestamp") or moment.utc_ns
