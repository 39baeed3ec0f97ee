"""However many tablets watch, stall or shout: a hold gets through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack

import grpc
import pytest

from andon.v1 import operator_pb2, operator_pb2_grpc
from coordinator.errors import OverloadedError
from coordinator.service import web_connection, web_frames, web_places
from coordinator.service.web_places import Manner, Places, address_of
from coordinator.terms import HoldReason
from tests.coordinator.service.service_world import ServiceWorld, actor
from tests.coordinator.service.web_client import Browser, Reply, ask, get, web_before

SERVICE = "/andon.v1.OperatorService"
WATCH = operator_pb2.WatchRequest(actor=actor(), answering=True)
HOLD = operator_pb2.HoldRequest(cell_id="press-1", actor=actor())


@pytest.fixture
async def address(world: ServiceWorld) -> AsyncIterator[str]:
    """The port for browsers before a real coordinator."""
    async with web_before(world.address) as served:
        yield served


async def watching(stack: AsyncExitStack, address: str, **headers: str) -> Browser:
    """A tablet that has the first picture, and stays."""
    browser = await stack.enter_async_context(Browser(address))
    body = web_frames.frame(WATCH.SerializeToString())
    await browser.begin("POST", f"{SERVICE}/Watch", len(body), **headers)
    await browser.raw(body)
    await browser.event()  # the head
    await browser.event()
    return browser


async def watch(address: str, **headers: str) -> Reply:
    """The reply to a watch that is refused."""
    return await ask(address, f"{SERVICE}/Watch", WATCH, **headers)


def is_held(world: ServiceWorld) -> bool:
    return HoldReason.OPERATOR_HOLD in world.path().cell.holds.reasons


# -- calls ----------------------------------------------------------------------------


async def test_a_hold_gets_through_when_streams_have_every_place(
    world: ServiceWorld, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_places, "MOST_CALLS", 4)
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await watching(stack, address)
        other = await ask(
            address, f"{SERVICE}/ListRequests", operator_pb2.ListRequestsRequest()
        )
        reply = await ask(address, f"{SERVICE}/Hold", HOLD)

    assert other.token == "OVERLOADED"  # noqa: S105 - of an error
    assert reply.code is grpc.StatusCode.OK
    assert is_held(world)


async def test_streams_leave_places_for_answers(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_places, "MOST_STREAMS", 2)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await watching(stack, address)
        third = await watch(address)
        reply = await ask(
            address, f"{SERVICE}/ListRequests", operator_pb2.ListRequestsRequest()
        )

    assert third.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert third.token == "OVERLOADED"  # noqa: S105 - of an error
    assert reply.code is grpc.StatusCode.OK
    async with AsyncExitStack() as stack:  # and the places are given back
        await watching(stack, address)


async def test_one_tablet_does_not_take_the_streams_of_all(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_places, "MOST_STREAMS_OF_ONE", 2)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await watching(stack, address, x_forwarded_for="10.0.0.9")
        refused = await watch(address, x_forwarded_for="10.0.0.8, 10.0.0.9")
        await watching(stack, address, x_forwarded_for="10.0.0.9, 10.0.0.8")
        await watching(stack, address)  # this machine itself has no such limit

    assert refused.token == "OVERLOADED"  # noqa: S105 - of an error


def test_urgent_calls_and_others_do_not_take_each_others_places() -> None:
    places = Places()
    with ExitStack() as taken:
        for n in range(web_places.MOST_URGENT):
            taken.enter_context(places.take(Manner.URGENT, f"10.0.0.{n}"))
        with pytest.raises(OverloadedError):
            taken.enter_context(places.take(Manner.URGENT, "10.0.1.1"))
        for _ in range(web_places.MOST_CALLS):
            taken.enter_context(places.take(Manner.ONCE, "10.0.1.1"))
        with pytest.raises(OverloadedError):
            taken.enter_context(places.take(Manner.ONCE, "10.0.1.2"))


def test_nobody_fills_the_urgent_places_of_all_alone() -> None:
    places = Places()
    with ExitStack() as taken:
        for _ in range(web_places.MOST_URGENT_OF_ONE):
            taken.enter_context(places.take(Manner.URGENT, "10.0.0.1"))
        with pytest.raises(OverloadedError):
            taken.enter_context(places.take(Manner.URGENT, "10.0.0.1"))
        taken.enter_context(places.take(Manner.URGENT, "10.0.0.2"))


def test_the_limits_fit_into_each_other() -> None:
    calls = web_places.MOST_CALLS + web_places.MOST_URGENT

    assert web_places.MOST_STREAMS < web_places.MOST_CALLS
    assert calls < web_connection.MOST_CONNECTIONS


@pytest.mark.parametrize(
    ("host", "told", "address"),
    [
        ("10.0.0.9", b"", "10.0.0.9"),
        pytest.param("10.0.0.9", b"10.0.0.1", "10.0.0.9", id="says-so-itself"),
        ("127.0.0.1", b"", ""),
        ("127.0.0.1", b"10.0.0.9", "10.0.0.9"),
        pytest.param("::1", b"1.2.3.4, 10.0.0.9", "10.0.0.9", id="said-of-itself"),
    ],
)
def test_whose_a_call_is_only_this_machines_proxy_may_say(
    host: str, told: bytes, address: str
) -> None:
    headers = {b"x-forwarded-for": told} if told else {}

    assert address_of({"client": (host, 4711)}, headers) == address


# -- connections ----------------------------------------------------------------------


async def half_said(stack: AsyncExitStack, address: str) -> Browser:
    """A connection that got a file, and then says half of a second request."""
    browser = await stack.enter_async_context(Browser(address))
    await browser.begin("GET", "/files.json", 0)
    await browser.reply()
    await browser.raw(b"P")
    return browser


async def test_half_a_second_request_keeps_no_connection(address: str) -> None:
    async with AsyncExitStack() as stack:
        browser = await half_said(stack, address)

        assert await browser.hung_up()


async def test_a_body_that_never_comes_keeps_no_connection(address: str) -> None:
    async with Browser(address) as browser:
        await browser.begin("GET", "/files.json", 1000)
        await browser.raw(b"xx")

        assert await browser.hung_up()


@pytest.mark.slow
async def test_what_is_no_call_is_given_up_and_a_stream_is_not(
    world: ServiceWorld, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_connection, "FIRST_WORDS_S", 0.1)
    monkeypatch.setattr(web_connection, "REPLIED_S", 0.2)
    async with AsyncExitStack() as stack:
        watches = await watching(stack, address)
        slow = await stack.enter_async_context(Browser(address))
        await slow.begin("POST", f"{SERVICE}/Hold", 100)

        assert await slow.hung_up()
        for _ in range(2):  # a tick a second
            assert (await watches.event()).data


async def test_full_of_silence_the_oldest_goes_and_a_hold_gets_through(
    world: ServiceWorld, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_connection, "MOST_CONNECTIONS", 8)
    async with AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(Browser(address)) for _ in range(12)]
        for browser in silent[-8:]:
            await browser.raw(b"POST /andon.v1")

        page = await get(address, "/")
        reply = await ask(address, f"{SERVICE}/Hold", HOLD)

        assert page.status == 200
        assert reply.code is grpc.StatusCode.OK
        assert is_held(world)
        assert await silent[0].hung_up()


async def test_who_watches_is_not_sent_away_for_who_is_silent(
    world: ServiceWorld, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_connection, "MOST_CONNECTIONS", 8)
    async with AsyncExitStack() as stack:
        watches = [await watching(stack, address) for _ in range(6)]
        for _ in range(30):
            await stack.enter_async_context(Browser(address))
        reply = await ask(address, f"{SERVICE}/Hold", HOLD)
        assert reply.code is grpc.StatusCode.OK
        for browser in watches:
            assert (await browser.event()).data


async def test_holds_that_never_end_do_not_keep_a_hold_out(
    world: ServiceWorld, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The word "Hold" alone is no ticket: a request counts when it is whole."""
    monkeypatch.setattr(web_connection, "MOST_CONNECTIONS", 8)
    monkeypatch.setattr(web_places, "MOST_URGENT", 1)
    async with AsyncExitStack() as stack:
        for _ in range(12):
            browser = await stack.enter_async_context(Browser(address))
            await browser.begin("POST", f"{SERVICE}/Hold", 100)
            await browser.raw(b"\x00")
        reply = await ask(address, f"{SERVICE}/Hold", HOLD)

    assert reply.code is grpc.StatusCode.OK
    assert is_held(world)


# -- the port of terminals ------------------------------------------------------------


@pytest.mark.slow
async def test_terminals_that_watch_do_not_keep_a_hold_out(world: ServiceWorld) -> None:
    """The gRPC server takes 64 calls a connection, and any number of connections."""
    own = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(world.address, own) for _ in range(3)]
    try:
        calls = [
            operator_pb2_grpc.OperatorServiceStub(channel).Watch(WATCH)
            for channel in channels[:2]
            for _ in range(64)
        ]
        async with asyncio.timeout(60):
            for call in calls:
                await call.read()
        operators = operator_pb2_grpc.OperatorServiceStub(channels[2])
        held = await operators.Hold(HOLD, timeout=10)

        assert held.cells == ["press-1"]
        for call in calls:
            call.cancel()
    finally:
        for channel in channels:
            await channel.close()
