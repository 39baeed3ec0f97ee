"""Two cells on one machine, as `andon cell up` starts them where there is no launch."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.ros_nodes.cells import ROOT, Cell, free_domain, write_config
from tests.ros_nodes.launched import children, told
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, serving

pytest.importorskip("rclpy")
pytestmark = [pytest.mark.ros, pytest.mark.slow]


@asynccontextmanager
async def two_cells(folder: Path, port: int) -> AsyncIterator[Cell]:
    """Two simulated cells in one ROS domain, started by one supervisor."""
    config = write_config(folder, port=port, domain=free_domain(2))
    text = config.read_text(encoding="utf-8")
    second = '\n[cells.press-2]\nfamily = "peg"\n[cells.press-2.ros]\ndomain_id = '
    config.write_text(f"{text}{second}{free_domain(2)}\n", encoding="utf-8")
    path = os.pathsep.join([str(ROOT), str(ROOT / "proto")])
    log = (folder / "nodes.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "coordinator", "cell", "up", "press-1", "press-2"),
        *("--config", str(config), "--simulate", "--seed", "3", "--trace", str(folder)),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=log,
        stderr=log,
    )
    try:
        yield Cell(folder, process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        log.close()


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def nodes(cell: Cell) -> dict[str, int]:
    """Process ids of the cells' own nodes, by namespace."""
    found = {}
    for pid in children(cell.process.pid):
        facts = told(pid)
        if facts["node"] == "cell_node":
            found[facts["remaps"][0].removeprefix("__ns:=")] = pid
    return found


async def test_two_cells_live_and_die_apart(tmp_path: Path) -> None:
    coordinator = ScriptedCoordinator()
    async with (
        serving(coordinator) as (_, port),
        two_cells(tmp_path, port) as cell,
    ):
        first, second = await coordinator.session(1), await coordinator.session(2)
        assert {first.hello.cell_id, second.hello.cell_id} == {"press-1", "press-2"}
        assert set(nodes(cell)) == {"/press_1", "/press_2"}

        one, other = (first, second)
        if one.hello.cell_id != "press-1":
            one, other = other, one
        os.kill(nodes(cell)["/press_1"], signal.SIGKILL)
        again = await coordinator.session(3)

        assert again.hello.cell_id == "press-1"
        assert one.over.is_set()
        assert not other.over.is_set()
        log = (tmp_path / "nodes.log").read_text(encoding="utf-8")
        assert "press-1.node was ended by SIGKILL; started again in 0.5 s" in log
        assert "INFO press-2.node ros_nodes.managed_node: active" in log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_no_node_outlives_its_supervisor(tmp_path: Path, number) -> None:
    async with two_cells(tmp_path, 1) as cell:
        await cell.until(lambda: len(children(cell.process.pid)) == 4, within=20.0)
        pids = children(cell.process.pid)

        cell.process.send_signal(number)
        await cell.process.wait()

        await cell.until(lambda: not any(alive(pid) for pid in pids), within=20.0)
