"""What the gate's mathematics is told: audited cases, and the unlabelled stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Windows of which nothing but the model's answer is used.

    Attributes:
        said: Column of the label the model would act on, int64, shape (windows,).
        confidence: Its calibrated probability, shape (windows,).
    """

    said: NDArray[np.int64]
    confidence: NDArray[np.float64]

    def __len__(self) -> int:
        """How many windows."""
        return len(self.said)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Audited cases, in the order in which the coin fell.

    Attributes:
        said: Column of the label the model would act on, int64, shape (cases,).
        confidence: Its calibrated probability, shape (cases,).
        loss: What acting on it would have cost, in [0, 1], shape (cases,).
        missed: Whether it would have missed what must never be, shape (cases,).
    """

    said: NDArray[np.int64]
    confidence: NDArray[np.float64]
    loss: NDArray[np.float64]
    missed: NDArray[np.bool_]

    def __len__(self) -> int:
        """How many cases."""
        return len(self.said)
