"""Nodes of two releases of ROS 2, Jazzy and Kilted, work in one cell.

They need an interpreter with the other release's wheels; .ci/run makes one. Both
releases have equal definitions (and type hashes) of all messages that andon uses.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ros_nodes.config import read_cell
from ros_nodes.plan import NodeSpec, Simulation, plan
from ros_nodes.supervisor import command
from tests.ros_nodes.cells import free_domain, write_config
from tests.ros_nodes.release_peer import COUNT
from tests.ros_nodes.ros_programs import clean_environment
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, serving
from tests.ros_nodes.test_replay_over_ros import record, replaying

pytest.importorskip("rclpy")
pytestmark = [pytest.mark.ros, pytest.mark.slow]

PEER = Path(__file__).with_name("release_peer.py")

# Kilted's Fast DDS knows both names and warns of the old one; Jazzy's knows that alone.
PROFILE_VARIABLES = {
    "kilted": "FASTDDS_DEFAULT_PROFILES_FILE",
    "jazzy": "FASTRTPS_DEFAULT_PROFILES_FILE",
}


@pytest.fixture
def pythons() -> dict[str, str]:
    """Interpreters by the release whose wheels they have."""
    jazzy = os.environ.get("ANDON_JAZZY_PYTHON", "")
    if not jazzy:
        pytest.skip("no second release: set ANDON_JAZZY_PYTHON to a Python with Jazzy")
    return {"jazzy": jazzy, "kilted": sys.executable}


BOTH_WAYS = pytest.mark.parametrize(
    ("one", "other"), [("jazzy", "kilted"), ("kilted", "jazzy")]
)


@BOTH_WAYS
def test_messages_and_services_cross_between_releases(
    pythons: dict[str, str], one: str, other: str
) -> None:
    domain = str(free_domain(5 if one == "jazzy" else 6))
    said = subprocess.Popen(
        [pythons[one], str(PEER), "say", domain],
        env=clean_environment(),
        stdin=subprocess.PIPE,
    )
    try:
        heard = subprocess.run(
            [pythons[other], str(PEER), "hear", domain],
            env=clean_environment(),
            stdout=subprocess.PIPE,
            check=True,
            timeout=40,
        )
    finally:
        said.communicate(timeout=20)

    facts = json.loads(heard.stdout)
    assert facts["answer"] == "gehalten"
    assert facts["names"] == ["elbow", "wrist"]
    assert facts["efforts"] == list(range(COUNT))
    assert (facts["torque"], facts["frame"]) == (-2.5, "tool0")
    assert facts["words"] == [f"Prüfstück {n}" for n in range(COUNT)]
    assert facts["said_types"] == facts["heard_types"]
    assert [kind[:7] for kind in facts["said_types"]] == ["RIHS01_"] * 3
    assert said.returncode == 0


def of_release(spec: NodeSpec, release: str) -> dict[str, str]:
    """The environment of a node that another release's interpreter runs."""
    env = dict(spec.env)
    profile = env.pop("FASTDDS_DEFAULT_PROFILES_FILE", "") or env.pop(
        "FASTRTPS_DEFAULT_PROFILES_FILE"
    )
    return clean_environment(**env, **{PROFILE_VARIABLES[release]: profile})


@BOTH_WAYS
async def test_a_cell_node_of_one_release_works_with_a_robot_of_the_other(
    tmp_path: Path, pythons: dict[str, str], one: str, other: str
) -> None:
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port):
        domain = free_domain(7 if one == "jazzy" else 8)
        config = write_config(tmp_path, port=port, domain=domain)
        cell = read_cell(config, "press-1")
        file = record(tmp_path / "r.csv", [c.name for c in cell.channels], 2)
        specs = plan(cell, config, simulation=Simulation(), trace=tmp_path)
        releases = {"cell_node": one, "replay_node": other}
        with (tmp_path / "nodes.log").open("wb") as log:
            nodes = [
                await asyncio.create_subprocess_exec(
                    pythons[releases[spec.executable]],
                    *command(spec)[1:],
                    env=of_release(spec, releases[spec.executable]),
                    stderr=log,
                )
                for spec in replaying(specs, config, file)
            ]
            try:
                session = await coordinator.session(within=40)
                await session.permit("START")
                await session.until(lambda: session.windows)
                await session.permit_for(session.windows[0])
                await session.until(lambda: len(session.windows) == 2)
            finally:
                for node in nodes:
                    if node.returncode is None:
                        node.send_signal(signal.SIGTERM)
                codes = [await node.wait() for node in nodes]

    assert [w.part_id for w in session.windows] == ["run-0", "run-1"]
    assert [w.gap_rows for w in session.windows] == [0, 0]
    assert codes == [0, 0]
