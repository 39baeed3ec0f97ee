"""The line to the coordinator: what waits, what is dropped, how it is found again."""

import asyncio
from collections import Counter

import grpc
import pytest

from andon.v1 import cell_pb2
from ros_nodes import uplink
from ros_nodes.clock import SystemClock
from ros_nodes.uplink import CONTROL_LIMIT, Outbox, Uplink
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, serving


def beat(seq: int) -> cell_pb2.NodeMessage:
    return cell_pb2.NodeMessage(heartbeat=cell_pb2.Heartbeat(seq=seq))


def window(name: str):
    def make(seq: int) -> cell_pb2.NodeMessage:
        message = cell_pb2.NodeMessage()
        message.windows.windows.add(window_id=name, seq=seq)
        return message

    return make


def names(message: cell_pb2.NodeMessage) -> list[tuple[str, int]]:
    return [(w.window_id, w.seq) for w in message.windows.windows]


class Told:
    """Remembers what the uplink told it."""

    def __init__(self) -> None:
        self.messages: list[cell_pb2.CoordinatorMessage] = []
        self.losses: list[str] = []
        self.changed = asyncio.Event()

    def hello(self) -> cell_pb2.NodeMessage:
        return cell_pb2.NodeMessage(hello=cell_pb2.Hello(cell_id="press-1"))

    def received(self, message: cell_pb2.CoordinatorMessage) -> None:
        self.messages.append(message)
        self.changed.set()

    def lost(self, text: str) -> None:
        self.losses.append(text)
        self.changed.set()

    async def until(self, fact) -> None:
        async with asyncio.timeout(10):
            while not fact():
                self.changed.clear()
                await self.changed.wait()


