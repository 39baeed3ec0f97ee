"""What is open, over the store: what every part of the queue rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from coordinator import log
from coordinator.clock import Clock
from coordinator.errors import NotFoundError, StoreError
from coordinator.live.request.mirror import Mirror, Publish
from coordinator.live.request.rules import closed
from coordinator.live.request.views import Views
from coordinator.seams import Store
from coordinator.terms import (
    Actor,
    CellId,
    ClipId,
    Example,
    Family,
    FamilyId,
    OperatorRequest,
    RequestId,
    WindowId,
    events,
)

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
    """

    claim_lease_ns: int
    undo_ns: int = 0


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
    ) -> None:
        self._store = store
        self._clock = clock
        self._family_of = family_of
        self._make_example = make_example
        self._times = times
        self._answered = answered
        self._open = Mirror(clock, publish)
        self.views = Views(store)
        self._given: dict[RequestId, events.AnswerGiven] = {}
        self.last_answer_ns: int | None = None

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

    def due(self) -> list[OperatorRequest]:
        """Return the open requests whose deadline has passed unanswered."""
        return self._open.due()

    def postpone(self, by_ns: int) -> None:
        """Give back the time in which andon itself stood still."""
        self._open.postpone(by_ns)

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
