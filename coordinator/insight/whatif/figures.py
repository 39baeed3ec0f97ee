"""The figures of a report as plain numbers; whoever draws them decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from coordinator.insight.scores import Case
from coordinator.insight.whatif.compare import outcome
from coordinator.learning.validation import metrics
from coordinator.learning.validation.metrics import RiskPoint
from coordinator.model.risk.binomial import interval

MOST_POINTS: Final = 200
"""Points of a curve: no screen shows more."""
BINS: Final = 10
BLOCKS: Final = 24
LEVEL: Final = 0.05
"""Probability that a share lies outside its interval."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases of like confidence: how sure the model was, and how often right.

    Attributes:
        confidence: Mean, in [0, 1].
        right: Share, in [0, 1].
        low: Lower end of the share's 95 % interval.
        high: Upper end of it.
        cases: How many.
    """

    confidence: float
    right: float
    low: float
    high: float
    cases: int


@dataclass(frozen=True, slots=True)
class Block:
    """Cases that follow each other.

    Attributes:
        first: Number of the first window.
        last: Number of the last window.
        asked: Questions.
        right: Decided alone and rightly.
        wrong: Decided alone and wrongly.
        held: Not usable.
    """

    first: int
    last: int
    asked: int
    right: int
    wrong: int
    held: int

    @property
    def cases(self) -> int:
        """All of them."""
        return self.asked + self.right + self.wrong + self.held


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of the confusion matrix, and the windows behind it."""

    truth: str
    predicted: str
    cases: tuple[Case, ...]

    @property
    def alone(self) -> int:
        """How many of them were decided alone."""
        return sum(case.automated for case in self.cases)


def risk_coverage(cases: Sequence[Case]) -> list[RiskPoint]:
    """The curve over all cases with a prediction; at most MOST_POINTS of it."""
    said = [(p.confidence, p.label == c.truth) for c in cases if (p := c.prediction)]
    sure = np.array([confidence for confidence, _ in said], np.float64)
    right = np.array([was for _, was in said], np.bool_)
    return metrics.risk_coverage(sure, right, most=MOST_POINTS)


def reliability(cases: Sequence[Case]) -> list[Bin]:
    """Bins of equal counts over all cases with a prediction, the least sure first."""
    said = [(p.confidence, p.label == c.truth) for c in cases if (p := c.prediction)]
    if not said:
        return []
    said.sort(key=lambda pair: pair[0])
    found = []
    for part in np.array_split(np.arange(len(said)), min(BINS, len(said))):
        sure = [said[i][0] for i in part]
        right = sum(said[i][1] for i in part)
        low, high = interval(right, len(part), LEVEL)
        found.append(Bin(float(np.mean(sure)), right / len(part), low, high, len(part)))
    return found


def over_time(cases: Sequence[Case]) -> list[Block]:
    """At most BLOCKS blocks of cases that follow each other."""
    if not cases:
        return []
    blocks = []
    for part in np.array_split(np.arange(len(cases)), min(BLOCKS, len(cases))):
        some = [cases[i] for i in part]
        alone = [case for case in some if case.automated]
        wrong = sum(case.predicted != case.truth for case in alone)
        asked = sum(outcome(case) == "ask" and not case.automated for case in some)
        blocks.append(
            Block(
                first=some[0].number,
                last=some[-1].number,
                asked=asked,
                right=len(alone) - wrong,
                wrong=wrong,
                held=len(some) - len(alone) - asked,
            )
        )
    return blocks


def confusion(cases: Sequence[Case], labels: Sequence[str]) -> list[list[Cell]]:
    """One row a truth, one column a first guess, over all cases with a prediction."""
    said = [case for case in cases if case.prediction is not None]
    return [
        [
            Cell(
                truth,
                guess,
                tuple(c for c in said if c.truth == truth and c.predicted == guess),
            )
            for guess in labels
        ]
        for truth in labels
    ]
