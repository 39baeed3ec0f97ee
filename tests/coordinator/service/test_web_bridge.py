"""A browser's calls arrive at the gRPC server, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from andon.v1 import access_pb2, learning_pb2, operator_pb2
from coordinator.service import (
    web_bridge,
    web_connection,
    web_frames,
    web_methods,
)
from tests.coordinator.service.service_world import ServiceWorld, actor
from tests.coordinator.service.web_client import Browser, ask, call, web_before

SERVICE = "/andon.v1.OperatorService"
WATCH = operator_pb2.WatchRequest(actor=actor(), answering=True).SerializeToString()


@pytest.fixture
async def address(world: ServiceWorld) -> AsyncIterator[str]:
    """The port for browsers before a real coordinator."""
    async with web_before(world.address) as served:
        yield served


class Far:
    """A gRPC server that is told what to do, and remembers what it heard."""

    def __init__(self) -> None:
        self.metadata: list[dict[str, str]] = []
        self.cancelled = asyncio.Event()
        self.sent = 0
        self.piece = b"x" * 65_536

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        if details.method.endswith("/Watch"):
            return grpc.unary_stream_rpc_method_handler(self.for_ever)
        if details.method.endswith("/GetRequest"):
            return grpc.unary_unary_rpc_method_handler(self.never)
        return grpc.unary_unary_rpc_method_handler(self.echo)

    async def echo(self, message: bytes, context: Any) -> bytes:
        self.metadata.append(dict(context.invocation_metadata()))
        return message

    async def never(self, message: bytes, context: Any) -> bytes:
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        return message

    async def for_ever(self, message: bytes, context: Any) -> None:
        try:
            while True:
                await context.write(self.piece)
                self.sent += 1
        finally:
            self.cancelled.set()


class _Anything(grpc.GenericRpcHandler):
    def __init__(self, far: Far) -> None:
        self._far = far

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        return self._far.service(handler_call_details)


@pytest.fixture
async def far() -> AsyncIterator[tuple[Far, str]]:
    """Such a server, and the port for browsers before it."""
    told, server = Far(), grpc.aio.server()
    server.add_generic_rpc_handlers((_Anything(told),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with web_before(f"127.0.0.1:{port}") as served:
        yield told, served
    await server.stop(None)


async def soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await event.wait()


async def test_a_hold_from_a_browser_holds_the_cell(
    world: ServiceWorld, address: str
) -> None:
    await world.working()
    request = operator_pb2.HoldRequest(cell_id="press-1", actor=actor())

    reply = await ask(address, f"{SERVICE}/Hold", request)

    (message,) = reply.messages
    assert reply.code is grpc.StatusCode.OK
    assert operator_pb2.HoldResponse.FromString(message).cells == ["press-1"]


async def test_a_refusal_keeps_its_code_its_token_and_its_sentence(
    address: str,
) -> None:
    request = operator_pb2.GetRequestRequest(request_id="nobody-knows")

    reply = await ask(address, f"{SERVICE}/GetRequest", request)

    assert reply.status == 200
    assert reply.messages == []
    assert reply.code is grpc.StatusCode.NOT_FOUND
    assert reply.trailers["grpc-message"].startswith(f"{reply.token}: ")


async def test_what_the_server_cannot_decode_is_refused_by_the_server(
    address: str,
) -> None:
    reply = await call(address, f"{SERVICE}/Claim", web_frames.frame(b"\xff" * 40))

    assert reply.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_watch_brings_the_picture_and_ends_with_the_tablet(
    world: ServiceWorld, address: str
) -> None:
    async with Browser(address) as browser:
        body = web_frames.frame(WATCH)
        await browser.begin("POST", f"{SERVICE}/Watch", len(body))
        await browser.raw(body)
        await browser.event()  # the head
        first = await browser.event()
        there = world.plant.attendance().answering

    heard = operator_pb2.WatchResponse.FromString(bytes(first.data)[5:])
    assert len(heard.snapshot.cells) == 2
    assert there == 1
    await world.until(lambda: world.plant.attendance().answering == 0)


async def test_a_hundred_tablets_watch_through_one_bridge(
    world: ServiceWorld, address: str
) -> None:
    """The gRPC server takes 64 calls a connection; nobody may wait for that."""
    body = web_frames.frame(WATCH)
    browsers = [Browser(address) for _ in range(100)]
    try:
        for browser in browsers:
            await browser.__aenter__()
            await browser.begin("POST", f"{SERVICE}/Watch", len(body))
            await browser.raw(body)
        for browser in browsers:
            await browser.event()
            assert (await browser.event()).data
        request = operator_pb2.ListRequestsRequest()
        assert (await ask(address, f"{SERVICE}/ListRequests", request)).messages
    finally:
        for browser in browsers:
            await browser.__aexit__()


@pytest.mark.parametrize(
    "path",
    [
        "/andon.v1.CellService/Session",
        "/andon.v1.LearningService/Promote",
        "/andon.v1.LearningService/StartTraining",
        "/andon.v1.LearningService/CloseGate",
        "/andon.v1.AccessService/AddPerson",
        "/andon.v1.AccessService/ChangePerson",
        "/andon.v1.OperatorService/watch",
        "/andon.v1.OperatorService/",
        "/grpc.health.v1.Health/Check",
        "/",
        "//andon.v1.OperatorService/Watch",
    ],
)
async def test_what_a_tablet_has_no_business_with_is_not_dialled(
    far: tuple[Far, str], path: str
) -> None:
    told, served = far

    reply = await ask(served, path, operator_pb2.HoldRequest())

    assert reply.code is grpc.StatusCode.UNIMPLEMENTED
    assert reply.token == "NOT_SERVED"  # noqa: S105 - of an error
    assert told.metadata == []


def test_every_allowed_method_is_in_the_contract() -> None:
    named = {
        f"/{service}/{method}"
        for service, methods in web_methods.ALLOWED.items()
        for method in methods
    }

    assert web_methods.methods().keys() == named


async def test_only_the_login_passes_of_all_headers(far: tuple[Far, str]) -> None:
    told, served = far
    more = {
        "authorization": "Bearer abc",
        "cookie": "a=b",
        "x_andon_person": "eva",
        "grpc_accept_encoding": "gzip",
        "x_forwarded_for": "10.0.0.9",
    }

    await ask(served, f"{SERVICE}/Hold", operator_pb2.HoldRequest(), **more)

    (heard,) = told.metadata
    assert heard["authorization"] == "Bearer abc"
    assert heard.keys() <= {"authorization", "user-agent"}


@pytest.mark.parametrize("login", ["Machine abc", "Basic YTpi", "", "bearer"])
async def test_the_machines_key_and_other_logins_do_not_pass(
    far: tuple[Far, str], login: str
) -> None:
    told, served = far

    await ask(
        served, f"{SERVICE}/Hold", operator_pb2.HoldRequest(), authorization=login
    )

    assert "authorization" not in told.metadata[0]


async def test_a_deadline_ends_the_call_on_both_sides(far: tuple[Far, str]) -> None:
    told, served = far
    request = operator_pb2.GetRequestRequest()

    reply = await ask(served, f"{SERVICE}/GetRequest", request, grpc_timeout="50m")

    assert reply.code is grpc.StatusCode.DEADLINE_EXCEEDED
    await soon(told.cancelled)


async def test_a_tablet_that_goes_cancels_what_it_asked(far: tuple[Far, str]) -> None:
    told, served = far
    body = web_frames.frame(b"")
    async with Browser(served) as browser:
        await browser.begin("POST", f"{SERVICE}/Watch", len(body))
        await browser.raw(body)
        await browser.event()  # the head
        await browser.event()  # it is under way

    await soon(told.cancelled)


async def test_a_tablet_that_does_not_read_stops_its_own_stream_alone(
    far: tuple[Far, str],
) -> None:
    told, served = far
    body = web_frames.frame(b"")
    async with Browser(served) as deaf:
        await deaf.begin("POST", f"{SERVICE}/Watch", len(body))
        await deaf.raw(body)
        before = -1
        async with asyncio.timeout(30):
            while told.sent != before:
                before = told.sent
                await asyncio.sleep(0.3)
        reply = await ask(served, f"{SERVICE}/Hold", operator_pb2.HoldRequest())

        assert told.sent * len(told.piece) < 64 << 20
        assert reply.code is grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("body", "token"),
    [
        pytest.param(b"", "BAD_FRAME", id="nothing"),
        pytest.param(b"\x00\x00\x00", "BAD_FRAME", id="half-a-head"),
        pytest.param(b"\x00\xff\xff\xff\xffabc", "BAD_FRAME", id="a-huge-length"),
        pytest.param(b"\x00\x00\x00\x00\x01", "BAD_FRAME", id="less-than-promised"),
        pytest.param(b"\x00\x00\x00\x00\x00z", "BAD_FRAME", id="more-than-promised"),
        pytest.param(b"\x01\x00\x00\x00\x00", "BAD_FRAME", id="compressed"),
        pytest.param(b"\x80\x00\x00\x00\x00", "BAD_FRAME", id="trailers"),
        pytest.param(b"\x00\x00\x00\x00\x00" * 2, "BAD_FRAME", id="two-messages"),
    ],
)
async def test_a_spoilt_frame_is_refused_by_name(
    far: tuple[Far, str], body: bytes, token: str
) -> None:
    told, served = far

    reply = await call(served, f"{SERVICE}/Hold", body)

    assert reply.code is grpc.StatusCode.INVALID_ARGUMENT
    assert reply.token == token
    assert told.metadata == []


@pytest.mark.parametrize("header", ["", "soon", "5", "-5S", "123456789S", "5s", "1e3S"])
async def test_a_timeout_is_grpcs_or_it_is_refused(
    far: tuple[Far, str], header: str
) -> None:
    _, served = far
    reply = await ask(
        served, f"{SERVICE}/Hold", operator_pb2.HoldRequest(), grpc_timeout=header
    )

    refused = grpc.StatusCode.INVALID_ARGUMENT if header else grpc.StatusCode.OK
    assert reply.code is refused


@pytest.mark.parametrize(
    "media", ["text/plain", "application/grpc-web-text", "*/*", ""]
)
async def test_a_form_of_another_page_cannot_call(
    far: tuple[Far, str], media: str
) -> None:
    """A browser sends other media without asking first whether it may."""
    told, served = far
    reply = await ask(
        served, f"{SERVICE}/Hold", operator_pb2.HoldRequest(), content_type=media
    )

    assert reply.token == "BAD_MEDIA"  # noqa: S105 - of an error
    assert told.metadata == []


async def test_a_request_larger_than_any_is_cut_off(far: tuple[Far, str]) -> None:
    _, served = far
    async with Browser(served) as browser:
        await browser.begin("POST", f"{SERVICE}/Answer", 1 << 40)
        await browser.raw(
            b"\x00\xff\xff\xff\xff" + b"z" * (web_bridge.LARGEST_REQUEST + 1)
        )
        reply = await browser.reply()

    assert reply.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reply.token == "TOO_LARGE"  # noqa: S105 - of an error
    assert reply.headers["connection"] == "close"


async def test_a_request_that_never_ends_is_refused_in_time(
    far: tuple[Far, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_bridge, "BODY_WITHIN_S", 0.1)
    _, served = far
    async with Browser(served) as browser:
        await browser.begin("POST", f"{SERVICE}/Answer", 100)
        await browser.raw(b"\x00\x00")
        reply = await browser.reply()

    assert reply.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert reply.token == "TOO_SLOW"  # noqa: S105 - of an error


async def test_a_connection_that_says_nothing_is_ended(
    far: tuple[Far, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_connection, "FIRST_WORDS_S", 0.1)
    _, served = far
    async with Browser(served) as browser:
        await browser.raw(b"POST /andon")

        assert await browser.hung_up()


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="tls-hello"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="http2"),
        pytest.param(b"\x00" * 4096, id="zeros"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 9000, id="endless-head"),
    ],
)
async def test_noise_ends_its_own_connection_alone(
    far: tuple[Far, str], noise: bytes
) -> None:
    _, served = far
    async with Browser(served) as browser:
        try:
            await browser.raw(noise)
            assert await browser.hung_up()
        except ConnectionError:
            pass  # it was ended before all had been said

    reply = await ask(served, f"{SERVICE}/Hold", operator_pb2.HoldRequest())
    assert reply.code is grpc.StatusCode.OK


async def test_a_call_that_breaks_off_in_mid_sentence_is_forgotten(
    far: tuple[Far, str],
) -> None:
    told, served = far
    for length in range(8):
        async with Browser(served) as browser:
            await browser.begin("POST", f"{SERVICE}/Hold", 100)
            await browser.raw(b"\x00" * length)

    reply = await ask(served, f"{SERVICE}/Hold", operator_pb2.HoldRequest())
    assert reply.code is grpc.StatusCode.OK
    assert len(told.metadata) == 1


async def test_a_gone_coordinator_is_told_as_unavailable() -> None:
    async with web_before("127.0.0.1:1") as served:
        request = learning_pb2.ListModelsRequest(family="peg")

        reply = await ask(served, "/andon.v1.LearningService/ListModels", request)

    assert reply.code is grpc.StatusCode.UNAVAILABLE


async def test_a_call_that_comes_while_it_stops_is_told_to_try_again(
    far: tuple[Far, str],
) -> None:
    told, _ = far
    web_side = web_bridge.Bridge("127.0.0.1:1", web_methods.methods())
    await web_side.close()
    heard: list[Any] = []
    body = web_frames.frame(b"")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(event: Any) -> None:
        heard.append(event)

    media = [(b"content-type", b"application/grpc-web+proto")]
    scope = {"path": f"{SERVICE}/Hold", "headers": media}
    await web_side(scope, receive, send)

    assert b"STOPPING" in heard[-1]["body"]
    assert told.metadata == []


async def test_the_coordinator_stops_although_tablets_watch(
    world: ServiceWorld,
) -> None:
    async with web_before(world.address) as served:
        browser = Browser(served)
        await browser.__aenter__()
        body = web_frames.frame(WATCH)
        await browser.begin("POST", f"{SERVICE}/Watch", len(body))
        await browser.raw(body)
        await browser.event()

    assert await browser.hung_up()
    await browser.__aexit__()


async def test_a_login_that_is_refused_names_no_reason_but_its_own(
    address: str,
) -> None:
    request = access_pb2.LoginRequest(person="ana", pin="000000", device="tablet-1")

    reply = await ask(address, "/andon.v1.AccessService/Login", request)

    assert reply.code is not grpc.StatusCode.OK
    assert "000000" not in str(reply.trailers)
