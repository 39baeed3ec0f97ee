"""Cut windows: many topics at their own pace become one grid on one clock.

Each topic has a ring of samples with stamps on the node's monotonic clock. A window is
a span of that clock divided into equal time bins; a bin is the mean of its samples. One
empty bin between two filled ones is interpolated; a longer gap is counted as gap rows
and shown as the last value before it, for a gap must never look like a measurement.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RING_ROWS: Final = 32_768
"""Samples kept a topic: 65 s at 500 Hz."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the node's monotonic clock, both ends included."""

    begin_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A window's numbers before anybody gave it an id.

    Attributes:
        samples: float32, shape (rows, channels); absent channels are zero.
        present: bool, shape (channels,).
        start_ns: First row, monotonic clock of the node.
        period_ns: Time between rows.
        gap_rows: Rows for which a present channel had no sample near.
    """

    samples: NDArray[np.float32]
    present: NDArray[np.bool_]
    start_ns: int
    period_ns: int
    gap_rows: int


class SampleRing:
    """The newest samples of one topic, oldest lost first.

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
        self.out_of_order = 0

    def append(self, stamp_ns: int, values: NDArray[np.float64]) -> bool:
        """Keep one sample: values of shape (width,); absent values are NaN.

        Returns:
            False when the stamp did not rise: a duplicate, a second publisher, or a
            clock that was set back. Such a sample is counted and left out.
        """
        if self._end and stamp_ns <= self._stamps[self._end - 1]:
            self.out_of_order += 1
            return False
        if self._end == len(self._stamps):
            kept = slice(self._end - self._capacity, self._end)
            self._stamps[: self._capacity] = self._stamps[kept]
            self._values[: self._capacity] = self._values[kept]
            self._end = self._capacity
        self._stamps[self._end] = stamp_ns
        self._values[self._end] = values
        self._end += 1
        return True

    def clear(self) -> None:
        """Forget all samples: the publisher began again."""
        self._end = 0

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest sample, or None before the first."""
        return int(self._stamps[self._end - 1]) if self._end else None

    def latest(self) -> NDArray[np.float32] | None:
        """Return the newest sample, shape (width,), or None before the first."""
        return self._values[self._end - 1].copy() if self._end else None

    def within(self, span: Span) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the samples of a span: stamps (n,) and values (n, width)."""
        oldest = max(0, self._end - self._capacity)
        stamps = self._stamps[oldest : self._end]
        first = oldest + int(np.searchsorted(stamps, span.begin_ns, side="left"))
        last = oldest + int(np.searchsorted(stamps, span.end_ns, side="right"))
        return self._stamps[first:last], self._values[first:last]


