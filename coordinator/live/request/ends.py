"""How a request ends without an answer: withdrawn, overtaken, or out of time.

A time-out is never an approval: the question goes one level up, the cell stays held.
"""

from __future__ import annotations

from datetime import datetime

from coordinator.errors import AnswerWaitsError, RequestClosedError
from coordinator.live.request.finals import Finals
from coordinator.live.request.known import told_of
from coordinator.live.request.rules import succeeding
from coordinator.terms import (
    Actor,
    IdempotencyKey,
    OperatorRequest,
    Outcome,
    PersonId,
    RequestKind,
    TimeoutOutcome,
    events,
)

EXPIRE_AT_ONCE = 256
"""Requests that are expired together."""


class Ends(Finals):
    """The ends that are no answers."""

    async def end(
        self, request: OperatorRequest, outcome: Outcome, text: str
    ) -> OperatorRequest:
        """End a request without an answer; return how it ended, if that was before.

        An answer that waits stands: it becomes final instead.
        """
        try:
            return await self._keep(
                events.RequestEnded(request.request_id, request.cell_id, outcome, text),
                *told_of(request, said=""),
                then=lambda _: self._mirror_end(request, outcome),
            )
        except RequestClosedError:
            return await self._settled(request.request_id)
        except AnswerWaitsError:
            return await self._finish_given(request)

    async def expire(self, request: OperatorRequest) -> OperatorRequest:
        """Let a passed deadline take its declared outcome.

        A question is raised again one level up; an audit ends. A part is booked as
        rejected when that was declared. The cell's own loop moves the cell.

        Returns:
            The request as it ended: TIMED_OUT, or what was faster; open still, when an
            answer was given in time and waits.
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
        except (RequestClosedError, AnswerWaitsError):
            return await self._settled(request.request_id)

    async def expire_due(self) -> list[OperatorRequest]:
        """Expire what is due, at most EXPIRE_AT_ONCE; return what has ended.

        They are committed together: ten thousand that pass in one second take as many
        transactions as they fill, and everything else goes on in between. What the
        store did not take is still due; what a slow disk took only after its deadline
        is told of by the next call.
        """
        ended = await self._each(self.expire, self._open.due()[:EXPIRE_AT_ONCE])
        known = {one.request_id for one in ended}
        late = [one for one in self._timed_out if one.request_id not in known]
        self._timed_out.clear()
        return [*late, *ended]

    def _mirror_end(
        self, request: OperatorRequest, outcome: Outcome
    ) -> OperatorRequest:
        ended = self._open.ended(request, outcome)
        if outcome is Outcome.TIMED_OUT:
            self._timed_out.append(ended)
        return ended

    async def _succeed(
        self,
        request: OperatorRequest,
        outcome: Outcome,
        text: str,
        *also: events.Event,
        once: IdempotencyKey | None = None,
        disputed_by: tuple[PersonId, ...] = (),
        actor: Actor | None = None,
    ) -> OperatorRequest:
        """End a request and raise it again one level up, in one transaction.

        Of a known case nobody is asked again: its answer is known.
        """
        if request.is_known:
            ended = events.RequestEnded(
                request.request_id, request.cell_id, outcome, text, actor=actor
            )
            return await self._keep(
                ended,
                *told_of(request, said=""),
                *also,
                then=lambda _: self._mirror_end(request, outcome),
                once=once,
                reply=text,
            )
        successor = succeeding(
            request,
            raised_at=self._clock.utc_now(),
            now_ns=self._clock.monotonic_ns(),
            disputed_by=disputed_by,
        )
        ended = events.RequestEnded(
            request.request_id,
            request.cell_id,
            outcome,
            text,
            successor.request_id,
            actor=actor,
        )

        def mirror(_: datetime) -> OperatorRequest:
            ended_as = self._mirror_end(request, outcome)
            self._open.add(self._spread(successor))
            return ended_as

        return await self._keep(
            ended,
            events.RequestOpened(successor),
            *also,
            then=mirror,
            once=once,
            reply=text,
        )
