"""Samples of one topic, the newest at hand.

Here lies the one copy of a sample: its values go from the message into a row, and a
window is computed from the rows where they lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

RING_ROWS: Final = 32_768
"""Samples kept of a topic of unknown rate: 65 s at 500 Hz."""
MOST_WAITING: Final = 64
"""Samples that wait to be written together."""
MOST_RINGS: Final = 4
"""Sets of values that messages of one topic may carry; the one silent longest goes."""
MOST_ORDERS: Final = 32
"""Orders of these values that are remembered."""

Rows = Sequence[Sequence[float]]
Stamps = NDArray[np.int64]
Values = NDArray[np.float32]
Order = slice | NDArray[np.int64]
AS_THEY_ARE: Final[Order] = slice(None)
"""The values of a row are in the order of the columns."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the node's monotonic clock, both ends included."""

    begin_ns: int
    end_ns: int


class SampleRing:
    """The newest samples of one set of values, oldest lost first.

    Samples wait in a list until there are some, or until somebody looks: numpy takes as
    long for fifty rows as for one.

    Args:
        width: Values a sample.
        capacity: Samples kept.
    """

    def __init__(self, width: int, *, capacity: int = RING_ROWS) -> None:
        # Twice the room: the newest `capacity` samples always lie in one piece.
        self._capacity = capacity
        self._stamps = np.zeros(2 * capacity, dtype=np.int64)
        self._values = np.zeros((2 * capacity, width), dtype=np.float32)
        self._end = 0
        self._waiting: list[Sequence[float]] = []
        self._waiting_stamps: list[int] = []
        self._order: Order = AS_THEY_ARE
        self.newest_ns: int | None = None
        """Stamp of the newest sample, or None before the first."""

    def extend(self, stamps: Sequence[int], rows: Rows, order: Order) -> int:
        """Keep samples that came together.

        Args:
            stamps: Monotonic clock of the node, one a sample.
            rows: Their values.
            order: The column of each value of a row.

        Returns:
            How many were kept; one whose stamp does not rise is not.
        """
        newest_ns = self.newest_ns
        if (newest_ns is not None and stamps[0] <= newest_ns) or any(
            later <= earlier for earlier, later in pairwise(stamps)
        ):
            stamps, rows = _rising(newest_ns, stamps, rows)
        if not stamps:
            return 0
        if order is not self._order:
            self._settle()
            self._order = order
        self.newest_ns = stamps[-1]
        self._waiting_stamps.extend(stamps)
        self._waiting.extend(rows)
        if len(self._waiting) >= MOST_WAITING:
            self._settle()
        return len(stamps)

    def _settle(self) -> None:
        """Write what waits into the rows: here each sample is copied, once."""
        for begin in range(0, len(self._waiting), self._capacity):
            part = slice(begin, begin + self._capacity)
            self._append(self._waiting_stamps[part], self._waiting[part])
        self._waiting.clear()
        self._waiting_stamps.clear()

    def _append(self, stamps: Sequence[int], rows: Rows) -> None:
        if self._end + len(stamps) > len(self._stamps):
            kept = slice(max(0, self._end - self._capacity), self._end)
            count = kept.stop - kept.start
            self._stamps[:count] = self._stamps[kept]
            self._values[:count] = self._values[kept]
            self._end = count
        to = slice(self._end, self._end + len(stamps))
        self._stamps[to] = stamps
        with np.errstate(over="ignore"):  # beyond float32 is infinite, and is refused
            self._values[to, self._order] = rows
        self._end = to.stop

    def within(self, span: Span) -> tuple[Stamps, Values]:
        """Return the samples of a span where they lie: (n,) and (n, width)."""
        self._settle()
        oldest = max(0, self._end - self._capacity)
        stamps = self._stamps[oldest : self._end]
        first = oldest + int(np.searchsorted(stamps, span.begin_ns, side="left"))
        last = oldest + int(np.searchsorted(stamps, span.end_ns, side="right"))
        return self._stamps[first:last], self._values[first:last]


def _rising(
    newest_ns: int | None, stamps: Sequence[int], rows: Rows
) -> tuple[Sequence[int], Rows]:
    """Leave out samples whose stamp does not rise."""
    kept_stamps: list[int] = []
    kept_rows: list[Sequence[float]] = []
    for stamp_ns, row in zip(stamps, rows, strict=True):
        if newest_ns is None or stamp_ns > newest_ns:
            newest_ns = stamp_ns
            kept_stamps.append(stamp_ns)
            kept_rows.append(row)
    return kept_stamps, kept_rows


