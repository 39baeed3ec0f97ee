"""A cell's node and its lifecycle, with real processes and services."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from andon.v1 import cell_pb2
from ros_nodes.clock import SystemClock
from tests.ros_nodes.cells import free_domain
from tests.ros_nodes.managed import ended, facts
from tests.ros_nodes.managed_world import World, managed_world, told
from tests.ros_nodes.ros_world import until

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[World]:
    with managed_world(tmp_path_factory.mktemp("managed"), free_domain(0)) as world:
        yield world


@pytest.fixture
async def world(shared: World) -> AsyncIterator[World]:
    shared.robot.obeys = True
    yield shared
    await shared.reset()


async def test_nothing_happens_before_it_is_configured(world: World) -> None:
    assert await world.node.state() == "unconfigured"
    status = await world.node.told("lifecycle", "unconfigured")

    assert status.hardware_id == "press-1"
    assert status.level == status.WARN
    assert list(world.node.statuses()) == ["lifecycle"]


async def test_a_refused_configuration_is_a_failure_with_its_sentence(
    world: World,
) -> None:
    assert await world.node.set("cell", "press-9") == ""
    assert not await world.node.change("configure")
    assert await world.node.state() == "unconfigured"
    status = await world.node.told("lifecycle", "cell 'press-9' is not configured")
    assert status.level == status.ERROR
    assert "cell 'press-9' is not configured, known: press-1" in world.log()

    assert await world.node.set("cell", "press-1") == ""
    assert await world.node.change("configure")
    await world.node.told("lifecycle", "inactive")


async def test_inactive_the_robot_is_held_and_nobody_is_asked(world: World) -> None:
    holds = len(world.robot.holds)
    async with world.coordinated() as coordinator:
        await world.configured()
        answer = await told(await world.program().call())
        link = await world.node.told("link", "not connected: not active")

        assert len(world.robot.holds) == holds + 1
        assert answer == (False, "link_lost: the node is not active")
        assert coordinator.sessions == []
        assert link.level == link.WARN


async def test_active_it_keeps_a_session(world: World) -> None:
    async with world.coordinated() as coordinator:
        session = await world.active(coordinator)
        link = await world.node.told("link", "session open")

        assert session.hello.cell_id == "press-1"
        assert link.level == link.OK
        assert facts(link)["epoch"] == str(session.epoch)
        assert 0.0 < float(facts(link)["lease_left_s"]) <= 2.0


async def test_deactivating_in_mid_step_holds_and_ends_the_session(
    world: World,
) -> None:
    async with world.coordinated() as coordinator:
        session, _ = await world.working(coordinator)
        holds, answered = len(world.robot.holds), world.seen("hold_answered")
        assert await world.node.change("deactivate")
        await session.over.wait()
        await until(lambda: world.seen("hold_answered") > answered)
        assert len(world.robot.holds) == holds + 1

        assert await world.node.change("activate")
        again = await coordinator.session(2)

        assert again.hello.scene.stand == cell_pb2.STAND_PAUSED
        assert again.epoch == session.epoch + 1
        assert len(coordinator.sessions) == 2


async def test_a_node_is_not_forgotten_while_its_robot_does_not_stand(
    world: World,
) -> None:
    async with world.coordinated() as coordinator:
        await world.working(coordinator)
        world.robot.obeys = False
        assert await world.node.change("deactivate")
        await world.node.told("hold", "HOLD_UNCONFIRMED")
        assert not await world.node.change("cleanup")
        await world.node.told("lifecycle", "has not confirmed that it holds")
        world.robot.obeys = True
        await world.node.told("hold", "held: link_lost")

        assert await world.node.change("cleanup")


async def test_configured_parameters_are_read_only_except_the_part(
    world: World,
) -> None:
    await world.configured()

    assert await world.node.set("cell", "press-2") == (
        "cell is read-only while the node is configured; clean it up first"
    )
    assert await world.node.set("part_id", "4711") == ""
    assert "no line of at most" in await world.node.set("part_id", "4711\n")


async def test_a_value_that_cannot_be_lived_with_is_not_taken(world: World) -> None:
    assert await world.node.set("target", "nowhere") == (
        "parameters: target 'nowhere' is not host:port"
    )
    assert "must be true or false" in await world.node.set("autostart", "yes")


async def test_a_sensor_that_falls_silent_is_an_error(world: World) -> None:
    await world.configured()
    status = await world.node.told("topic wrench", " Hz")
    assert status.level == status.OK
    assert float(facts(status)["rate_hz"]) == pytest.approx(50.0, rel=0.2)
    assert facts(status)["topic"] == "/press_1/wrench"

    world.robot.silent = True
    try:
        status = await world.node.told("topic wrench", "silent for")
    finally:
        world.robot.silent = False

    assert status.level == status.ERROR


async def test_a_shut_down_node_stays_and_can_only_end(tmp_path: Path) -> None:
    with managed_world(tmp_path, free_domain(1)) as world:
        node = world.node
        assert await node.change("configure")
        assert await node.change("shutdown")
        assert await node.state() == "finalized"
        await node.told("lifecycle", "finalized")
        node.process.send_signal(signal.SIGTERM)

        assert await ended(node.process, within=2.0) == 0


@pytest.mark.parametrize(
    ("transitions", "number"),
    [
        pytest.param((), signal.SIGINT, id="unconfigured"),
        pytest.param(("configure",), signal.SIGTERM, id="inactive"),
        pytest.param(("configure", "activate"), signal.SIGINT, id="active"),
    ],
)
async def test_a_signal_ends_the_node_within_two_seconds_in_any_state(
    tmp_path: Path, transitions: tuple[str, ...], number: signal.Signals
) -> None:
    with managed_world(tmp_path, free_domain(1)) as world:
        node = world.node
        for transition in transitions:
            assert await node.change(transition)
        assert await node.state() in ("unconfigured", "inactive", "active")
        before_ns = SystemClock().monotonic_ns()
        node.process.send_signal(number)

        assert await ended(node.process, within=4.0) == 0
        assert SystemClock().monotonic_ns() - before_ns < 2e9


@pytest.mark.parametrize("obeys", [True, False])
async def test_a_signal_in_mid_step_holds_the_robot_obeying_or_not(
    tmp_path: Path, obeys: bool
) -> None:
    with managed_world(tmp_path, free_domain(1)) as world:
        async with world.coordinated() as coordinator:
            session, _ = await world.working(coordinator)
            holds = len(world.robot.holds)
            world.robot.obeys = obeys
            before_ns = SystemClock().monotonic_ns()
            world.node.process.send_signal(signal.SIGTERM)
            await session.over.wait()

            assert await ended(world.node.process, within=4.0) == 0
            assert SystemClock().monotonic_ns() - before_ns < 2e9
            assert len(world.robot.holds) > holds


async def test_a_program_that_waits_is_told_that_the_node_ends(
    tmp_path: Path,
) -> None:
    with managed_world(tmp_path, free_domain(1)) as world:
        async with world.coordinated() as coordinator:
            _, _, call = await world.deciding(coordinator)
            world.node.process.send_signal(signal.SIGINT)

            assert await told(call) == (False, "link_lost: the node ends")


async def test_a_node_of_jazzy_is_managed_and_called_like_any_other(
    tmp_path: Path,
) -> None:
    jazzy = os.environ.get("ANDON_JAZZY_PYTHON", "")
    if not jazzy:
        pytest.skip("no second release: set ANDON_JAZZY_PYTHON to a Python with Jazzy")
    with managed_world(tmp_path, free_domain(1), python=jazzy) as world:
        async with world.coordinated() as coordinator:
            session, _, call = await world.deciding(coordinator)
            await session.permit_for(session.windows[0])
            assert await told(call) == (True, "continue")
            assert await world.node.change("deactivate")
            await session.over.wait()
            world.node.process.send_signal(signal.SIGTERM)

            assert await ended(world.node.process, within=2.0) == 0
