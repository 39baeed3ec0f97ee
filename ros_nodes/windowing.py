"""Cut windows: many topics at their own pace become one grid on one clock.

A window is a span of the node's monotonic clock divided into equal time bins; a bin is
the mean of its samples. What an empty bin shows depends on its topic. One that speaks
at least once a bin: a single empty bin is interpolated, a longer gap is counted as gap
rows and shows the last value before it. A slower one, or one that speaks only when
something changes: the newest value counts until the next, or until it is too old; then
it is a gap too, for a gap must never look like a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ros_nodes.ring import RING_ROWS, Piece, Span, Stamps, Track, Values

__all__ = ["Column", "Flow", "Grid", "Span", "Windowing"]

FOR_EVER_NS: Final = 2**62
"""No age is too old."""

_NEVER: Final = 2**63 - 1
_Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Column:
    """Where a channel's values come from.

    Attributes:
        topic: Key of its topic.
        place: Which of the values of that topic's samples.
        maximum_age_ns: Age of the newest sample at the window's end above which the
            channel is absent; for a held topic also the longest it is held.
    """

    topic: str
    place: int
    maximum_age_ns: int = FOR_EVER_NS


@dataclass(frozen=True, slots=True)
class Flow:
    """How a topic speaks.

    Attributes:
        period_ns: Time between its samples; 0: unknown, taken as often enough.
        held: Its newest value counts until the next, however fast the grid is.
        awaited: A window is not cut, and sensors are silent, before it was heard.
        capacity: Samples kept.
    """

    period_ns: int = 0
    held: bool = False
    awaited: bool = True
    capacity: int = RING_ROWS


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


class Windowing:
    """The samples of one cell, and the grids cut from them.

    Args:
        columns: Of each channel.
        flows: How each topic speaks.
    """

    def __init__(self, columns: Sequence[Column], flows: Mapping[str, Flow]) -> None:
        self._flows = dict(flows)
        self._width = len(columns)
        self._channels = {
            topic: [(n, c) for n, c in enumerate(columns) if c.topic == topic]
            for topic in flows
        }
        self.tracks = {
            topic: Track(capacity=flow.capacity) for topic, flow in flows.items()
        }
        """Samples by topic."""

    @property
    def newest_ns(self) -> int | None:
        """Stamp up to which every awaited topic has been heard; None before the first.

        Where no topic is awaited any of them will do.
        """
        stamps = [
            self.tracks[topic].newest_ns
            for topic, flow in self._flows.items()
            if flow.awaited
        ]
        if not stamps:
            any_of = [track.newest_ns for track in self.tracks.values()]
            return max((stamp for stamp in any_of if stamp is not None), default=None)
        heard = [stamp for stamp in stamps if stamp is not None]
        return min(heard) if len(heard) == len(stamps) else None

    def clear(self) -> None:
        """Forget all samples: time began again."""
        for track in self.tracks.values():
            track.clear()

    def cut(self, span: Span, rows: int, pauses: Sequence[Span] = ()) -> Grid:
        """Cut a grid of equal time bins out of a span.

        Args:
            span: First and last sample of the window.
            rows: Number of bins.
            pauses: Parts of the span in which andon itself held the robot, one after
                the other; they are taken out, so that a paused step is judged like any
                other.

        Returns:
            The grid. A channel is absent and zero when its newest sample is too old,
            when there is none, or when every sample lacks it (is NaN). A single sample
            that lacks it is NaN and stays NaN.

        Raises:
            ValueError: The span has no length, or rows is not positive.
        """
        if rows < 1 or span.end_ns <= span.begin_ns:
            raise ValueError(f"a window needs rows and a length, got {rows} and {span}")
        bins = _Bins(span, rows, pauses)
        samples = np.zeros((rows, self._width), dtype=np.float32)
        present = np.zeros(self._width, dtype=np.bool_)
        gaps = np.zeros(rows, dtype=np.bool_)
        for topic, flow in self._flows.items():
            held = flow.held or flow.period_ns > bins.period_ns
            reach_ns = self._reach_ns(topic) if held else 0
            reach = Span(span.begin_ns - reach_ns, span.end_ns)
            for piece in self.tracks[topic].within(reach):
                channels, places, ages_ns = self._of(topic, piece, span.end_ns)
                if not len(channels):
                    continue
                filled = bins.held(piece) if held else bins.measured(piece)
                samples[:, channels] = filled.grid[:, places]
                present[channels] = True
                gaps |= (filled.age_ns[:, None] > ages_ns).any(axis=1)
        return Grid(
            samples=samples,
            present=present,
            start_ns=span.begin_ns,
            period_ns=bins.period_ns,
            gap_rows=int(gaps.sum()),
        )

    def _reach_ns(self, topic: str) -> int:
        ages = (column.maximum_age_ns for _, column in self._channels[topic])
        return max(ages, default=0)

    def _of(self, topic: str, piece: Piece, end_ns: int) -> tuple[_Indices, ...]:
        """Channels of a piece that are present, their places in it, and their ages."""
        age_ns = end_ns - int(piece.stamps[-1])
        lacking = np.isnan(np.fmax.reduce(piece.values, axis=0))  # (columns,)
        found = []
        for channel, column in self._channels[topic]:
            if column.place in piece.columns and age_ns <= column.maximum_age_ns:
                place = piece.columns.index(column.place)
                if not lacking[place]:
                    found.append((channel, place, column.maximum_age_ns))
        return tuple(np.array(found, dtype=np.int64).reshape(-1, 3).T)


class _Filled(NamedTuple):
    """Bins of one piece.

    Attributes:
        grid: What each bin shows, shape (rows, columns).
        age_ns: How old that is, shape (rows,); 0: measured within it.
    """

    grid: NDArray[np.float64]
    age_ns: NDArray[np.int64]


class _Bins:
    """Equal parts of the time of work in a span.

    Args:
        span: First and last sample.
        rows: Number of bins.
        pauses: Parts of it that are no work.
    """

    def __init__(self, span: Span, rows: int, pauses: Sequence[Span]) -> None:
        self._begin_ns = span.begin_ns
        clipped = (
            Span(max(span.begin_ns, p.begin_ns), min(span.end_ns, p.end_ns))
            for p in pauses
        )
        self._pauses = [pause for pause in clipped if pause.end_ns > pause.begin_ns]
        paused_ns = sum(pause.end_ns - pause.begin_ns for pause in self._pauses)
        length_ns = max(1, span.end_ns - span.begin_ns - paused_ns)
        self.period_ns = max(1, length_ns // rows)
        # Bin r holds the time of work in [edges[r], edges[r + 1]); the last one also
        # its end. Whole numbers: the same samples fall into the same bins everywhere.
        self._edges = -(-np.arange(rows + 1, dtype=np.int64) * length_ns // rows)
        self._edges[-1] = length_ns + 1

    def measured(self, piece: Piece) -> _Filled:
        """Fill the bins from a topic that speaks often enough."""
        grid, filled = self._means(piece)
        empty = ~filled
        single = empty.copy()
        single[1:] &= filled[:-1]
        single[:-1] &= filled[1:]
        single[[0, -1]] = False
        rows = np.arange(len(grid))
        # The last filled bin before each; rows before the first show the first.
        before = np.maximum.accumulate(np.where(filled, rows, -1))
        before[before < 0] = np.argmax(filled)
        grid = grid[before]
        between = np.flatnonzero(single)
        grid[between] = (grid[between - 1] + grid[between + 1]) / 2
        return _Filled(grid, np.where(empty & ~single, _NEVER, 0))

    def held(self, piece: Piece) -> _Filled:
        """Fill the bins from a topic whose newest value counts until the next."""
        grid, filled = self._means(piece)
        ends = self._begin_ns + self._edges[1:] - 1  # (rows,)
        for pause in self._pauses:
            ends += np.where(ends > pause.begin_ns, pause.end_ns - pause.begin_ns, 0)
        newest = np.searchsorted(piece.stamps, ends, side="right") - 1  # (rows,)
        known = np.maximum(newest, 0)
        grid = np.where(filled[:, None], grid, piece.values[known])
        age_ns = np.where(newest >= 0, ends - piece.stamps[known], _NEVER)
        return _Filled(grid, np.where(filled, 0, age_ns))

    def _means(self, piece: Piece) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Mean of each bin: (n,), (n, columns) -> (rows, columns), filled (rows,)."""
        worked, values = self._of_work(piece)
        starts = np.searchsorted(worked, self._edges)  # (rows + 1,)
        counts = np.diff(starts)  # (rows,)
        filled = counts > 0
        grid = np.zeros((len(counts), len(piece.columns)))
        if filled.any():
            sums = np.add.reduceat(
                values, starts[:-1][filled], axis=0, dtype=np.float64
            )  # (filled, columns)
            grid[filled] = sums / counts[filled, None]
        return grid, filled

    def _of_work(self, piece: Piece) -> tuple[Stamps, Values]:
        """Samples of the work, with the time of work from 0.

        They stay where they lie, unless parts of a pause have to be left out.
        """
        first = int(np.searchsorted(piece.stamps, self._begin_ns))
        stamps, values = piece.stamps[first:], piece.values[first:]
        worked = stamps - self._begin_ns
        if not self._pauses:
            return worked, values
        keep = np.ones(len(stamps), dtype=np.bool_)
        for pause in self._pauses:
            keep &= ~((stamps > pause.begin_ns) & (stamps < pause.end_ns))
            length_ns = pause.end_ns - pause.begin_ns
            worked -= np.where(stamps >= pause.end_ns, length_ns, 0)
        return worked[keep], values[keep]
