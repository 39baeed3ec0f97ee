"""Play messages at the moments they were received, or faster.

The player waits on the monotonic clock and hands each message to whoever publishes it.
It never waits for anybody: a message that is due is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from ros_nodes.bags.stamps import Restamper
from ros_nodes.bags.terms import Recorded
from ros_nodes.bags.timing import Timing
from ros_nodes.clock import SECOND_NS

LONGEST_LAG_NS: Final = SECOND_NS
"""A player that is so late (a laptop that slept) goes on from there: no burst."""
TICK_NS: Final = 10_000_000
"""Longest nap: time between two looks at the wish to end, and between two clocks."""


class PlayerClock(Protocol):
    """What a player needs of a clock."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never step."""

    def utc_ns(self) -> int:
        """Nanoseconds since 1970 in UTC."""

    def block(self, seconds: float) -> None:
        """Put the calling thread to sleep."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How messages are played.

    Attributes:
        rate: Seconds of the recording a second.
        restamped: Topics whose messages get a stamp of now; the others keep theirs.
    """

    rate: float = 1.0
    restamped: Collection[str] = frozenset()


@dataclass(slots=True)
class Played:
    """What was played so far.

    Attributes:
        messages: Messages handed to the publisher.
        by_topic: The same by topic.
        disordered: Messages that lay behind a later one; sent at once.
        lags: Times at which the player was so late that it went on from there.
        timing: Differences between planned and actual moments.
    """

    messages: int = 0
    by_topic: dict[str, int] = field(default_factory=dict)
    disordered: int = 0
    lags: int = 0
    timing: Timing = field(default_factory=Timing)


class Player:
    """Keeps the time of a recording. Blocks the thread that plays.

    Args:
        clock: The machine's.
        publish: Takes a topic, as recorded, and the bytes to publish.
        manner: How to play.
        ending: Whether somebody wants it to end; asked every few milliseconds.
        tick: Takes the time of the recording, UTC ns, every few milliseconds.
    """

    def __init__(
        self,
        clock: PlayerClock,
        publish: Callable[[str, bytes], None],
        manner: Manner,
        *,
        ending: Callable[[], bool],
        tick: Callable[[int], None] | None = None,
    ) -> None:
        self._clock = clock
        self._publish = publish
        self._manner = manner
        self._ending = ending
        self._tick = tick
        self._restamper = Restamper(manner.rate)
        self._start_ns = 0
        self._begin_ns = 0
        self._next_tick_ns = 0
        self.newest_ns = 0
        """Time of the recording that has been reached, UTC ns."""
        self.played = Played()

    def play(self, messages: Iterable[Recorded], *, begin_ns: int) -> bool:
        """Play messages once.

        Args:
            messages: In the order they were received.
            begin_ns: Moment of the recording, UTC ns, that is now.

        Returns:
            False when it was ended before the last one.
        """
        self._start_ns = self._next_tick_ns = self._clock.monotonic_ns()
        self._begin_ns = self.newest_ns = begin_ns
        return all(self._send(message) for message in messages)

    def _send(self, message: Recorded) -> bool:
        played = self.played
        if message.log_ns < self.newest_ns:
            played.disordered += 1
        self.newest_ns = max(self.newest_ns, message.log_ns)
        planned_ns = self._planned(self.newest_ns)
        now_ns = self._wait(planned_ns)
        if self._ending():
            return False
        if now_ns - planned_ns > LONGEST_LAG_NS:
            played.lags += 1
            self._start_ns += now_ns - planned_ns
        else:
            played.timing.add(now_ns - planned_ns)
        self._publish(message.topic, self._stamped(message, now_ns))
        played.messages += 1
        played.by_topic[message.topic] = played.by_topic.get(message.topic, 0) + 1
        return True

    def _stamped(self, message: Recorded, now_ns: int) -> bytes:
        if message.topic not in self._manner.restamped:
            return message.data
        # The stamp tells when the message was due, not when this thread woke up.
        late_ns = max(0, now_ns - self._planned(message.log_ns))
        return self._restamper.stamped(
            message.topic,
            message.data,
            log_ns=message.log_ns,
            now_ns=self._clock.utc_ns() - late_ns,
        )

    def _planned(self, log_ns: int) -> int:
        return self._start_ns + round((log_ns - self._begin_ns) / self._manner.rate)

    def _wait(self, planned_ns: int) -> int:
        """Sleep until a moment of the monotonic clock; return what it shows then."""
        while True:
            now_ns = self._clock.monotonic_ns()
            if self._tick is not None and now_ns >= self._next_tick_ns:
                self._next_tick_ns = now_ns + TICK_NS
                rate = self._manner.rate
                self._tick(self._begin_ns + round((now_ns - self._start_ns) * rate))
            left_ns = planned_ns - now_ns
            if left_ns <= 0 or self._ending():
                return now_ns
            self._clock.block(min(left_ns, TICK_NS) / SECOND_NS)
