"""One cell under ros2 launch.

    ros2 launch andon cell_launch.py cell:=press-1 config:=andon.toml

The nodes come from the same plan as those of `andon cell up`; only the starter differs.
They are plain Node actions, although the cell's node is a managed one: it activates
itself, also after a respawn, and in the ROS domain of its cell, which the launch
process may not be in. A LifecycleNode action could do neither.
"""

import os
import sys
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_prefix
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from ros_nodes.config import read_cell
from ros_nodes.plan import NodeSpec, Simulation, plan
from ros_nodes.starter import STARTER

ARGUMENTS = {
    "config": ("andon.toml", "path of andon.toml"),
    "cell": ("", "id of the cell"),
    "autostart": ("true", "false: a lifecycle manager configures and activates"),
    "trace": ("", "folder for traces, one file a process"),
    "simulate": ("false", "true: start a simulated robot as well"),
    "seed": ("0", "of all chance in the simulation"),
    "time_factor": ("1.0", "simulated seconds a second"),
    "rate_hz": ("0.0", "samples a simulated second; 0: as configured, or 50"),
    "cycles": ("0", "cycles a simulated cell works; 0: without end"),
    "shift_at_cycle": ("0", "cycle from which parts are heavier and drier; 0: never"),
    "truth": ("", "folder for the truth about each simulated cycle"),
    "deaf_from_cycle": ("0", "cycle from which it obeys no hold; 0: never"),
}
RESPAWN_AFTER_S = 1.0


def generate_launch_description() -> LaunchDescription:
    """Describe the nodes of one cell."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=nodes)])


def nodes(context: LaunchContext) -> list[Node]:
    """Map the cell's plan to launch actions."""
    said = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    config = Path(said["config"])
    specs = plan(
        read_cell(config, said["cell"]),
        config,
        simulation=_simulation(said),
        trace=_folder(said["trace"]),
        autostart=_yes(said["autostart"]),
        ros_distro=os.environ.get("ROS_DISTRO", ""),
    )
    return [_action(spec) for spec in specs]


def _simulation(said: dict[str, str]) -> Simulation | None:
    if not _yes(said["simulate"]):
        return None
    return Simulation(
        seed=int(said["seed"]),
        time_factor=float(said["time_factor"]),
        rate_hz=float(said["rate_hz"]),
        cycles=int(said["cycles"]),
        shift_at_cycle=int(said["shift_at_cycle"]),
        truth=_folder(said["truth"]),
        deaf_from_cycle=int(said["deaf_from_cycle"]),
    )


def _yes(text: str) -> bool:
    return text.lower() in {"true", "1"}


def _folder(text: str) -> Path | None:
    return Path(text) if text else None


def _action(spec: NodeSpec) -> Node:
    """One process; a node that dies comes back, held."""
    return Node(
        **_program(spec),
        exec_name=spec.name,
        namespace=spec.namespace,
        parameters=[dict(spec.parameters)],
        remappings=list(spec.remaps),
        additional_env={**spec.env, STARTER: str(os.getpid())},
        output="screen",
        respawn=True,
        respawn_delay=RESPAWN_AFTER_S,
    )


def _program(spec: NodeSpec) -> dict[str, Any]:
    """What to start: colcon's program, which runs in the Python on PATH, or a module.

    `ros2` itself runs in the system's Python, where grpcio is too old.
    """
    try:
        get_package_prefix("andon")
    except (LookupError, OSError):  # a checkout; no installation is sourced
        arguments = ["-m", "ros_nodes", spec.executable]
        return {"package": None, "executable": sys.executable, "arguments": arguments}
    return {"package": "andon", "executable": spec.executable}
