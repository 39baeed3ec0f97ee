"""The rules of the queue that need no queue: order, claims, successors, refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from coordinator.errors import (
    AnswerWaitsError,
    NotYourClaimError,
    RequestClosedError,
    StaleEpochError,
)
from coordinator.terms import (
    NOBODY,
    Actor,
    OperatorRequest,
    RequestId,
    RequestKind,
    new_id,
)

TOP_LEVEL = 1
"""0 operator, 1 shift lead."""


def urgency(request: OperatorRequest) -> tuple[bool, int, int]:
    """Sort key: questions before audits, then priority, then the nearest deadline."""
    is_audit = request.kind is RequestKind.AUDIT
    return (is_audit, request.priority, request.deadline_ns)


def succeeding(
    request: OperatorRequest, *, raised_at: datetime, now_ns: int
) -> OperatorRequest:
    """The same question, raised again one level up, with its whole time."""
    return replace(
        request,
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
    )


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
