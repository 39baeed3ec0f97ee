"""One body of evidence about one model: what a look certifies, and what it lacks.

Put together from spending (when to look, at what level), grid (what to try) and ltt
(the tests). The same functions serve the live gate and the simulation that checks the
claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from coordinator.model.risk.binomial import p_values
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.evidence import Evidence, Stream
from coordinator.model.risk.grid import COVERAGES, plan
from coordinator.model.risk.ltt import Limits, Tested, certify
from coordinator.model.risk.spending import Promise, look_level, look_size

STREAM_PER_CASE: Final = 0.25
"""Stream windows that a look uses per case; see stream_windows."""
FAR: Final = 14
"""Looks that are thought ahead; behind them, nobody will ever audit enough."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is to be proven, and about how many labels.

    Attributes:
        promise: What is promised.
        costs: What mistakes cost.
        labels: How many labels there are.
    """

    promise: Promise
    costs: Costs
    labels: int

    @property
    def limits(self) -> Limits:
        """The nulls of a test."""
        return Limits(
            loss=self.promise.limit(self.costs.dearest),
            missed=self.promise.missed,
            graded=self.costs.graded,
        )

    def size(self, look: int) -> int:
        """Audited cases at which a look is taken."""
        return look_size(look, self.limits.loss, self.promise.delta)


def stream_windows(cases: int) -> int:
    """How many of the first stream windows a look at so many cases uses.

    The number is fixed by the number of cases. If it grew with all that has been seen,
    earlier answers would have a part in it, because they change how often the coin
    falls, and the thresholds would not be independent of the cases any more.
    """
    return int(STREAM_PER_CASE * cases)


def attempt(
    stream: Stream, evidence: Evidence, rule: Rule, look: int
) -> tuple[Tested, ...]:
    """Take one look; a group without a threshold in the result goes on being asked.

    Args:
        stream: The first stream_windows() that the coin passed over; none is a case.
        evidence: The first rule.size(look) cases that the coin fell on, all answered
            or given up.
        rule: What is to be proven.
        look: Number of the look, from 1; each is taken once for a body of evidence.
    """
    level = look_level(look, rule.promise.delta)
    groups = plan(
        stream, rule.labels, cases=len(evidence), limit=rule.limits.loss, level=level
    )
    return certify(evidence, groups, rule.limits, level)


def cases_in_sight(evidence: Evidence, rule: Rule, look: int) -> int | None:
    """Audited cases at which a certificate is to be expected, if nothing changes.

    Args:
        evidence: All cases so far.
        rule: What is to be proven.
        look: The next look.

    Returns:
        The size of the first look that would pass with the losses seen so far; None
        when none would.
    """
    if not len(evidence):
        return rule.size(look)
    surest = np.sort(evidence.confidence)[::-1]
    places = np.ceil(np.asarray(COVERAGES) * len(surest)).astype(np.int64) - 1
    above = evidence.confidence[None, :] >= surest[places][:, None]
    found = above.sum(axis=1)
    loss = above @ evidence.loss / found
    missed = above @ evidence.missed.astype(np.int64) / found
    for ahead in range(look, look + FAR):
        cases, level = rule.size(ahead), look_level(ahead, rule.promise.delta)
        count = np.round(found / len(surest) * cases).astype(np.int64)
        chance = np.maximum(
            p_values(np.round(loss * count), count, rule.limits.loss),
            p_values(np.round(missed * count), count, rule.limits.missed),
        )
        if bool((chance <= level).any()):
            return cases
    return None
