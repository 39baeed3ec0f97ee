"""Bugs, hangs and rivals: whatever goes wrong in a node, its robot is held."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest

pytest.importorskip("rclpy")

from andon.v1 import operator_pb2, operator_pb2_grpc
from coordinator.app import Coordinator
from coordinator.clock import SystemClock as CoordinatorsClock
from coordinator.config import load
from ros_nodes.clock import SECOND_NS, SystemClock
from tests.ros_nodes.cells import free_domain
from tests.ros_nodes.managed import FakeRobot, Managed, ended, node_process
from tests.ros_nodes.managed_world import (
    NODE,
    Caller,
    World,
    free_port,
    managed_world,
    program_config,
    told,
    work,
)
from tests.ros_nodes.ros_world import spun, until

pytestmark = [pytest.mark.ros, pytest.mark.slow]

DOMAIN = free_domain(8)
ANA = operator_pb2.Actor(person="ana", device="panel-1")
LIST = operator_pb2.ListRequestsRequest()

WITH_A_BUG = """
import sys, time
{bug}
from ros_nodes.__main__ import main
sys.exit(main(["cell_node", *sys.argv[1:]]))
"""

CALLBACK_OF_THE_LOOP = """
from ros_nodes.conductor import Conductor
from ros_nodes.terms import StepMoment
well = Conductor.step
def step(self, event):
    if event.moment is StepMoment.END:
        raise RuntimeError("a bug in the loop")
    well(self, event)
Conductor.step = step
"""

CALLBACK_OF_THE_THREAD = """
from ros_nodes.managed_node import ManagedNode
def may_set(self, parameters):
    raise RuntimeError("a bug in the thread")
ManagedNode._may_set = may_set
"""

HANG_OF_THE_LOOP = CALLBACK_OF_THE_LOOP.replace(
    'raise RuntimeError("a bug in the loop")', "time.sleep(60)"
)

TRANSITION = """
from ros_nodes.configured_node import ConfiguredCell
def activate(self):
    raise RuntimeError("a bug in a transition")
