"""What the gate may do, and on what that rests: certificates, permissions, closings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from coordinator.terms.ids import (
    NO_DIGEST,
    NOBODY,
    CellId,
    DecisionId,
    Digest,
    FamilyId,
    PersonId,
    WindowId,
)
from coordinator.terms.request import Outcome
from coordinator.terms.window import AuditCoin, Verdict


class GateState(Enum):
    """On what the gate of a family rests."""

    ASK_ALL = "ask_all"
    """On nothing: people are asked about everything."""
    PROVISIONAL = "provisional"
    """On an engineer's word: a threshold, by name, until a time; no risk is known."""
    CERTIFIED = "certified"
    """On audited cases: the stated risk holds with the stated probability."""
    CLOSED = "closed"
    """It was open, and is not any more: people are asked about everything."""


@dataclass(frozen=True, slots=True)
class CertifiedGroup:
    """Labels that are decided alone from one confidence on.

    Attributes:
        labels: Their names.
        threshold: Least calibrated probability, in [0.5, 1].
        cases: Audited cases at or above it.
        losses: Sum of what they would have cost, the dearest mistake being 1.
        missed: How many of them miss a label that must never be missed.
    """

    labels: tuple[str, ...]
    threshold: float
    cases: int
    losses: float
    missed: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """A stated risk, and what proves it.

    Of what is decided alone above the thresholds the mean cost is at most alpha in each
    group of labels, and the share that misses a label that must never be missed at most
    alpha_missed: together true with probability 1 - delta.

    Attributes:
        family: Whose windows.
        model_digest: Whose answers; for any other model it is worthless.
        rule_digest: SHA-256 over all that was promised and counted, costs included.
        alpha: Largest mean cost of a decision, an ordinary mistake being 1.
        delta: Probability that the promise is not true.
        alpha_missed: Largest share of missed labels that must never be missed.
        groups: What may be decided alone; what is in no group is asked.
        audited: Cases it rests on, above the thresholds or not.
        look: Number of the look that gave it.
        coverage: Share of the stream above the thresholds, as far as is known.
        issued_at: UTC.
        until: UTC; afterwards it is worthless.
    """

    family: FamilyId
    model_digest: Digest
    rule_digest: Digest
    alpha: float
    delta: float
    alpha_missed: float
    groups: tuple[CertifiedGroup, ...]
    audited: int
    look: int
    coverage: float
    issued_at: datetime
    until: datetime

    @property
    def cases(self) -> int:
        """Audited cases above the thresholds."""
        return sum(group.cases for group in self.groups)

    @property
    def thresholds(self) -> tuple[tuple[str, float], ...]:
        """Threshold of every label that may be decided alone."""
        return tuple(
            (label, group.threshold) for group in self.groups for label in group.labels
        )


@dataclass(frozen=True, slots=True)
class Permission:
    """An engineer's word that the gate may act although no risk is certified.

    Attributes:
        person: Who gave it.
        threshold: Least calibrated probability to act, in [0.5, 1].
        until: UTC; afterwards it is worthless.
    """

    person: PersonId
    threshold: float
    until: datetime


@dataclass(frozen=True, slots=True)
class GateRow:
    """What the store remembers of one family's gate.

    Attributes:
        certificate: In force; None when there is none.
        permission: In force; None when there is none.
        closed_text: Why it was closed; "" when it was not, or is open again.
        source: Which configuration gave a permission last; "" for none.
        opened_seq: Journal entry of the certificate, or the permission, in force.
        evidence_seq: Journal entry after which the evidence begins.
    """

    certificate: Certificate | None = None
    permission: Permission | None = None
    closed_text: str = ""
    source: str = ""
    opened_seq: int = 0
    evidence_seq: int = 0


@dataclass(frozen=True, slots=True)
class GateCase:
    """One judged window of the evidence, as the store tells it after a restart.

    Attributes:
        seq: Its place in the journal.
        decision_id: The verdict's identity.
        cell_id: Whose window.
        window_id: The window.
        part_id: Serial number of the part.
        verdict: What the gate said.
        coin: The audit toss.
        decided_at: UTC.
        outcome: How the newest request about it stands; None when nobody was asked.
        label: What a person said; "" while nobody has, or when it was taken back.
        answered_seq: Journal entry of the end of that request; 0 while it is open.
    """

    seq: int
    decision_id: DecisionId
    cell_id: CellId
    window_id: WindowId
    part_id: str
    verdict: Verdict
    coin: AuditCoin
    decided_at: datetime
    outcome: Outcome | None = None
    label: str = ""
    answered_seq: int = 0


@dataclass(frozen=True, slots=True)
class GateLine:
    """What is always shown of a gate.

    Attributes:
        state: On what it rests.
        text: One sentence.
        audited: Cases of the evidence that gathers now.
        needed: Cases at which a certificate is to be expected; None when none is.
        until: UTC of the end of what it rests on; None when it rests on nothing.
    """

    state: GateState = GateState.ASK_ALL
    text: str = ""
    audited: int = 0
    needed: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AutomatedError:
    """How often what was decided alone was wrong, from audits.

    Attributes:
        share: Best guess; None before the first audit.
        low: Lower end of the interval.
        high: Upper end of the interval.
        audited: Audits it rests on.
        decided: Windows decided alone that it is about.
    """

    share: float | None
    low: float
    high: float
    audited: int
    decided: int


@dataclass(frozen=True, slots=True)
class GateStatus:
    """The gate of one family, for people.

    Attributes:
        family: Whose.
        state: On what it rests.
        text: One sentence.
        alpha: The promise that is, or is to be, certified.
        delta: Probability that it is not true.
        audited: Cases of the evidence that gathers now.
        needed: Cases at which a certificate is to be expected; None when none is.
        audit_share: Probability with which the next window is audited.
        error: Of what was decided alone since the gate opened.
        model_digest: The serving model; "" for none.
        certificate: In force; None when there is none.
        permission: In force; None when there is none.
        by: Who opened or closed it by name; "" for nobody.
    """

    family: FamilyId
    state: GateState
    text: str
    alpha: float
    delta: float
    audited: int
    needed: int | None
    audit_share: float
    error: AutomatedError
    model_digest: Digest = NO_DIGEST
    certificate: Certificate | None = None
    permission: Permission | None = None
    by: PersonId = NOBODY
