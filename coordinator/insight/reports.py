"""How a model did, from cases of which people said what they are: pure.

The same three pictures for a validation and for live windows: who was taken for whom,
the risk when the surest windows are decided alone, and whether "90 % sure" is right
nine times out of ten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from coordinator.learning.validation.metrics import RiskPoint, risk_coverage

POINTS: Final = 60
"""Most points of a curve: as many as a terminal can show."""

BINS: Final = 10
"""Most bins of a reliability diagram."""


class Spoken(Protocol):
    """A case, held out or live."""

    @property
    def truth(self) -> str:
        """What a person said."""

    @property
    def said(self) -> str:
        """The model's first guess."""

    @property
    def confidence(self) -> float:
        """Its calibrated probability, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Windows of which it was about as sure."""

    confidence: float
    right: float
    count: int


def confusion(cases: Sequence[Spoken]) -> Counter[tuple[str, str]]:
    """How often which truth was called what."""
    return Counter((case.truth, case.said) for case in cases)


def curve(cases: Sequence[Spoken]) -> list[RiskPoint]:
    """Risk at coverage, the surest windows first; equally sure ones come together."""
    sure = np.array([case.confidence for case in cases], np.float64)
    right = np.array([case.truth == case.said for case in cases], np.bool_)
    return risk_coverage(sure, right, most=POINTS)


def reliability(cases: Sequence[Spoken]) -> list[Bin]:
    """Bins of equal counts, the least sure first."""
    ordered = sorted(cases, key=lambda case: case.confidence)
    count = min(BINS, len(ordered))
    found = []
    for i in range(count):
        part = ordered[i * len(ordered) // count : (i + 1) * len(ordered) // count]
        right = sum(case.truth == case.said for case in part)
        mean = sum(case.confidence for case in part) / len(part)
        found.append(Bin(mean, right / len(part), len(part)))
    return found
