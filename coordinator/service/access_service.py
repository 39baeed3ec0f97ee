"""AccessService: who is here. Accounts and enrolment come with a later version."""

from __future__ import annotations

from typing import Any, NoReturn

import grpc

from andon.v1 import access_pb2, access_pb2_grpc
from coordinator.errors import NotServedError

Context = grpc.aio.ServicerContext[Any, Any]


class AccessService(access_pb2_grpc.AccessServiceServicer):
    """Before accounts exist: on loopback everybody is an unverified operator."""

    async def WhoAmI(
        self, request: access_pb2.WhoAmIRequest, context: Context
    ) -> access_pb2.WhoAmIResponse:
        """See access.proto."""
        del request, context
        return access_pb2.WhoAmIResponse(
            roles=["operator", "supervisor", "engineer"], verified=False
        )

    async def Login(
        self, request: access_pb2.LoginRequest, context: Context
    ) -> access_pb2.LoginResponse:
        """See access.proto."""
        del request, context
        _not_yet()

    async def Logout(
        self, request: access_pb2.LogoutRequest, context: Context
    ) -> access_pb2.LogoutResponse:
        """See access.proto."""
        del request, context
        _not_yet()

    async def Enrol(
        self, request: access_pb2.EnrolRequest, context: Context
    ) -> access_pb2.EnrolResponse:
        """See access.proto."""
        del request, context
        _not_yet()

    async def RevokeDevice(
        self, request: access_pb2.RevokeDeviceRequest, context: Context
    ) -> access_pb2.RevokeDeviceResponse:
        """See access.proto."""
        del request, context
        _not_yet()


def _not_yet() -> NoReturn:
    raise NotServedError(
        "accounts and devices are not served by this version of andon."
    )
