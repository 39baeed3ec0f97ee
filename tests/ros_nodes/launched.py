"""The launch files under the real launch_ros, where a machine has it.

`ros2 launch` is on machines with ROS 2 from apt. Elsewhere ANDON_LAUNCH_ROS_PATH may
name folders (as PYTHONPATH does) from which `launch`, `launch_ros` and what they need
can be imported, for example of checkouts of ros2/launch and ros2/launch_ros.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from tests.ros_nodes.cells import ROOT, Cell

LAUNCH = ROOT / "launch"
WHERE = os.environ.get("ANDON_LAUNCH_ROS_PATH", "")

AS_ROS2_LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

file, *said = sys.argv[1:]
service = LaunchService(argv=said)
service.include_launch_description(
    LaunchDescription(
        [
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(file),
                launch_arguments=[tuple(word.split(":=", 1)) for word in said],
            )
        ]
    )
)
sys.exit(service.run())
"""
"""What `ros2 launch FILE name:=value ...` does, without its command line."""

OURS = (
    "ROS_DOMAIN_ID",
    "RMW_IMPLEMENTATION",
    "FASTDDS_DEFAULT_PROFILES_FILE",
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
)


def environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [WHERE, str(ROOT), str(ROOT / "proto")]))
    mine = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "ROS_LOG_DIR": str(folder)}
    return {**os.environ, **mine}


@cache
def launch_is_there() -> bool:
    """Whether launch_ros can be imported; asked in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", "import launch_ros.actions, yaml"],
        cwd=ROOT,
        env=environment(ROOT),
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@asynccontextmanager
async def launched(folder: Path, file: str, **said: object) -> AsyncIterator[Cell]:
    """Launch a file with arguments; end it as Ctrl-C does, if it still runs."""
    words = [f"{name}:={value}" for name, value in said.items()]
    log = (folder / "launch.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", AS_ROS2_LAUNCH, str(LAUNCH / file), *words),
        cwd=folder,
        env=environment(folder),
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C reaches the whole group, but not this test
    )
    try:
        yield Cell(folder, process)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGINT)
        await process.wait()
        log.close()


def children(pid: int) -> list[int]:
    """Process ids of the living children of a process."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it ended meanwhile
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(entry.parent.name))
    return found


def told(pid: int) -> dict[str, Any]:
    """What a node's process was told: which node, its names, parameters, environment.

    Launch writes the parameters into a file; `up` writes them on the command line.
    """
    import yaml  # type: ignore[import-untyped]  # comes with launch, without types

    words = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")[:-1]
    own, _, ros = " ".join(words).partition(" --ros-args")
    pairs = list(zip(ros.split(), ros.split()[1:], strict=False))
    parameters: dict[str, Any] = {}
    for flag, value in pairs:
        if flag == "--params-file":
            document = yaml.safe_load(Path(value).read_text(encoding="utf-8"))
            (of_the_node,) = document.values()
            parameters |= of_the_node["ros__parameters"]
        elif flag == "-p":
            name, _, text = value.partition(":=")
            parameters[name] = yaml.safe_load(text)
    own_environment = dict(
        line.partition("=")[::2]
        for line in Path(f"/proc/{pid}/environ").read_text("utf-8").split("\0")
    )
    return {
        "node": own.split()[-1],
        "remaps": sorted(value for flag, value in pairs if flag == "-r"),
        "parameters": parameters,
        "environment": {name: own_environment.get(name) for name in OURS},
    }


def in_order(facts: list[dict[str, Any]]) -> list[str]:
    """The facts of several processes, comparable."""
    return sorted(json.dumps(one, sort_keys=True) for one in facts)
