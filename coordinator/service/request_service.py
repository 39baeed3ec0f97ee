"""The part of OperatorService that changes a request: claims and answers."""

from __future__ import annotations

from typing import Any

import grpc

from andon.v1 import operator_pb2, operator_pb2_grpc
from coordinator.errors import MissingFieldError
from coordinator.feed import PresenceChanged
from coordinator.live.request import groups
from coordinator.live.request.view import view_digest
from coordinator.service import convert
from coordinator.service.identity import require_taker
from coordinator.service.plant import Plant, require_id
from coordinator.service.status import sentence
from coordinator.service.words import (
    actor_of,
    clean,
    clean_note,
    duration,
    once_of,
    to_wire,
)
from coordinator.terms import Digest, OperatorRequest, PersonId, RequestId

Context = grpc.aio.ServicerContext[Any, Any]


class RequestCalls(operator_pb2_grpc.OperatorServiceServicer):
    """What people do with a request."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

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
                plant.cells[ended.cell_id].tick()
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
            first_label=clean("first_label", request.first_label),
        )
        # Nothing ran since the answer was taken: the cell still stands as it stood.
        path = plant.cells.get(answered.cell_id)
        plant.feed.publish(PresenceChanged())
        said = answered.label or answered.pending_label  # "" for the first of two
        label = plant.vocabulary.family(answered.family).label(said)
        return operator_pb2.AnswerResponse(
            summary=self._summary(answered),
            correction=bool(answered.guess and said) and answered.guess != said,
            action=to_wire(None if label is None else label.action),
            undo_within=duration(self._undo_left_ns(answered)),
            cell_moves_on=(
                path is not None and bool(said) and path.waits_for(answered)
            ),
            needs_second=answered.is_open and not answered.is_pending,
        )

    async def UndoAnswer(
        self, request: operator_pb2.UndoAnswerRequest, context: Context
    ) -> operator_pb2.UndoAnswerResponse:
        """See operator.proto."""
        del context
        opened = await self._plant.requests.undo(
            RequestId(require_id("request_id", request.request_id)),
            actor_of(request.actor),
            once_of(request),
        )
        return operator_pb2.UndoAnswerResponse(summary=self._summary(opened))

    async def Arrive(
        self, request: operator_pb2.ArriveRequest, context: Context
    ) -> operator_pb2.ArriveResponse:
        """See operator.proto."""
        del context
        arrived = await self._plant.requests.arrive(
            RequestId(require_id("request_id", request.request_id)),
            actor_of(request.actor),
        )
        return operator_pb2.ArriveResponse(summary=self._summary(arrived))

    async def HandOver(
        self, request: operator_pb2.HandOverRequest, context: Context
    ) -> operator_pb2.HandOverResponse:
        """See operator.proto."""
        del context
        to = clean("to_person", request.to_person).strip()
        if not to:
            raise MissingFieldError("to_person is required.")
        plant, once = self._plant, once_of(request)
        request_id = RequestId(require_id("request_id", request.request_id))
        if await plant.store.replied(once) is None:
            asked = await plant.requests.find(request_id)
            require_taker(plant.people.accounts, to, asked)
        handed = await plant.requests.hand_over(
            request_id, actor_of(request.actor), request.claim_epoch, PersonId(to), once
        )
        return operator_pb2.HandOverResponse(summary=self._summary(handed))

    async def Skip(
        self, request: operator_pb2.SkipRequest, context: Context
    ) -> operator_pb2.SkipResponse:
        """See operator.proto."""
        del context
        skipped = await self._plant.requests.skip(
            RequestId(require_id("request_id", request.request_id)),
            actor_of(request.actor),
            request.claim_epoch,
            once_of(request),
        )
        return operator_pb2.SkipResponse(summary=self._summary(skipped))

    async def GetGroup(
        self, request: operator_pb2.GetGroupRequest, context: Context
    ) -> operator_pb2.GetGroupResponse:
        """See operator.proto."""
        del context
        plant = self._plant
        asked = await plant.requests.find(
            RequestId(require_id("request_id", request.request_id))
        )
        family = plant.vocabulary.family(asked.family)
        blind = plant.is_blind(asked)
        alike = [
            one
            for one in ([asked] if blind else plant.requests.alike(asked))
            if blind or not plant.is_blind(one)
        ]
        return operator_pb2.GetGroupResponse(
            group_id="" if blind else asked.cause,
            members=[
                operator_pb2.GroupMember(
                    summary=self._summary(one), view_digest=view_digest(one, family)
                )
                for one in groups.of_one_card(asked, alike)
            ],
        )

    async def AnswerGroup(
        self, request: operator_pb2.AnswerGroupRequest, context: Context
    ) -> operator_pb2.AnswerGroupResponse:
        """See operator.proto."""
        del context
        if not request.label:
            raise MissingFieldError("label is required.")
        shown = require_id("shown_request_id", request.shown_request_id)
        results = await groups.answer_group(
            self._plant.requests,
            groups.GroupAnswer(
                actor=actor_of(request.actor),
                label=request.label,
                shown=RequestId(shown),
                members=[
                    groups.Member(
                        RequestId(require_id("request_id", member.request_id)),
                        Digest(member.view_digest),
                    )
                    for member in request.members
                ],
                once=once_of(request),
                note=clean_note(request.note),
                claim_epoch=request.claim_epoch,
            ),
            blind=self._plant.is_blind,
            waits=self._waits,
        )
        self._plant.feed.publish(PresenceChanged())
        return operator_pb2.AnswerGroupResponse(
            results=[self._result(result) for result in results]
        )

    def _result(self, result: groups.Result) -> operator_pb2.MemberResult:
        request, refused = result.request, result.refused
        summary = (
            operator_pb2.RequestSummary(request_id=result.request_id)
            if request is None
            else self._summary(request)
        )
        return operator_pb2.MemberResult(
            summary=summary,
            taken=refused is None,
            token="" if refused is None else refused.code,
            text="" if refused is None else sentence(refused),
            undo_within=duration(0 if request is None else self._undo_left_ns(request)),
        )

    def _waits(self, request: OperatorRequest) -> bool:
        path = self._plant.cells.get(request.cell_id)
        return path is not None and path.waits_for(request)

    def _undo_left_ns(self, request: OperatorRequest) -> int:
        if not request.is_pending:
            return 0
        return max(0, request.pending_until_ns - self._plant.clock.monotonic_ns())

    def _summary(self, request: OperatorRequest) -> operator_pb2.RequestSummary:
        return convert.request_summary(
            request,
            self._plant.clock.monotonic_ns(),
            alike=self._plant.requests.alike_count(request),
            blind=self._plant.is_blind(request),
        )
