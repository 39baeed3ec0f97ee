"""A robot's program that calls ~/decide, against a real node and real gRPC."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from lifecycle_msgs.srv import GetState
from std_msgs.msg import String

from andon.v1 import cell_pb2, terms_pb2
from ros_nodes.clock import SECOND_NS, SystemClock
from ros_nodes.qos import LATCHED
from tests.ros_nodes.cells import cell_up, free_domain
from tests.ros_nodes.managed import facts, trace
from tests.ros_nodes.managed_world import (
    NODE,
    World,
    managed_world,
    program_config,
    stands,
    start,
    told,
    work,
)
from tests.ros_nodes.ros_programs import clean_environment
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, serving

pytestmark = [pytest.mark.ros, pytest.mark.slow]

WAIT_S = float(os.environ.get("ANDON_TEST_WAIT_S", "2"))
"""How long people let a program wait; 30 and more was tried by hand."""

CALL_AND_WAIT = f"""
import rclpy
from std_srvs.srv import Trigger

rclpy.init()
node = rclpy.create_node("program")
client = node.create_client(Trigger, "{NODE}/decide")
client.wait_for_service()
call = client.call_async(Trigger.Request())
rclpy.spin_until_future_complete(node, call)
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[World]:
    with managed_world(tmp_path_factory.mktemp("decide"), free_domain(2)) as world:
        yield world


@pytest.fixture
async def world(shared: World) -> AsyncIterator[World]:
    yield shared
    await shared.reset()


async def test_a_program_works_through_its_parts(world: World) -> None:
    parts = world.ros.node.create_publisher(String, "part", LATCHED)
    parts.publish(String(data="part-4711"))
    async with world.coordinated() as coordinator:
        session, program, call = await world.deciding(coordinator)
        [window] = session.windows
        assert (window.part_id, window.step, window.cycle) == ("part-4711", "insert", 0)
        assert not call.done()

        await session.permit_for(window, action=terms_pb2.ACTION_REJECT)
        assert await told(call) == (True, "reject")
        parts.publish(String(data="part-4712"))
        await work(session)
        call = await program.call()
        await session.until(lambda: len(session.windows) == 2)
        second = session.windows[-1]
        await session.permit_for(second)

        assert await told(call) == (True, "continue")
        assert (second.part_id, second.cycle) == ("part-4712", 1)
        await session.until(lambda: len(session.of("permit_started")) == 3)
        assert session.of("permit_dropped") == []


async def test_while_a_call_waits_the_node_answers_everybody_else(
    world: World,
) -> None:
    async with world.coordinated() as coordinator:
        session, _, call = await world.deciding(coordinator)
        clock, slowest_ns, asked = SystemClock(), 0, 0
        until_ns = clock.monotonic_ns() + round(WAIT_S * SECOND_NS)
        while clock.monotonic_ns() < until_ns:
            before_ns = clock.monotonic_ns()
            await world.node.call(GetState, "get_state", GetState.Request())
            slowest_ns = max(slowest_ns, clock.monotonic_ns() - before_ns)
            asked += 1
            await asyncio.sleep(0.02)
        assert not call.done()
        assert asked > 10 * WAIT_S
        assert slowest_ns < SECOND_NS // 2

        await session.permit_for(session.windows[0])

        assert await told(call) == (True, "continue")


async def test_the_answer_leaves_within_the_start_window_of_its_permit(
    world: World,
) -> None:
    async with world.coordinated() as coordinator:
        session, _, call = await world.deciding(coordinator)
        await session.permit_for(session.windows[0], permit_id="p-in-time")
        await told(call)
        [permit] = [
            line
            for line in trace(world.trace, "permit_started")
            if line["permit_id"] == "p-in-time"
        ]
        begun = trace(world.trace, "begin")[-1]

        assert begun["permit_id"] == "p-in-time"
        assert begun["stamp_ns"] <= permit["start_by_ns"]


async def test_of_two_programs_only_the_newer_is_given_leave(world: World) -> None:
    async with world.coordinated() as coordinator:
        session, _, first = await world.deciding(coordinator)
        second = await world.program().call()
        assert await told(first) == (False, "superseded: another call waits now")

        await session.permit_for(session.windows[0])

        assert await told(second) == (True, "continue")


async def test_a_hold_answers_and_the_next_call_waits_for_the_release(
    world: World,
) -> None:
    async with world.coordinated() as coordinator:
        session, program, call = await world.deciding(coordinator)
        await session.say(
            withdraw=cell_pb2.Withdraw(
                reason=terms_pb2.HOLD_REASON_OPERATOR_HOLD, text="cord pulled"
            )
        )
        assert await told(call) == (False, "operator_hold: cord pulled")
        call = await program.call()
        beats = session.last_heartbeat
        await session.until(lambda: session.last_heartbeat >= beats + 2)
        assert not call.done()

        await session.permit_for(session.windows[0])

        assert await told(call) == (True, "continue")


async def test_a_lost_link_keeps_the_call_and_healing_brings_its_question_back(
    world: World,
) -> None:
    coordinator = ScriptedCoordinator(first_epoch=1 + world.seen("session_open"))
    async with serving(coordinator, port=world.port) as (server, _):
        session, _, call = await world.deciding(coordinator)
        [window] = session.windows
        await server.stop(grace=None)
        await session.over.wait()
        async with serving(coordinator, port=world.port):
            again = await coordinator.session(2)
            assert not call.done()
            assert again.hello.scene.window_digest == window.window_digest
            await again.say(reoffer=cell_pb2.Reoffer(session_epoch=again.epoch))
            await again.until(lambda: again.windows)
            assert again.windows[0].offered_again
            await again.permit_for(again.windows[0])

            assert await told(call) == (True, "continue")


