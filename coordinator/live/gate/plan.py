"""What is configured of one family's gate, as one value."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from coordinator.config import Settings
from coordinator.live.gate.audit import AuditPlan
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.spending import Promise
from coordinator.terms import Digest, FamilyId, PersonId


class Mode(Enum):
    """What the gate may come to rest on by itself."""

    ASK_ALL = "ask_all"
    """Nothing: people are asked about everything, whatever has been proven."""
    PROVISIONAL = "provisional"
    """An engineer's word that the configuration gives, by name and for a time."""
    CERTIFIED = "certified"
    """Audited cases, as soon as they prove the promise; until then people are asked."""


@dataclass(frozen=True, slots=True)
class Word:
    """An engineer's word that the configuration gives.

    Attributes:
        person: Who.
        threshold: Least calibrated probability to act, in [0.5, 1].
        life: How long, from the first start with this configuration.
    """

    person: PersonId
    threshold: float
    life: timedelta

    @property
    def source(self) -> str:
        """What makes it this word and no other: the same word is not given twice."""
        text = f"word/1 {self.person} {self.threshold!r} {self.life!r}"
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class GatePlan:
    """What is promised, what it costs, and how long it lasts.

    Attributes:
        mode: What the gate may come to rest on.
        promise: What is to be proven.
        costs: What mistakes cost.
        audits: How often to audit.
        life: How long a certificate lasts; half-way its evidence begins anew.
        novelty_limit: Novelty above which people are asked.
        word: An engineer's word in the configuration; None for none.
    """

    mode: Mode = Mode.CERTIFIED
    promise: Promise = field(default_factory=Promise)
    costs: Costs = field(default_factory=Costs)
    audits: AuditPlan = field(default_factory=AuditPlan)
    life: timedelta = timedelta(hours=168)
    novelty_limit: float = 1.0
    word: Word | None = None

    @property
    def digest(self) -> Digest:
        """SHA-256 over all that a certificate depends on."""
        costs = sorted(self.costs.by_confusion.items())
        never = sorted(self.costs.must_never_miss)
        text = f"promise/1 {self.promise!r} {costs!r} {never!r} {self.novelty_limit!r}"
        return Digest(hashlib.sha256(text.encode()).hexdigest())


def plan_of(settings: Settings, family_id: FamilyId) -> GatePlan:
    """Return what is configured of one family's gate.

    Raises:
        ConfigError: the numbers make no promise.
    """
    gate, family = settings.gate, settings.families[family_id]
    word = None
    if gate.mode == "provisional":
        life = timedelta(hours=gate.provisional_hours)
        word = Word(PersonId(gate.provisional_by.strip()), gate.threshold, life)
    return GatePlan(
        mode=Mode(gate.mode),
        promise=Promise(gate.alpha, gate.delta, gate.alpha_missed or gate.alpha),
        costs=Costs(
            {(entry.said, entry.truth): entry.cost for entry in family.costs},
            frozenset(label.name for label in family.labels if label.must_never_miss),
        ),
        audits=AuditPlan(
            asked_share=gate.audit_share_asking,
            provisional_share=gate.audit_share,
            per_hour=gate.audits_per_hour,
        ),
        life=timedelta(hours=gate.certificate_hours),
        word=word,
    )
