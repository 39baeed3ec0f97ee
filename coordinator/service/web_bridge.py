"""Carries a browser's calls to the own gRPC server, byte for byte.

A browser cannot speak gRPC, so a tablet speaks gRPC-Web. The bridge knows no message
and decides nothing: it dials the coordinator like any other client, so that identity,
roles and journal are the same code for everybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import grpc

from coordinator.errors import InputError, OverloadedError
from coordinator.service import web_frames
from coordinator.service.web_places import Manner, Places, address_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CARRIED: Final = "andon.carried"
"""Key of a scope whose request has become a call: it is counted, and may stay."""
LARGEST_REQUEST: Final = 256 << 10
"""Bytes of a request; a tablet sends answers, not recordings."""
BODY_WITHIN_S: Final = 10.0
"""Time for a request to arrive, s."""
USUAL_S: Final = 10.0
"""Time for a reply when the tablet names none, s."""
LONGEST_S: Final = 60.0
"""Most time a tablet may name for a reply that is no stream, s."""
CALLS_A_CHANNEL: Final = 48
"""The gRPC server takes 64 calls a connection; further calls would wait unheard."""
MEDIA: Final = (b"application/grpc-web", b"application/grpc-web+proto")
_OPTIONS: Final = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 4 << 20),
    (
        "grpc.enable_retries",
        0,
    ),  # a call that may have arrived is the tablet's to repeat
)
_CODE = grpc.StatusCode
_STOPPING: Final = ("STOPPING", "the coordinator stops; try again in a moment.")


class Bridge:
    """An ASGI application for the methods of a table; lives on the event loop.

    Args:
        target: Address of the own gRPC server.
        methods: Path of each method that may be called, and how it is carried.
    """

    def __init__(self, target: str, methods: Mapping[str, Manner]) -> None:
        self._methods = methods
        self._places = Places()
        self._usual = _Channels(target)
        self._kept = _Channels(target)  # for what is urgent
        self._calls: set[Any] = set()
        self._closed = False

    async def close(self) -> None:
        """End every call that is under way; those that come now are refused."""
        self._closed = True
        for call in list(self._calls):
            call.cancel()
        await self._usual.close()
        await self._kept.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; a refusal too is a reply of gRPC-Web."""
        headers = {key.lower(): value for key, value in scope["headers"]}
        try:
            manner = self._manner(scope["path"], headers)
            message = web_frames.message_in(await _body(receive))
            wanted_s = web_frames.timeout_s(_text(headers, b"grpc-timeout"))
            self._require_open()
            with self._places.take(manner, address_of(scope, headers)):
                scope[CARRIED] = True
                call = _Call(scope["path"], message, wanted_s, _metadata(headers))
                last = await self._carry(call, manner, receive, send)
            scope[CARRIED] = False  # who reads slowly has no claim to a place
            await _end(send, last)
        except _GoneError:
            return
        except InputError as error:
            refused = _RefusedError(_CODE.INVALID_ARGUMENT, error.code, error.text)
            await _refuse(send, refused)
        except OverloadedError as error:
            refused = _RefusedError(_CODE.RESOURCE_EXHAUSTED, error.code, error.text)
            await _refuse(send, refused)
        except _RefusedError as refused:
            await _refuse(send, refused)
        finally:
            scope[CARRIED] = False

    def _require_open(self) -> None:
        if self._closed:
            raise _RefusedError(_CODE.UNAVAILABLE, *_STOPPING)

    def _manner(self, path: str, headers: Mapping[bytes, bytes]) -> Manner:
        """How a call is carried that may be."""
        manner = self._methods.get(path)
        if manner is None:
            text = "tablets do not call this."
            raise _RefusedError(_CODE.UNIMPLEMENTED, "NOT_SERVED", text)
        if headers.get(b"content-type", b"").split(b";")[0].strip() not in MEDIA:
            text = "this is spoken as application/grpc-web+proto."
            raise _RefusedError(_CODE.INVALID_ARGUMENT, "BAD_MEDIA", text)
        return manner

    async def _carry(
        self, asked: _Call, manner: Manner, receive: Receive, send: Send
    ) -> bytes:
        """Dial, and listen; the last that the tablet is to hear."""
        streams = manner is Manner.STREAM
        channels = self._kept if manner is Manner.URGENT else self._usual
        async with channels.one() as channel:
            dial: Any = channel.unary_stream if streams else channel.unary_unary
            call = dial(asked.path)(
                asked.message,
                timeout=asked.within_s(streams=streams),
                metadata=asked.metadata,
            )
            return await self._listen(call, receive, send, streams=streams)

    async def _listen(
        self, call: Any, receive: Receive, send: Send, *, streams: bool
    ) -> bytes:
        """Bring a stream to the tablet, for as long as it is there; the last of it."""
        self._calls.add(call)
        watching = asyncio.create_task(_end_when_gone(call, receive))
        try:
            if streams:
                await _begin(send)
                async for piece in call:
                    await _more(send, web_frames.frame(piece))
                last = web_frames.trailers(0)
            else:
                last = web_frames.frame(await call) + web_frames.trailers(0)
                await _begin(send)
        except grpc.aio.AioRpcError as error:
            if not streams:
                await _begin(send)
            last = _as_trailers(error)
        except asyncio.CancelledError:
            if not call.cancelled():  # it is this task that is to end
                raise
            if not streams:
                await _begin(send)
            last = web_frames.refusal(_CODE.UNAVAILABLE.value[0], *_STOPPING)
        finally:
            watching.cancel()
            call.cancel()
            self._calls.discard(call)
        return last


