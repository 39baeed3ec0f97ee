"""Says on every call who is logged in, and notices when nobody is any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import grpc

_HEADER: Final = "authorization"


def nobody_cares() -> None:
    """Do nothing: what is called while nobody wants to know."""


class Bearer(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg,misc,unused-ignore]
    """Carries the token of a login; "" while nobody is logged in."""

    def __init__(self) -> None:
        self.token = ""
        self.refused: Callable[[], None] = nobody_cares

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What a stream is begun with."""
        return ((_HEADER, f"Bearer {self.token}"),) if self.token else ()

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: Any, request: Any
    ) -> Any:
        """See grpc.aio."""
        known = client_call_details
        details = grpc.aio.ClientCallDetails(
            known.method,
            known.timeout,
            grpc.aio.Metadata(*(known.metadata or ()), *self.metadata),
            known.credentials,
            known.wait_for_ready,
        )
        call = await continuation(details, request)
        if await call.code() is grpc.StatusCode.UNAUTHENTICATED:
            self.refused()
        return call
