"""Full rate around an unclear moment: a ring of what arrived, and spans cut out of it.

Windows are small so that they fit beside permits; what a person wants to look at later
is everything. So every message stays in a ring for some seconds, serialised, and when
the coordinator asks about a window, the span around it is kept while the ring goes on.

    clips.keep("joints", message, stamp_ns)     for every message of every topic
    clips.remember(window_id, span)             for every decision window
    clips.want(wanted)                          the coordinator asks
    clips.tick(now_ns)                          cuts what is due
    await clips.next()                          clip_upload writes and sends it

Times are on the node's monotonic clock until a clip is written; then all of one clip
move to UTC by the same offset, so that a wall clock that jumps tears no clip apart.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ros_nodes.clock import SECOND_NS, Clock, seconds_to_ns
from ros_nodes.config import CellConfig
from ros_nodes.windowing import Span

HEADROOM_NS: Final = 5 * SECOND_NS
"""How long the ring reaches back beyond a clip: time to be asked, over a lost link."""
LATE_NS: Final = SECOND_NS // 5
"""Time the last messages of a span may take to arrive."""
OVERHEAD_BYTES: Final = 200
"""What a message costs in memory besides its bytes."""
MOST_DUE: Final = 32
"""Spans that may wait to be over: places in time, no messages."""
MOST_KEPT: Final = 4
"""Clips that may wait for the coordinator; the oldest is lost."""
MOST_WINDOWS: Final = 64
"""Windows whose place in time is remembered."""


class Kept(NamedTuple):
    """One message in the ring.

    Attributes:
        topic: Key of its topic.
        stamp_ns: When it was made, monotonic clock of the node.
        heard_ns: When the node took it, the same clock.
        message: Its bytes, as they arrived.
    """

    topic: str
    stamp_ns: int
    heard_ns: int
    message: bytes


class Ring:
    """The newest messages, bounded by time and by bytes. Lives on one thread.

    Args:
        reach_ns: How far it goes back from the newest message.
        maximum_bytes: Most memory of all messages in it.
    """

    def __init__(self, *, reach_ns: int, maximum_bytes: int) -> None:
        self._reach_ns = reach_ns
        self._maximum_bytes = maximum_bytes
        self._kept: deque[Kept] = deque()
        self.bytes = 0
        """Memory of all messages in it."""
        self.overrun = 0
        """Messages that were lost because there was no room, young as they were."""
        self.whole_since_ns: int | None = None
        """From when on nothing is missing; None before the first message."""

    def __len__(self) -> int:
        return len(self._kept)

    def append(self, kept: Kept) -> None:
        """Keep a message; the oldest give way."""
        if self.whole_since_ns is None:
            self.whole_since_ns = kept.heard_ns
        self._kept.append(kept)
        self.bytes += OVERHEAD_BYTES + len(kept.message)
        oldest_ns = kept.heard_ns - self._reach_ns
        while self._kept and self._kept[0].heard_ns < oldest_ns:
            self._forget()
        while self.bytes > self._maximum_bytes:
            self.overrun += 1
            self._forget()

    def _forget(self) -> None:
        gone = self._kept.popleft()
        self.bytes -= OVERHEAD_BYTES + len(gone.message)
        self.whole_since_ns = gone.heard_ns + 1

    def span(self, span: Span) -> tuple[Kept, ...]:
        """Return the messages made within a span, both ends included, as they came."""
        begin_ns, end_ns = span.begin_ns, span.end_ns
        return tuple(kept for kept in self._kept if begin_ns <= kept.stamp_ns <= end_ns)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the coordinator asks for.

    Attributes:
        request_id: The request it belongs to.
        window_id: The window around whose end to cut.
        before_ns: How much before it; 0: as the node is configured.
        after_ns: How much after it; 0: as the node is configured.
    """

    request_id: str
    window_id: str
    before_ns: int = 0
    after_ns: int = 0


@dataclass(frozen=True, slots=True)
class ClipSource:
    """Whose clips these are, and how much of them is kept.

    Attributes:
        cell_id: The cell.
        software: Version of the node.
        topics: Key -> full name and message type.
        channels: Name -> "topic:field:element unit", topic by its full name.
        before_ns: Kept before the end of a window.
        after_ns: Kept after it.
        maximum_bytes: Most memory of the ring.
    """

    cell_id: str
    software: str
    topics: Mapping[str, tuple[str, str]]
    channels: Mapping[str, str]
    before_ns: int
    after_ns: int
    maximum_bytes: int

    @classmethod
    def of(cls, config: CellConfig, software: str) -> ClipSource:
        """Return the source of one configured cell."""
        ros = config.ros
        topics = {
            spec.key: (_full_name(config.namespace, spec.name), spec.type)
            for spec in ros.topics.values()
        }
        channels = {
            channel.name: f"{topics[channel.source.topic][0]}:{channel.source.field}:"
            f"{channel.source.element} {channel.unit}"
            for channel in config.channels
        }
        topics["steps"] = (
            _full_name(config.namespace, ros.steps),
            "std_msgs/msg/String",
        )
        return cls(
            cell_id=config.cell_id,
            software=software,
            topics=topics,
            channels=channels,
            before_ns=seconds_to_ns(ros.clip.before_s),
            after_ns=seconds_to_ns(ros.clip.after_s),
            maximum_bytes=round(ros.clip.maximum_mb * 1e6),
        )


