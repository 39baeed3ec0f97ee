"""The programs in docs/examples work as the page beside them says."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from andon.v1 import cell_pb2, terms_pb2
from tests.ros_nodes.cells import ROOT, free_domain
from tests.ros_nodes.managed_world import (
    World,
    free_port,
    managed_world,
    stands,
    start,
    work,
)
from tests.ros_nodes.ros_programs import clean_environment
from tests.ros_nodes.ros_world import until

pytestmark = [pytest.mark.ros, pytest.mark.slow]

EXAMPLES = ROOT / "docs/examples"
DOMAIN = free_domain(5)


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[World]:
    with managed_world(tmp_path_factory.mktemp("examples"), DOMAIN) as world:
        yield world


@pytest.fixture
async def world(shared: World) -> AsyncIterator[World]:
    yield shared
    await shared.reset()


@asynccontextmanager
async def example(
    name: str, *parameters: str, folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run an example in the cell's namespace; it is gone afterwards."""
    words = [word for parameter in parameters for word in ("-p", parameter)]
    with (folder / f"{name}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(EXAMPLES / name),
            "--ros-args", "-r", "__ns:=/press_1", *words,
            env=clean_environment(ROS_DOMAIN_ID=str(DOMAIN)),
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_the_python_program_works_its_parts_and_obeys(
    world: World, tmp_path: Path
) -> None:
    async with (
        world.coordinated() as coordinator,
        example(
            "robot_program.py", "parts:=2", "step_s:=0.3", folder=tmp_path
        ) as process,
    ):
        session = await world.active(coordinator)
        await world.node.told("program", "waits at its decision point")
        await start(session)
        await session.until(lambda: session.windows)
        await session.permit_for(session.windows[0], action=terms_pb2.ACTION_REWORK)
        await session.until(lambda: len(session.windows) == 2)
        await session.say(
            withdraw=cell_pb2.Withdraw(reason=terms_pb2.HOLD_REASON_OPERATOR_HOLD)
        )
        await stands(session, cell_pb2.STAND_DECIDING)
        log = tmp_path / "robot_program.py.log"
        await until(lambda: "held: operator_hold" in log.read_text(encoding="utf-8"))
        world.node.forget()
        await world.node.told("program", "waits at its decision point")
        await session.permit_for(session.windows[1], action=terms_pb2.ACTION_REJECT)
        await session.until(lambda: len(session.windows) == 3)
        await session.permit_for(session.windows[2])
        async with asyncio.timeout(10):
            code = await process.wait()

    said = log.read_text(encoding="utf-8")
    assert code == 0
    assert [window.part_id for window in session.windows] == [
        "part-0",
        "part-0",
        "part-1",
    ]
    assert said.count("working on part-0") == 2
    assert "part-0: reject" in said
    assert "part-1: continue" in said


async def test_the_bridge_turns_lines_into_calls(world: World, tmp_path: Path) -> None:
    port = free_port()
    async with (
        world.coordinated() as coordinator,
        example("socket_bridge.py", f"listen:=127.0.0.1:{port}", folder=tmp_path),
    ):
        session = await world.active(coordinator)
        reader, writer = await connected(port)
        writer.write(b"done\n")
        await world.node.told("program", "waits at its decision point")
        await start(session)
        assert await reader.readline() == b"[continue]\n"
        await work(session)
        writer.write(b"done\n")
        await session.until(lambda: session.windows)
        await session.say(
            withdraw=cell_pb2.Withdraw(
                reason=terms_pb2.HOLD_REASON_OPERATOR_HOLD, text="cord pulled"
            )
        )
        assert await reader.readline() == b"[held operator_hold: cord pulled]\n"
        writer.write(b"done\n")
        await world.node.told("program", "waits at its decision point")
        writer.close()
        await writer.wait_closed()

        await world.node.told("program", "has not come to its decision point")


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the bridge as soon as it listens."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
