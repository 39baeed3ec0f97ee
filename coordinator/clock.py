"""Time, as something a test can hold in its hand.

Durations and deadlines use the monotonic clock: an NTP step must never expire a
request or keep one alive. Records use UTC.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

SECOND_NS: Final = 1_000_000_000


class Clock(Protocol):
    """Where the coordinator reads the time; passed in, never imported as a global."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never step; for durations and deadlines."""

    def utc_now(self) -> datetime:
        """Aware UTC time; for records that people read."""

    async def sleep(self, seconds: float) -> None:
        """Wait on this clock, in seconds."""


class SystemClock:
    """The computer's own clocks."""

    def monotonic_ns(self) -> int:
        """See Clock."""
        return time.monotonic_ns()

    def utc_now(self) -> datetime:
        """See Clock."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """See Clock."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that moves only when it is moved: for tests and for backtests."""

    def __init__(self, start: datetime = datetime(2025, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = timedelta()

    def advance(self, step: timedelta) -> None:
        """Move both clocks forward by step."""
        self._elapsed += step

    def monotonic_ns(self) -> int:
        """See Clock."""
        return self._elapsed // timedelta(microseconds=1) * 1_000

    def utc_now(self) -> datetime:
        """See Clock."""
        return self._start + self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Return once the clock has been advanced so far by somebody else."""
        end = self._elapsed + timedelta(seconds=seconds)
        while self._elapsed < end:  # noqa: ASYNC110 - the clock is moved by hand
            await asyncio.sleep(0)


def seconds_to_ns(seconds: float) -> int:
    """Convert seconds to whole nanoseconds."""
    return round(seconds * SECOND_NS)
