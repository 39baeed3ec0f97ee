"""A program that knows a Bool and an Int8, against a real node and real gRPC."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from std_msgs.msg import Bool, Int8

from andon.v1 import cell_pb2, terms_pb2
from ros_nodes.qos import STEPS
from tests.ros_nodes.cells import free_domain
from tests.ros_nodes.managed_world import World, managed_world, stands, start, work
from tests.ros_nodes.ros_world import Spun, until

pytestmark = [pytest.mark.ros, pytest.mark.slow]


class Controller:
    """A PLC: one bit out, one number in, in four phases."""

    def __init__(self, ros: Spun) -> None:
        self.actions: list[int] = []
        self._done = ros.node.create_publisher(Bool, "step_done", STEPS)
        ros.node.create_subscription(Int8, "action", self._hear, STEPS)

    def _hear(self, message: Int8) -> None:
        self.actions.append(message.data)

    async def found(self) -> None:
        """Wait until the node hears and speaks."""
        await until(self._done.get_subscription_count)
        await self.shown(0)

    def done(self, *, level: bool) -> None:
        self.actions.clear()
        self._done.publish(Bool(data=level))

    async def shown(self, action: int) -> None:
        await until(lambda: self.actions[-1:] == [action])

    async def take(self) -> None:
        """Take the action: lower the bit, wait for nothing, and work."""
        self.done(level=False)
        await self.shown(0)


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("signals")
    with managed_world(folder, free_domain(4), program="signals") as world:
        yield world


@pytest.fixture
async def world(shared: World) -> AsyncIterator[World]:
    yield shared
    await shared.reset()


async def test_a_controller_works_through_its_parts(world: World) -> None:
    controller = Controller(world.ros)
    async with world.coordinated() as coordinator:
        session = await world.active(coordinator)
        await controller.found()
        controller.done(level=False)
        controller.done(level=True)
        await world.node.told("program", "waits at its decision point")
        await start(session)
        await controller.shown(1)
        await controller.take()
        await stands(session, cell_pb2.STAND_IN_STEP)
        await work(session)

        controller.done(level=True)
        await session.until(lambda: session.windows)
        await session.permit_for(session.windows[0], action=terms_pb2.ACTION_REWORK)
        await controller.shown(2)
        await controller.take()
        await work(session)
        controller.done(level=True)
        await session.until(lambda: len(session.windows) == 2)
        await session.permit_for(session.windows[1], action=terms_pb2.ACTION_REJECT)

        await controller.shown(3)
        assert [window.cycle for window in session.windows] == [0, 1]


async def test_a_hold_is_shown_and_the_bit_must_fall_before_it_counts_again(
    world: World,
) -> None:
    controller = Controller(world.ros)
    async with world.coordinated() as coordinator:
        session = await world.active(coordinator)
        await controller.found()
        controller.done(level=False)
        controller.done(level=True)
        await world.node.told("program", "waits at its decision point")
        await session.say(
            withdraw=cell_pb2.Withdraw(reason=terms_pb2.HOLD_REASON_OPERATOR_HOLD)
        )
        await controller.shown(-1)
        await session.permit("START")
        await session.until(lambda: session.of("permit_dropped"))
        assert controller.actions[-1] == -1

        await controller.take()
        controller.done(level=True)
        await world.node.told("program", "waits at its decision point")
        await session.permit("START")

        await controller.shown(1)


async def test_the_first_level_seen_is_no_edge(world: World) -> None:
    controller = Controller(world.ros)
    async with world.coordinated() as coordinator:
        session = await world.active(coordinator)
        await controller.found()
        controller.done(level=True)
        await session.permit("START")
        await session.until(lambda: session.of("permit_dropped"))

        assert set(controller.actions) <= {0}


async def test_a_controller_that_gives_up_waiting_is_given_nothing(
    world: World,
) -> None:
    controller = Controller(world.ros)
    async with world.coordinated() as coordinator:
        session = await world.active(coordinator)
        await controller.found()
        controller.done(level=False)
        controller.done(level=True)
        await world.node.told("program", "waits at its decision point")
        controller.done(level=False)
        await world.node.told("program", "has not come")
        await session.permit("START")
        await session.until(lambda: session.of("permit_dropped"))

        assert set(controller.actions) <= {0}
