"""What the journal records about questions to people; see terms.events."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.terms.ids import NOBODY, CellId, Digest, PersonId, RequestId
from coordinator.terms.request import Actor, OperatorRequest, Outcome


@dataclass(frozen=True, slots=True)
class RequestOpened:
    """A question was raised."""

    request: OperatorRequest


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """Somebody looked at a request for the first time."""

    request_id: RequestId
    actor: Actor


@dataclass(frozen=True, slots=True)
class RequestClaimed:
    """Somebody took the sole right to answer. Guard: open, and epoch is the next."""

    request_id: RequestId
    actor: Actor
    claim_epoch: int
    taken_from: PersonId = NOBODY


@dataclass(frozen=True, slots=True)
class ClaimEnded:
    """A claim was given back or ran out. Guard: open, and epoch is the current."""

    request_id: RequestId
    claim_epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """A person answered. Guard: open, and claim_epoch is the current one.

    Attributes:
        correction: The label is not the model's first guess.
        view_digest: What was shown.
        note: What the person added.
    """

    request_id: RequestId
    cell_id: CellId
    actor: Actor
    claim_epoch: int
    label: str
    correction: bool
    view_digest: Digest
    note: str = ""


@dataclass(frozen=True, slots=True)
class RequestEnded:
    """A request ended without an answer. Guard: open."""

    request_id: RequestId
    cell_id: CellId
    outcome: Outcome
    text: str
    successor: RequestId | None = None
