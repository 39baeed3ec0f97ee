"""What the fake coordinator does from hand to hand: arrive, skip, give, one cause."""

from __future__ import annotations

import time
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from andon.v1 import operator_pb2
from tests.tui.fake_state import FakeState

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
