"""A recording is a robot in a process of its own; a node asks before each cycle."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from ros_nodes.config import read_cell
from ros_nodes.plan import NodeSpec, Simulation, plan
from ros_nodes.supervisor import command
from tests.ros_nodes.cells import ROOT, free_domain, write_config
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, serving

pytest.importorskip("rclpy")
pytestmark = [pytest.mark.ros, pytest.mark.slow]


def record(path: Path, channels: list[str], cycles: int) -> Path:
    """Write a recording in which every channel holds the number of its cycle."""
    lines = [",".join(["time_s", "cycle", *channels])]
    for cycle in range(cycles):
        for row in range(300):
            values = [f"{cycle + 1}.0"] * len(channels)
            lines.append(",".join([f"{row * 0.01:.2f}", f"run-{cycle}", *values]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def replaying(specs: tuple[NodeSpec, ...], config: Path, file: Path) -> list[NodeSpec]:
    """The plan of a simulated cell, with a recording in place of the twin."""
    robot, cell = specs
    parameters = dict(robot.parameters)
    for twins_own in ("seed", "rate_hz", "shift_at_cycle"):
        del parameters[twins_own]
    parameters |= {"file": str(file), "config": str(config), "time_factor": 8.0}
    replay = NodeSpec(
        "replay_node", robot.namespace, robot.name, parameters, env=robot.env
    )
    return [replay, cell]


async def test_a_recording_waits_for_permits_and_arrives_as_it_was(
    tmp_path: Path,
) -> None:
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port):
        config = write_config(tmp_path, port=port, domain=free_domain(8))
        cell = read_cell(config, "press-1")
        file = record(tmp_path / "r.csv", [c.name for c in cell.channels], 2)
        specs = plan(cell, config, simulation=Simulation(), trace=tmp_path)
        path = os.pathsep.join([str(ROOT), str(ROOT / "proto")])
        with (tmp_path / "nodes.log").open("wb") as log:
            nodes = [
                await asyncio.create_subprocess_exec(
                    *command(spec),
                    env={**os.environ, "PYTHONPATH": path, **spec.env},
                    stderr=log,
                )
                for spec in replaying(specs, config, file)
            ]
            try:
                session = await coordinator.session(within=30)
                await session.permit("START")
                await session.until(lambda: session.windows)
                await session.permit_for(session.windows[0])
                await session.until(lambda: len(session.windows) == 2)
            finally:
                for node in nodes:
                    node.send_signal(signal.SIGTERM)
                codes = [await node.wait() for node in nodes]

    first, second = session.windows
    assert (first.part_id, second.part_id) == ("run-0", "run-1")
    assert first.samples == bytes.fromhex("0000803f") * (128 * 24)  # 1.0
    assert second.samples == bytes.fromhex("00000040") * (128 * 24)  # 2.0
    assert first.gap_rows == 0
    assert codes == [0, 0]