class WaitsWritten(SystemClock):
    """Writes down how long it was asked to wait, and waits a little."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0.001)


# ------------------------------------------------------------------------------ outbox


async def test_control_goes_before_windows_and_decisions_before_monitors() -> None:
    outbox = Outbox(Counter())
    outbox.offer_monitor(window("monitor"))
    outbox.offer_decision(window("decision"))
    outbox.say(beat(1))
    outbox.say(beat(2))

    order = [await outbox.next() for _ in range(4)]

    assert [m.heartbeat.seq for m in order[:2]] == [1, 2]
    assert [names(m) for m in order[2:]] == [[("decision", 1)], [("monitor", 2)]]


async def test_the_newest_window_wins_and_the_loss_is_counted() -> None:
    dropped: Counter[str] = Counter()
    outbox = Outbox(dropped)
    for name in ("a", "b", "c"):
        outbox.offer_decision(window(name))
        outbox.offer_monitor(window(f"m-{name}"))

    assert names(await outbox.next()) == [("c", 1)]
    assert names(await outbox.next()) == [("m-c", 2)]
    assert dropped == {"decision_replaced": 2, "monitor_replaced": 2}


async def test_an_outbox_that_nobody_empties_says_so() -> None:
    outbox = Outbox(Counter())

    accepted = [outbox.say(beat(n)) for n in range(CONTROL_LIMIT + 1)]

    assert all(accepted[:-1])
    assert not accepted[-1]


async def test_what_is_said_without_a_session_is_not_kept_for_the_next() -> None:
    line = Uplink("127.0.0.1:1", Told(), SystemClock())

    line.say(beat(1))
    line.offer_decision(window("a"))
    line.offer_monitor(window("b"))

    assert line.dropped == {
        "decision_without_session": 1,
        "monitor_without_session": 1,
    }


# ---------------------------------------------------------------------------- sessions


async def test_a_session_begins_with_hello_and_carries_what_is_said() -> None:
    coordinator, told = ScriptedCoordinator(), Told()
    async with serving(coordinator) as (_, port):
        line = Uplink(f"127.0.0.1:{port}", told, SystemClock())
        running = asyncio.create_task(line.run())
        await told.until(lambda: told.messages)
        line.say(beat(1))
        line.offer_decision(window("a"))
        session = await coordinator.session()
        await session.until(lambda: session.windows)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert session.hello.cell_id == "press-1"
    assert [(w.window_id, w.seq) for w in session.windows] == [("a", 1)]
    assert told.losses == ["the node ends"]


async def test_a_lost_session_is_told_once_and_found_again() -> None:
    coordinator, told = ScriptedCoordinator(), Told()
    async with serving(coordinator) as (server, port):
        line = Uplink(f"127.0.0.1:{port}", told, SystemClock())
        running = asyncio.create_task(line.run())
        await told.until(lambda: told.messages)
        await server.stop(grace=None)
        await told.until(lambda: told.losses)
        async with serving(coordinator, port=port):
            await told.until(lambda: len(coordinator.sessions) == 2)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    assert coordinator.sessions[1].epoch == 2


async def test_leaving_a_session_says_why_and_opens_another() -> None:
    coordinator, told = ScriptedCoordinator(), Told()
    async with serving(coordinator) as (_, port):
        line = Uplink(f"127.0.0.1:{port}", told, SystemClock())
        running = asyncio.create_task(line.run())
        await told.until(lambda: told.messages)
        line.leave("the lease ran out")
        await told.until(lambda: len(told.messages) == 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert told.losses[0] == "the lease ran out"


async def test_a_coordinator_that_never_answers_is_given_up(monkeypatch) -> None:
    monkeypatch.setattr(uplink, "WELCOME_WITHIN_S", 0.05)
    coordinator, told = ScriptedCoordinator(), Told()
    coordinator.welcome = False
    async with serving(coordinator) as (_, port):
        line = Uplink(f"127.0.0.1:{port}", told, SystemClock())
        running = asyncio.create_task(line.run())
        await told.until(lambda: told.losses)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert told.losses[0] == "no welcome within 0.05 s"


class Babbler(grpc.GenericRpcHandler):
    """Answers every session with a good message and then with bytes that are none."""

    def service(self, handler_call_details):
        async def babble(requests, context):
            async for _ in requests:
                await context.write(cell_pb2.CoordinatorMessage().SerializeToString())
                await context.write(b"\xff\xff\xff\xff")

        return grpc.stream_stream_rpc_method_handler(babble)


async def test_what_cannot_be_understood_ends_the_session_and_not_the_node() -> None:
    told = Told()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Babbler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    line = Uplink(f"127.0.0.1:{port}", told, SystemClock())
    running = asyncio.create_task(line.run())
    await told.until(lambda: len(told.losses) == 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await server.stop(grace=None)

    assert told.losses[0] == "the coordinator said what cannot be understood"
    assert len(told.messages) >= 1


async def test_every_message_says_when_it_left() -> None:
    coordinator, told, clock = ScriptedCoordinator(), Told(), SystemClock()
    before_ns = clock.monotonic_ns()
    async with serving(coordinator) as (_, port):
        line = Uplink(f"127.0.0.1:{port}", told, clock)
        running = asyncio.create_task(line.run())
        await told.until(lambda: told.messages)
        line.say(beat(1))
        session = await coordinator.session()
        line.offer_decision(window("a"))
        await session.until(lambda: session.windows)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    left = [message.sent_ns for message in session.heard]
    assert left == sorted(left)
    assert before_ns < left[0]
    assert left[-1] < clock.monotonic_ns()


async def test_heartbeats_say_how_long_the_way_is_and_what_time_it_is() -> None:
    coordinator, told = ScriptedCoordinator(), Told()
    async with serving(coordinator) as (_, port):
        line = Uplink(f"127.0.0.1:{port}", told, SystemClock())
        running = asyncio.create_task(line.run())
        await told.until(lambda: told.messages)
        for seq in (1, 2):
            line.say(beat(seq))
            await told.until(lambda seq=seq: len(told.messages) == seq + 1)
        session = await coordinator.session()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    first, second = session.of("heartbeat")
    assert not first.HasField("round_trip")
    assert 0 < second.round_trip.ToNanoseconds() < 10**10
    assert 0 < first.sent_at.ToNanoseconds() < second.sent_at.ToNanoseconds()


@pytest.mark.parametrize(
    ("jitter", "expected"),
    [(1.0, [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]), (0.0, [0.1, 0.2, 0.4, 0.8, 1.0, 1.0])],
)
async def test_attempts_wait_longer_and_longer_up_to_a_bound(jitter, expected) -> None:
    told, clock = Told(), WaitsWritten()
    line = Uplink("127.0.0.1:1", told, clock, jitter=lambda: jitter)
    running = asyncio.create_task(line.run())
    await told.until(lambda: len(told.losses) > len(expected))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert clock.waits[: len(expected)] == pytest.approx(expected)
    assert "UNAVAILABLE" in told.losses[0]
