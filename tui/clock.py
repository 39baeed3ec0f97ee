"""The terminal's clocks, handed to whoever needs one."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the terminal reads the time."""

    def monotonic(self) -> float:
        """Seconds that never step; for countdowns and leases."""

    def monotonic_ns(self) -> int:
        """The same clock in whole nanoseconds; for traces of several programs."""

    def utc_now(self) -> datetime:
        """Aware UTC time; for what people read."""


class SystemClock:
    """The computer's own clocks."""

    def monotonic(self) -> float:
        """See Clock."""
        return time.monotonic()

    def monotonic_ns(self) -> int:
        """See Clock."""
        return time.monotonic_ns()

    def utc_now(self) -> datetime:
        """See Clock."""
        return datetime.now(UTC)