@dataclass(frozen=True, slots=True)
class _Call:
    """What a tablet asked for: whole, and not dialled yet."""

    path: str
    message: bytes
    wanted_s: float | None
    metadata: list[tuple[str, str]]

    def within_s(self, *, streams: bool) -> float | None:
        """Time for the reply, s; None for a stream that ends with its tablet."""
        if streams:
            return self.wanted_s
        return min(self.wanted_s or USUAL_S, LONGEST_S)


class _Channels:
    """Connections to the gRPC server, as many as the calls need."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._all: list[grpc.aio.Channel] = []
        self._busy: list[int] = []

    async def close(self) -> None:
        """End all."""
        for channel in self._all:
            await channel.close()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[grpc.aio.Channel]:
        """A connection with room for one more call."""
        place = next((n for n, c in enumerate(self._busy) if c < CALLS_A_CHANNEL), None)
        if place is None:
            place = len(self._all)
            self._all.append(grpc.aio.insecure_channel(self._target, options=_OPTIONS))
            self._busy.append(0)
        self._busy[place] += 1
        try:
            yield self._all[place]
        finally:
            self._busy[place] -= 1


class _RefusedError(Exception):
    """The call does not reach the gRPC server."""

    def __init__(self, code: grpc.StatusCode, token: str, text: str) -> None:
        super().__init__(token)
        self.code, self.token, self.text = code, token, text


class _GoneError(Exception):
    """The tablet left before it had said all."""


async def _body(receive: Receive) -> bytes:
    """The whole request, if it is small enough and comes in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            while True:
                event = await receive()
                if event["type"] == "http.disconnect":
                    raise _GoneError
                body += event.get("body", b"")
                if len(body) > LARGEST_REQUEST + web_frames.HEAD:
                    text = f"a request has at most {LARGEST_REQUEST} bytes."
                    raise _RefusedError(_CODE.RESOURCE_EXHAUSTED, "TOO_LARGE", text)
                if not event.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        text = f"a request arrives within {BODY_WITHIN_S:g} s."
        raise _RefusedError(_CODE.DEADLINE_EXCEEDED, "TOO_SLOW", text) from None


async def _end_when_gone(call: Any, receive: Receive) -> None:
    """Cancel the call when the tablet goes: nobody is there to hear the reply."""
    while (await receive())["type"] != "http.disconnect":
        pass
    call.cancel()


def _metadata(headers: Mapping[bytes, bytes]) -> list[tuple[str, str]]:
    """A person's login is all that passes on of the headers.

    The machine's own key stays on the machine: no browser has a use for it.
    """
    login = _text(headers, b"authorization")
    is_login = login.lower().startswith("bearer ")
    return [("authorization", login)] if is_login else []


def _as_trailers(error: grpc.aio.AioRpcError) -> bytes:
    metadata = error.trailing_metadata() or ()
    details = [value for key, value in metadata if key == "grpc-status-details-bin"]
    detail = details[0] if details and isinstance(details[0], bytes) else b""
    return web_frames.trailers(error.code().value[0], error.details() or "", detail)


def _text(headers: Mapping[bytes, bytes], key: bytes) -> str:
    """A header as ASCII; what is not ASCII is none of ours."""
    with suppress(UnicodeDecodeError):
        return headers.get(key, b"").decode("ascii")
    return ""


async def _refuse(send: Send, refused: _RefusedError) -> None:
    await _begin(send)
    await _end(
        send, web_frames.refusal(refused.code.value[0], refused.token, refused.text)
    )


async def _begin(send: Send) -> None:
    headers = [
        (b"content-type", b"application/grpc-web+proto"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        # A connection that was kept may have died with the radio: the next call would
        # wait in it. What is left of a refused request is not read either.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _more(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _end(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": False})
