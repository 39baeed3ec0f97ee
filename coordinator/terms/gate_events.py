"""What the journal records of the gate; part of terms.events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from coordinator.terms.gate import Certificate
from coordinator.terms.ids import FamilyId
from coordinator.terms.request import Actor


class Closing(Enum):
    """Why a gate was closed."""

    ALARM = "alarm"
    """Audits say that more is wrong than was stated."""
    DRIFT = "drift"
    """The windows are not those any more that were certified."""
    SILENCE = "silence"
    """Audits go unanswered: nobody measures what is decided alone."""
    EXPIRED = "expired"
    """The certificate, or the permission, has come to its end."""
    RULE = "rule"
    """What is promised, or what mistakes cost, was configured anew."""
    PERSON = "person"
    """A person closed it."""


@dataclass(frozen=True, slots=True)
class GateCertified:
    """A risk is certified. Guard: the certificate's model serves the family now."""

    certificate: Certificate


@dataclass(frozen=True, slots=True)
class ProvisionalGranted:
    """An engineer lets the gate act although no risk is certified.

    Attributes:
        threshold: Least calibrated probability to act.
        until: UTC of the end.
        source: The configuration that says so; "" for a person's call.
    """

    family: FamilyId
    actor: Actor
    threshold: float
    until: datetime
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class GateClosed:
    """The gate asks about everything from here on.

    Attributes:
        why: The kind of reason.
        text: One sentence.
        moved: What was found to have moved, the furthest first.
        actor: Who closed it; None when it closed itself.
    """

    family: FamilyId
    why: Closing
    text: str
    moved: tuple[str, ...] = ()
    actor: Actor | None = None


@dataclass(frozen=True, slots=True)
class EvidenceRestarted:
    """What was audited before this entry proves nothing any more."""

    family: FamilyId
    text: str
