"""The open questions of all cells: who holds which, until when, and how they end.

Every change is durable before it is acknowledged, and every request ends exactly once:
the store's guards decide races, this queue only mirrors what was committed. A time-out
is never an approval: the question goes one level up and the cell stays held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from coordinator import log
from coordinator.clock import Clock
from coordinator.errors import (
    AlreadyDoneError,
    NotFoundError,
    NotYourClaimError,
    RequestClaimedError,
    RequestClosedError,
    StaleEpochError,
    StoreError,
    UnknownLabelError,
    ViewChangedError,
)
from coordinator.live.request.mirror import Mirror, Publish
from coordinator.live.request.rules import closed, require_claim, succeeding
from coordinator.live.request.views import Views
from coordinator.seams import Store
from coordinator.terms import (
    NOBODY,
    Actor,
    CellId,
    ClipId,
    Digest,
    Example,
    Family,
    FamilyId,
    IdempotencyKey,
    OperatorRequest,
    Outcome,
    RequestId,
    RequestKind,
    TimeoutOutcome,
    WindowId,
    events,
)

_log = log.get("requests")
FamilyOf = Callable[[FamilyId], Family]
MakeExample = Callable[[OperatorRequest, Actor, str], Example | None]
"""Turns an answer into an example, or refuses it by returning None."""


class RequestQueue:
    """All open requests. Not thread-safe: it lives on the event loop.

    Methods that commit await the store; whatever they checked before may have changed
    after, so the store's guard is what decides and the mirror follows it.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        publish: Publish,
        family_of: FamilyOf,
        make_example: MakeExample,
        claim_lease_ns: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._family_of = family_of
        self._make_example = make_example
        self._claim_lease_ns = claim_lease_ns
        self._open = Mirror(clock, publish)
        self.views = Views(store)
        self.last_answer_ns: int | None = None

    async def load(self) -> None:
        """Take over what is open in the store, deadlines armed again in full."""
        self._open.load(await self._store.open_requests())
        await self.views.load(self._open.all_open())

    def all_open(self) -> list[OperatorRequest]:
        """Return the open requests, most urgent first."""
        return self._open.all_open()

    def question_of(self, cell_id: CellId) -> OperatorRequest | None:
        """Return the open question that holds a cell, None if there is none."""
        return self._open.question_of(cell_id)

    def add(self, request: OperatorRequest) -> None:
        """Mirror a request that was just committed."""
        self._open.add(request)

    def get(self, request_id: RequestId) -> OperatorRequest | None:
        """Return an open request, None if it is not open."""
        return self._open.get(request_id)

    def has_clip(self, window_id: WindowId, clip_id: ClipId) -> None:
        """Mirror that a window's full-rate recording was just stored."""
        for request in self._open.all_open():
            if request.window_id == window_id:
                self._open.change(replace(request, clip_id=clip_id))

    async def see(self, request_id: RequestId, actor: Actor) -> None:
        """Note the first look of anybody; a request that ended is left alone.

        Looking is never refused: without a store it is only not on record.
        """
        request = self._open.get(request_id)
        if request is None or request.seen_at is not None:
            return
        self._open.change(replace(request, seen_at=self._clock.utc_now()))
        try:
            await self._store.commit(events.RequestSeen(request_id, actor))
        except StoreError as error:
            _log.warning("look_not_recorded", request=request_id, text=error.text)

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
            RequestClaimedError: somebody else holds it and take_over was not asked.
        """
        request = await self._require_open(request_id)
        if request.claimed_by == actor.person:
            return self._renewed(request)
        if request.claimed_by and not take_over:
            raise self._claimed(request)
        epoch = request.claim_epoch + 1
        claimed = events.RequestClaimed(
            request_id, actor, epoch, taken_from=request.claimed_by
        )
        try:
            await self._store.commit(claimed, once=once, reply=str(epoch))
        except AlreadyDoneError as done:
            current = await self._require_open(request_id)
            return replace(current, claim_epoch=int(done.reply))
        except RequestClosedError as error:
            raise closed(await self._settled(request_id)) from error
        except StaleEpochError as error:
            current = await self._require_open(request_id)
            if current.claimed_by == actor.person:
                return self._renewed(current)
            raise self._claimed(current) from error
        now_ns = self._clock.monotonic_ns()
        return self._open.change(
            replace(
                self._open.get(request_id) or request,
                claimed_by=actor.person,
                claim_epoch=epoch,
                claimed_at=self._clock.utc_now(),
                claim_expires_ns=now_ns + self._claim_lease_ns,
                seen_at=request.seen_at or self._clock.utc_now(),
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
        """Give a claim back; raises like answer()."""
        request = await self._require_open(request_id)
        require_claim(request, actor, claim_epoch)
        await self._end_claim(request, f"given back by {actor.person}")

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

        Raises:
            NotFoundError: there is no such request.
            RequestClosedError: it has ended; says how and when.
            NotYourClaimError: this person does not hold the claim.
            StaleEpochError: the claim is older than the current one.
            ViewChangedError: what was shown is not what is asked now.
            UnknownLabelError: the family has no such label.
            KeyReusedError: the key was used with other content.
        """
        if await self._store.replied(once) is not None:
            return await self._settled(request_id)
        request = await self._require_open(request_id)
        require_claim(request, actor, claim_epoch)
        family = self._family_of(request.family)
        if not self.views.fits(view, request, family):
            raise ViewChangedError("the question changed. Look again.")
        if family.label(label) is None:
            known = ", ".join(family.label_names)
            raise UnknownLabelError(f"'{label[:40]}', known: {known}.")
        answered = events.RequestAnswered(
            request_id=request_id,
            cell_id=request.cell_id,
            actor=actor,
            claim_epoch=claim_epoch,
            label=label,
            correction=bool(request.guess) and request.guess != label,
            view_digest=view,
            note=note,
        )
        example = self._make_example(request, actor, label)
        learned = () if example is None else (events.ExampleAdded(example),)
        try:
            await self._store.commit(answered, *learned, once=once, reply=label)
        except AlreadyDoneError:
            return await self._settled(request_id)
        except RequestClosedError as error:
            raise closed(await self._settled(request_id)) from error
        self.last_answer_ns = self._clock.monotonic_ns()
        return self._open.end(
            replace(
                self._open.get(request_id) or request,
                outcome=Outcome.ANSWERED,
                label=label,
                answered_by=actor.person,
                resolved_at=self._clock.utc_now(),
            )
        )

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
        require_claim(request, actor, claim_epoch)
        text = f"{actor.person} cannot tell."
        try:
            return await self._succeed(request, Outcome.SUPERSEDED, text, once=once)
        except AlreadyDoneError:
            return await self._settled(request_id)
        except RequestClosedError as error:
            raise closed(await self._settled(request_id)) from error

    async def end(
        self, request: OperatorRequest, outcome: Outcome, text: str
    ) -> OperatorRequest:
        """End a request without an answer; return how it ended, if that was before."""
        try:
            await self._store.commit(
                events.RequestEnded(request.request_id, request.cell_id, outcome, text)
            )
        except RequestClosedError:
            return await self._settled(request.request_id)
        return self._open.ended(request, outcome)

    async def expire(self, request: OperatorRequest) -> OperatorRequest:
        """Let a passed deadline take its declared outcome.

        A question is raised again one level up; an audit ends. A part is booked as
        rejected when that was declared. The cell's own loop moves the cell.

        Returns:
            The request as it ended: TIMED_OUT, or what was faster.
        """
        if request.kind is RequestKind.AUDIT:
            return await self.end(request, Outcome.TIMED_OUT, "nobody looked in time.")
        booked = (
            (
                events.PartRejected(
                    request.cell_id, request.cycle, request.part_id, request.request_id
                ),
            )
            if request.on_timeout is TimeoutOutcome.REJECT
            else ()
        )
        try:
            return await self._succeed(
                request, Outcome.TIMED_OUT, "nobody answered in time.", *booked
            )
        except RequestClosedError:
            return await self._settled(request.request_id)

    def due(self) -> list[OperatorRequest]:
        """Return the open requests whose deadline has passed."""
        return self._open.due()

    def postpone(self, by_ns: int) -> None:
        """Give back the time in which andon itself stood still."""
        self._open.postpone(by_ns)

    async def end_lapsed_claims(self) -> None:
        """Offer again what a holder stopped looking at."""
        for request in self._open.lapsed():
            await self._end_claim(request, "the claim's lease ran out")

    async def _succeed(
        self,
        request: OperatorRequest,
        outcome: Outcome,
        text: str,
        *also: events.Event,
        once: IdempotencyKey | None = None,
    ) -> OperatorRequest:
        successor = succeeding(
            request,
            raised_at=self._clock.utc_now(),
            now_ns=self._clock.monotonic_ns(),
        )
        ended = events.RequestEnded(
            request.request_id, request.cell_id, outcome, text, successor.request_id
        )
        await self._store.commit(
            ended, events.RequestOpened(successor), *also, once=once, reply=text
        )
        ended_as = self._open.ended(request, outcome)
        self._open.add(successor)
        return ended_as

    async def _require_open(self, request_id: RequestId) -> OperatorRequest:
        request = self._open.get(request_id)
        if request is not None:
            return request
        ended = await self._store.request(request_id)
        if ended.is_open:
            raise NotFoundError(f"request {request_id} is not served here.")
        raise closed(ended)

    async def _settled(self, request_id: RequestId) -> OperatorRequest:
        """Return a request as the store has it; the mirror follows if it ended."""
        request = await self._store.request(request_id)
        return request if request.is_open else self._open.end(request)

    def _claimed(self, request: OperatorRequest) -> RequestClaimedError:
        lease_ns = request.claim_expires_ns - self._clock.monotonic_ns()
        ago_s = max(0, self._claim_lease_ns - lease_ns) / 1e9
        return RequestClaimedError(f"{request.claimed_by}, {ago_s:.0f} s ago.")

    def _renewed(self, request: OperatorRequest) -> OperatorRequest:
        now_ns = self._clock.monotonic_ns()
        renewed = replace(request, claim_expires_ns=now_ns + self._claim_lease_ns)
        return self._open.change(renewed, told=False)

    async def _end_claim(self, request: OperatorRequest, reason: str) -> None:
        try:
            await self._store.commit(
                events.ClaimEnded(request.request_id, request.claim_epoch, reason)
            )
        except (RequestClosedError, StaleEpochError, NotYourClaimError):
            return  # an answer or another claim was faster, and stands
        current = self._open.get(request.request_id)
        if current is not None and current.claim_epoch == request.claim_epoch:
            self._open.change(
                replace(current, claimed_by=NOBODY, claimed_at=None, claim_expires_ns=0)
            )
