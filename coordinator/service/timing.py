"""What a node's clocks say: how old a message is when it comes, and if they are right.

A message that lay in a buffer looks fresh: the age it names ends with its sending. Two
machines' monotonic clocks share no zero, so only differences count here, and a node's
wall clock is compared for one reason: to notice that it is wrong.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from coordinator.clock import SECOND_NS

WINDOW_NS: Final = 10 * SECOND_NS
"""The fastest message of this time and of as much before it sets the zero. Clocks drift
apart by less than 10 ms in twice that."""
SKEW_WARN_S: Final = 2.0
"""A wall clock that is off by more is worth a warning, s."""
LASTS: Final = 2
"""Heartbeats in a row that say so: the clock of a machine may jump between the sending
and the coming of one, and both are right."""
SKEW_HOLD_S: Final = 60.0
"""A wall clock that is off by more makes records that nobody can use, s."""


class Transit:
    """How long the messages of one session are on their way, at most.

    The fastest message of late took no longer than the node's round trip; another took
    as much longer as it came later. Not thread-safe: it lives on the event loop.
    """

    def __init__(self) -> None:
        self._began_ns: int | None = None
        self._before_ns: int | None = None
        self._fastest_ns = 0
        self._round_trip_ns = 0

    def measured(self, round_trip_ns: int) -> None:
        """Take the node's word for its round trip; a node that lies holds itself."""
        self._round_trip_ns = max(0, round_trip_ns)

    def longest_ns(self, sent_ns: int, received_ns: int) -> int:
        """Time on the way, at most; 0 for a message that does not say when it left.

        Args:
            sent_ns: When it left, monotonic clock of the node; 0: not told.
            received_ns: When it came, monotonic clock of the coordinator.
        """
        if sent_ns <= 0:
            return 0
        offset_ns = received_ns - sent_ns
        if self._began_ns is None or received_ns - self._began_ns > WINDOW_NS:
            self._before_ns = None if self._began_ns is None else self._fastest_ns
            self._began_ns, self._fastest_ns = received_ns, offset_ns
        self._fastest_ns = min(self._fastest_ns, offset_ns)
        fastest_ns = self._fastest_ns
        if self._before_ns is not None:
            fastest_ns = min(fastest_ns, self._before_ns)
        return offset_ns - fastest_ns + self._round_trip_ns


class Skew:
    """How far a node's wall clock is from the coordinator's, heartbeat by heartbeat."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        """How far it is ahead, s; behind: negative."""
        self._wrong = 0
        self._useless = 0

    def told(self, sent_s: float, now_at: datetime) -> bool:
        """Take a heartbeat's word; return whether it is worth a warning, once.

        Args:
            sent_s: The node's UTC in seconds since 1970.
            now_at: UTC here.
        """
        self.ahead_s = sent_s - now_at.timestamp()
        self._wrong = 0 if abs(self.ahead_s) <= SKEW_WARN_S else self._wrong + 1
        self._useless = 0 if abs(self.ahead_s) <= SKEW_HOLD_S else self._useless + 1
        return self._wrong == LASTS

    @property
    def holds(self) -> bool:
        """Whether records of this node are of no use."""
        return self._useless >= LASTS

    def __str__(self) -> str:
        way = "ahead of" if self.ahead_s > 0 else "behind"
        return (
            f"the node's wall clock is {abs(self.ahead_s):.1f} s {way} the "
            "coordinator's."
        )
