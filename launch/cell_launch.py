"""One cell under ros2 launch.

    ros2 launch andon cell_launch.py config:=andon.toml cell:=press-1

The nodes come from the same plan as `python -m ros_nodes up`; only the starter differs.
"""

import os
import sys
from pathlib import Path

from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from ros_nodes.config import read_cell
from ros_nodes.plan import NodeSpec, Simulation, plan

ARGUMENTS = {
    "config": ("andon.toml", "path of andon.toml"),
    "cell": ("", "id of the cell"),
    "simulate": ("false", "true: start a simulated robot as well"),
    "seed": ("0", "of all chance"),
    "time_factor": ("1.0", "simulated seconds a second"),
    "cycles": ("0", "cycles a simulated cell works; 0: without end"),
    "truth": ("", "folder for the truth about each simulated cycle"),
    "trace": ("", "folder for traces, one file a process"),
}


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
    simulation = None
    if said["simulate"].lower() in {"true", "1"}:
        simulation = Simulation(
            seed=int(said["seed"]),
            time_factor=float(said["time_factor"]),
            cycles=int(said["cycles"]),
            truth=_folder(said["truth"]),
        )
    specs = plan(
        read_cell(config, said["cell"]),
        config,
        simulation=simulation,
        trace=_folder(said["trace"]),
        ros_distro=os.environ.get("ROS_DISTRO", ""),
    )
    return [_action(spec) for spec in specs]


def _folder(text: str) -> Path | None:
    return Path(text) if text else None


def _action(spec: NodeSpec) -> Node:
    """One process; a node that dies comes back, held."""
    return Node(
        package=None,
        executable=sys.executable,
        arguments=["-m", "ros_nodes", spec.executable],
        namespace=spec.namespace,
        parameters=[dict(spec.parameters)],
        remappings=list(spec.remaps),
        additional_env=dict(spec.env),
        output="screen",
        respawn=True,
        respawn_delay=1.0,
    )
