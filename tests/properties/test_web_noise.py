"""Whatever is said to the port for browsers: a hold is carried all the same."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from andon.v1 import operator_pb2
from coordinator.service import web_connection, web_frames, web_places
from tests.coordinator.service.web_client import Browser, ask, web_before

pytestmark = pytest.mark.slow
HOLD = "/andon.v1.OperatorService/Hold"
WATCH = "/andon.v1.OperatorService/Watch"


def request(method: str, path: str, length: str, body: bytes, more: str) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n"
    media = "content-type: application/grpc-web+proto\r\n"
    return f"{head}{media}{length}{more}\r\n".encode() + body


METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "P"])
PATHS = st.sampled_from(["/", "/files.json", HOLD, WATCH, "/andon", "*", "/%00"])
LENGTHS = st.sampled_from(
    [
        "",
        "content-length: 5\r\n",
        "content-length: 0\r\n",
        "content-length: 99999999999\r\n",
        "content-length: -1\r\n",
        "transfer-encoding: chunked\r\n",
    ]
)
BODIES = st.one_of(
    st.just(web_frames.frame(b"")),
    st.just(b"5\r\n\x00\x00\x00\x00\x00\r\n0\r\n\r\n"),
    st.binary(max_size=40),
)
MORE = st.sampled_from(
    ["", "expect: 100-continue\r\n", "connection: keep-alive\r\n", "upgrade: h2c\r\n"]
)
SAID = st.one_of(
    st.binary(max_size=200),
    st.builds(request, METHODS, PATHS, LENGTHS, BODIES, MORE),
    st.builds(  # one after another, without waiting for a reply
        lambda *two: b"".join(two),
        st.builds(request, METHODS, PATHS, LENGTHS, BODIES, MORE),
        st.builds(request, METHODS, PATHS, LENGTHS, BODIES, MORE),
    ),
)
WATCHING = request("POST", WATCH, "content-length: 5\r\n", web_frames.frame(b""), "")
PIECES = st.tuples(SAID, st.integers(0, 400), st.booleans())
"""What is said; after how many bytes it pauses; whether the rest comes at all."""


class Echo(grpc.GenericRpcHandler):
    """A gRPC server that answers, and whose streams never end."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if handler_call_details.method == WATCH:
            return grpc.unary_stream_rpc_method_handler(self.for_ever)
        return grpc.unary_unary_rpc_method_handler(self.echo)

    async def echo(self, message: bytes, context: Any) -> bytes:
        return message

    async def for_ever(self, message: bytes, context: Any) -> None:
        await context.write(message)
        await asyncio.Event().wait()


async def speak(browser: Browser, said: bytes, pause: int, *, rest: bool) -> None:
    """Say it in two pieces; who is sent away says no more."""
    try:
        await browser.raw(said[:pause])
        await asyncio.sleep(0)
        if rest:
            await browser.raw(said[pause:])
    except ConnectionError:
        return


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
@example(said=[(WATCHING, 400, True)] * 3)
@example(said=[(b"POST /andon", 400, True)] * 24)
@given(said=st.lists(PIECES, min_size=1, max_size=24))
async def test_noise_keeps_no_hold_out(
    said: list[tuple[bytes, int, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are fewer places than speakers, and everybody stays."""
    monkeypatch.setattr(web_places, "MOST_CALLS", 2)
    monkeypatch.setattr(web_places, "MOST_STREAMS", 2)
    monkeypatch.setattr(web_connection, "MOST_CONNECTIONS", 12)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Echo(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with (
            web_before(f"127.0.0.1:{port}") as address,
            AsyncExitStack() as stack,
        ):
            for content, pause, rest in said:
                browser = await stack.enter_async_context(Browser(address))
                await speak(browser, content, pause, rest=rest)
            reply = await ask(address, HOLD, operator_pb2.HoldRequest(cell_id="a"))

            assert reply.code is grpc.StatusCode.OK
            assert operator_pb2.HoldRequest.FromString(reply.messages[0]).cell_id == "a"
    finally:
        await server.stop(None)
