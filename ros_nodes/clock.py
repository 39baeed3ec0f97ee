"""Time, as something a test can hold in its hand.

Leases, permits and sample ages use the monotonic clock of this machine; UTC is written
beside for people. No other module of the nodes looks at a clock.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

SECOND_NS: Final = 1_000_000_000

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Where a node reads the time; passed in, never imported as a global."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never step; for leases, permits and ages."""

    def utc_ns(self) -> int:
        """Nanoseconds since 1970 in UTC; for records, and to place foreign stamps."""

    async def sleep(self, seconds: float) -> None:
        """Wait on this clock, in seconds."""


class SystemClock:
    """The computer's own clocks."""

    def monotonic_ns(self) -> int:
        """See Clock."""
        return time.monotonic_ns()

    def utc_ns(self) -> int:
        """See Clock."""
        return time.time_ns()

    async def sleep(self, seconds: float) -> None:
        """See Clock."""
        await asyncio.sleep(seconds)

    def block(self, seconds: float) -> None:
        """Put the calling thread to sleep, in seconds; never on an event loop."""
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only when it is moved: for tests."""

    def __init__(self, *, start_ns: int = 1_000 * SECOND_NS) -> None:
        self._monotonic_ns = start_ns
        self._utc_ns = 1_735_689_600 * SECOND_NS + start_ns

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        step_ns = seconds_to_ns(seconds)
        self._monotonic_ns += step_ns
        self._utc_ns += step_ns

    def monotonic_ns(self) -> int:
        """See Clock."""
        return self._monotonic_ns

    def utc_ns(self) -> int:
        """See Clock."""
        return self._utc_ns

    async def sleep(self, seconds: float) -> None:
        """Return once the clock has been advanced so far by somebody else."""
        end_ns = self._monotonic_ns + seconds_to_ns(seconds)
        while self._monotonic_ns < end_ns:  # noqa: ASYNC110 - moved by hand
            await asyncio.sleep(0)


def seconds_to_ns(seconds: float) -> int:
    """Convert seconds to whole nanoseconds."""
    return round(seconds * SECOND_NS)


def utc(utc_ns: int) -> datetime:
    """Aware UTC time of nanoseconds since 1970."""
    return datetime.fromtimestamp(utc_ns / SECOND_NS, tz=UTC)


def boot_id() -> str:
    """Identity of the monotonic clock: another one after each boot of the machine."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def on_monotonic_clock(stamp_ns: int, *, monotonic_ns: int, utc_ns: int) -> int:
    """Place a publisher's stamp on this machine's monotonic clock.

    A publisher on this machine stamps with the monotonic clock or with system time
    (what ROS drivers do); the nearer of the two is meant. The offset between both is
    read anew each time, so that a jump of the wall clock moves no age: stamp and offset
    jump together.

    Args:
        stamp_ns: What the message says.
        monotonic_ns: Monotonic clock now.
        utc_ns: System time at the same moment.
    """
    if abs(stamp_ns - monotonic_ns) <= abs(stamp_ns - utc_ns):
        return stamp_ns
    return stamp_ns - utc_ns + monotonic_ns
