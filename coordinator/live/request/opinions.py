"""Words without effect, and words that need a second person.

What somebody said too late, or after somebody else, is kept: it says how much people
agree. It moves nothing. A label that is declared so counts only when a second person
says the same without having seen what the first one said; when they differ, the
question goes one level up, and a third person decides.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from coordinator import log
from coordinator.errors import (
    AndonError,
    AnswerWaitsError,
    ConflictError,
    NotFoundError,
    NotYourClaimError,
    RequestClosedError,
    StaleEpochError,
)
from coordinator.live.request.ends import Ends
from coordinator.terms import (
    Actor,
    Digest,
    IdempotencyKey,
    OperatorRequest,
    OpinionKind,
    Outcome,
    RequestId,
    events,
)

_log = log.get("requests")
OVERTAKEN = (
    RequestClosedError,
    AnswerWaitsError,
    NotYourClaimError,
    StaleEpochError,
)
"""Refusals after which what was said is kept."""


class Opinions(Ends):
    """What people say besides the one answer that counts."""

    async def _keep_opinion(
        self,
        request_id: RequestId,
        actor: Actor,
        claim_epoch: int,
        label: str,
        view: Digest,
    ) -> None:
        """Keep what somebody said who was not the one; never a reason to fail."""
        try:
            request = await self._store.request(request_id)
            kind = _kind(request, actor, claim_epoch)
            family = self._family_of(request.family)
            looked = self.views.fits(view, request, family)
            if kind is None or not looked or family.label(label) is None:
                return
            kept = events.OpinionKept(request_id, actor, label, kind, view)
            await self._store.commit(kept)
        except (ConflictError, NotFoundError):
            return  # it was kept before
        except AndonError as error:
            _log.warning("opinion_not_kept", request=request_id, text=error.text)

    async def _be_first(
        self,
        request: OperatorRequest,
        said: events.RequestAnswered,
        once: IdempotencyKey,
    ) -> OperatorRequest:
        """Take the first of two opinions: the claim is free for a second person."""

        def mirror(_: datetime) -> OperatorRequest:
            self.last_answer_ns = self._clock.monotonic_ns()
            current = self._open.get(request.request_id) or request
            return self._open.change(
                replace(
                    self._freed(current, said.claim_epoch),
                    first_by=said.actor.person,
                    first_label=said.label,
                )
            )

        first = events.FirstOpinion(said)
        return await self._keep(first, then=mirror, once=once, reply=said.label)

    async def _disagree(
        self,
        request: OperatorRequest,
        said: events.RequestAnswered,
        once: IdempotencyKey,
    ) -> OperatorRequest:
        """Take the second of two opinions that differ: a third person decides."""
        kept = events.OpinionKept(
            said.request_id,
            said.actor,
            said.label,
            OpinionKind.DISAGREED,
            said.view_digest,
        )
        self.last_answer_ns = self._clock.monotonic_ns()
        return await self._succeed(
            request,
            Outcome.SUPERSEDED,
            f"{request.first_by} and {said.actor.person} disagree.",
            kept,
            once=once,
            disputed_by=(request.first_by, said.actor.person),
            actor=said.actor,
        )


def _kind(
    request: OperatorRequest, actor: Actor, claim_epoch: int
) -> OpinionKind | None:
    """Why what somebody said has no effect; None when it is not an opinion."""
    if actor.person in (request.answered_by, request.pending_by, request.first_by):
        return None  # the same person again
    if not request.is_open:
        answered = request.outcome is Outcome.ANSWERED
        return OpinionKind.LOST if answered else OpinionKind.LATE
    overtaken = 0 < claim_epoch < request.claim_epoch or request.is_pending
    return OpinionKind.LOST if overtaken else None
