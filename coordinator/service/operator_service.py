"""OperatorService: what people's clients see and say."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import grpc

from andon.v1 import operator_pb2
from coordinator.errors import InputError
from coordinator.feed import Change, PresenceChanged, Watcher
from coordinator.insight.why import Question
from coordinator.live.request.view import choices, view_digest
from coordinator.service import clips, convert
from coordinator.service.explained import alike, channel_weight, explained, why_on_wire
from coordinator.service.hold_service import HoldCalls
from coordinator.service.identity import caller
from coordinator.service.plant import require_id
from coordinator.service.request_service import RequestCalls
from coordinator.service.words import actor_of, duration, seconds, timestamp
from coordinator.terms import CellStatus, LearningStatus, OperatorRequest, RequestId

Context = grpc.aio.ServicerContext[Any, Any]
TICK_S = 1.0
"""Time without a change after which a watcher is told that the link lives, s."""
MOST_PAGE = 500
USUAL_PAGE = 100


class OperatorService(RequestCalls, HoldCalls):
    """Serves terminals and tablets."""

    # -- seeing ----------------------------------------------------------------------

    async def Watch(  # type: ignore[override]  # writes to the context instead
        self, request: operator_pb2.WatchRequest, context: Context
    ) -> None:
        """See operator.proto."""
        with self._plant.feed.watch() as watcher, self._present(request):
            await context.write(self._snapshot(missed=0))
            while not context.cancelled():
                await context.write(await self._next(watcher))

    def _present(
        self, request: operator_pb2.WatchRequest
    ) -> AbstractContextManager[None]:
        """Count a watcher who can answer; nobody is logged in at a mere board."""
        if caller().accounts and caller().session is None:
            return nullcontext()
        actor = actor_of(request.actor)
        if not request.answering:
            return nullcontext()
        return self._plant.presence.answering(actor)

    async def _next(self, watcher: Watcher) -> operator_pb2.WatchResponse:
        if watcher.missed:
            return self._snapshot(missed=watcher.forget())
        try:
            # not wait_for: on Python 3.11 it may swallow a cancellation
            async with asyncio.timeout(TICK_S):
                change = await watcher.next()
        except TimeoutError:
            now_at = timestamp(self._plant.clock.utc_now())
            return operator_pb2.WatchResponse(tick=operator_pb2.Tick(now_at=now_at))
        return self._changed(change)

    def _changed(self, change: Change) -> operator_pb2.WatchResponse:
        now_ns = self._plant.clock.monotonic_ns()
        match change:
            case CellStatus():
                cell = convert.cell_status(change, now_ns)
                return operator_pb2.WatchResponse(cell=cell)
            case OperatorRequest():
                summary = self._summary(change)
                return operator_pb2.WatchResponse(request=summary)
            case LearningStatus():
                learning = convert.learning_status(change)
                return operator_pb2.WatchResponse(learning=learning)
            case PresenceChanged():
                return operator_pb2.WatchResponse(presence=self._presence())

    def _snapshot(self, *, missed: int) -> operator_pb2.WatchResponse:
        plant = self._plant
        now_ns = plant.clock.monotonic_ns()
        snapshot = operator_pb2.Snapshot(
            cells=[
                convert.cell_status(path.cell.status(), now_ns)
                for path in plant.cells.values()
            ],
            requests=[self._summary(request) for request in plant.requests.all_open()],
            presence=self._presence(),
            learning=[
                convert.learning_status(path.status) for path in plant.learning.values()
            ],
            coordinator=plant.software,
            families=[
                convert.family_info(family, plant.vocabulary.words)
                for family in plant.vocabulary.all()
            ],
        )
        return operator_pb2.WatchResponse(missed=missed, snapshot=snapshot)

    def _presence(self) -> operator_pb2.Presence:
        plant = self._plant
        now_ns = plant.clock.monotonic_ns()
        there = plant.attendance()
        last_ns = plant.requests.last_answer_ns
        return operator_pb2.Presence(
            answering=there.answering,
            people=there.people,
            since_last_answer=None if last_ns is None else duration(now_ns - last_ns),
            nobody=there.nobody,
            load=convert.load(plant.requests.pressure.load()),
        )

    async def GetRequest(
        self, request: operator_pb2.GetRequestRequest, context: Context
    ) -> operator_pb2.GetRequestResponse:
        """See operator.proto."""
        del context
        plant = self._plant
        request_id = RequestId(require_id("request_id", request.request_id))
        if request.actor.person or caller().session is not None:
            await plant.requests.see(request_id, actor_of(request.actor))
        asked = plant.requests.get(request_id) or await plant.store.request(request_id)
        window = await plant.store.window(asked.window_id)
        decided = await plant.store.decision(asked.window_id)
        family = plant.vocabulary.family(asked.family)
        usual = plant.usual.get(asked.family)
        why = await explained(plant, asked, Question(window, decided, family, usual))
        offered = choices(decided.verdict.prediction, family, why.plausible)
        return operator_pb2.GetRequestResponse(
            summary=self._summary(asked),
            window=convert.window(window),
            channels=[convert.channel(c) for c in family.channels],
            verdict=convert.verdict(decided.verdict, decided),
            choices=[convert.choice(c) for c in offered],
            labels=[convert.label(x) for x in family.labels],
            weights=[channel_weight(w) for w in why.weights],
            nearest=await alike(plant, why.nearest),
            why=why_on_wire(why),
            view_digest=view_digest(asked, family, why.digest),
            clip_id=asked.clip_id,
            blind=plant.is_blind(asked),
            view_at_least=seconds(plant.people.least_view_s),
            view_enforced=plant.people.refuse_rash,
        )

    async def ListRequests(
        self, request: operator_pb2.ListRequestsRequest, context: Context
    ) -> operator_pb2.ListRequestsResponse:
        """See operator.proto."""
        del context
        start, size = page(request.page_size, request.page_token)
        found = self._plant.requests.all_open()
        if request.include_ended:
            found += await self._plant.store.ended_requests(start + size + 1)
        more = len(found) > start + size
        return operator_pb2.ListRequestsResponse(
            requests=[self._summary(r) for r in found[start : start + size]],
            next_page_token=str(start + size) if more else "",
        )

    # -- clips ----------------------------------------------------------------------

    async def ListClips(
        self, request: operator_pb2.ListClipsRequest, context: Context
    ) -> operator_pb2.ListClipsResponse:
        """See operator.proto."""
        del context
        start, size = page(request.page_size, request.page_token)
        request_id = request.request_id
        found = await self._plant.clips.all(
            RequestId(require_id("request_id", request_id)) if request_id else None,
            start + size + 1,
        )
        more = len(found) > start + size
        return operator_pb2.ListClipsResponse(
            clips=[clips.info(clip) for clip in found[start : start + size]],
            next_page_token=str(start + size) if more else "",
        )

    async def GetClip(  # type: ignore[override]  # writes to the context instead
        self, request: operator_pb2.GetClipRequest, context: Context
    ) -> None:
        """See operator.proto."""
        await clips.send(self._plant, request, context)


def page(size: int, token: str) -> tuple[int, int]:
    """Return the first item and the number of items of a page.

    Raises:
        InputError: the token is not one of ours.
    """
    if token and not (token.isascii() and token.isdigit() and len(token) < 10):
        raise InputError("start again from the first page.", "BAD_PAGE_TOKEN")
    return int(token or 0), min(size or USUAL_PAGE, MOST_PAGE)
