"""Answers that may still be taken back, and how an answer becomes final.

An answer is durable the moment it is acknowledged. For a short while after that nothing
rests on it: no cell moves, no permit is made, no example is learned, and whoever gave
it may take it back. Then it is final, once, whatever else happened meanwhile: whoever
would end the request in between only makes it final sooner.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from coordinator import log
from coordinator.errors import (
    AlreadyDoneError,
    AndonError,
    NotYourClaimError,
    RequestClosedError,
)
from coordinator.live.request.hands import Hands
from coordinator.live.request.known import told_of
from coordinator.live.request.rules import closed
from coordinator.terms import (
    NOBODY,
    Action,
    Actor,
    IdempotencyKey,
    Label,
    OperatorRequest,
    Outcome,
    RequestId,
    events,
)

_log = log.get("requests")


class Finals(Hands):
    """The answers that wait, and those that do not wait any more."""

    async def load(self) -> None:
        """Take over what is open in the store, all times armed again in full."""
        found = await self._store.open_requests()
        self._open.load([self._spread(request) for request in found])
        for asked in found:
            self.pressure.asked(asked)
        await self.views.load(self._open.all_open())
        now_ns = self._clock.monotonic_ns()
        for given in await self._store.answers_that_wait():
            request = self._open.get(given.answer.request_id)
            if request is not None:
                self._given[request.request_id] = given
                until_ns = now_ns + given.undo_ns
                # Nobody hears of it: those who would are only built after this.
                waits = replace(request, pending_until_ns=until_ns)
                self._open.change(waits, told=False)

    async def undo(
        self, request_id: RequestId, actor: Actor, once: IdempotencyKey
    ) -> OperatorRequest:
        """Take an answer back: the request is open again, under the same claim.

        The time the answer waited is not taken from the deadline. Where one card stood
        for several, taking back what was said of the one shown takes back all, in one
        transaction; the claims on the others, which nobody looks at, are given back.

        Raises:
            NotFoundError: there is no such request.
            RequestClosedError: the answer is final.
            NotYourClaimError: somebody else gave it, or none waits.
        """
        if await self._store.replied(once) is not None:
            return await self._settled(request_id)
        request = await self._require_open(request_id)
        others = self._said_with(request_id, actor)
        try:
            await self._take_back([request, *others], actor, once)
        except AlreadyDoneError:
            return await self._settled(request_id)
        except (RequestClosedError, NotYourClaimError) as error:
            if not others:
                raise await self._why_not(request_id, error) from error
            await self._take_back_each(request, others, actor, once)
        # One that was on its way to the disk before this waits only now; one that
        # comes after it is refused there.
        slower = self._said_with(request_id, actor)
        await self._take_back_all(slower, actor)
        for other in [*others, *slower]:
            await self.let_go(other.request_id, actor, other.claim_epoch)
        return self._open.get(request_id) or await self._settled(request_id)

    def _said_with(self, request_id: RequestId, actor: Actor) -> list[OperatorRequest]:
        """Those of which a person said the same on seeing this one, and that wait."""
        waiting = [given.answer for given in self._given.values()]
        found = (
            self._open.get(answer.request_id)
            for answer in waiting
            if answer.shown == request_id and answer.actor.person == actor.person
        )
        return [request for request in found if request is not None]

    async def _take_back_each(
        self,
        request: OperatorRequest,
        others: Sequence[OperatorRequest],
        actor: Actor,
        once: IdempotencyKey,
    ) -> None:
        """Take back what still waits, where one of several is final already."""
        try:
            await self._take_back([request], actor, once)
        except (RequestClosedError, NotYourClaimError) as error:
            raise await self._why_not(request.request_id, error) from error
        await self._take_back_all(others, actor)

    async def _take_back_all(
        self, requests: Sequence[OperatorRequest], actor: Actor
    ) -> None:
        """Take back each that still waits."""
        for request in requests:
            with suppress(RequestClosedError, NotYourClaimError):
                await self._take_back([request], actor)

    async def _why_not(self, request_id: RequestId, error: AndonError) -> AndonError:
        """Say why an answer is not taken back: when and how the request ended."""
        if not isinstance(error, RequestClosedError):
            return error
        return closed(await self._settled(request_id))

    async def _take_back(
        self,
        requests: Sequence[OperatorRequest],
        actor: Actor,
        once: IdempotencyKey | None = None,
    ) -> None:
        """Open requests again whose answers waited, all of them or none."""
        undone = [events.AnswerUndone(one.request_id, actor) for one in requests]

        def mirror(_: datetime) -> None:
            for request in requests:
                self._mirror_undone(request, actor)

        await self._keep(*undone, then=mirror, once=once, reply="undone")

    def _mirror_undone(self, request: OperatorRequest, actor: Actor) -> None:
        _log.info("answer_undone", request=request.request_id, person=actor.person)
        given = self._given.pop(request.request_id, None)
        current = self._open.get(request.request_id) or request
        waited_ns = 0
        if given is not None:
            left_ns = current.pending_until_ns - self._clock.monotonic_ns()
            waited_ns = max(0, given.undo_ns - left_ns)
        self._renewed(
            replace(
                current,
                pending_label="",
                pending_by=NOBODY,
                pending_until_ns=0,
                deadline_ns=current.deadline_ns + waited_ns,
            ),
            told=True,
        )

    async def make_final(self) -> list[OperatorRequest]:
        """Make final what nobody took back in time; return it, as it ended."""
        now_ns = self._clock.monotonic_ns()
        ripe = [r for r in self._open.pending() if not now_ns < r.pending_until_ns]
        return await self._each(self._finish_given, ripe)

    def _undo_ns(self, label: Label) -> int:
        """How long an answer with this label may be taken back."""
        if label.urgent or label.action is Action.STOP:
            return 0
        return self._times.undo_ns

    def _wait(
        self, request: OperatorRequest, given: events.AnswerGiven
    ) -> OperatorRequest:
        """Mirror an answer that was just committed and may be taken back."""
        self._given[request.request_id] = given
        return self._open.change(
            replace(
                self._open.get(request.request_id) or request,
                pending_label=given.answer.label,
                pending_by=given.answer.actor.person,
                pending_until_ns=self._clock.monotonic_ns() + given.undo_ns,
            )
        )

    async def _finish_given(self, request: OperatorRequest) -> OperatorRequest:
        """Make an answer that waits final; how the request stands then."""
        given = self._given.get(request.request_id)
        if given is None:
            return await self._settled(request.request_id)
        final = replace(given.answer, waited=True)
        try:
            return await self._finish(request, final)
        except (RequestClosedError, NotYourClaimError):
            # somebody was faster: it is final already, or was taken back
            return await self._settled(request.request_id)

    async def _finish(
        self,
        request: OperatorRequest,
        final: events.RequestAnswered,
        once: IdempotencyKey | None = None,
    ) -> OperatorRequest:
        """Commit a final answer with what is learned from it, and tell who waits."""

        def mirror(at: datetime) -> OperatorRequest:
            self._given.pop(final.request_id, None)
            self.last_answer_ns = self._clock.monotonic_ns()
            ended = self._open.end(
                replace(
                    self._open.get(final.request_id) or request,
                    outcome=Outcome.ANSWERED,
                    label=final.label,
                    answered_by=final.actor.person,
                    resolved_at=at,
                    pending_label="",
                    pending_by=NOBODY,
                    pending_until_ns=0,
                )
            )
            self._answered(ended, final.actor)
            return ended

        return await self._keep(
            final,
            *self._learned(request, final),
            then=mirror,
            once=once,
            reply=final.label,
        )

    def _learned(
        self, request: OperatorRequest, final: events.RequestAnswered
    ) -> Sequence[events.Event]:
        if request.is_known:
            return told_of(request, said=final.label)
        if final.shown:
            return ()  # nobody looked at this very evidence
        example = self._make_example(request, final.actor, final.label)
        return () if example is None else (events.ExampleAdded(example),)