async def test_a_hold_in_mid_step_and_its_release_are_not_the_programs_business(
    world: World,
) -> None:
    async with world.coordinated() as coordinator:
        session, program = await world.working(coordinator)
        await session.say(
            withdraw=cell_pb2.Withdraw(reason=terms_pb2.HOLD_REASON_OPERATOR_HOLD)
        )
        await stands(session, cell_pb2.STAND_PAUSED)
        beats = session.last_heartbeat
        await session.until(lambda: session.last_heartbeat >= beats + 2)
        await session.permit("RESUME")
        await stands(session, cell_pb2.STAND_IN_STEP)
        assert [what for what, _ in world.robot.asked[-2:]] == ["hold", "resume"]
        call = await program.call()
        await session.until(lambda: session.windows)

        assert not call.done()
        [window] = session.windows
        begun, ended = trace(world.trace, "begin")[-1], trace(world.trace, "end")[-1]
        assert window.rows * window.period_ns < ended["mono_ns"] - begun["mono_ns"]


async def test_a_program_that_ends_while_it_waits_is_given_nothing(
    world: World,
) -> None:
    async with world.coordinated() as coordinator:
        session, program, _ = await world.deciding(coordinator)
        begun = world.seen("begin")
        program.end()
        await world.node.told("program", "has not come to its decision point")
        status = world.node.statuses()["program"]
        await session.permit_for(session.windows[0])
        await session.until(lambda: session.of("permit_dropped"))

        assert facts(status)["clients"] == "0"
        assert [dropped.token for dropped in session.of("permit_dropped")] == [
            "EXPIRED"
        ]
        assert world.seen("begin") == begun
        await stands(session, cell_pb2.STAND_DECIDING)


async def test_a_program_killed_while_it_waits_moves_nothing_when_it_begins_again(
    tmp_path: Path,
) -> None:
    # DDS needs seconds to notice a kill: its leave goes to nobody.
    domain = free_domain(3)
    with managed_world(tmp_path, domain) as world:
        async with world.coordinated() as coordinator:
            session = await world.active(coordinator)
            killed = subprocess.Popen(  # noqa: ASYNC220 - it is only started here
                [sys.executable, "-c", CALL_AND_WAIT],
                env=clean_environment(ROS_DOMAIN_ID=str(domain)),
            )
            await world.node.told("program", "waits at its decision point")
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            await start(session)
            await stands(session, cell_pb2.STAND_IN_STEP)
            success, text = await told(await world.program().call())
            await session.until(lambda: session.of("node_held"))

            assert not success
            assert "began again in the middle of a step" in text
            held = session.of("node_held")[-1]
            assert held.reason == terms_pb2.HOLD_REASON_BAD_DATA
            assert session.windows == []
            await stands(session, cell_pb2.STAND_AT_START)


async def test_a_program_that_ends_in_mid_step_is_a_hold(world: World) -> None:
    async with world.coordinated() as coordinator:
        session, program = await world.working(coordinator)
        program.end()
        await session.until(lambda: session.of("node_held"))

        [held] = session.of("node_held")
        assert "ended in the middle of a step" in held.text
        assert held.confirmed


async def test_after_a_restart_in_mid_step_nobody_forgets_the_part(
    tmp_path: Path,
) -> None:
    with managed_world(tmp_path, free_domain(3)) as world:
        async with world.coordinated() as coordinator:
            session, program = await world.working(coordinator)
            holds = len(world.robot.holds)
            world.node.process.kill()
            world.node.process.wait()
            await session.over.wait()
            await world.begin_again()
            again = await world.active(coordinator)
            assert len(world.robot.holds) > holds
            assert again.hello.scene.stand == cell_pb2.STAND_AT_START

            success, text = await told(await program.call())
            await again.until(lambda: again.of("node_held"))
            assert not success
            assert "nobody judged its part" in text
            call = await program.call()
            beats = again.last_heartbeat
            await again.until(lambda: again.last_heartbeat > beats)
            await again.permit("START")

            assert await told(call) == (True, "continue")
            assert again.windows == []


async def test_the_twin_works_by_calling(tmp_path: Path) -> None:
    coordinator = ScriptedCoordinator()
    async with (
        serving(coordinator) as (_, port),
        cell_up(
            tmp_path,
            config=program_config(tmp_path, port=port, domain=free_domain(3)),
            options=("--cycles", "2"),
        ) as cell,
    ):
        session = await coordinator.session()
        # Its program is paused until a permit lets it go on; only then does it call.
        await start(session)
        await session.until(lambda: session.windows)
        await session.permit_for(session.windows[0], action=terms_pb2.ACTION_REWORK)
        await session.until(lambda: len(session.windows) == 2)

        first = session.windows[0]
        assert (first.rows, first.channels) == (128, 24)
        assert first.gap_rows < 13  # none, unless the machine is too busy for the twin
        assert first.step == "insert"
        assert [window.part_id for window in session.windows] == [
            cell.truth()[0]["part_id"]
        ] * 2
        assert len(cell.motions("begin")) == 2
