"""Cuts a recording into the windows that a node would have sent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordinator.clock import seconds_to_ns
from coordinator.errors import DatasetError
from coordinator.insight.recording import Recording
from coordinator.insight.schema import RecordingSchema
from coordinator.terms import Digest, window_digest


@dataclass(frozen=True, slots=True, eq=False)
class LabelledWindows:
    """The windows of a recording in the order of time, with the truth.

    Attributes:
        samples: float32, shape (windows, rows, channels); absent channels are zero.
        present: bool, shape (windows, channels).
        truth: int64, shape (windows,), into the labels: the most severe of the rows.
        group_index: int64, shape (windows,), into the recording's groups.
        first_row: int64, shape (windows,): row of the recording it begins with, from 0.
        start_ns: int64, shape (windows,): time of the first row.
        end_ns: int64, shape (windows,): time of the last row, when it could be judged.
        gap_rows: int64, shape (windows,): rows that the recorder lost in its gaps.
        period_ns: Median time between rows of one group.
    """

    samples: NDArray[np.float32]
    present: NDArray[np.bool_]
    truth: NDArray[np.int64]
    group_index: NDArray[np.int64]
    first_row: NDArray[np.int64]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    gap_rows: NDArray[np.int64]
    period_ns: int

    def __len__(self) -> int:
        return len(self.truth)

    def digests(self, schema: Digest) -> list[Digest]:
        """Digest of every window, as a node would compute it."""
        return [
            window_digest(schema, samples, present)
            for samples, present in zip(self.samples, self.present, strict=True)
        ]


def cut(recording: Recording, schema: RecordingSchema) -> LabelledWindows:
    """Cut windows of schema.rows rows every schema.stride rows, group by group.

    A window that would cross from one group into the next is not cut.

    Raises:
        DatasetError: no group is long enough for one window.
    """
    starts = _starts(recording.group_index, schema.rows, schema.stride)
    if not len(starts):
        raise DatasetError(
            f"no group has the {schema.rows} rows of a window: nothing to learn from."
        )
    last = starts + schema.rows - 1
    order = np.argsort(recording.time_ns[last], kind="stable")
    starts, last = starts[order], last[order]
    rows = starts[:, None] + np.arange(schema.rows)  # (W, T)
    period_ns, lost = _steps(recording, seconds_to_ns(schema.gap_s))
    samples = filled(recording, schema.fill_rows)[rows]  # (W, T, C)
    present = np.isfinite(samples).all(axis=1)  # (W, C)
    samples = np.where(present[:, None, :], samples, np.float32(0.0))  # (W, T, C)
    return LabelledWindows(
        samples=samples,
        present=present,
        # Labels stand most severe first, so the least index is the most severe.
        truth=recording.label_index[rows].min(axis=1),
        group_index=recording.group_index[starts],
        first_row=starts,
        start_ns=recording.time_ns[starts],
        end_ns=recording.time_ns[last],
        gap_rows=lost[rows[:, 1:]].sum(axis=1),
        period_ns=period_ns,
    )


def filled(recording: Recording, fill_rows: int) -> NDArray[np.float32]:
    """Repeat the last value of a group over at most fill_rows missing ones.

    Only the past is used: a node could not know the next value either.

    Returns:
        float32, shape (rows, channels); NaN where nothing could be repeated.
    """
    samples = recording.samples.copy()
    same_group = np.diff(recording.group_index, prepend=-1) == 0  # (R,)
    source = recording.samples
    for _ in range(fill_rows):
        previous = np.vstack([source[:1], source[:-1]])  # (R, C)
        usable = np.isnan(samples) & ~np.isnan(previous) & same_group[:, None]
        if not usable.any():
            break
        source = np.where(usable, previous, samples)  # (R, C)
        samples = source.copy()
    return samples


def _starts(
    group_index: NDArray[np.int64], rows: int, stride: int
) -> NDArray[np.int64]:
    edges = np.flatnonzero(np.diff(group_index)) + 1
    begins = np.concatenate([[0], edges])
    ends = np.concatenate([edges, [len(group_index)]])
    return np.concatenate(
        [
            np.arange(begin, end - rows + 1, stride, dtype=np.int64)
            for begin, end in zip(begins, ends, strict=True)
        ]
    )


def _steps(recording: Recording, gap_ns: int) -> tuple[int, NDArray[np.int64]]:
    """Median period in nanoseconds, and rows lost just before each row."""
    step_ns = np.diff(recording.time_ns, prepend=recording.time_ns[:1])  # (R,)
    inside = np.diff(recording.group_index, prepend=-1) == 0  # (R,)
    period_ns = int(np.median(step_ns[inside])) if inside.any() else 0
    lost = np.zeros(len(step_ns), np.int64)
    if gap_ns > 0 and period_ns > 0:
        gap = inside & (step_ns > gap_ns)
        lost[gap] = step_ns[gap] // period_ns - 1
    return period_ns, np.maximum(lost, 0)
