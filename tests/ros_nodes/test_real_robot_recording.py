"""A real robot with 45 joints, recorded by other people, works in a cell of andon."""

import asyncio
import signal
from pathlib import Path

import numpy as np
import pytest

from ros_nodes.bags.opening import open_bag
from ros_nodes.cdr import PoseReader
from ros_nodes.config import read_cell
from ros_nodes.plan import Simulation, plan
from ros_nodes.supervisor import command
from tests.ros_nodes.bags.bag_builders import shared_bags
from tests.ros_nodes.cells import free_domain
from tests.ros_nodes.ros_programs import clean_environment
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, serving

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")
pytestmark = [pytest.mark.ros, pytest.mark.slow]

ROWS = 128
CYCLE_S = 4.0
RATE = 4.0


def recorded(bag_path: Path) -> list[dict[str, float]]:
    """Positions by joint, message by message."""
    reader = PoseReader()
    with open_bag(bag_path) as bag:
        return [reader.read(m.data) for m in bag.messages(["/joint_states"])]


def write_cell(folder: Path, joints: tuple[str, ...], port: int, domain: int) -> Path:
    """A configuration with the position and the effort of every joint."""
    channels = "\n".join(
        f'  {{ name = "{joint}_{short}", unit = "{unit}", minimum = -1e6, '
        f'maximum = 1e6, source = "joints:{field}:{joint}" }},'
        for short, unit, field in (("pos", "rad", "position"), ("eff", "N*m", "effort"))
        for joint in joints
    )
    text = f"""
[coordinator]
listen = "127.0.0.1:{port}"
[families.pr2]
rows = {ROWS}
default_label = "ok"
labels = [{{ name = "ok", action = "continue", text = "good" }}]
channels = [
{channels}
]
[cells.pr2]
family = "pr2"
[cells.pr2.ros]
domain_id = {domain}
[cells.pr2.ros.topics.joints]
name = "joint_states"
type = "sensor_msgs/msg/JointState"
rate_hz = 98.6
"""
    path = folder / "andon.toml"
    path.write_text(text, encoding="utf-8")
    return path


async def test_forty_five_joints_are_judged_cycle_by_cycle_as_they_were_recorded(
    tmp_path: Path,
) -> None:
    bag_path = shared_bags() / "derived_rosbag2_mcap"
    samples = recorded(bag_path)
    joints = tuple(samples[0])
    domain = free_domain(9)
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port):
        config = write_cell(tmp_path, joints, port, domain)
        cell = plan(read_cell(config, "pr2"), config, simulation=Simulation())[1]
        words = [
            *("replay", str(bag_path), "--config", str(config), "--cell", "pr2"),
            *("--as-robot", "--cycle-seconds", str(CYCLE_S), "--rate", str(RATE)),
        ]
        with (tmp_path / "nodes.log").open("wb") as log:
            nodes = [
                await asyncio.create_subprocess_exec(
                    *line, env=clean_environment(**cell.env), stderr=log
                )
                for line in (command(cell), (*command(cell)[:3], *words))
            ]
            try:
                session = await coordinator.session(within=60)
                await session.permit("START")
                await session.until(lambda: session.windows, within=20)
                await session.permit_for(session.windows[0])
                await session.until(lambda: len(session.windows) == 2, within=20)
            finally:
                for node in nodes:
                    if node.returncode is None:
                        node.send_signal(signal.SIGTERM)
                codes = [await node.wait() for node in nodes]

    assert codes == [0, 0]
    assert len(joints) == 45
    first, second = session.windows
    assert [(w.part_id, w.rows, w.channels) for w in (first, second)] == [
        ("part-0", ROWS, 90),
        ("part-1", ROWS, 90),
    ]
    assert [w.gap_rows for w in (first, second)] == [0, 0]
    # The window ends where the robot stood at the end of its cycle.
    for window, end_s in ((first, CYCLE_S), (second, 2 * CYCLE_S)):
        rows = np.frombuffer(window.samples, "<f4").reshape(ROWS, 90)
        assert np.isfinite(rows).all()
        last = dict(zip(joints, rows[-1].astype(np.float64), strict=False))
        moment = round(98.6 * end_s)
        off = min(
            max(abs(last[joint] - sample[joint]) for joint in joints)
            for sample in samples[moment - 6 : moment + 6]
        )
        assert off < 0.01
