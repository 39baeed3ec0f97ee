"""The UR profile, tried as an integrator would: on the twin, without a UR."""

import asyncio
from pathlib import Path

import pytest

from andon.v1 import cell_pb2, terms_pb2
from coordinator import config
from tests.ros_nodes.cells import Cell, cell_up, free_domain
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, Spoken, serving

pytest.importorskip("rclpy")

from std_msgs.msg import UInt8
from std_srvs.srv import SetBool, Trigger

from ros_nodes.qos import HOLDS
from tests.ros_nodes.ros_world import Spun, spun, until

pytestmark = [pytest.mark.ros, pytest.mark.slow]

AT_1, AT_2 = ("--time-factor", "1"), ("--time-factor", "2")


def profile(name: str, folder: Path, *, port: int, domain: int) -> Path:
    text = config.template(name)
    text = text.replace("127.0.0.1:50551", f"127.0.0.1:{port}")
    text = text.replace("domain_id = 0 ", f"domain_id = {domain} ")
    assert f"domain_id = {domain} " in text
    path = folder / "andon.toml"
    path.write_text(text, encoding="utf-8")
    return path


class People:
    """Hands at the robot, and eyes on what its driver says."""

    def __init__(self, world: Spun) -> None:
        self._node = world.node
        self.safety: list[int] = []
        self._node.create_subscription(
            UInt8,
            "/io_and_status_controller/safety_mode",
            lambda message: self.safety.append(message.data),
            HOLDS,
        )

    async def call(self, name: str, *, data: bool | None = None) -> bool:
        kind = Trigger if data is None else SetBool
        client = self._node.create_client(kind, name)
        await until(client.service_is_ready)
        request = kind.Request() if data is None else kind.Request(data=data)
        answer = client.call_async(request)
        await until(answer.done)
        self._node.destroy_client(client)
        return bool(answer.result().success)


async def at_work(session: Spoken, cell: Cell, permit_id: str = "p-start") -> None:
    begun = len(cell.motions("begin"))
    await session.permit("START", permit_id=permit_id)
    await cell.until(lambda: len(cell.motions("begin")) == begun + 1)


async def test_a_urs_cycle_arrives_as_one_window_of_its_own_shape(
    tmp_path: Path,
) -> None:
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port):
        path = profile("ur", tmp_path, port=port, domain=free_domain(0))
        async with cell_up(tmp_path, config=path, options=AT_2) as cell:
            session = await coordinator.session()
            assert len(session.hello.channels) == 25
            await at_work(session, cell)
            await session.until(lambda: session.windows, within=30.0)

            [window] = session.windows
            assert (window.rows, window.channels) == (128, 25)
            # A busy machine publishes late now and then; a wrong rate would lose most.
            assert window.gap_rows <= 12
            assert not window.present or all(window.present)


async def test_a_hold_pauses_through_the_dashboard_and_a_permit_plays(
    tmp_path: Path,
) -> None:
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port):
        path = profile("ur", tmp_path, port=port, domain=free_domain(1))
        async with cell_up(tmp_path, config=path, options=AT_2) as cell:
            session = await coordinator.session()
            await at_work(session, cell)
            await session.say(
                withdraw=cell_pb2.Withdraw(
                    reason=terms_pb2.HOLD_REASON_OPERATOR_HOLD, text="cord"
                )
            )
            await session.until(
                lambda: session.robot == cell_pb2.ROBOT_HOLD_HELD, within=20.0
            )
            beats = session.last_heartbeat
            await session.until(lambda: session.last_heartbeat >= beats + 2)
            await session.permit("RESUME", permit_id="p-resume")
            await session.until(lambda: session.windows, within=30.0)

            events = [m["event"] for m in cell.motions()]
            assert events[events.index("begin") :][:5] == [
                "begin",
                "pause",
                "stands",
                "resume",
                "end",
            ]


async def test_after_a_protective_stop_only_people_start_a_ur_again(
    tmp_path: Path,
) -> None:
    """Stop, reset, start anew, release: the order that a person follows."""
    coordinator = ScriptedCoordinator()
    domain = free_domain(2)
    async with serving(coordinator) as (_, port):
        path = profile("ur", tmp_path, port=port, domain=domain)
        with spun("people", domain) as world:
            people = People(world)
            async with cell_up(tmp_path, config=path, options=AT_2) as cell:
                session = await coordinator.session()
                await at_work(session, cell)
                await people.call("simulated/safety_stop", data=True)
                await session.until(lambda: session.of("safety_stop"))
                await until(lambda: people.safety[-1:] == [3])
                await session.until(
                    lambda: session.scene.stand == cell_pb2.STAND_STOPPED
                )
                assert not await people.call("/dashboard_client/play")

                await people.call("simulated/safety_stop", data=False)
                await session.until(
                    lambda: session.scene.stand == cell_pb2.STAND_AT_START
                )
                await asyncio.sleep(1.5)
                begun = cell.motions("begin")
                assert await people.call("simulated/start")
                beats = session.last_heartbeat
                await session.until(lambda: session.last_heartbeat >= beats + 2)
                assert cell.motions("begin") == begun

                await at_work(session, cell, "p-new")
                # A slow machine stops the robot only when its first window is sent.
                await session.until(
                    lambda: any(window.cycle == 1 for window in session.windows),
                    within=30.0,
                )
                after = cell.motions()
                stop = [m["event"] for m in after].index("safety_stop")
                assert "resume" not in [m["event"] for m in after[stop:]]


async def test_a_robot_that_goes_deaf_is_told_unconfirmed_until_it_hears(
    tmp_path: Path,
) -> None:
    coordinator = ScriptedCoordinator()
    domain = free_domain(3)
    async with serving(coordinator) as (_, port):
        path = profile("ur", tmp_path, port=port, domain=domain)
        with spun("people", domain) as world:
            people = People(world)
            async with cell_up(tmp_path, config=path, options=AT_1) as cell:
                session = await coordinator.session()
                await people.call("simulated/deaf", data=True)
                await at_work(session, cell)
                await session.say(
                    withdraw=cell_pb2.Withdraw(
                        reason=terms_pb2.HOLD_REASON_OPERATOR_HOLD, text="cord"
                    )
                )
                await session.until(
                    lambda: session.robot == cell_pb2.ROBOT_HOLD_UNCONFIRMED
                )
                assert cell.motions("stands") == []
                await people.call("simulated/deaf", data=False)
                await session.until(lambda: session.robot == cell_pb2.ROBOT_HOLD_HELD)

                told = [held.confirmed for held in session.of("node_held")]
                assert told[-2:] == [False, True]
