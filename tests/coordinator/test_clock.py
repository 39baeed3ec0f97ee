"""Time that a test can hold in its hand."""

import asyncio
from datetime import UTC, datetime, timedelta

from coordinator.clock import (
    SECOND_NS,
    JumpWatch,
    ManualClock,
    SystemClock,
    seconds_to_ns,
)


async def test_a_manual_clock_moves_only_when_it_is_moved():
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    sleeping = asyncio.create_task(clock.sleep(2.0))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not sleeping.done()
    assert clock.monotonic_ns() == 0

    clock.advance(timedelta(seconds=2))
    await sleeping
    assert clock.monotonic_ns() == 2 * SECOND_NS
    assert clock.utc_now() == datetime(2026, 3, 1, 0, 0, 2, tzinfo=UTC)


async def test_the_systems_clock_is_monotonic_and_aware():
    clock = SystemClock()
    before = clock.monotonic_ns()
    await clock.sleep(0)

    assert clock.monotonic_ns() >= before
    assert clock.utc_now().tzinfo is UTC


def test_seconds_are_whole_nanoseconds():
    assert seconds_to_ns(0.25) == 250_000_000
    assert seconds_to_ns(1 / 3) == 333_333_333


class Jumpy(ManualClock):
    """A clock whose wall clock can be set."""

    set_by = timedelta()

    def utc_now(self) -> datetime:
        return super().utc_now() + self.set_by


def test_a_wall_clock_that_is_set_is_noticed_once() -> None:
    clock = Jumpy()
    watch = JumpWatch(clock)
    jumps = []
    for set_by_s in (0, 3600, 3600, 0, 0.1):
        clock.advance(timedelta(seconds=0.25))
        clock.set_by = timedelta(seconds=set_by_s)
        jumps.append(round(watch.jumped_s()))

    assert jumps == [0, 3600, 0, -3600, 0]
