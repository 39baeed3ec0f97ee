"""The open questions of all cells: who holds which, until when, and how they end.

Every change is durable before it is acknowledged, and every request ends exactly once:
the store's guards decide races, this queue only mirrors what was committed. Its parts,
each resting on the one before: book (what is open), claims, finals (answers that may
still be taken back), ends (the ends that are no answers), and here the answers.
"""

from __future__ import annotations

from coordinator.errors import (
    AlreadyDoneError,
    RequestClosedError,
    UnknownLabelError,
    ViewChangedError,
)
from coordinator.live.request.book import Times
from coordinator.live.request.ends import Ends
from coordinator.live.request.rules import closed, refuse_pending, require_claim
from coordinator.terms import (
    Actor,
    Digest,
    IdempotencyKey,
    OperatorRequest,
    Outcome,
    RequestId,
    events,
)

__all__ = ["RequestQueue", "Times"]


class RequestQueue(Ends):
    """All open requests. Not thread-safe: it lives on the event loop."""

    async def answer(  # noqa: PLR0913 - the parts of one answer
        self,
        request_id: RequestId,
        actor: Actor,
        *,
        claim_epoch: int,
        label: str,
        view: Digest,
        once: IdempotencyKey,
        note: str = "",
    ) -> OperatorRequest:
        """Take a person's answer; it is durable when this returns.

        Returns:
            The request: ANSWERED when the answer is final at once; open, with the
            answer pending, when it may be taken back for a while.

        Raises:
            NotFoundError: there is no such request.
            RequestClosedError: it has ended; says how and when.
            AnswerWaitsError: an answer was given, and may still be taken back.
            NotYourClaimError: this person does not hold the claim.
            StaleEpochError: the claim is older than the current one.
            ViewChangedError: what was shown is not what is asked now.
            UnknownLabelError: the family has no such label.
            KeyReusedError: the key was used with other content.
        """
        if await self._store.replied(once) is not None:
            return await self._settled(request_id)
        request = await self._require_open(request_id)
        refuse_pending(request, self._clock.monotonic_ns())
        require_claim(request, actor, claim_epoch)
        family = self._family_of(request.family)
        if not self.views.fits(view, request, family):
            raise ViewChangedError("the question changed. Look again.")
        meant = family.label(label)
        if meant is None:
            known = ", ".join(family.label_names)
            raise UnknownLabelError(f"'{label[:40]}', known: {known}.")
        final = events.RequestAnswered(
            request_id=request_id,
            cell_id=request.cell_id,
            actor=actor,
            claim_epoch=claim_epoch,
            label=label,
            correction=bool(request.guess) and request.guess != label,
            view_digest=view,
            note=note,
        )
        try:
            undo_ns = self._undo_ns(meant)
            if undo_ns > 0:
                return await self._give(request, final, undo_ns, once)
            return await self._finish(request, final, once)
        except AlreadyDoneError:
            return await self._settled(request_id)
        except RequestClosedError as error:
            raise closed(await self._settled(request_id)) from error

    async def pass_on(
        self,
        request_id: RequestId,
        actor: Actor,
        claim_epoch: int,
        once: IdempotencyKey,
    ) -> OperatorRequest:
        """Take "cannot tell": the question goes one level up. Raises like answer()."""
        if await self._store.replied(once) is not None:
            return await self._settled(request_id)
        request = await self._require_open(request_id)
        refuse_pending(request, self._clock.monotonic_ns())
        require_claim(request, actor, claim_epoch)
        text = f"{actor.person} cannot tell."
        try:
            return await self._succeed(request, Outcome.SUPERSEDED, text, once=once)
        except AlreadyDoneError:
            return await self._settled(request_id)
        except RequestClosedError as error:
            raise closed(await self._settled(request_id)) from error

    async def _give(
        self,
        request: OperatorRequest,
        final: events.RequestAnswered,
        undo_ns: int,
        once: IdempotencyKey,
    ) -> OperatorRequest:
        """Make an answer durable that may be taken back for a while."""
        given = events.AnswerGiven(final, undo_ns)
        await self._store.commit(given, once=once, reply=final.label)
        self.last_answer_ns = self._clock.monotonic_ns()
        return self._wait(request, given)
