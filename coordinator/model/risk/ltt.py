"""Learn then test: the lowest thresholds that the audited cases prove good enough.

For each group of labels the thresholds are tried from the surest windows down. Each is
a null hypothesis, "among the windows above it the mean loss is the limit or more",
tested by an exact binomial p-value; the first that cannot be rejected ends the
sequence. The order is fixed before any label is seen, so a sequence needs no
correction: to certify a bad threshold, the first bad one in its order has to be
rejected, and that happens with the probability of one test at most. Sequences that
begin at different places share the level. The risk need not fall as the threshold
rises.

Source:
    Angelopoulos, Bates, Candes, Jordan & Lei, Learn then Test, arXiv 2110.01052;
    Bauer, Multiple Testing in Clinical Trials, Statistics in Medicine 1991.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordinator.model.risk import binomial, bounded
from coordinator.model.risk.evidence import Evidence
from coordinator.model.risk.grid import Group


@dataclass(frozen=True, slots=True)
class Limits:
    """What is to be disproved of the windows above a threshold.

    Attributes:
        loss: Mean loss, in (0, 1).
        missed: Share of windows that miss a label that must never be missed.
        graded: Losses lie between 0 and 1, and are not only counted.
    """

    loss: float
    missed: float
    graded: bool = False


@dataclass(frozen=True, slots=True)
class Tested:
    """What the sequence of one group came to.

    Attributes:
        labels: Columns of the group.
        threshold: From which confidence on it is certified; None when nothing is.
        cases: Audited cases at or above the threshold; 0 without one.
        losses: Sum of their losses.
        missed: How many of them miss what must never be missed.
    """

    labels: tuple[int, ...]
    threshold: float | None
    cases: int
    losses: float
    missed: int


def chances(
    evidence: Evidence, thresholds: NDArray[np.float64], limits: Limits
) -> NDArray[np.float64]:
    """P-value of every threshold, shape (thresholds,).

    Two nulls a threshold, and both must fall: the larger p-value counts.
    """
    above = evidence.confidence[None, :] >= thresholds[:, None]  # (thresholds, cases)
    cases = above.sum(axis=1)
    losses = above @ evidence.loss
    mean = bounded.p_values if limits.graded else binomial.p_values
    # As numbers: the product of two arrays of bool only says whether there is any.
    misses = above @ evidence.missed.astype(np.int64)
    missed = binomial.p_values(misses, cases, limits.missed)
    return np.maximum(mean(losses, cases, limits.loss), missed)


def certify(
    evidence: Evidence, groups: Sequence[Group], limits: Limits, level: float
) -> tuple[Tested, ...]:
    """Test every group's sequence; all that is certified holds together.

    Args:
        evidence: The audited cases; each drawn like every other.
        groups: From unlabelled windows only, see grid.plan.
        limits: What is to be disproved.
        level: Probability that anything certified here is not true.
    """
    return tuple(
        _test(evidence, group, limits, level / len(groups)) for group in groups
    )


def _test(evidence: Evidence, group: Group, limits: Limits, level: float) -> Tested:
    members = np.isin(evidence.said, group.labels)
    inside = Evidence(
        evidence.said[members],
        evidence.confidence[members],
        evidence.loss[members],
        evidence.missed[members],
    )
    chance = chances(inside, group.thresholds, limits)
    reached = [
        _reach(chance[start:] <= level / len(group.starts)) + start
        for start in group.starts
        if chance[start] <= level / len(group.starts)
    ]
    lowest = max(reached, default=None)
    threshold = None if lowest is None else float(group.thresholds[lowest])
    above = inside.confidence >= (np.inf if threshold is None else threshold)
    return Tested(
        labels=group.labels,
        threshold=threshold,
        cases=int(above.sum()),
        losses=float(inside.loss[above].sum()),
        missed=int(inside.missed[above].sum()),
    )


def _reach(passed: NDArray[np.bool_]) -> int:
    """Place of the last pass before the first failure; whatever comes after it."""
    return len(passed) - 1 if passed.all() else int(np.argmin(passed)) - 1
