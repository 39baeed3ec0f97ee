"""The one door every call comes through: decode without raising, answer every error.

grpc.aio answers a message it cannot decode with UNKNOWN and the decoder's own text, and
any bug with UNKNOWN and the exception's text. Here the first becomes INVALID_ARGUMENT
and the second INTERNAL with an id, and neither leaks what it should not. Here too it
is found out who calls, and whether they may.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from coordinator import log
from coordinator.errors import AndonError, InputError
from coordinator.service.identity import People
from coordinator.service.status import abort, refuse
from coordinator.terms import new_id

_log = log.get("service")
GONE = (grpc.aio.InternalError, grpc.aio.UsageError)
"""What grpc.aio raises when something is said to a caller who is not there any more."""
MALFORMED = object()
"""Stands for a message that could not be decoded."""

Context = grpc.aio.ServicerContext[Any, Any]


class Edge(grpc.aio.ServerInterceptor):
    """Wraps every method; see the module.

    What a call has begun is carried to its end, even when the caller is gone: a commit
    cannot be taken back, and what follows from it must not depend on a tablet's radio.
    """

    def __init__(self, people: People) -> None:
        self._people = people
        self._under_way: set[asyncio.Task[Any]] = set()

    async def finish(self, within_s: float) -> None:
        """Wait for calls whose callers are gone."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_s)

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails],
            Awaitable[grpc.RpcMethodHandler[Any, Any] | None],
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return the method's handler, guarded; None for an unknown method."""
        handler: Any = await continuation(handler_call_details)
        if handler is None:
            return None
        decode = _undecodable_as_malformed(handler.request_deserializer)
        encode = handler.response_serializer
        method = handler_call_details.method
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(
                self._guard(self._to_the_end(handler.unary_unary), method),
                decode,
                encode,
            )
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(
                self._guard(handler.unary_stream, method), decode, encode
            )
        if handler.stream_unary:
            return grpc.stream_unary_rpc_method_handler(
                self._guard(handler.stream_unary, method), decode, encode
            )
        return grpc.stream_stream_rpc_method_handler(
            self._guard(handler.stream_stream, method), decode, encode
        )

    def _guard(
        self, behaviour: Callable[[Any, Context], Awaitable[Any]], method: str
    ) -> Callable[[Any, Context], Awaitable[Any]]:
        async def guarded(request: Any, context: Context) -> Any:
            try:
                self._people.admit(method, context.invocation_metadata())
                return await behaviour(_decoded(request), context)
            except AndonError as error:
                _log.info("refused", method=method, token=error.code, text=error.text)
                await abort(context, error)
            except grpc.aio.AbortError:
                raise
            except GONE as error:
                _log.debug("caller_gone", method=method, error=type(error).__name__)
                return None
            except Exception:  # noqa: BLE001 - the last door: a bug must not leak
                bug = new_id("err")
                _log.exception("bug", method=method, err_id=bug)
                text = f"INTERNAL: unexpected error, id={bug}"
                await refuse(context, grpc.StatusCode.INTERNAL, "INTERNAL", text)

        return guarded

    def _to_the_end(
        self, behaviour: Callable[[Any, Context], Awaitable[Any]]
    ) -> Callable[[Any, Context], Awaitable[Any]]:
        async def carried(request: Any, context: Context) -> Any:
            async def call() -> Any:
                return await behaviour(request, context)

            task = asyncio.create_task(call())
            self._under_way.add(task)
            task.add_done_callback(self._done)
            return await asyncio.shield(task)

        return carried

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # Whoever still waits hears of it; this keeps the loop from complaining.
            _log.debug("call_ended", error=type(task.exception()).__name__)


def _undecodable_as_malformed(
    decode: Callable[[bytes], Any] | None,
) -> Callable[[bytes], Any]:
    def safe(content: bytes) -> Any:
        if decode is None:
            return content
        try:
            return decode(content)
        except DecodeError:
            return MALFORMED

    return safe


def _decoded(request: Any) -> Any:
    if request is MALFORMED:
        raise InputError("the request could not be decoded.")
    return request
