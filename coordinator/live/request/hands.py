"""From hand to hand: a claim given away, a request left to others, an arrival."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from coordinator.errors import (
    AlreadyDoneError,
    RequestClosedError,
)
from coordinator.live.request.claims import Claims
from coordinator.live.request.rules import closed, refuse_pending, require_claim
from coordinator.terms import (
    NO_SESSION,
    Actor,
    IdempotencyKey,
    OperatorRequest,
    PersonId,
    RequestId,
    events,
)


class Hands(Claims):
    """What people do with a request besides answering it."""

    async def arrive(self, request_id: RequestId, actor: Actor) -> OperatorRequest:
        """Note that somebody stands at the cell: the fourth of a request's five times.

        The first arrival counts; later ones change nothing.

        Raises:
            NotFoundError: there is no such request.
            RequestClosedError: it has ended.
        """
        request = await self._require_open(request_id)
        if request.arrived_at is not None:
            return request

        def mirror(at: datetime) -> OperatorRequest:
            current = self._open.get(request_id) or request
            if current.arrived_at is not None:
                return current
            return self._open.change(
                replace(current, arrived_at=at, arrived_by=actor.person)
            )

        try:
            arrived = events.RequestArrived(request_id, actor)
            return await self._keep(arrived, then=mirror)
        except RequestClosedError as error:
            raise closed(await self._settled(request_id)) from error

    async def hand_over(
        self,
        request_id: RequestId,
        actor: Actor,
        claim_epoch: int,
        to: PersonId,
        once: IdempotencyKey,
    ) -> OperatorRequest:
        """Give a claim to a named person, for a lease; raises like release_claim()."""
        if await self._store.replied(once) is not None:
            return await self._settled(request_id)
        request = await self._require_open(request_id)
        require_claim(request, actor, claim_epoch)
        refuse_pending(request, self._clock.monotonic_ns())
        epoch = claim_epoch + 1
        handed = events.ClaimHandedOver(request_id, actor, epoch, to)

        def mirror(at: datetime) -> OperatorRequest:
            now_ns = self._clock.monotonic_ns()
            return self._open.change(
                replace(
                    self._open.get(request_id) or request,
                    claimed_by=to,
                    claim_epoch=epoch,
                    claimed_session=NO_SESSION,  # theirs begins when they look
                    claimed_at=at,
                    claim_expires_ns=now_ns + self._times.claim_lease_ns,
                )
            )

        try:
            return await self._keep(handed, then=mirror, once=once, reply=str(epoch))
        except AlreadyDoneError:
            return await self._settled(request_id)
        except RequestClosedError as error:
            raise closed(await self._settled(request_id)) from error

    async def skip(
        self,
        request_id: RequestId,
        actor: Actor,
        claim_epoch: int,
        once: IdempotencyKey,
    ) -> OperatorRequest:
        """Give a claim back and leave the request to others first.

        Whoever skipped is offered it last, not never. Raises like release_claim().
        """
        if await self._store.replied(once) is not None:
            return await self._settled(request_id)
        request = await self._require_open(request_id)
        require_claim(request, actor, claim_epoch)
        refuse_pending(request, self._clock.monotonic_ns())
        skipped = events.RequestSkipped(request_id, actor, claim_epoch)

        def mirror(_: datetime) -> OperatorRequest:
            current = self._freed(self._open.get(request_id) or request, claim_epoch)
            people = tuple(sorted({*current.skipped_by, actor.person}))
            return self._open.change(replace(current, skipped_by=people))

        try:
            return await self._keep(skipped, then=mirror, once=once, reply="skipped")
        except AlreadyDoneError:
            return await self._settled(request_id)
        except RequestClosedError as error:
            raise closed(await self._settled(request_id)) from error
