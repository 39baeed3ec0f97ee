"""Claims: the sole right to answer a request, for one lease, under an epoch."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from coordinator.errors import (
    AlreadyDoneError,
    AnswerWaitsError,
    ConflictError,
    NotFoundError,
    NotYourClaimError,
    RequestClaimedError,
    RequestClosedError,
    StaleEpochError,
)
from coordinator.live.request.book import Book
from coordinator.live.request.rules import (
    closed,
    refuse_pending,
    require_claim,
    require_role,
)
from coordinator.terms import (
    NOBODY,
    Actor,
    IdempotencyKey,
    OperatorRequest,
    RequestId,
    events,
)


class Claims(Book):
    """Who may answer what, until when."""

    async def claim(
        self,
        request_id: RequestId,
        actor: Actor,
        once: IdempotencyKey,
        *,
        take_over: bool = False,
    ) -> OperatorRequest:
        """Give one person the sole right to answer, for one lease.

        Claiming again by the holder renews the claim under the same epoch.

        Raises:
            NotFoundError: there is no such request.
            RequestClosedError: it has ended.
            RoleError: the question is for a shift lead.
            RequestClaimedError: somebody else holds it and take_over was not asked.
            AnswerWaitsError: somebody else answered, and may still take it back.
            KeyReusedError: the key was used for another claim.
        """
        epoch_before = await self._store.replied(once)
        request = await self._require_open(request_id)
        if epoch_before is not None:
            return replace(request, claim_epoch=int(epoch_before))
        if request.claimed_by == actor.person:
            return self._renewed(_theirs(request, actor))
        require_role(request, actor)
        refuse_pending(request, self._clock.monotonic_ns())
        if request.claimed_by and not take_over:
            raise self._claimed(request)
        epoch = request.claim_epoch + 1
        claimed = events.RequestClaimed(
            request_id, actor, epoch, taken_from=request.claimed_by
        )
        try:
            # Who claims it has seen it, whoever looked or did not look before.
            first = request.seen_at is None
            seen = [events.RequestSeen(request_id, actor)] if first else []
            return await self._keep(
                claimed,
                *seen,
                then=lambda at: self._mirror_claim(request, claimed, at),
                once=once,
                reply=str(epoch),
            )
        except AlreadyDoneError as done:
            current = await self._require_open(request_id)
            return replace(current, claim_epoch=int(done.reply))
        except RequestClosedError as error:
            raise closed(await self._settled(request_id)) from error
        except StaleEpochError as error:
            current = await self._require_open(request_id)
            if current.claimed_by == actor.person:
                return self._renewed(_theirs(current, actor))
            raise self._claimed(current) from error

    def _mirror_claim(
        self, request: OperatorRequest, claimed: events.RequestClaimed, at: datetime
    ) -> OperatorRequest:
        actor = claimed.actor
        self.looks.begin(request.request_id, actor.person)
        now_ns = self._clock.monotonic_ns()
        return self._open.change(
            replace(
                self._open.get(request.request_id) or request,
                claimed_by=actor.person,
                claim_epoch=claimed.claim_epoch,
                claimed_session=actor.session,
                claimed_at=at,
                claim_expires_ns=now_ns + self._times.claim_lease_ns,
                seen_at=request.seen_at or at,
            )
        )

    async def renew(
        self, request_id: RequestId, actor: Actor, claim_epoch: int
    ) -> OperatorRequest:
        """Keep a claim for another lease; raises like answer()."""
        request = await self._require_open(request_id)
        require_claim(request, actor, claim_epoch)
        return self._renewed(request)

    async def release_claim(
        self, request_id: RequestId, actor: Actor, claim_epoch: int
    ) -> None:
        """Give a claim back; raises like answer().

        Raises:
            AnswerWaitsError: the answer has to be taken back first.
        """
        request = await self._require_open(request_id)
        require_claim(request, actor, claim_epoch)
        refuse_pending(request, self._clock.monotonic_ns())
        await self._end_claim(request, f"given back by {actor.person}")

    async def let_go(
        self, request_id: RequestId, actor: Actor, claim_epoch: int
    ) -> None:
        """Give a claim back if it still is this one; never a reason to fail."""
        with suppress(ConflictError, NotFoundError):
            await self.release_claim(request_id, actor, claim_epoch)

    async def end_lapsed_claims(self) -> None:
        """Offer again what a holder stopped looking at."""
        await self._each(self._lapse, self._open.lapsed())

    async def _lapse(self, request: OperatorRequest) -> None:
        await self._end_claim(request, "the claim's lease ran out")

    def _claimed(self, request: OperatorRequest) -> RequestClaimedError:
        lease_ns = request.claim_expires_ns - self._clock.monotonic_ns()
        ago_s = max(0, self._times.claim_lease_ns - lease_ns) / 1e9
        return RequestClaimedError(f"{request.claimed_by}, {ago_s:.0f} s ago.")

    def _renewed(
        self, request: OperatorRequest, *, told: bool = False
    ) -> OperatorRequest:
        until_ns = self._clock.monotonic_ns() + self._times.claim_lease_ns
        renewed = replace(request, claim_expires_ns=until_ns)
        return self._open.change(renewed, told=told)

    async def _end_claim(self, request: OperatorRequest, reason: str) -> None:
        request_id, epoch = request.request_id, request.claim_epoch

        def mirror(_: datetime) -> None:
            current = self._open.get(request_id)
            if current is not None:
                self._open.change(self._freed(current, epoch))

        try:
            ended = events.ClaimEnded(request_id, epoch, reason)
            await self._keep(ended, then=mirror)
        except (
            RequestClosedError,
            StaleEpochError,
            NotYourClaimError,
            AnswerWaitsError,
        ):
            return  # an answer or another claim was faster, and stands

    @staticmethod
    def _freed(request: OperatorRequest, claim_epoch: int) -> OperatorRequest:
        """The request without this claim; with a newer one, if there is one by now."""
        if request.claim_epoch != claim_epoch:
            return request
        return replace(request, claimed_by=NOBODY, claimed_at=None, claim_expires_ns=0)


def _theirs(request: OperatorRequest, actor: Actor) -> OperatorRequest:
    """What a person holds, in their session: one handed to them begins in none."""
    return replace(request, claimed_session=request.claimed_session or actor.session)