ConfiguredCell.activate = activate
"""


@contextmanager
def world_with(bug: str, folder: Path) -> Iterator[World]:
    """A node that is started with a bug in it."""
    program = folder / "buggy_node.py"
    program.write_text(WITH_A_BUG.format(bug=bug), encoding="utf-8")
    with managed_world(folder, DOMAIN, command=[str(program)]) as world:
        yield world


@pytest.mark.parametrize(
    ("bug", "words"),
    [
        pytest.param(CALLBACK_OF_THE_LOOP, "a bug in the loop", id="event-loop"),
        pytest.param(CALLBACK_OF_THE_THREAD, "a bug in the thread", id="executor"),
    ],
)
async def test_a_bug_in_a_callback_holds_the_robot_and_ends_the_node(
    tmp_path: Path, bug: str, words: str
) -> None:
    with world_with(bug, tmp_path) as world:
        async with world.coordinated() as coordinator:
            session, program = await world.working(coordinator)
            await work(session)
            holds = len(world.robot.holds)
            if bug is CALLBACK_OF_THE_LOOP:
                await program.call()
            else:
                world.node.ask("part_id", "4711")

            assert await ended(world.node.process) == 1
            await session.over.wait()
        assert len(world.robot.holds) > holds
        assert words in world.log()


async def test_a_loop_that_hangs_is_held_by_the_other_thread(tmp_path: Path) -> None:
    with world_with(HANG_OF_THE_LOOP, tmp_path) as world:
        async with world.coordinated() as coordinator:
            session, program = await world.working(coordinator)
            await work(session)
            holds, before_ns = len(world.robot.holds), SystemClock().monotonic_ns()
            await program.call()
            await until(lambda: len(world.robot.holds) > holds)

            assert world.robot.holds[-1] - before_ns < 2.5 * SECOND_NS
            assert "the event loop hangs: holding the robot" in world.log()
        world.node.process.kill()


async def test_a_bug_in_a_transition_is_an_error_and_the_node_begins_anew(
    tmp_path: Path,
) -> None:
    with world_with(TRANSITION, tmp_path) as world:
        await world.configured()
        assert not await world.node.change("activate")

        assert await world.node.state() == "unconfigured"
        status = await world.node.told("lifecycle", "failed; see the log")
        assert status.level == status.ERROR
        assert "a bug in a transition" in world.log()
        await world.configured()


@asynccontextmanager
async def coordinator_of(config: Path) -> AsyncIterator[str]:
    """The real coordinator, as `andon serve` builds it; its address."""
    coordinator = Coordinator(load(config), CoordinatorsClock())
    await coordinator.open()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(coordinator.run(ready.set_result))
    try:
        async with asyncio.timeout(30):
            yield await ready
    finally:
        coordinator.stop()
        async with asyncio.timeout(30):
            await running
            await coordinator.close()


def plant_config(folder: Path, *, port: int) -> Path:
    """A plant that starts by itself and asks a person about everything."""
    path = program_config(folder, port=port, domain=DOMAIN)
    text = path.read_text(encoding="utf-8")
    for before, after in (
        ("autostart = false", "autostart = true"),
        ('mode = "provisional"', 'mode = "ask_all"'),
        ("rows = 128", "rows = 16"),  # the robot of these tests speaks at 50 Hz
        ("stuck_rows = 64", "stuck_rows = 0"),  # and measures the same all day
        ("maximum_age_s = 0.25", "maximum_age_s = 5.0"),
    ):
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    return path


async def test_people_answer_a_waiting_program_through_the_real_coordinator(
    tmp_path: Path,
) -> None:
    config = plant_config(tmp_path, port=free_port())
    async with coordinator_of(config) as address:
        with (
            spun("robot", DOMAIN) as ros,
            node_process(tmp_path, DOMAIN, parameters=parameters(config)),
        ):
            FakeRobot(ros)
            program = Caller(ros)
            call = await program.call()
            assert await told(call, within=20.0) == (True, "continue")
            begun_ns = SystemClock().monotonic_ns()
            await until(lambda: SystemClock().monotonic_ns() - begun_ns > SECOND_NS)
            call = await program.call()
            await answered(address, label="misaligned")

            assert await told(call) == (True, "rework")


async def test_a_second_node_of_a_cell_is_refused_until_the_first_is_dead(
    tmp_path: Path,
) -> None:
    config = plant_config(tmp_path, port=free_port())
    (tmp_path / "second").mkdir()
    async with coordinator_of(config):
        with (
            spun("robot", DOMAIN) as ros,
            spun("robot", DOMAIN, "/press_2") as other,
            node_process(tmp_path, DOMAIN, parameters=parameters(config)) as process,
        ):
            FakeRobot(ros)
            FakeRobot(other)
            first = Managed(ros, process, NODE)
            await first.told("link", "session open")
            with node_process(
                tmp_path / "second",
                DOMAIN,
                parameters=parameters(config),
                rules=["__ns:=/press_2"],
            ) as rival:
                second = Managed(other, rival, "/press_2/cell_node")
                status = await second.told("link", "CELL_IN_USE")
                assert status.level == status.ERROR
                assert (await first.told("link", "session open")).level == b"\0"

                process.send_signal(signal.SIGKILL)

                await second.told("link", "session open")


def parameters(config: Path) -> dict[str, str]:
    return {"config": str(config), "cell": "press-1"}


async def answered(address: str, *, label: str) -> None:
    """Answer the cell's question as a person does."""
    async with grpc.aio.insecure_channel(address) as channel:
        operators = operator_pb2_grpc.OperatorServiceStub(channel)
        async with asyncio.timeout(20):
            while not (  # noqa: ASYNC110 - a question is raised elsewhere
                listed := await operators.ListRequests(LIST)
            ).requests:
                await asyncio.sleep(0.05)
        request_id = listed.requests[0].request_id
        shown = await operators.GetRequest(
            operator_pb2.GetRequestRequest(request_id=request_id)
        )
        claimed = await operators.Claim(
            operator_pb2.ClaimRequest(
                request_id=request_id, actor=ANA, idempotency_key="claim"
            )
        )
        await operators.Answer(
            operator_pb2.AnswerRequest(
                request_id=request_id,
                actor=ANA,
                claim_epoch=claimed.claim_epoch,
                idempotency_key="answer",
                view_digest=shown.view_digest,
                label=label,
            )
        )
