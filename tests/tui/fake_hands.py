"""What the fake coordinator does from hand to hand: arrive, skip, give, one cause."""

from __future__ import annotations

import time
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from andon.v1 import operator_pb2
from tests.tui.fake_state import FakeState, duration

Context = grpc.aio.ServicerContext[Any, Any]
CONFLICT = grpc.StatusCode.FAILED_PRECONDITION


async def refuse(
    context: Context, token: str, text: str, code: grpc.StatusCode = CONFLICT
) -> NoReturn:
    """End the call as the coordinator does: one sentence and an ErrorInfo."""
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=token, domain="andon"))
    status = status_pb2.Status(code=code.value[0], message=text, details=[detail])
    await context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort returned")


class FakeHands(FakeState):
    """Mixed into the coordinator, which keeps claims and epochs."""

    _find: Any
    _open: Any
    _mine: Any
    _same: Any
    _keep: Any
    _take: Any
    only_supervisors: bool = False

    async def Arrive(
        self, request: operator_pb2.ArriveRequest, context: Context
    ) -> operator_pb2.ArriveResponse:
        self.calls.append(f"arrive {request.request_id}")
        asked = await self._open(request.request_id, context)
        asked.summary.arrived_by = asked.summary.arrived_by or request.actor.person
        self.changed(asked)
        return operator_pb2.ArriveResponse(summary=self.summary(asked))

    async def HandOver(
        self, request: operator_pb2.HandOverRequest, context: Context
    ) -> operator_pb2.HandOverResponse:
        self.calls.append(f"give {request.request_id} {request.to_person}")
        await self._role(context)
        asked = await self._mine(request, context)
        asked.summary.claimed_by = request.to_person
        asked.summary.claim_epoch += 1
        asked.claim_until_s = time.monotonic() + self.lease_s
        self.changed(asked)
        return operator_pb2.HandOverResponse(summary=self.summary(asked))

    async def Skip(
        self, request: operator_pb2.SkipRequest, context: Context
    ) -> operator_pb2.SkipResponse:
        self.calls.append(f"skip {request.request_id}")
        await self._role(context)
        asked = await self._mine(request, context)
        asked.summary.claimed_by = ""
        asked.summary.skipped_by.append(request.actor.person)
        self.changed(asked)
        return operator_pb2.SkipResponse(summary=self.summary(asked))

    async def _role(self, context: Context) -> None:
        if self.only_supervisors:
            text = "ROLE_REQUIRED: this needs a supervisor. Ask one."
            code = grpc.StatusCode.PERMISSION_DENIED
            await refuse(context, "ROLE_REQUIRED", text, code)

    def cause(self, *request_ids: str, cause: str = "g-1") -> None:
        """Let these have been asked for one cause."""
        for request_id in request_ids:
            summary = self.requests[request_id].summary
            summary.group_id, summary.group_size = cause, len(request_ids)
            self.changed(self.requests[request_id])

    def scene_moves(self, request_id: str) -> None:
        """Let a request show something else from now on."""
        self.requests[request_id].response.view_digest = "0" * 64

    async def GetGroup(
        self, request: operator_pb2.GetGroupRequest, context: Context
    ) -> operator_pb2.GetGroupResponse:
        self.calls.append(f"group {request.request_id}")
        asked = await self._find(request.request_id, context)
        cause = asked.summary.group_id
        members = [
            one
            for one in self.requests.values()
            if not one.summary.outcome and cause and one.summary.group_id == cause
        ]
        return operator_pb2.GetGroupResponse(
            group_id=cause,
            members=[
                operator_pb2.GroupMember(
                    summary=self.summary(one), view_digest=one.response.view_digest
                )
                for one in members
            ],
        )

    async def AnswerGroup(
        self, request: operator_pb2.AnswerGroupRequest, context: Context
    ) -> operator_pb2.AnswerGroupResponse:
        ids = " ".join(member.request_id for member in request.members)
        self.calls.append(f"answer all {request.label}: {ids}")
        reply: operator_pb2.AnswerGroupResponse | None
        reply = await self._same(request, context)
        if reply is None:
            reply = operator_pb2.AnswerGroupResponse(results=self._say_all(request))
            self._keep(request, reply)
        if self.lose_replies > 0:
            self.lose_replies -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")
        return reply

    def _say_all(
        self, request: operator_pb2.AnswerGroupRequest
    ) -> list[operator_pb2.MemberResult]:
        """The shown one first; when it is refused, nothing is said of the others."""
        members = {member.request_id: member for member in request.members}
        shown = self._say(request, members[request.shown_request_id])
        alone = "LOOK_ALONE"
        text = f"{alone}: the one that was shown was refused. Look at this one."
        return [
            shown
            if request_id == request.shown_request_id
            else self._say(request, member)
            if shown.taken
            else operator_pb2.MemberResult(
                summary=self.summary(self.requests[request_id]),
                token=alone,
                text=text,
            )
            for request_id, member in members.items()
        ]

    def _say(
        self,
        request: operator_pb2.AnswerGroupRequest,
        member: operator_pb2.MemberAnswer,
    ) -> operator_pb2.MemberResult:
        asked, person = self.requests[member.request_id], request.actor.person
        summary = asked.summary
        if summary.outcome:
            token, text = "REQUEST_CLOSED", f"{summary.answered_by} ended it."
        elif summary.claimed_by not in {"", person}:
            token, text = "CLAIMED_BY", f"{summary.claimed_by} is at it."
        elif member.view_digest != asked.response.view_digest:
            token, text = "VIEW_CHANGED", "The scene is not the one it was."
        else:
            summary.claimed_by = person
            self._take(
                operator_pb2.AnswerRequest(
                    request_id=member.request_id,
                    actor=request.actor,
                    label=request.label,
                ),
                asked,
            )
            return operator_pb2.MemberResult(
                summary=self.summary(asked),
                taken=True,
                undo_within=duration(self.undo_s),
            )
        return operator_pb2.MemberResult(
            summary=self.summary(asked), token=token, text=f"{token}: {text}"
        )
