"""OperatorService: what people's clients see and say."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any

import grpc

from andon.v1 import operator_pb2, operator_pb2_grpc
from coordinator.errors import (
    AndonError,
    InputError,
    MissingFieldError,
    NotServedError,
)
from coordinator.feed import Change, PresenceChanged, Watcher
from coordinator.live.cell import control
from coordinator.live.request.view import channel_weights, choices, view_digest
from coordinator.service import clips, convert
from coordinator.service.plant import Plant, require_id
from coordinator.service.words import (
    actor_of,
    clean_note,
    duration,
    known,
    once_of,
    timestamp,
    to_wire,
)
from coordinator.terms import (
    Action,
    Actor,
    CellStatus,
    Digest,
    HoldReason,
    LearningStatus,
    OperatorRequest,
    RequestId,
)

Context = grpc.aio.ServicerContext[Any, Any]
TICK_S = 1.0
"""Time without a change after which a watcher is told that the link lives, s."""
MOST_PAGE = 500
USUAL_PAGE = 100


class OperatorService(operator_pb2_grpc.OperatorServiceServicer):
    """Serves terminals and tablets."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    # -- seeing ----------------------------------------------------------------------

    async def Watch(  # type: ignore[override]  # writes to the context instead
        self, request: operator_pb2.WatchRequest, context: Context
    ) -> None:
        """See operator.proto."""
        actor = actor_of(request.actor)
        presence = self._plant.presence
        present = presence.answering(actor) if request.answering else nullcontext()
        with self._plant.feed.watch() as watcher, present:
            await context.write(self._snapshot(missed=0))
            while not context.cancelled():
                await context.write(await self._next(watcher))

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
                summary = convert.request_summary(change, now_ns)
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
            requests=[
                convert.request_summary(request, now_ns)
                for request in plant.requests.all_open()
            ],
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
        )

    async def GetRequest(
        self, request: operator_pb2.GetRequestRequest, context: Context
    ) -> operator_pb2.GetRequestResponse:
        """See operator.proto."""
        del context
        plant = self._plant
        request_id = RequestId(require_id("request_id", request.request_id))
        if request.actor.person:
            await plant.requests.see(request_id, actor_of(request.actor))
        asked = plant.requests.get(request_id) or await plant.store.request(request_id)
        window = await plant.store.window(asked.window_id)
        decided = await plant.store.decision(asked.window_id)
        family = plant.vocabulary.family(asked.family)
        offered = choices(decided.verdict.prediction, family)
        weights = channel_weights(window, plant.usual.get(asked.family), family)
        return operator_pb2.GetRequestResponse(
            summary=convert.request_summary(asked, plant.clock.monotonic_ns()),
            window=convert.window(window),
            channels=[convert.channel(c) for c in family.channels],
            verdict=convert.verdict(decided.verdict, decided),
            choices=[convert.choice(c) for c in offered],
            labels=[convert.label(x) for x in family.labels],
            weights=[convert.channel_weight(w) for w in weights],
            view_digest=view_digest(asked, family),
            clip_id=asked.clip_id,
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
        now_ns = self._plant.clock.monotonic_ns()
        more = len(found) > start + size
        return operator_pb2.ListRequestsResponse(
            requests=[
                convert.request_summary(r, now_ns) for r in found[start : start + size]
            ],
            next_page_token=str(start + size) if more else "",
        )

    # -- a request -------------------------------------------------------------------

    async def Claim(
        self, request: operator_pb2.ClaimRequest, context: Context
    ) -> operator_pb2.ClaimResponse:
        """See operator.proto."""
        del context
        claimed = await self._plant.requests.claim(
            RequestId(require_id("request_id", request.request_id)),
            actor_of(request.actor),
            once_of(request),
            take_over=request.take_over,
        )
        return operator_pb2.ClaimResponse(
            claim_epoch=claimed.claim_epoch,
            lease=duration(self._plant.claim_lease_ns),
            summary=self._summary(claimed),
        )

    async def RenewClaim(
        self, request: operator_pb2.RenewClaimRequest, context: Context
    ) -> operator_pb2.RenewClaimResponse:
        """See operator.proto."""
        del context
        await self._plant.requests.renew(
            RequestId(require_id("request_id", request.request_id)),
            actor_of(request.actor),
            request.claim_epoch,
        )
        lease = duration(self._plant.claim_lease_ns)
        return operator_pb2.RenewClaimResponse(lease=lease)

    async def ReleaseClaim(
        self, request: operator_pb2.ReleaseClaimRequest, context: Context
    ) -> operator_pb2.ReleaseClaimResponse:
        """See operator.proto."""
        del context
        await self._plant.requests.release_claim(
            RequestId(require_id("request_id", request.request_id)),
            actor_of(request.actor),
            request.claim_epoch,
        )
        return operator_pb2.ReleaseClaimResponse()

    async def Answer(
        self, request: operator_pb2.AnswerRequest, context: Context
    ) -> operator_pb2.AnswerResponse:
        """See operator.proto."""
        del context
        plant = self._plant
        request_id = RequestId(require_id("request_id", request.request_id))
        actor, once = actor_of(request.actor), once_of(request)
        note = clean_note(request.note)
        if request.cannot_tell:
            ended = await plant.requests.pass_on(
                request_id, actor, request.claim_epoch, once
            )
            if ended.cell_id in plant.cells:
                plant.cells[ended.cell_id].inbox.post(control.Tick())
            return operator_pb2.AnswerResponse(summary=self._summary(ended))
        if not request.label:
            raise MissingFieldError("label is required.")
        answered = await plant.requests.answer(
            request_id,
            actor,
            claim_epoch=request.claim_epoch,
            label=request.label,
            view=Digest(request.view_digest),
            once=once,
            note=note,
        )
        moves_on = self._carry_out(answered, actor)
        plant.feed.publish(PresenceChanged())
        label = plant.vocabulary.family(answered.family).label(answered.label)
        return operator_pb2.AnswerResponse(
            summary=self._summary(answered),
            correction=bool(answered.guess) and answered.guess != answered.label,
            action=to_wire(None if label is None else label.action),
            undo_within=duration(0),
            cell_moves_on=moves_on,
        )

    def _carry_out(self, answered: OperatorRequest, actor: Actor) -> bool:
        """Tell whoever waits for an answer; return whether the cell does.

        Neither the cell nor the family has to be configured any more.
        """
        teacher = self._plant.learning.get(answered.family)
        if teacher is not None:
            teacher.note_example()
        path = self._plant.cells.get(answered.cell_id)
        if path is None:
            return False
        moves_on = path.waits_for(answered)
        path.inbox.post(control.Answered(answered, actor))
        return moves_on

    async def UndoAnswer(
        self, request: operator_pb2.UndoAnswerRequest, context: Context
    ) -> operator_pb2.UndoAnswerResponse:
        """See operator.proto."""
        del request, context
        raise NotServedError("answers are final in this version of andon.")

    # -- a cell ----------------------------------------------------------------------

    async def Hold(
        self, request: operator_pb2.HoldRequest, context: Context
    ) -> operator_pb2.HoldResponse:
        """See operator.proto. Nothing about the call but an unknown cell refuses it."""
        del context
        plant = self._plant
        chosen = (
            [plant.cell(request.cell_id)]
            if request.cell_id
            else list(plant.cells.values())
        )
        actor, note = _whoever(request)
        for path in chosen:
            path.hold(HoldReason.OPERATOR_HOLD, f"held by {actor.person}{note}.", actor)
        recorded = True
        for written in [path.recorded() for path in chosen]:
            try:
                await written
            except AndonError:
                recorded = False
        return operator_pb2.HoldResponse(
            cells=[path.cell.cell_id for path in chosen], recorded=recorded
        )

    async def ReleaseHold(
        self, request: operator_pb2.ReleaseHoldRequest, context: Context
    ) -> operator_pb2.ReleaseHoldResponse:
        """See operator.proto."""
        del context
        path = self._plant.cell(request.cell_id)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        release = control.Release(
            actor=actor_of(request.actor),
            seen=known(HoldReason, "expected_reason", request.expected_reason),
            disposition=known(Action, "disposition", request.disposition),
            note=clean_note(request.note),
            once=once_of(request),
            done=done,
        )
        path.inbox.post(release)
        await done
        return operator_pb2.ReleaseHoldResponse(cell=self._status(path.cell.status()))

    async def SetMaintenance(
        self, request: operator_pb2.SetMaintenanceRequest, context: Context
    ) -> operator_pb2.SetMaintenanceResponse:
        """See operator.proto."""
        del context
        path = self._plant.cell(request.cell_id)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        change = control.Maintenance(
            actor=actor_of(request.actor),
            on=request.maintenance,
            note=clean_note(request.note),
            once=once_of(request),
            done=done,
        )
        path.inbox.post(change)
        await done
        status = self._status(path.cell.status())
        return operator_pb2.SetMaintenanceResponse(cell=status)

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

    def _summary(self, request: OperatorRequest) -> operator_pb2.RequestSummary:
        return convert.request_summary(request, self._plant.clock.monotonic_ns())

    def _status(self, status: CellStatus) -> operator_pb2.CellStatus:
        return convert.cell_status(status, self._plant.clock.monotonic_ns())


def page(size: int, token: str) -> tuple[int, int]:
    """Return the first item and the number of items of a page.

    Raises:
        InputError: the token is not one of ours.
    """
    if token and not (token.isascii() and token.isdigit() and len(token) < 10):
        raise InputError("start again from the first page.", "BAD_PAGE_TOKEN")
    return int(token or 0), min(size or USUAL_PAGE, MOST_PAGE)


def _whoever(request: operator_pb2.HoldRequest) -> tuple[Actor, str]:
    """A hold is taken from anybody, with whatever name and note can be kept."""
    try:
        actor = actor_of(request.actor)
        note = clean_note(request.note)
    except InputError:
        return actor_of(operator_pb2.Actor(person="somebody")), ""
    return actor, f": {note}" if note else ""
