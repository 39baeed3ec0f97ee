"""What a cell's nodes need of andon.toml, read without the coordinator.

The coordinator checks the whole file (`andon check`); a node reads the few tables it
lives by and refuses in one sentence what it cannot live with.
"""

from ros_nodes.config.cell import (
    CellConfig,
    ClipSpec,
    RosNames,
    choose_cells,
    namespace_of,
    read_cell,
    read_cells,
)
from ros_nodes.config.program import PROGRAMS, STEP_ID, ProgramSpec, step_id
from ros_nodes.config.refusal import ConfigRefusedError
from ros_nodes.config.robot import ADAPTERS, ReadBack, RobotSpec, SafetySpec
from ros_nodes.config.topics import (
    AXES,
    DEFAULT_TOPICS,
    IMAGES,
    JOINT_STATE,
    POLICIES,
    ChannelSpec,
    Source,
    TopicSpec,
)

__all__ = [
    "ADAPTERS",
    "AXES",
    "DEFAULT_TOPICS",
    "IMAGES",
    "JOINT_STATE",
    "POLICIES",
    "PROGRAMS",
    "STEP_ID",
    "CellConfig",
    "ChannelSpec",
    "ClipSpec",
    "ConfigRefusedError",
    "ProgramSpec",
    "ReadBack",
    "RobotSpec",
    "RosNames",
    "SafetySpec",
    "Source",
    "TopicSpec",
    "choose_cells",
    "namespace_of",
    "read_cell",
    "read_cells",
    "step_id",
]
