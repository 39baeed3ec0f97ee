"""The question to people: request, claim, answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from coordinator.terms.ids import (
    NO_CLIP,
    NO_SESSION,
    NOBODY,
    CellId,
    ClipId,
    DecisionId,
    Digest,
    FamilyId,
    PersonId,
    RequestId,
    SessionId,
    WindowId,
)
from coordinator.terms.people import Role


class RequestKind(Enum):
    """What a request is for."""

    QUESTION = "question"
    """The cell waits for the answer."""
    AUDIT = "audit"
    """The cell went on; the answer measures the gate."""


class TimeoutOutcome(Enum):
    """What happens to the part when nobody answers; the cell is held either way."""

    HOLD = "hold"
    """It stays where it is."""
    REJECT = "reject"
    """It is booked as rejected."""


class Outcome(Enum):
    """How a request ended."""

    OPEN = "open"
    """It has not."""
    ANSWERED = "answered"
    """A person answered."""
    TIMED_OUT = "timed_out"
    """Nobody answered before the deadline. Never an approval."""
    CANCELLED = "cancelled"
    """Withdrawn by a person."""
    SUPERSEDED = "superseded"
    """The scene it asked about is gone."""


class OpinionKind(Enum):
    """Why somebody's word about a request has no effect."""

    LOST = "lost"
    """Somebody else was faster, or held the claim by then."""
    LATE = "late"
    """The request had ended without an answer."""
    DISAGREED = "disagreed"
    """Two people had to agree, and did not."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something.

    Attributes:
        person: Id of the person, or of the policy ("policy:autostart").
        device: Id of the terminal or tablet.
        verified: Logged in; False on loopback, before accounts exist.
        session: The person's session; "" without one.
        role: The person's role in it.
    """

    person: PersonId
    device: str = ""
    verified: bool = False
    session: SessionId = NO_SESSION
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class OperatorRequest:
    """A durable question about one window.

    Attributes:
        request_id: Unique for the life of the store.
        cell_id: Whose window.
        family: Family of the cell.
        kind: Question or audit.
        decision_id: The verdict that asks.
        window_id: The evidence.
        window_digest: Its digest; the scene the answer is bound to.
        session_epoch: The session the window came in.
        cycle: Cycle of the part.
        part_id: Serial number of the part.
        guess: The model's first guess; "" without a model.
        reason: Why the gate asked, one sentence.
        propensity: Probability with which this window could be asked, in (0, 1].
        raised_at: UTC.
        deadline_ns: Monotonic deadline of this process, armed again in full at a start.
        time_allowed_ns: Whole time allowed.
        on_timeout: Declared outcome.
        priority: 0 is most urgent.
        level: 0 operator, 1 shift lead; rises when nobody answers.
        outcome: How it ended, or OPEN.
        seen_at: UTC of the first look.
        claimed_by: Holder of the claim; "" when free.
        claim_epoch: Rises with every claim.
        claimed_session: The holder's session, as far as this process knows.
        claimed_at: UTC of the newest claim.
        claim_expires_ns: Monotonic end of the claim; 0 when free.
        resolved_at: UTC of the end.
        label: The answer, when answered.
        answered_by: The person, when answered.
        clip_id: Full-rate recording of the window, when it is here; "" without one.
        pending_label: An answer that may still be taken back; "" when none waits.
        pending_by: Who gave it.
        pending_until_ns: Monotonic end of the time to take it back; 0 when none waits.
        cause: What it shares with questions of other cells that one card may stand for;
            "" when it stands alone.
        arrived_at: UTC when somebody stood at the cell.
        arrived_by: Who.
        skipped_by: Who left it to others; it is offered to them last.
        first_by: Who gave the first of two opinions; "" when none was given.
        first_label: That opinion. Nobody is shown it before the second.
        disputed_by: Who disagreed about it before; somebody else decides.
        warned: Most of its time has passed.
        known_label: Of a known case, what people had agreed it is; "" for every other
            request. Nobody is shown it before the request has ended.
        code: Stable token of the reason; "" for what was asked before it was kept.
    """

    request_id: RequestId
    cell_id: CellId
    family: FamilyId
    kind: RequestKind
    decision_id: DecisionId
    window_id: WindowId
    window_digest: Digest
    session_epoch: int
    cycle: int
    part_id: str
    guess: str
    reason: str
    propensity: float
    raised_at: datetime
    deadline_ns: int
    time_allowed_ns: int
    on_timeout: TimeoutOutcome = TimeoutOutcome.HOLD
    priority: int = 1
    level: int = 0
    outcome: Outcome = Outcome.OPEN
    seen_at: datetime | None = None
    claimed_by: PersonId = NOBODY
    claim_epoch: int = 0
    claimed_session: SessionId = NO_SESSION
    claimed_at: datetime | None = None
    claim_expires_ns: int = 0
    resolved_at: datetime | None = None
    label: str = ""
    answered_by: PersonId = NOBODY
    clip_id: ClipId = NO_CLIP
    pending_label: str = ""
    pending_by: PersonId = NOBODY
    pending_until_ns: int = 0
    cause: str = ""
    arrived_at: datetime | None = None
    arrived_by: PersonId = NOBODY
    skipped_by: tuple[PersonId, ...] = ()
    first_by: PersonId = NOBODY
    first_label: str = ""
    disputed_by: tuple[PersonId, ...] = ()
    warned: bool = False
    known_label: str = ""
    code: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the right answer is known: nothing is measured or learned by it."""
        return bool(self.known_label)

    @property
    def is_open(self) -> bool:
        """Whether it has not ended; an answer may wait all the same."""
        return self.outcome is Outcome.OPEN

    @property
    def is_pending(self) -> bool:
        """Whether an answer was given that may still be taken back."""
        return bool(self.pending_label)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What makes a repeated call harmless.

    Attributes:
        person: Who called.
        key: Unique a try, made by the client.
        payload_digest: SHA-256 over the call's content; another one is KEY_REUSED.
    """

    person: PersonId
    key: str
    payload_digest: Digest
