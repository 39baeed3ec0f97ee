"""The rules of the queue that need no queue: order, claims, successors, refusals."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from coordinator.errors import (
    AnswerWaitsError,
    NotYourClaimError,
    OtherPersonError,
    RequestClosedError,
    RoleError,
    StaleEpochError,
)
from coordinator.terms import (
    NOBODY,
    Actor,
    Digest,
    FamilyId,
    OperatorRequest,
    PersonId,
    RequestId,
    RequestKind,
    Role,
    new_id,
)

TOP_LEVEL = 1
"""0 operator, 1 shift lead."""


def urgency(request: OperatorRequest) -> tuple[bool, int, int]:
    """Sort key: questions before audits, then priority, then the nearest deadline."""
    is_audit = request.kind is RequestKind.AUDIT
    return (is_audit, request.priority, request.deadline_ns)


def succeeding(
    request: OperatorRequest,
    *,
    raised_at: datetime,
    now_ns: int,
    disputed_by: tuple[PersonId, ...] = (),
) -> OperatorRequest:
    """The same question, raised again one level up, with its whole time.

    Nobody answered it, or could: no word about others is for it from now on.
    """
    return replace(
        request,
        cause="",
        request_id=RequestId(new_id("r")),
        raised_at=raised_at,
        deadline_ns=now_ns + request.time_allowed_ns,
        priority=0,
        level=min(request.level + 1, TOP_LEVEL),
        seen_at=None,
        claimed_by=NOBODY,
        claim_epoch=0,
        claimed_at=None,
        claim_expires_ns=0,
        arrived_at=None,
        arrived_by=NOBODY,
        skipped_by=(),
        first_by=NOBODY,
        first_label="",
        disputed_by=disputed_by or request.disputed_by,
        warned=False,
    )


def extra_ns(request_id: RequestId, allowed_ns: int, share: float) -> int:
    """Time added to a deadline so that many do not pass at once, in nanoseconds.

    Between nothing and `share` of what is allowed, by the request's id: never less
    than what was configured, and the same after a restart.
    """
    drawn = hashlib.sha256(request_id.encode()).digest()
    return round(allowed_ns * share * int.from_bytes(drawn[:4]) / 2**32)


def cause_of(family: FamilyId, model: Digest, code: str, guess: str) -> str:
    """What questions of several cells have in common when one card stands for them."""
    text = "\n".join((family, model, code, guess))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def may_answer(level: int, role: Role | None) -> bool:
    """Whether this role may answer questions of this level; None: no accounts yet."""
    least = Role.OPERATOR if level == 0 else Role.SUPERVISOR
    return role is None or role >= least


def require_role(request: OperatorRequest, actor: Actor) -> None:
    """Let nobody at a question of a level above their role.

    Raises:
        RoleError: a shift lead has to answer.
    """
    if not may_answer(request.level, actor.role):
        who = "a shift lead" if request.level > 0 else "an operator"
        raise RoleError(f"{who} has to answer this.")


def require_other_person(request: OperatorRequest, actor: Actor) -> None:
    """Let nobody agree with themselves, or decide their own dispute.

    Raises:
        OtherPersonError: somebody else has to say it.
    """
    if request.first_by and request.first_by == actor.person:
        raise OtherPersonError("a second person has to agree with you.")
    if actor.person in request.disputed_by:
        people = " and ".join(request.disputed_by)
        raise OtherPersonError(f"{people} disagreed: somebody else decides.")


def require_claim(request: OperatorRequest, actor: Actor, claim_epoch: int) -> None:
    """Refuse who does not hold the current claim.

    Raises:
        NotYourClaimError: somebody else holds it, or nobody.
        StaleEpochError: it is this person's, but an older one.
    """
    if request.claimed_by != actor.person:
        holder = request.claimed_by or "nobody"
        raise NotYourClaimError(f"the claim is held by {holder}. Claim it first.")
    if claim_epoch != request.claim_epoch:
        raise StaleEpochError(
            f"claim {claim_epoch}, current {request.claim_epoch}. Claim it again."
        )


def refuse_pending(request: OperatorRequest, now_ns: int) -> None:
    """Let nobody at a request whose answer may still be taken back.

    Raises:
        AnswerWaitsError: names who answered what, and when that is final.
    """
    if request.is_pending:
        left_s = max(0, request.pending_until_ns - now_ns) / 1e9
        raise AnswerWaitsError(
            f"{request.pending_by} answered {request.pending_label}: final in "
            f"{left_s:.0f} s, unless taken back."
        )


def closed(ended: OperatorRequest) -> RequestClosedError:
    """Say how and when a request ended, and by whom."""
    when = f"{ended.resolved_at:%H:%M:%S}" if ended.resolved_at else "before"
    by = f" by {ended.answered_by} as {ended.label}" if ended.answered_by else ""
    how = ended.outcome.value.replace("_", " ")
    return RequestClosedError(f"{how} at {when}{by}.")
