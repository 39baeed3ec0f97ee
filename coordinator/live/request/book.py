"""What is open, over the store: what every part of the queue rests on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from coordinator import log
from coordinator.clock import Clock
from coordinator.errors import AndonError, NotFoundError, StoreError
from coordinator.live.request.known import KnownShare
from coordinator.live.request.looks import Looks
from coordinator.live.request.mirror import Mirror, Publish
from coordinator.live.request.pressure import Pressure
from coordinator.live.request.rules import closed, extra_ns
from coordinator.live.request.views import Views
from coordinator.seams import Store
from coordinator.terms import (
    Actor,
    CellId,
    ClipId,
    Example,
    Family,
    FamilyId,
    IdempotencyKey,
    OperatorRequest,
    RequestId,
    WindowId,
    events,
)

T = TypeVar("T")

_log = log.get("requests")
FamilyOf = Callable[[FamilyId], Family]
MakeExample = Callable[[OperatorRequest, Actor, str], Example | None]
"""Turns an answer into an example, or refuses it by returning None."""
Answered = Callable[[OperatorRequest, Actor], None]
"""Told of every answer as it becomes final, whoever waits for it."""


def nobody_waits(request: OperatorRequest, actor: Actor) -> None:
    """Tell nobody of a final answer."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long people have.

    Attributes:
        claim_lease_ns: A claim that is not renewed for so long is offered again.
        undo_ns: An answer may be taken back for so long; 0 makes it final at once.
        warning_share: People are warned when so much of the time is left, in [0, 1].
        extra_share: Deadlines get up to so much more, each another part of it, so that
            many do not pass at once; 0 for none.
    """

    claim_lease_ns: int
    undo_ns: int = 0
    warning_share: float = 0.0
    extra_share: float = 0.0


class Book:
    """The open requests. Not thread-safe: it lives on the event loop.

    Methods that commit await the store; whatever they checked before may have changed
    after, so the store's guard is what decides and the mirror follows it.
    """

    def __init__(  # noqa: PLR0913 - collaborators, each named at the call
        self,
        *,
        store: Store,
        clock: Clock,
        publish: Publish,
        family_of: FamilyOf,
        make_example: MakeExample,
        times: Times,
        answered: Answered = nobody_waits,
        pressure: Pressure | None = None,
        known: KnownShare | None = None,
        looks: Looks | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._family_of = family_of
        self._make_example = make_example
        self._times = times
        self._answered = answered
        self.pressure = pressure or Pressure(clock)
        self.known = known or KnownShare()
        self.looks = looks or Looks(clock)
        self._open = Mirror(clock, publish)
        self.views = Views(store)
        self._given: dict[RequestId, events.AnswerGiven] = {}
        self._timed_out: list[OperatorRequest] = []
        self.last_answer_ns: int | None = None

    def all_open(self) -> list[OperatorRequest]:
        """Return the open requests, most urgent first."""
        return self._open.all_open()

    def question_of(self, cell_id: CellId) -> OperatorRequest | None:
        """Return the open question that holds a cell, None if there is none."""
        return self._open.question_of(cell_id)

    def add(self, request: OperatorRequest) -> None:
        """Mirror a request that was just committed."""
        self._open.add(self._spread(request))
        self.pressure.asked(request)
        self.known.raised(request)

    def get(self, request_id: RequestId) -> OperatorRequest | None:
        """Return an open request, None if it is not open."""
        return self._open.get(request_id)

    async def find(self, request_id: RequestId) -> OperatorRequest:
        """Return a request, open or ended; raises NotFoundError."""
        return self._open.get(request_id) or await self._store.request(request_id)

    def has_clip(self, window_id: WindowId, clip_id: ClipId) -> None:
        """Mirror that a window's full-rate recording was just stored."""
        for request in self._open.all_open():
            if request.window_id == window_id:
                self._open.change(replace(request, clip_id=clip_id))

    def due(self) -> list[OperatorRequest]:
        """Return the open requests whose deadline has passed unanswered."""
        return self._open.due()

    def warn(self) -> list[OperatorRequest]:
        """Say once of each request that most of its time has passed; return these."""
        share, now_ns = self._times.warning_share, self._clock.monotonic_ns()
        late = [
            r
            for r in self._open.unwarned()
            if not r.deadline_ns - now_ns > r.time_allowed_ns * share
        ]
        return [self._open.change(replace(r, warned=True)) for r in late]

    def alike_count(self, request: OperatorRequest) -> int:
        """Count the open requests of one cause; 1 for one that stands alone."""
        return max(1, self._open.count_of_cause(request.cause) if request.cause else 1)

    async def look_at_load(self) -> bool:
        """Record what began or ended about the load; return whether anything did."""
        happened = self.pressure.look(self._open.all_open())
        for event in happened:
            _log.warning("load", change=type(event).__name__)
        if happened:
            await self._store.commit(*happened)
        return bool(happened)

    def alike(self, request: OperatorRequest) -> list[OperatorRequest]:
        """Return the open requests of one cause, oldest first; itself when alone."""
        found = self._open.of_cause(request.cause) if request.cause else []
        return found or [request]

    def _spread(self, request: OperatorRequest) -> OperatorRequest:
        """Give a request its share of extra time."""
        more_ns = extra_ns(
            request.request_id, request.time_allowed_ns, self._times.extra_share
        )
        return replace(request, deadline_ns=request.deadline_ns + more_ns)

    def postpone(self, by_ns: int) -> None:
        """Give back the time in which andon itself stood still."""
        self._open.postpone(by_ns)

    async def see(self, request_id: RequestId, actor: Actor) -> None:
        """Note the first look of anybody; a request that ended is left alone.

        Looking is never refused: without a store it is only not on record.
        """
        self.looks.begin(request_id, actor.person)
        request = self._open.get(request_id)
        if request is None or request.seen_at is not None:
            return
        self._open.change(replace(request, seen_at=self._clock.utc_now()))
        try:
            await self._store.commit(events.RequestSeen(request_id, actor))
        except StoreError as error:
            _log.warning("look_not_recorded", request=request_id, text=error.text)

    async def _each(
        self,
        work: Callable[[OperatorRequest], Awaitable[OperatorRequest | None]],
        requests: Sequence[OperatorRequest],
    ) -> list[OperatorRequest]:
        """Do what time demands of several requests; none waits for another that fails.

        They are committed together. What the store did not take is tried again.

        Returns:
            How those stand with which it was done.
        """

        async def tried(request: OperatorRequest) -> OperatorRequest | None:
            try:
                return await work(request)
            except AndonError as error:
                about = {"request": request.request_id, "code": error.code}
                _log.error("request_waits", **about, text=error.text)
                return None

        done = await asyncio.gather(*map(tried, requests))
        return [one for one in done if one is not None]

    async def _keep(
        self,
        *happened: events.Event,
        then: Callable[[datetime], T],
        once: IdempotencyKey | None = None,
        reply: str = "",
    ) -> T:
        """Make events durable, and mirror them; return what the mirror says then.

        They are mirrored when they are durable, also where that comes too late for who
        asked: the queue never differs from the store for longer than a disk is slow.

        Args:
            happened: In order.
            then: Mirrors them, given their time on record; it looks at what is open
                now, not at what was before.
            once: Makes a repeated call harmless.
            reply: What to return to it.
        """
        mirrored: list[T] = []
        await self._store.commit(
            *happened,
            once=once,
            reply=reply,
            then=lambda kept: mirrored.append(then(kept[0].recorded_at)),
        )
        return mirrored[0]

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
        if not request.is_open:
            return self._open.end(request)
        return self._open.get(request_id) or request
