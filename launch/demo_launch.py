"""All cells of a configuration, simulated: cell_launch.py once a cell.

ros2 launch andon demo_launch.py config:=andon.toml time_factor:=5.0
"""

from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

from launch import LaunchContext, LaunchDescription
from ros_nodes.config import read_cells

CELL_LAUNCH = Path(__file__).with_name("cell_launch.py")

ARGUMENTS = {
    "config": ("andon.toml", "path of andon.toml"),
    "trace": ("", "folder for traces, one file a process"),
    "seed": ("0", "of all chance"),
    "time_factor": ("5.0", "simulated seconds a second"),
    "rate_hz": ("0.0", "samples a simulated second; 0: as configured, or 50"),
    "cycles": ("0", "cycles a cell works; 0: without end"),
    "shift_at_cycle": ("0", "cycle from which parts are heavier and drier; 0: never"),
    "truth": ("", "folder for the truth about each cycle"),
}


def generate_launch_description() -> LaunchDescription:
    """Describe the nodes of all cells."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=cells)])


def cells(context: LaunchContext) -> list[IncludeLaunchDescription]:
    """Include one simulated cell for each that is configured."""
    said = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    return [
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(CELL_LAUNCH)),
            launch_arguments=[
                *said.items(),
                ("cell", cell_id),
                ("simulate", "true"),
            ],
        )
        for cell_id in read_cells(Path(said["config"]))
    ]
