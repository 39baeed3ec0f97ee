"""What good windows look like, for the traces that people see beside a question."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator import log
from coordinator.errors import AndonError
from coordinator.service.plant import Plant
from coordinator.terms import Family, FamilyId

EVERY_S: Final = 5.0
"""Time between two looks at what good windows look like, s."""
MOST_WINDOWS: Final = 200
LEAST_WINDOWS: Final = 5

_log = log.get("usual")


async def picture(plant: Plant) -> None:
    """Keep the picture of every family up to date, for ever."""
    pictured: dict[FamilyId, int] = {}
    while True:
        await plant.clock.sleep(EVERY_S)
        for family in plant.vocabulary.all():
            examples = plant.learning[family.family_id].status.examples
            if examples < pictured.get(family.family_id, 0) * 1.2 + 5:
                continue
            try:
                drawn = await _drawn(plant, family)
            except AndonError as error:
                _log.error("usual_not_read", code=error.code, text=error.text)
                continue
            pictured[family.family_id] = examples
            if drawn is not None:
                plant.usual[family.family_id] = drawn


async def _drawn(plant: Plant, family: Family) -> NDArray[np.float32] | None:
    """Mean and standard deviation of good windows: (2, samples, channels).

    Windows from before the family was configured anew have another shape; they say
    nothing about those that come.
    """
    shape = (family.rows, len(family.channels))
    examples = await plant.store.example_windows(family.family_id)
    good = [
        window.samples
        for example, window in examples
        if example.label == family.default_label and window.samples.shape == shape
    ][-MOST_WINDOWS:]
    if len(good) < LEAST_WINDOWS:
        return None
    stack = np.stack(good)  # (N, T, C)
    return np.stack([stack.mean(axis=0), stack.std(axis=0)])  # (2, T, C)
