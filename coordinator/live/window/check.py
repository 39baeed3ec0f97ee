"""What can be said against a window before any model sees it.

Each check lets only a proven-good value through: NaN fails every comparison here. A
finding names the channel and the row, because a person will stand before the sensor.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from coordinator.terms import (
    Channel,
    ChannelPolicy,
    Decision,
    Family,
    Finding,
    HoldReason,
    SensorWindow,
)


def check(
    window: SensorWindow, family: Family, *, now_ns: int, maximum_age_ns: int
) -> list[Finding]:
    """Return every finding against a window, the worst first.

    Args:
        window: Its shape has been compared with the family at the edge.
        family: Channels with ranges and policies.
        now_ns: Monotonic clock of the coordinator.
        maximum_age_ns: Age of the scene above which the window is not judged.
    """
    findings = [
        *_stale(window, now_ns, maximum_age_ns),
        *_gaps(window),
        *_absent(window, family),
        *_values(window, family),
    ]
    return sorted(findings, key=_severity, reverse=True)


def _severity(finding: Finding) -> int:
    return finding.hold_reason or 0


def _hold(reason: HoldReason, code: str, text: str) -> Finding:
    return Finding(Decision.HOLD, code, text, reason)


def _stale(window: SensorWindow, now_ns: int, limit_ns: int) -> Iterator[Finding]:
    age_ns = window.age_ns + (now_ns - window.received_ns)
    if not 0 <= age_ns <= limit_ns:
        yield _hold(
            HoldReason.STALE_DATA,
            "STALE",
            f"the window is {age_ns / 1e9:.2f} s old, limit {limit_ns / 1e9:.2f} s.",
        )


def _gaps(window: SensorWindow) -> Iterator[Finding]:
    if window.gap_rows != 0:
        yield _hold(
            HoldReason.BAD_DATA,
            "GAP",
            f"{window.gap_rows} of {len(window.samples)} rows had no sample.",
        )


def _absent(window: SensorWindow, family: Family) -> Iterator[Finding]:
    for channel, present in zip(family.channels, window.present, strict=True):
        if present:
            continue
        text = f"channel {channel.name} is missing."
        match channel.policy:
            case ChannelPolicy.REQUIRED:
                yield _hold(HoldReason.BAD_DATA, "MISSING_CHANNEL", text)
            case ChannelPolicy.ASK:
                yield Finding(Decision.ASK, "MISSING_CHANNEL", text)
            case ChannelPolicy.TOLERATE:
                pass


def _values(window: SensorWindow, family: Family) -> Iterator[Finding]:
    samples = window.samples
    finite = np.isfinite(samples)  # (samples, channels)
    lows = np.array([c.minimum for c in family.channels])
    highs = np.array([c.maximum for c in family.channels])
    with np.errstate(invalid="ignore"):
        within = (samples >= lows) & (samples <= highs)  # (samples, channels)
    if finite.all() and within[:, window.present].all():
        yield from _stuck(window, family)
        return
    for column, channel in enumerate(family.channels):
        if not finite[:, column].all():
            row = int(np.argmin(finite[:, column]))
            yield _hold(
                HoldReason.BAD_DATA,
                "NONFINITE",
                f"not a finite number at row {row}, channel {channel.name}.",
            )
        elif window.present[column] and not within[:, column].all():
            row = int(np.argmin(within[:, column]))
            yield _out_of_range(channel, row, float(samples[row, column]))
    yield from _stuck(window, family)


def _out_of_range(channel: Channel, row: int, value: float) -> Finding:
    return _hold(
        HoldReason.BAD_DATA,
        "OUT_OF_RANGE",
        f"{value:.4g} {channel.unit} at row {row}, channel {channel.name}; "
        f"plausible is {channel.minimum:g} to {channel.maximum:g}.",
    )


def _stuck(window: SensorWindow, family: Family) -> Iterator[Finding]:
    for column, channel in enumerate(family.channels):
        if not channel.stuck_rows or not window.present[column]:
            continue
        length, row = _longest_run(window.samples[:, column])
        if length >= min(channel.stuck_rows, len(window.samples)):
            yield _hold(
                HoldReason.BAD_DATA,
                "STUCK_CHANNEL",
                f"channel {channel.name} stood still for {length} rows from row {row}.",
            )


def _longest_run(values: NDArray[np.float32]) -> tuple[int, int]:
    """Length and first row of the longest run of equal values: (samples,)."""
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    edges = np.concatenate(([0], changes, [len(values)]))
    runs = np.diff(edges)
    longest = int(np.argmax(runs))
    return int(runs[longest]), int(edges[longest])