@dataclass(frozen=True, slots=True, eq=False)
class _Lane:
    """Where values that come in one order go."""

    ring: SampleRing
    order: Order


class Piece(NamedTuple):
    """Samples that have the same values.

    Attributes:
        columns: Which of the wanted values they have.
        stamps: Monotonic clock of the node, shape (n,), rising.
        values: Shape (n, columns).
    """

    columns: tuple[int, ...]
    stamps: Stamps
    values: Values


class Track:
    """All samples of one topic: a ring for each set of values its messages carry.

    Most topics have one. Two drivers on one topic (an arm and a gripper), or a driver
    that stops sending a joint, make another: what a message does not name is no sample.

    Args:
        capacity: Samples kept of each set.
    """

    def __init__(self, *, capacity: int = RING_ROWS) -> None:
        self._capacity = capacity
        self._rings: dict[tuple[int, ...], SampleRing] = {}
        self._lanes: dict[tuple[int, ...], _Lane] = {}

    def extend(
        self, columns: tuple[int, ...], stamps: Sequence[int], rows: Rows
    ) -> int:
        """Keep samples that came together.

        Args:
            columns: What the values of a row are, each once, in any order.
            stamps: Monotonic clock of the node, one a sample.
            rows: Their values.

        Returns:
            How many were left out because their stamp did not rise: duplicates, a
            second publisher, or a clock that was set back.
        """
        lane = self._lanes.get(columns) or self._lane(columns)
        return len(stamps) - lane.ring.extend(stamps, rows, lane.order)

    def _lane(self, columns: tuple[int, ...]) -> _Lane:
        there = tuple(sorted(columns))
        if there not in self._rings:
            if len(self._rings) >= MOST_RINGS:
                silent = min(self._rings, key=lambda k: self._rings[k].newest_ns or 0)
                del self._rings[silent]
                self._lanes.clear()
            self._rings[there] = SampleRing(len(there), capacity=self._capacity)
        if len(self._lanes) >= MOST_ORDERS:
            self._lanes.clear()
        order: Order = AS_THEY_ARE
        if columns != there:
            order = np.searchsorted(there, columns)
        lane = self._lanes[columns] = _Lane(self._rings[there], order)
        return lane

    def clear(self) -> None:
        """Forget all samples: time began again."""
        self._rings.clear()
        self._lanes.clear()

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest sample, or None before the first."""
        stamps = [ring.newest_ns for ring in self._rings.values()]
        return max((stamp for stamp in stamps if stamp is not None), default=None)

    def within(self, span: Span) -> Iterator[Piece]:
        """Samples of a span by which values they have; each column comes once.

        Where sets of values share a column their samples are joined, which copies them.
        """
        found = {
            there: ring.within(span)
            for there, ring in self._rings.items()
            if (newest_ns := ring.newest_ns) is not None and newest_ns >= span.begin_ns
        }
        found = {there: samples for there, samples in found.items() if len(samples[0])}
        shared: dict[tuple[tuple[int, ...], ...], list[int]] = {}
        for column in sorted(set().union(*found)):
            sets = tuple(there for there in found if column in there)
            shared.setdefault(sets, []).append(column)
        for sets, columns in shared.items():
            parts = [(found[there], there) for there in sets]
            yield Piece(
                tuple(columns),
                *_joined(
                    [
                        (stamps, _only(values, there, columns))
                        for (stamps, values), there in parts
                    ]
                ),
            )


def _only(values: Values, there: tuple[int, ...], columns: Sequence[int]) -> Values:
    """Some columns of the values, where they lie if it is all of them."""
    if len(columns) == len(there):
        return values
    return values[:, [there.index(column) for column in columns]]


def _joined(parts: list[tuple[Stamps, Values]]) -> tuple[Stamps, Values]:
    if len(parts) == 1:
        return parts[0]
    stamps = np.concatenate([stamps for stamps, _ in parts])
    values = np.concatenate([values for _, values in parts])
    order = np.argsort(stamps, kind="stable")
    return stamps[order], values[order]
