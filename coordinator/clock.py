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
JUMP_S: Final = 0.5
"""A wall clock that moves so far against the monotonic one at once has jumped, s."""


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


class JumpWatch:
    """Notices when the wall clock is set, by NTP or by a person.

    Nothing is decided by the wall clock; people who read records will ask.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_s = self._look()

    def jumped_s(self) -> float:
        """How far it stepped since the last call, s; 0.0 when it only drifted."""
        offset_s = self._look()
        step_s, self._offset_s = offset_s - self._offset_s, offset_s
        return step_s if abs(step_s) > JUMP_S else 0.0

    def _look(self) -> float:
        wall_s = self._clock.utc_now().timestamp()
        return wall_s - self._clock.monotonic_ns() / SECOND_NS


def seconds_to_ns(seconds: float) -> int:
    """Convert seconds to whole nanoseconds."""
    return round(seconds * SECOND_NS)
