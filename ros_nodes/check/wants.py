"""What a cell needs of the ROS graph, as its configuration says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ros_nodes.bags.names import full_name
from ros_nodes.check.seen import Value
from ros_nodes.config import CellConfig, Source

TEXT: Final = "std_msgs/msg/String"
BOOL: Final = "std_msgs/msg/Bool"
NUMBER: Final = "std_msgs/msg/Int8"
SERVICES: Final = {
    "trigger": "std_srvs/srv/Trigger",
    "set_bool": "std_srvs/srv/SetBool",
}


class Part(Enum):
    """What a topic is for."""

    SENSOR = "sensor"
    """Channels come from it."""
    WORDS = "words"
    """The robot's program speaks on it: it may come later than the check."""
    READ_BACK = "read_back"
    """It shows whether the robot stands."""
    SAFETY = "safety"
    """The robot's safety system is heard on it."""
    TOLD = "told"
    """The node speaks, and the robot's program hears."""
    HOLD = "hold"
    """The node speaks, and the robot's controller holds."""


@dataclass(frozen=True, slots=True)
class WantedTopic:
    """One topic that a cell names.

    Attributes:
        name: Full name.
        type: "package/msg/Name".
        where: Where it is configured.
        part: What it is for.
        rate_hz: How often it should speak, Hz; 0: not known.
        latched: The node asks for the newest message, or offers it.
        reliable: The node asks for every message, or offers it.
        maximum_age_s: Age above which a sample counts as absent, s.
        required: Whether its absence holds the cell.
        sources: What channels take from it.
        field: The field that is looked at; "" when none is.
        values: Values of that field in ordinary work.
    """

    name: str
    type: str
    where: str
    part: Part
    rate_hz: float = 0.0
    latched: bool = False
    reliable: bool = False
    maximum_age_s: float = 0.0
    required: bool = True
    sources: tuple[Source, ...] = ()
    field: str = ""
    values: tuple[Value, ...] = ()

    @property
    def is_heard(self) -> bool:
        """Whether the node listens to it; else it speaks."""
        return self.part not in (Part.TOLD, Part.HOLD)


@dataclass(frozen=True, slots=True)
class WantedService:
    """One service that the node calls: full name, type, and where it is configured."""

    name: str
    type: str
    where: str


@dataclass(frozen=True, slots=True)
class Wants:
    """What one cell needs.

    Attributes:
        cell_id: The cell.
        domain_id: Its ROS domain.
        use_sim_time: Whether /clock is its time.
        node: Full name of its node.
        target: host:port of the coordinator.
        topics: What it hears and says.
        services: What it calls.
    """

    cell_id: str
    domain_id: int
    use_sim_time: bool
    node: str
    target: str
    topics: tuple[WantedTopic, ...]
    services: tuple[WantedService, ...]


def wants_of(cell: CellConfig) -> Wants:
    """What a cell needs of the graph."""
    return Wants(
        cell_id=cell.cell_id,
        domain_id=cell.ros.domain_id,
        use_sim_time=cell.ros.use_sim_time,
        node=f"{cell.namespace}/cell_node",
        target=cell.target,
        topics=(*_sensors(cell), *_program(cell), *_robot(cell)),
        services=tuple(_services(cell)),
    )


def _sensors(cell: CellConfig) -> Iterator[WantedTopic]:
    for topic in cell.topics:
        channels = [c for c in cell.channels if c.source.topic == topic.key]
        yield WantedTopic(
            name=full_name(cell, topic.name),
            type=topic.type,
            where=f"topics.{topic.key}",
            part=Part.SENSOR,
            rate_hz=topic.rate_hz,
            latched=topic.latched,
            reliable=topic.latched,
            maximum_age_s=max(
                [topic.maximum_age_s, *(c.maximum_age_s for c in channels)]
            ),
            required=any(c.policy == "required" for c in channels),
            sources=tuple(dict.fromkeys(c.source for c in channels)),
        )


def _program(cell: CellConfig) -> Iterator[WantedTopic]:
    ros, program = cell.ros, cell.ros.program

    def words(said: str, kind: str, where: str, part: Part) -> WantedTopic:
        name = full_name(cell, said)
        return WantedTopic(name, kind, where, part, reliable=True, required=False)

    if program.adapter == "topics":
        yield words(ros.steps, TEXT, "steps", Part.WORDS)
        if ros.robot.adapter != "none":
            yield words(ros.permits, TEXT, "permits", Part.TOLD)
    elif program.adapter == "signals":
        yield words(program.done, BOOL, "program.done", Part.WORDS)
        yield words(program.action, NUMBER, "program.action", Part.TOLD)


def _robot(cell: CellConfig) -> Iterator[WantedTopic]:
    robot = cell.ros.robot
    if robot.adapter == "topic":
        yield WantedTopic(
            full_name(cell, robot.hold),
            BOOL,
            "robot.hold",
            Part.HOLD,
            latched=True,
            reliable=True,
        )
    back = robot.read_back
    if back is not None:
        yield WantedTopic(
            full_name(cell, back.topic),
            back.type,
            "robot.read_back",
            Part.READ_BACK,
            field=back.field,
            values=back.held,
        )
    for number, safety in enumerate(cell.ros.safety):
        yield WantedTopic(
            full_name(cell, safety.topic),
            safety.type,
            f"safety[{number}]",
            Part.SAFETY,
            field=safety.field,
            values=safety.normal,
        )


def _services(cell: CellConfig) -> Iterator[WantedService]:
    robot = cell.ros.robot
    kind = SERVICES.get(robot.adapter)
    if kind is not None:
        yield WantedService(full_name(cell, robot.hold), kind, "robot.hold")
    if robot.adapter == "trigger":
        yield WantedService(full_name(cell, robot.resume), kind or "", "robot.resume")
