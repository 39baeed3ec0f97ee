"""Labelled windows of whole cycles, for training and studies without a robot or a node.

A window is cut as the peg family wants it: equal time bins over the whole cycle, one
row a bin, 24 channels. Readings that a failing sensor spoils stay spoiled; whoever
trains decides what to do with a NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ros_nodes.twin.cell import Twin
from ros_nodes.twin.scenario import CycleTruth, FaultMix, Shift
from ros_nodes.twin.sensors import TwinSample

CHANNELS: Final = 24
"""6 positions, 4 velocities, 6 efforts, 6 wrench, gripper travel and gripper force."""


@dataclass(frozen=True, eq=False, slots=True)
class LabelledCycles:
    """Windows with what is true about them."""

    windows: NDArray[np.float32]
    """(count, rows, 24)."""
    labels: tuple[str, ...]
    """What an honest person calls each cycle."""
    truth: tuple[CycleTruth, ...]


def channels_of(sample: TwinSample) -> NDArray[np.float64]:
    """One sample in the channel order of the peg family: (24,)."""
    return np.concatenate(
        [
            sample.position[:6],
            sample.velocity[:4],
            sample.effort[:6],
            sample.wrench,
            sample.position[6:],
            sample.effort[6:],
        ]
    )


def window_of(samples: Sequence[TwinSample], rows: int = 128) -> NDArray[np.float32]:
    """Cut one cycle's samples into equal time bins: (rows, 24).

    A bin is the mean of its samples; a bin without samples lies on the line between its
    neighbours. A message that was not sent leaves its bins empty; a NaN that was sent
    stays.

    Raises:
        ValueError: there are no samples, or a whole message is missing from all of
        them.
    """
    if not samples:
        raise ValueError("a cycle without samples has no window")
    times = np.array([sample.time_s for sample in samples])
    values = np.stack([channels_of(sample) for sample in samples])  # (samples, 24)
    joints = np.array([sample.joints_sent for sample in samples])
    wrench = np.array([sample.wrench_sent for sample in samples])
    # As the node bins the same samples, in whole nanoseconds: not one may fall into
    # another bin there.
    stamps = np.rint(times * 1e9).astype(np.int64)
    worked = stamps - stamps[0]
    bins = np.minimum(worked * rows // max(1, int(worked[-1])), rows - 1)  # (samples,)
    window = np.empty((rows, CHANNELS), dtype=np.float64)
    from_wrench = np.zeros(CHANNELS, dtype=bool)
    from_wrench[16:22] = True
    for sent, chosen in ((joints, ~from_wrench), (wrench, from_wrench)):
        if not sent.any():
            raise ValueError("a message that a window needs was never sent")
        window[:, chosen] = _binned(bins[sent], values[sent][:, chosen], rows)
    return window.astype(np.float32)


def _binned(
    where: NDArray[np.int64], values: NDArray[np.float64], bins: int
) -> NDArray[np.float64]:
    """Mean of the values in each time bin: (samples, channels) -> (bins, channels)."""
    counts = np.bincount(where, minlength=bins)
    sums = np.zeros((bins, values.shape[1]))
    np.add.at(sums, where, values)
    filled = counts > 0
    means = sums[filled] / counts[filled, None]
    if filled.all():
        return means
    wanted, known = np.arange(bins), np.flatnonzero(filled)
    columns = [np.interp(wanted, known, column) for column in means.T]
    return np.stack(columns, axis=1)


def cycles(  # noqa: PLR0913 - a study varies each of these alone
    seed: int,
    cell_id: str,
    count: int,
    rate_hz: float = 50.0,
    *,
    rows: int = 128,
    first: int = 0,
    mix: FaultMix | None = None,
    shift: Shift | None = None,
) -> LabelledCycles:
    """Run cycles of one cell and cut a window from each.

    Args:
        seed: Of all chance.
        cell_id: Name of the cell; part of the chance.
        count: How many cycles.
        rate_hz: Published samples a simulated second.
        rows: Time bins a window.
        first: Number of the first cycle.
        mix: What goes wrong how often; the demo's if not given.
        shift: A lasting change of the station.
    """
    twin = Twin(seed=seed, cell_id=cell_id, rate_hz=rate_hz, mix=mix, shift=shift)
    windows = np.empty((count, rows, CHANNELS), dtype=np.float32)
    truth: list[CycleTruth] = []
    for index in range(count):
        truth.append(twin.begin_cycle(first + index))
        samples: list[TwinSample] = []
        while (sample := twin.advance()) is not None:
            samples.append(sample)
        windows[index] = window_of(samples, rows)
    return LabelledCycles(windows, tuple(cycle.label for cycle in truth), tuple(truth))
