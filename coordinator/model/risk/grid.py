"""Which thresholds are tried, and for which labels together: from unlabelled windows.

Nothing here may see a label, or the tests that follow would prove nothing: the windows
are those that the audit coin passed over, the cases are those it fell on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.model.risk.binomial import least_cases
from coordinator.model.risk.evidence import Stream

COVERAGES: Final = tuple(round(0.05 * step, 2) for step in range(4, 21))
"""Shares of a group's windows to be decided alone, from 20 % up.

A sequence that begins at the surest few windows certifies nothing: too few cases.
"""
LEAST_THRESHOLD: Final = 0.5
"""No threshold is set below: the first guess would not even be the likelier half."""
ALONE: Final = 6.0
"""Cases to expect of a label, per case an error-free test needs, to test it alone."""
STARTS: Final = (1.5, 4.0)
"""Cases to expect above a first threshold, per case that an error-free test needs.

A start with few cases forgives no error, one with many lies where risk may be too high
already. Which is better depends on the model, so both are tried.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Labels that share a threshold, the thresholds to try, and where to begin.

    Attributes:
        labels: Columns of the labels, ascending.
        thresholds: Falling, each a quantile of the group's confidences.
        starts: Places in the thresholds from which a sequence goes down, ascending.
    """

    labels: tuple[int, ...]
    thresholds: NDArray[np.float64]
    starts: tuple[int, ...]


def plan(
    stream: Stream, labels: int, *, cases: int, limit: float, level: float
) -> tuple[Group, ...]:
    """Divide the labels into groups and lay down each one's sequences of thresholds.

    A label is a group of its own when so many of the cases are to be expected in it
    that it can be certified alone; the others are pooled. Every group is tested at
    level / groups, and each of its sequences at an equal part of that.

    Args:
        stream: Unlabelled windows.
        labels: How many labels there are.
        cases: How many audited cases the test will have.
        limit: The loss that is to be disproved.
        level: What all groups together may risk.

    Returns:
        The groups; none when there are no unlabelled windows to learn from.
    """
    if not len(stream):
        return ()
    share = np.bincount(stream.said, minlength=labels) / len(stream)
    alone = ALONE * least_cases(limit, level / labels) <= cases * share
    own = [(int(column),) for column in np.flatnonzero(alone)]
    rest = tuple(int(column) for column in np.flatnonzero(~alone))
    members = [*own, rest] if rest else own
    part = level / len(members) / len(STARTS)
    return tuple(
        _group(stream, columns, cases, least_cases(limit, part)) for columns in members
    )


def _group(stream: Stream, columns: tuple[int, ...], cases: int, least: int) -> Group:
    inside = np.isin(stream.said, columns)
    confidence = np.sort(stream.confidence[inside])[::-1]
    if not len(confidence):
        return Group(columns, np.empty(0), ())
    places = np.ceil(np.asarray(COVERAGES) * len(confidence)).astype(np.int64) - 1
    quantiles = np.maximum(confidence[places], LEAST_THRESHOLD)
    thresholds = np.unique(quantiles)[::-1]
    above = (confidence[None, :] >= thresholds[:, None]).sum(axis=1)
    expected = cases * above / len(stream)
    starts = {
        min(int(np.searchsorted(expected, start * least)), len(thresholds) - 1)
        for start in STARTS
    }
    return Group(columns, thresholds, tuple(sorted(starts)))
