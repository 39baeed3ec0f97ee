"""The plausible answers: the fewest labels that hold the right one often enough.

Split conformal prediction. On examples that the model never learned from it is counted
how far down its own ranking one has to go, in probability, to reach the right label.
The set of a new window goes as far down as was enough for the declared share of those.
No assumption about the model is made; only that this question is one like those.

Source:
    Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World, 2005.
    Romano, Sesia, Candes, Classification with Valid and Adaptive Coverage, NeurIPS 2020
    (the score, without their randomisation: the same question has the same answers).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

COVERAGE: Final = 0.95
"""Declared: of 100 questions, in so many the right answer is in the set."""
ROUNDING: Final = 1e-9
"""What sums of floats may lack: the last bit must neither add a label nor a case."""
UNKNOWN: Final = -1
"""Column of a label that the model does not know: no set of its own reaches it."""


@dataclass(frozen=True, slots=True)
class Level:
    """How far down the ranking a set goes.

    Attributes:
        level: Probability that the labels of a set add up to, at least; infinite
            while there are too few examples to leave anything out.
        held_out: Examples it rests on.
        coverage: What it was made for.
    """

    level: float
    held_out: int
    coverage: float = COVERAGE

    @property
    def needed(self) -> int:
        """Held-out examples without which nothing can be left out."""
        return math.ceil(1.0 / (1.0 - self.coverage) - ROUNDING) - 1


@dataclass(frozen=True, slots=True)
class AnswerSet:
    """The plausible answers to one question.

    Attributes:
        columns: Of the labels, the most probable first; never empty.
        whole: How many there are before the cap.
        level: On what they rest.
    """

    columns: tuple[int, ...]
    whole: int
    level: Level

    @property
    def cut(self) -> bool:
        """Whether the cap left out answers that belong to the set."""
        return self.whole > len(self.columns)


def depth(
    probabilities: NDArray[np.float64], truth: Sequence[int]
) -> NDArray[np.float64]:
    """How much probability the ranking holds down to and with the right label.

    Args:
        probabilities: float64, shape (examples, labels).
        truth: Column of each right label, or UNKNOWN.

    Returns:
        float64, shape (examples,), infinite where the model does not know the label.
    """
    found = np.full(len(truth), math.inf)
    for i, column in enumerate(truth):
        if column != UNKNOWN:
            ranked = _ranked(probabilities[i])
            place = ranked.index(column)
            found[i] = float(probabilities[i][ranked[: place + 1]].sum())
    return found


def level_of(depths: NDArray[np.float64], coverage: float = COVERAGE) -> Level:
    """The level that was enough for the declared share of held-out examples.

    With n examples it is the ceil((n + 1) coverage)-th smallest depth: the new window
    counts as one of them, which makes the promise exact for any n.

    Args:
        depths: How deep the truth of each held-out example lies, shape (examples,).
        coverage: Share of new windows whose set holds the truth, in (0, 1).
    """
    count = len(depths)
    place = math.ceil((count + 1) * coverage - ROUNDING)
    if place > count:
        return Level(math.inf, count, coverage)
    return Level(float(np.sort(depths)[place - 1]), count, coverage)


def answers(probabilities: NDArray[np.float64], level: Level, most: int) -> AnswerSet:
    """The fewest labels from the top that reach the level, at most so many.

    Args:
        probabilities: float64, shape (labels,), finite.
        level: From held-out examples.
        most: The cap.
    """
    ranked = _ranked(probabilities)
    total, whole = 0.0, len(ranked)
    for place, column in enumerate(ranked, 1):
        total += float(probabilities[column])
        if total >= level.level - ROUNDING:
            whole = place
            break
    return AnswerSet(tuple(ranked[: min(whole, most)]), whole, level)


def _ranked(probabilities: NDArray[np.float64]) -> list[int]:
    """Columns, the most probable first; of equals the more severe one first."""
    return [int(column) for column in np.argsort(-probabilities, kind="stable")]
