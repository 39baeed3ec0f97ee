"""What is in a dataset, counted: the first look before anything is learned from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from coordinator.insight.dataset import Dataset
from coordinator.insight.recording import time_text


@dataclass(frozen=True, slots=True)
class ChannelStats:
    """One channel over all rows.

    Attributes:
        name: The channel.
        unit: Its unit.
        missing: Share of rows without a value, in [0, 1].
        minimum: Least value, in unit; None when there is no value.
        maximum: Greatest value, in unit; None when there is no value.
        out_of_range: Rows outside the plausible range of the schema.
        absent_windows: Windows in which the channel counts as absent.
    """

    name: str
    unit: str
    missing: float
    minimum: float | None
    maximum: float | None
    out_of_range: int
    absent_windows: int


@dataclass(frozen=True, slots=True)
class DatasetStats:
    """A dataset in numbers.

    Attributes:
        name: The dataset.
        digest: Its identity.
        rows: Rows of the recording.
        groups: Contiguous runs.
        groups_without_window: Runs shorter than a window.
        windows: Windows by label, most severe first, labels without a window too.
        first_at: Time of the first row, ISO 8601, or seconds of the recorder's clock.
        last_at: Time of the last row.
        span_s: From the first to the last row, in seconds.
        period_s: Median time between rows of a group, in seconds.
        gap_windows: Windows in which the recorder lost rows.
        duplicates: Windows that repeat an earlier one sample by sample.
        contradictions: Duplicates that have another label than the first.
        channels: In the order of the samples.
    """

    name: str
    digest: str
    rows: int
    groups: int
    groups_without_window: int
    windows: dict[str, int]
    first_at: str
    last_at: str
    span_s: float
    period_s: float
    gap_windows: int
    duplicates: int
    contradictions: int
    channels: tuple[ChannelStats, ...]


def describe(dataset: Dataset) -> DatasetStats:
    """Count what is in a dataset."""
    recording, windows = dataset.recording, dataset.windows()
    counts = Counter(windows.truth.tolist())
    first: dict[str, int] = {}
    duplicates = contradictions = 0
    digests = windows.digests(dataset.family.schema_digest)
    for digest, truth in zip(digests, windows.truth.tolist(), strict=True):
        if digest in first:
            duplicates += 1
            contradictions += first[digest] != truth
        else:
            first[digest] = truth
    first_ns, last_ns = int(recording.time_ns.min()), int(recording.time_ns.max())
    return DatasetStats(
        name=dataset.name,
        digest=dataset.digest,
        rows=len(recording.time_ns),
        groups=len(recording.groups),
        groups_without_window=len(recording.groups)
        - len(np.unique(windows.group_index)),
        windows={x.name: counts[i] for i, x in enumerate(dataset.schema.labels)},
        first_at=time_text(first_ns),
        last_at=time_text(last_ns),
        span_s=(last_ns - first_ns) / 1e9,
        period_s=windows.period_ns / 1e9,
        gap_windows=int((windows.gap_rows > 0).sum()),
        duplicates=duplicates,
        contradictions=contradictions,
        channels=_channels(dataset, (~windows.present).sum(axis=0).tolist()),
    )


def _channels(dataset: Dataset, absent: list[int]) -> tuple[ChannelStats, ...]:
    stats = []
    for i, channel in enumerate(dataset.family.channels):
        values = dataset.recording.samples[:, i]  # (R,)
        there = values[~np.isnan(values)]
        low, high = np.float32(channel.minimum), np.float32(channel.maximum)
        stats.append(
            ChannelStats(
                name=channel.name,
                unit=channel.unit,
                missing=1.0 - len(there) / len(values),
                minimum=float(there.min()) if len(there) else None,
                maximum=float(there.max()) if len(there) else None,
                out_of_range=int((~((there >= low) & (there <= high))).sum()),
                absent_windows=absent[i],
            )
        )
    return tuple(stats)
