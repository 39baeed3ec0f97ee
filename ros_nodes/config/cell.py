"""One cell as its nodes need it, read from andon.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ros_nodes.config.program import ProgramSpec, read_program
from ros_nodes.config.refusal import (
    ConfigRefusedError,
    Table,
    flag,
    known,
    number,
    table,
    text,
    whole,
)
from ros_nodes.config.robot import RobotSpec, SafetySpec, read_robot, read_safety
from ros_nodes.config.topics import (
    DEFAULT_TOPICS,
    JOINT_STATE,
    ChannelSpec,
    TopicSpec,
    read_channel,
    read_topics,
    topic_name,
)
from ros_nodes.window_bytes import schema_digest

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_DEFAULT_LISTEN: Final = "127.0.0.1:50551"


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """What is kept at full rate around an unclear moment.

    Attributes:
        before_s: Before the end of the window, s.
        after_s: After it, s.
        maximum_mb: Most that the ring may hold, MB.
    """

    before_s: float = 10.0
    after_s: float = 2.0
    maximum_mb: float = 64.0


@dataclass(frozen=True, slots=True)
class RosNames:
    """One cell on the ROS side; relative names live below its namespace.

    Attributes:
        domain_id: ROS_DOMAIN_ID of the cell.
        use_sim_time: Samples are stamped by /clock. Leases and deadlines never are.
        steps: Topic on which the robot's program speaks about steps.
        permits: Topic on which the node gives leave.
        topics: Sensor topics by key.
        program: How its program asks for leave.
        robot: How the robot is held and goes on.
        safety: Where its safety system is heard.
        clip: What is kept at full rate.
    """

    domain_id: int = 42
    use_sim_time: bool = False
    steps: str = "steps"
    permits: str = "permits"
    topics: Mapping[str, TopicSpec] = field(default_factory=lambda: DEFAULT_TOPICS)
    program: ProgramSpec = field(default_factory=ProgramSpec)
    robot: RobotSpec = field(default_factory=RobotSpec)
    safety: tuple[SafetySpec, ...] = ()
    clip: ClipSpec = field(default_factory=ClipSpec)


@dataclass(frozen=True, slots=True)
class CellConfig:
    """One cell as its nodes need it.

    Attributes:
        cell_id: The cell.
        target: host:port of the coordinator.
        channels: In the order of the samples.
        rows: Rows of a decision window.
        monitor_rows: Rows of a monitor window.
        maximum_step_s: Longest a permitted step may take, s.
        monitor_every_s: Time between monitor windows, s; 0: none.
        ros: The cell on the ROS side.
    """

    cell_id: str
    target: str
    channels: tuple[ChannelSpec, ...]
    rows: int
    monitor_rows: int
    maximum_step_s: float
    monitor_every_s: float
    ros: RosNames

    @property
    def schema_digest(self) -> str:
        """Identity of the channel order and units."""
        return schema_digest([(c.name, c.unit) for c in self.channels])

    @property
    def namespace(self) -> str:
        """ROS namespace of the cell."""
        return namespace_of(self.cell_id)

    @property
    def topics(self) -> tuple[TopicSpec, ...]:
        """The sensor topics that a channel comes from, in the order configured."""
        wanted = {channel.source.topic for channel in self.channels}
        return tuple(t for key, t in self.ros.topics.items() if key in wanted)

    @property
    def pose_topic(self) -> str | None:
        """Key of the topic that says where the robot stands, if it has joints."""
        joint_states = (
            key for key, topic in self.ros.topics.items() if topic.type == JOINT_STATE
        )
        return next(joint_states, None)


def namespace_of(cell_id: str) -> str:
    """ROS namespace of a cell: "/press_1" for "press-1".

    ROS names know neither "-" nor "." nor a digit at the start.
    """
    name = re.sub(r"[^a-z0-9]", "_", cell_id)
    return f"/{name}" if name[0].isalpha() else f"/cell_{name}"


def read_cells(path: Path) -> dict[str, CellConfig]:
    """Read all cells of a configuration file.

    Raises:
        ConfigRefusedError: The file is missing or broken, or a table is incomplete.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigRefusedError(
            f"{path.name} cannot be read: {error.strerror}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigRefusedError(f"{path.name} is not TOML: {error}") from error
    cells = table(document, "cells", where="the file")
    if not cells:
        raise ConfigRefusedError(f"{path.name} has no [cells.<id>] table")
    return {cell_id: _cell(document, cell_id) for cell_id in cells}


def read_cell(path: Path, cell_id: str) -> CellConfig:
    """Read one cell of a configuration file.

    Raises:
        ConfigRefusedError: As read_cells, or the cell is not in it.
    """
    cells = read_cells(path)
    if cell_id not in cells:
        raise ConfigRefusedError(
            f"cell {cell_id[:40]!r} is not configured, known: {', '.join(cells)}"
        )
    return cells[cell_id]


def choose_cells(path: Path, cell_ids: Sequence[str]) -> list[CellConfig]:
    """Read the named cells of a configuration file; all of them when none is named.

    Raises:
        ConfigRefusedError: As read_cells, or one is not in it, or two would share
            their ROS names.
    """
    cells = read_cells(path)
    for cell_id in cell_ids:
        if cell_id not in cells:
            raise ConfigRefusedError(
                f"cell {cell_id[:40]!r} is not configured, known: {', '.join(cells)}"
            )
    chosen = [cells[cell_id] for cell_id in cell_ids or cells]
    places: dict[tuple[int, str], str] = {}
    for cell in chosen:
        other = places.setdefault((cell.ros.domain_id, cell.namespace), cell.cell_id)
        if other != cell.cell_id:
            raise ConfigRefusedError(
                f"cells {other} and {cell.cell_id} would both be {cell.namespace} in "
                f"ROS domain {cell.ros.domain_id}; give one another id or domain_id"
            )
    return chosen


def _cell(document: Mapping[str, Any], cell_id: str) -> CellConfig:
    where = f"cells.{cell_id}"
    if _ID.fullmatch(cell_id) is None:
        raise ConfigRefusedError(f"{where}: ids match {_ID.pattern}")
    cell = table(document["cells"], cell_id, where="cells")
    family_id = text(cell, "family", "", where)
    families = table(document, "families", where="the file")
    if family_id not in families:
        raise ConfigRefusedError(f"{where}: family {family_id!r} is not configured")
    family = table(families, family_id, where="families")
    coordinator = table(document, "coordinator", where="the file")
    ros = _ros(table(cell, "ros", where=where), f"{where}.ros")
    in_family = f"families.{family_id}"
    return CellConfig(
        cell_id=cell_id,
        target=text(coordinator, "listen", _DEFAULT_LISTEN, "coordinator"),
        channels=_channels(family, ros.topics, in_family),
        rows=whole(family, "rows", 128, in_family, least=2),
        monitor_rows=whole(family, "monitor_rows", 32, in_family, least=2),
        maximum_step_s=number(cell, "maximum_step_s", 60.0, where, above=0.0),
        monitor_every_s=number(cell, "monitor_every_s", 0.0, where),
        ros=ros,
    )


def _channels(
    family: Table, topics: Mapping[str, TopicSpec], where: str
) -> tuple[ChannelSpec, ...]:
    rows = family.get("channels")
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise ConfigRefusedError(f"{where}: channels are missing")
    channels = []
    for place, row in enumerate(rows):
        at = f"{where}.channels[{place}]"
        if not isinstance(row, Mapping):
            raise ConfigRefusedError(f"{at} is not a table")
        channels.append(read_channel(row, topics, at))
    names = [channel.name for channel in channels]
    if "" in names or len(set(names)) != len(names):
        raise ConfigRefusedError(f"{where}: every channel needs a name of its own")
    return tuple(channels)


_ROS_KEYS: Final = (
    "domain_id",
    "use_sim_time",
    "steps",
    "permits",
    "topics",
    "program",
    "robot",
    "safety",
    "clip",
)


def _ros(said: Table, where: str) -> RosNames:
    default = RosNames()
    known(said, _ROS_KEYS, where)
    domain_id = whole(said, "domain_id", default.domain_id, where, least=0)
    if domain_id > 101:
        # Above 101 the ports of DDS collide with ports Linux hands out.
        raise ConfigRefusedError(f"{where}: domain_id is {domain_id}, allowed 0 to 101")
    return RosNames(
        domain_id=domain_id,
        use_sim_time=flag(said, "use_sim_time", where, default=False),
        steps=topic_name(said, "steps", default.steps, where),
        permits=topic_name(said, "permits", default.permits, where),
        topics=read_topics(said, where),
        program=read_program(said, where),
        robot=read_robot(said, where),
        safety=read_safety(said, where),
        clip=_clip(table(said, "clip", where=where), f"{where}.clip"),
    )


def _clip(said: Table, where: str) -> ClipSpec:
    default = ClipSpec()
    known(said, ("before_s", "after_s", "maximum_mb"), where)
    return ClipSpec(
        before_s=number(said, "before_s", default.before_s, where),
        after_s=number(said, "after_s", default.after_s, where),
        maximum_mb=number(said, "maximum_mb", default.maximum_mb, where, above=0.0),
    )
