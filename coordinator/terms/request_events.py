"""What the journal records about questions to people; see terms.events."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.terms.ids import (
    NO_REQUEST,
    NOBODY,
    CellId,
    Digest,
    PersonId,
    RequestId,
)
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
        waited: It was given before, and nobody took it back. Guard: it still waits.
        shown: Request whose evidence the person saw, where one card stood for several;
            "" when it was this one.
    """

    request_id: RequestId
    cell_id: CellId
    actor: Actor
    claim_epoch: int
    label: str
    correction: bool
    view_digest: Digest
    note: str = ""
    waited: bool = False
    shown: RequestId = NO_REQUEST


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """A person answered, and may take it back for a while. Nothing rests on it yet.

    Guard: open, the answer's claim_epoch is the current one, no other answer waits.

    Attributes:
        answer: What is recorded of it when it is final.
        undo_ns: How long it may be taken back, in nanoseconds.
    """

    answer: RequestAnswered
    undo_ns: int


@dataclass(frozen=True, slots=True)
class AnswerUndone:
    """A person took an answer back. Guard: it is theirs, and waits."""

    request_id: RequestId
    actor: Actor


@dataclass(frozen=True, slots=True)
class RequestEnded:
    """A request ended without an answer. Guard: open."""

    request_id: RequestId
    cell_id: CellId
    outcome: Outcome
    text: str
    successor: RequestId | None = None