def _full_name(namespace: str, name: str) -> str:
    return name if name.startswith("/") else f"{namespace}/{name}"


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A span that was kept; the ring has gone on.

    Attributes:
        wanted: What was asked.
        window: The window it is around.
        span: From the first to the last moment.
        whole: Whether the ring still held all of it.
        messages: What was made within, in the order it came.
        utc_offset_ns: UTC minus monotonic clock, when it was cut.
    """

    wanted: Wanted
    window: Span
    span: Span
    whole: bool
    messages: tuple[Kept, ...]
    utc_offset_ns: int


@dataclass(slots=True)
class _Due:
    """A span that is not over yet."""

    wanted: Wanted
    window: Span
    span: Span


@dataclass(slots=True)
class _Books:
    """What is under way; nothing here grows without end."""

    due: list[_Due] = field(default_factory=list)
    cuts: deque[Cut] = field(default_factory=deque)
    asked: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_WINDOWS))
    windows: dict[str, Span] = field(default_factory=dict)


class Clips:
    """The ring of one cell, and what was cut out of it. It lives on the event loop.

    Args:
        source: Whose clips, and how much.
        clock: The node's clock.
        dropped: Where losses are counted.
    """

    def __init__(self, source: ClipSource, clock: Clock, dropped: Counter[str]) -> None:
        self.source = source
        self._clock = clock
        self._dropped = dropped
        self._reach_ns = source.before_ns + source.after_ns + HEADROOM_NS
        self.ring = Ring(reach_ns=self._reach_ns, maximum_bytes=source.maximum_bytes)
        self._books = _Books()
        self._filled = asyncio.Event()

    def keep(self, topic: str, message: bytes, stamp_ns: int | None = None) -> None:
        """Keep one serialised message of any topic; call it for each that arrives.

        Args:
            topic: Key of its topic; one that is not configured is counted, no more.
            message: CDR as it arrived.
            stamp_ns: When it was made, on the node's monotonic clock; None: now. A
                stamp further off than the ring reaches belongs to no clock of this
                machine, and counts as now too.
        """
        if topic not in self.source.topics:
            self._dropped["clip_unknown_topic"] += 1
            return
        now_ns = self._clock.monotonic_ns()
        if stamp_ns is None or abs(stamp_ns - now_ns) > self._reach_ns:
            stamp_ns = now_ns
        before = self.ring.overrun
        self.ring.append(Kept(topic, stamp_ns, now_ns, message))
        if self.ring.overrun > before:
            self._dropped["clip_overrun"] += self.ring.overrun - before

    def remember(self, window_id: str, span: Span) -> None:
        """Note where a decision window lies, in case the coordinator asks about it."""
        windows = self._books.windows
        windows[window_id] = span
        while len(windows) > MOST_WINDOWS:
            del windows[next(iter(windows))]

    def want(self, wanted: Wanted) -> bool:
        """Keep the span around a window once it is over; asking twice is harmless.

        Returns:
            Whether it will be kept: False for a window this node did not cut, or for
            what was asked before.
        """
        window = self._books.windows.get(wanted.window_id)
        if wanted.window_id in self._books.asked:
            return False
        if window is None:
            self._dropped["clip_unknown_window"] += 1
            return False
        before_ns = min(wanted.before_ns or self.source.before_ns, self._reach_ns)
        after_ns = min(wanted.after_ns or self.source.after_ns, self._reach_ns)
        span = Span(window.end_ns - before_ns, window.end_ns + after_ns)
        self._books.asked.append(wanted.window_id)
        self._books.due.append(_Due(wanted, window, span))
        if len(self._books.due) > MOST_DUE:
            self._books.due.pop(0)
            self._dropped["clip_lost"] += 1
        return True

    def tick(self, now_ns: int) -> tuple[Cut, ...]:
        """Cut the spans that are over; return them."""
        over = [due for due in self._books.due if now_ns >= due.span.end_ns + LATE_NS]
        return tuple(self._cut(due) for due in over)

    def _cut(self, due: _Due) -> Cut:
        self._books.due.remove(due)
        since_ns = self.ring.whole_since_ns
        cut = Cut(
            wanted=due.wanted,
            window=due.window,
            span=due.span,
            whole=since_ns is not None and since_ns <= due.span.begin_ns,
            messages=self.ring.span(due.span),
            utc_offset_ns=self._clock.utc_ns() - self._clock.monotonic_ns(),
        )
        self._books.cuts.append(cut)
        if len(self._books.cuts) > MOST_KEPT:
            self._books.cuts.popleft()
            self._dropped["clip_lost"] += 1
        self._filled.set()
        return cut

    def lose(self) -> None:
        """Count a clip that could not be brought to the coordinator."""
        self._dropped["clip_lost"] += 1

    async def next(self) -> Cut:
        """Wait for the oldest span that was cut, and take it."""
        while not self._books.cuts:
            self._filled.clear()
            await self._filled.wait()
        return self._books.cuts.popleft()
