"""What the journal records about questions to people; see terms.events."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.terms.ids import (
    NO_REQUEST,
    NOBODY,
    CellId,
    Digest,
    FamilyId,
    PersonId,
    RequestId,
)
from coordinator.terms.request import Actor, OperatorRequest, OpinionKind, Outcome


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
class ClaimHandedOver:
    """A claim was given to a named person. Guard: open, theirs, and epoch is the next.

    Attributes:
        to: Who holds it now.
    """

    request_id: RequestId
    actor: Actor
    claim_epoch: int
    to: PersonId


@dataclass(frozen=True, slots=True)
class RequestArrived:
    """Somebody stands at the cell; later arrivals change nothing. Guard: open."""

    request_id: RequestId
    actor: Actor


@dataclass(frozen=True, slots=True)
class RequestSkipped:
    """Somebody left a request to others. Guard: open, and the current claim is theirs.

    The claim ends with it.
    """

    request_id: RequestId
    actor: Actor
    claim_epoch: int


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
        first_label: Of a question asked blind: what was said before the model's guess
            was shown; "" when it was shown from the beginning.
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
    first_label: str = ""


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
class FirstOpinion:
    """The first of two people said what it is. Guards: as for an answer, and the first.

    The claim ends with it: a second person has to see the request.

    Attributes:
        answer: What is recorded of it, apart from its effect.
    """

    answer: RequestAnswered


@dataclass(frozen=True, slots=True)
class OpinionKept:
    """What somebody said without effect. Guard: the first of its kind and person.

    Attributes:
        why: Why it has no effect.
        view_digest: What was shown.
    """

    request_id: RequestId
    actor: Actor
    label: str
    why: OpinionKind
    view_digest: Digest


@dataclass(frozen=True, slots=True)
class FloodBegan:
    """More is asked than the people who are there can answer.

    Attributes:
        asked: Questions of the last 10 minutes.
        people: Who can answer.
    """

    asked: int
    people: int


@dataclass(frozen=True, slots=True)
class FloodEnded:
    """People can keep up again; see FloodBegan."""

    asked: int
    people: int


@dataclass(frozen=True, slots=True)
class ModelDoubted:
    """A model asks in so many cells at once that a supervisor is told.

    Attributes:
        cells: Cells in which it asks now.
        of: Cells of its family.
    """

    family: FamilyId
    cells: int
    of: int


@dataclass(frozen=True, slots=True)
class KnownCaseEnded:
    """A request was a known case: what people had agreed, and what was said now.

    Recorded with the end of the request. Guards: it is a known case, and has ended.

    Attributes:
        known_label: What people had agreed it is.
        said: What somebody said now; "" when nobody did, or nobody could tell.
    """

    request_id: RequestId
    known_label: str
    said: str


@dataclass(frozen=True, slots=True)
class RequestEnded:
    """A request ended without an answer. Guard: open.

    Attributes:
        actor: Who cannot tell, or says otherwise than who was first; None when nobody
            ended it.
    """

    request_id: RequestId
    cell_id: CellId
    outcome: Outcome
    text: str
    successor: RequestId | None = None
    actor: Actor | None = None


RequestEvent = (
    AnswerGiven
    | AnswerUndone
    | ClaimEnded
    | ClaimHandedOver
    | FirstOpinion
    | FloodBegan
    | FloodEnded
    | KnownCaseEnded
    | ModelDoubted
    | OpinionKept
    | RequestAnswered
    | RequestArrived
    | RequestClaimed
    | RequestEnded
    | RequestOpened
    | RequestSeen
    | RequestSkipped
)
