"""The looks at one body of evidence: each taken once, when its cases are settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from coordinator.live.gate.cases import CaseBook
from coordinator.live.gate.plan import GatePlan
from coordinator.model.risk.certification import Rule, attempt, cases_in_sight
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.evidence import Stream
from coordinator.model.risk.ltt import Tested
from coordinator.model.risk.spending import Promise
from coordinator.terms import Certificate, CertifiedGroup, Digest, FamilyId

AS_WIDE: Final = 0.95
"""A renewal that covers at least this share of what it renews is taken at once."""
LATE: Final = 0.9
"""Share of a certificate's life after which any renewal is taken."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look certifies.

    Attributes:
        look: Its number.
        audited: Cases it rests on.
        groups: Labels and thresholds.
        coverage: Share of the stream above the thresholds.
    """

    look: int
    audited: int
    groups: tuple[CertifiedGroup, ...]
    coverage: float


class Looks:
    """Takes the looks that are due, and keeps the widest result.

    All that the looks at one body of evidence certify holds together, so the widest may
    be used, whichever look it came from.
    """

    def __init__(self, promise: Promise, costs: Costs, book: CaseBook) -> None:
        self._rule = Rule(promise, costs, len(book.labels))
        self.book = book
        self._next = 1
        self._sighted: int | None = None
        self._sight: int | None = None
        self.widest: Found | None = None

    def take(self) -> None:
        """Take every look whose cases are all settled."""
        while self.book.ready >= self._rule.size(self._next):
            found = self._take(self._next)
            self._next += 1
            if found.groups and (
                self.widest is None or found.coverage > self.widest.coverage
            ):
                self.widest = found

    def in_sight(self) -> int | None:
        """Audited cases at which a certificate is to be expected; None for never.

        Thought over again when a hundredth more is known: it reads all the evidence.
        """
        ready = self.book.ready
        if self._sighted is None or abs(ready - self._sighted) > self._sighted // 100:
            self._sighted = ready
            evidence = self.book.evidence(ready)
            self._sight = cases_in_sight(evidence, self._rule, self._next)
        return self._sight

    def _take(self, look: int) -> Found:
        cases = self._rule.size(look)
        stream = self.book.stream(cases)
        tested = attempt(stream, self.book.evidence(cases), self._rule, look)
        labels = self.book.labels
        groups = tuple(
            CertifiedGroup(
                labels=tuple(labels[column] for column in group.labels),
                threshold=group.threshold,
                cases=group.cases,
                losses=group.losses,
                missed=group.missed,
            )
            for group in tested
            if group.threshold is not None
        )
        return Found(
            look=look,
            audited=cases,
            groups=groups,
            coverage=sum(_coverage(stream, group) for group in tested),
        )


def _coverage(stream: Stream, group: Tested) -> float:
    """Share of the stream that a group's threshold lets through."""
    if group.threshold is None:
        return 0.0
    inside = np.isin(stream.said, group.labels)
    return float((inside & (stream.confidence >= group.threshold)).mean())


def is_wanted(
    found: Found, certificate: Certificate | None, now: datetime, *, renewing: bool
) -> bool:
    """Whether what a look found is better than the certificate in force.

    Args:
        found: By the looks at the evidence that gathers now.
        certificate: In force, or expired and not yet closed; None for none.
        now: UTC.
        renewing: The evidence began after the certificate; else it is the same, which
            may widen a certificate but never prolong an expired one.
    """
    if certificate is None:
        return True
    if not renewing:
        return now < certificate.until and found.coverage > certificate.coverage
    life = certificate.until - certificate.issued_at
    late = not now < certificate.issued_at + LATE * life
    return late or found.coverage >= AS_WIDE * certificate.coverage


def certified(
    found: Found, plan: GatePlan, family: FamilyId, model: Digest, now: datetime
) -> Certificate:
    """Write out the certificate of what a look found."""
    return Certificate(
        family=family,
        model_digest=model,
        rule_digest=plan.digest,
        alpha=plan.promise.alpha,
        delta=plan.promise.delta,
        alpha_missed=plan.promise.missed,
        groups=found.groups,
        audited=found.audited,
        look=found.look,
        coverage=found.coverage,
        issued_at=now,
        until=now + plan.life,
    )