class Windowing:
    """The rings of one cell, and the grids cut from them.

    Args:
        columns: For each channel its topic and its column in that topic's samples.
        widths: Values a sample, by topic.
        capacity: Samples kept a topic.
    """

    def __init__(
        self,
        columns: Sequence[tuple[str, int]],
        widths: Mapping[str, int],
        *,
        capacity: int = RING_ROWS,
    ) -> None:
        self.rings = {
            topic: SampleRing(width, capacity=capacity)
            for topic, width in widths.items()
        }
        self._channels = len(columns)
        self._columns: dict[str, tuple[NDArray[np.intp], NDArray[np.intp]]] = {}
        for topic in widths:
            pairs = [(n, c) for n, (of, c) in enumerate(columns) if of == topic]
            self._columns[topic] = (
                np.array([channel for channel, _ in pairs], dtype=np.intp),
                np.array([column for _, column in pairs], dtype=np.intp),
            )

    @property
    def newest_ns(self) -> int | None:
        """Stamp up to which every topic has been heard; None before the first."""
        stamps = [ring.newest_ns for ring in self.rings.values()]
        heard = [stamp for stamp in stamps if stamp is not None]
        return min(heard) if heard and len(heard) == len(stamps) else None

    @property
    def out_of_order(self) -> int:
        """Samples left out because their stamp did not rise."""
        return sum(ring.out_of_order for ring in self.rings.values())

    def cut(self, span: Span, rows: int, pauses: Sequence[Span] = ()) -> Grid:
        """Cut a grid of equal time bins out of a span.

        Args:
            span: First and last sample of the window.
            rows: Number of bins.
            pauses: Parts of the span in which andon itself held the robot; they are
                taken out, so that a paused step is judged like any other.

        Returns:
            The grid; a channel without any sample, or of which every sample lacks it,
            is absent and zero. A single sample that lacks it is NaN and stays NaN.

        Raises:
            ValueError: The span has no length, or rows is not positive.
        """
        if rows < 1 or span.end_ns <= span.begin_ns:
            raise ValueError(f"a window needs rows and a length, got {rows} and {span}")
        paused_ns = sum(_overlap_ns(span, pause) for pause in pauses)
        length_ns = max(1, span.end_ns - span.begin_ns - paused_ns)
        samples = np.zeros((rows, self._channels), dtype=np.float32)
        present = np.zeros(self._channels, dtype=np.bool_)
        gaps = np.zeros(rows, dtype=np.bool_)
        for topic, (channels, columns) in self._columns.items():
            stamps, values = self.rings[topic].within(span)
            stamps, values = _without_pauses(span, pauses, stamps, values)
            heard = ~np.all(np.isnan(values), axis=0)  # (width,), all False when empty
            if not len(stamps) or not heard[columns].any():
                continue
            binned, empty = _bin_means(stamps, values, length_ns, rows)
            there = heard[columns]
            samples[:, channels[there]] = binned[:, columns[there]]
            present[channels[there]] = True
            gaps |= empty
        return Grid(
            samples=samples,
            present=present,
            start_ns=span.begin_ns,
            period_ns=max(1, length_ns // rows),
            gap_rows=int(gaps.sum()),
        )


def _overlap_ns(span: Span, pause: Span) -> int:
    return max(0, min(span.end_ns, pause.end_ns) - max(span.begin_ns, pause.begin_ns))


def _without_pauses(
    span: Span,
    pauses: Sequence[Span],
    stamps: NDArray[np.int64],
    values: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Leave out what was measured in pauses; stamps become time of work from 0."""
    keep = np.ones(len(stamps), dtype=np.bool_)
    worked = stamps - span.begin_ns
    for pause in pauses:
        keep &= ~((stamps > pause.begin_ns) & (stamps < pause.end_ns))
        worked = worked - np.where(stamps >= pause.end_ns, _overlap_ns(span, pause), 0)
    return worked[keep], values[keep]


def _bin_means(
    worked: NDArray[np.int64], values: NDArray[np.float32], length_ns: int, rows: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Mean of each time bin: (n,), (n, width) -> (rows, width), gaps (rows,)."""
    bins = np.minimum(worked * rows // length_ns, rows - 1)  # (n,), rising
    filled, starts, counts = np.unique(bins, return_index=True, return_counts=True)
    sums = np.add.reduceat(values.astype(np.float64), starts, axis=0)  # (filled, width)
    means = sums / counts[:, None]
    # Each row's nearest filled bin before it; rows before the first take the first.
    before = np.searchsorted(filled, np.arange(rows), side="right") - 1  # (rows,)
    grid = means[np.maximum(before, 0)]  # (rows, width)
    empty = np.ones(rows, dtype=np.bool_)
    empty[filled] = False
    single = empty.copy()
    single[1:] &= ~empty[:-1]
    single[:-1] &= ~empty[1:]
    single[[0, -1]] = False
    for row in np.flatnonzero(single):
        grid[row] = (grid[row - 1] + grid[row + 1]) / 2
    return grid.astype(np.float32), empty & ~single


def schema_digest(names_and_units: Sequence[tuple[str, str]]) -> str:
    """SHA-256 over channel names and units in order, one line "name<TAB>unit" each."""
    text = "".join(f"{name}\t{unit}\n" for name, unit in names_and_units)
    return hashlib.sha256(text.encode()).hexdigest()


def window_digest(
    schema: str, samples: NDArray[np.float32], present: NDArray[np.bool_]
) -> str:
    """SHA-256 over the schema digest, the sample bytes and one byte a channel.

    Args:
        schema: Schema digest, 64 hexadecimal characters.
        samples: float32, shape (rows, channels), row-major.
        present: bool, shape (channels,).
    """
    content = hashlib.sha256(bytes.fromhex(schema))
    content.update(sample_bytes(samples))
    content.update(presence_bytes(present))
    return content.hexdigest()


def sample_bytes(samples: NDArray[np.float32]) -> bytes:
    """Samples as the wire wants them: little-endian float32, row-major."""
    return np.ascontiguousarray(samples, dtype="<f4").tobytes()


def presence_bytes(present: NDArray[np.bool_]) -> bytes:
    """Presence as the wire wants it: one byte a channel, 1 present, 0 absent."""
    return np.ascontiguousarray(present, dtype=np.uint8).tobytes()
