"""One sensor topic: serialised messages in, samples on the node's clock out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ros_nodes.cdr import CdrError, Layout, Reader
from ros_nodes.clock import SECOND_NS
from ros_nodes.config import TopicSpec
from ros_nodes.node_time import FOREIGN_STAMP_NS, Facts, Moment
from ros_nodes.ring import Rows, Track

Taken = Sequence[tuple[bytes, Facts]]
"""Messages in the order of their arrival, with what the middleware says about each."""

_MOST_SHAPES: Final = 8


class Placer:
    """Puts the samples of one topic on the node's clock, and into its track.

    Args:
        spec: The topic.
        track: Where samples are kept.
        dropped: Where messages that are no samples are counted.
    """

    def __init__(self, spec: TopicSpec, track: Track, dropped: Counter[str]) -> None:
        self._spec = spec
        self._track = track
        self.dropped = dropped

    def near(self, stamp_ns: int | None, moment: Moment) -> int | None:
        """Return a placed stamp, or None for one that belongs to no clock here."""
        if stamp_ns is None:
            self.dropped["no_clock"] += 1
            return None
        ahead_ns = stamp_ns - moment.node_ns
        # A latched message may be as old as what it says.
        if -FOREIGN_STAMP_NS <= ahead_ns <= FOREIGN_STAMP_NS or (
            self._spec.latched and ahead_ns < 0
        ):
            return stamp_ns
        self.dropped["foreign_stamp"] += 1
        return None

    def keep(self, columns: tuple[int, ...], stamps: Sequence[int], rows: Rows) -> None:
        """Keep samples; see Track.extend."""
        left_out = self._track.extend(columns, stamps, rows)
        if left_out:
            self.dropped["out_of_order"] += left_out


class Stream:
    """Reads the messages of one topic into its track.

    Args:
        spec: The topic.
        wanted: Values that channels come from: field and element.
        placer: Takes its samples.
    """

    def __init__(
        self, spec: TopicSpec, wanted: Sequence[tuple[str, str]], placer: Placer
    ) -> None:
        self._malformed = f"malformed_{spec.key}"
        self._reader = Reader(spec.type, wanted)
        self._placer = placer
        self.newest: dict[Layout, tuple[bytes, int]] = {}
        """The newest message of each shape, with its stamp on the node's clock."""

    def take(self, taken: Taken, moment: Moment) -> list[int | None]:
        """Keep the samples of messages that came together.

        Returns:
            The stamp of each message on the node's clock; None for one that is no
            sample.
        """
        reader, near = self._reader, self._placer.near
        placed: list[int | None] = []
        batch: _Batch | None = None
        for message, facts in taken:
            try:
                layout, values = reader.read(message)
            except CdrError:
                self._placer.dropped[self._malformed] += 1
                placed.append(None)
                continue
            if reader.stamped:
                said_ns = values[0] * SECOND_NS + values[1]
                stamp_ns, values = near(moment.stamped(said_ns), moment), values[2:]
            else:
                stamp_ns = near(moment.sent(facts), moment)
            placed.append(stamp_ns)
            if stamp_ns is None:
                continue
            if batch is None or batch.layout is not layout:
                self._keep(batch)
                batch = _Batch(layout)
            batch.rows.append(values)
            batch.stamps.append(stamp_ns)
            batch.newest = message
        self._keep(batch)
        return placed

    def _keep(self, batch: _Batch | None) -> None:
        if batch is None:
            return
        self._placer.keep(batch.layout.columns, batch.stamps, batch.rows)
        self.newest.pop(batch.layout, None)
        self.newest[batch.layout] = batch.newest, batch.stamps[-1]
        if len(self.newest) > _MOST_SHAPES:
            del self.newest[next(iter(self.newest))]


@dataclass(slots=True)
class _Batch:
    """Samples of one shape that came one after another."""

    layout: Layout
    stamps: list[int] = field(default_factory=list)
    rows: list[Sequence[float]] = field(default_factory=list)
    newest: bytes = b""
