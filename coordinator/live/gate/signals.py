"""What is watched of every window, and where it belongs: lot, shift, cell. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.terms import Family, Prediction, SensorWindow

_LAST_NUMBER: Final = re.compile(r"[-_/.]?[0-9]+$")
DAY_SHIFTS: Final = (6, 14, 22)
"""Hours, UTC, at which shifts begin."""


def lot_of(part_id: str) -> str:
    """The lot of a part: its serial number without the number at its end.

    "L7-0012" and "L7-0013" are of lot "L7"; a bare number belongs to no lot: "".
    """
    return _LAST_NUMBER.sub("", part_id)


def shift_of(moment: datetime, starts: Sequence[int] = DAY_SHIFTS) -> str:
    """The shift a moment belongs to, named by day and hour of its beginning."""
    hours = [hour for hour in starts if hour <= moment.hour]
    day = moment if hours else moment - timedelta(days=1)
    return f"{day:%Y-%m-%d} {(max(hours) if hours else max(starts)):02d}:00 UTC"


def names(family: Family) -> tuple[str, ...]:
    """What each signal is called, in the order of measure()."""
    channels = [channel.name for channel in family.channels]
    return (
        "the confidence",
        "the novelty",
        *(f"the level of {name}" for name in channels),
        *(f"the spread of {name}" for name in channels),
    )


def measure(window: SensorWindow, prediction: Prediction) -> NDArray[np.float64]:
    """Signals of one window, NaN where a channel is absent, shape (2 + 2 channels,).

    Confidence and novelty, then the mean and the standard deviation of each channel, in
    the channel's unit.
    """
    samples = window.samples.astype(np.float64)  # (T, C)
    absent = ~window.present  # (C,)
    level = np.where(absent, np.nan, samples.mean(axis=0))
    spread = np.where(absent, np.nan, samples.std(axis=0))
    first = (prediction.confidence, prediction.novelty)
    return np.concatenate([first, level, spread])
