"""Known cases: questions whose right answer people agreed on before; when one is due.

Who looks at audits day after day, and nearly all are right, stops looking. So now and
then a window on whose label people had agreed is shown again as an ordinary audit. No
cell waits for it, nothing is learned or measured by its answer, and what is told of it
is told of teams. It comes only while people have room for it, and never often: at most
LARGEST_SHARE of all requests.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final

from coordinator.terms import (
    OperatorRequest,
    RequestId,
    RequestKind,
    TimeoutOutcome,
    events,
    new_id,
)
from coordinator.terms.known import Asked, KnownCase

LARGEST_SHARE: Final = 0.02
"""More known cases among all requests would be work for nothing."""
NEVER: Final = 0.0
"""Propensity of a known case: it was chosen, and stands for nothing."""
LEAST_PRIORITY: Final = 9
"""As of every audit."""
_ALL: Final = 1 << 64


class KnownShare:
    """Draws when a known case is due. It lives on the event loop, and never awaits."""

    def __init__(self, share: float = 0.0) -> None:
        """Begin without one that is due.

        Args:
            share: Of all requests, in [0, LARGEST_SHARE].
        """
        # Written as proof: what is no number in the range shows nothing.
        self.share = share if 0.0 <= share <= LARGEST_SHARE else 0.0
        self.due = False

    def raised(self, request: OperatorRequest) -> None:
        """Toss for a request that was just raised; nobody can tell how it falls."""
        if request.is_known:
            self.due = False
            return
        drawn = hashlib.sha256(f"known/1\n{request.request_id}".encode()).digest()[:8]
        self.due = self.due or int.from_bytes(drawn) < self.share * _ALL

    def fits(self, asked: Asked) -> bool:
        """Whether one more known case stays within the share of all requests."""
        return asked.known + 1 <= self.share * (asked.ordinary + asked.known + 1)


def known_request(
    case: KnownCase,
    *,
    raised_at: datetime,
    now_ns: int,
    time_allowed_ns: int,
    on_timeout: TimeoutOutcome,
) -> OperatorRequest:
    """A known case as the audit that it looks like.

    Args:
        case: The window, as it was judged.
        raised_at: UTC.
        now_ns: Monotonic clock.
        time_allowed_ns: As of every audit.
        on_timeout: As of every audit, where nothing comes of it.
    """
    decided = case.decided
    prediction = decided.verdict.prediction
    return OperatorRequest(
        request_id=RequestId(new_id("r")),
        cell_id=decided.cell_id,
        family=decided.family,
        kind=RequestKind.AUDIT,
        decision_id=decided.decision_id,
        window_id=decided.window_id,
        window_digest=decided.window_digest,
        session_epoch=decided.epoch,
        cycle=decided.cycle,
        part_id=decided.part_id,
        guess="" if prediction is None else prediction.label,
        reason=decided.verdict.reason,
        code=decided.verdict.code,
        propensity=NEVER,
        raised_at=raised_at,
        deadline_ns=now_ns + time_allowed_ns,
        time_allowed_ns=time_allowed_ns,
        on_timeout=on_timeout,
        priority=LEAST_PRIORITY,
        known_label=case.label,
    )


def told_of(request: OperatorRequest, said: str) -> tuple[events.KnownCaseEnded, ...]:
    """What is recorded with the end of a known case; nothing of any other request."""
    if not request.is_known:
        return ()
    known = events.KnownCaseEnded(request.request_id, request.known_label, said)
    return (known,)
