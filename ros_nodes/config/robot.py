"""How a robot is held and goes on, and where its safety system is heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ros_nodes.adapters.forbidden import ForbiddenServiceError, allowed_service
from ros_nodes.config.refusal import (
    ConfigRefusedError,
    Table,
    choice,
    known,
    number,
    table,
    tables,
    text,
    values,
)
from ros_nodes.config.topics import topic_name

ADAPTERS: Final = ("trigger", "set_bool", "topic", "none")
"""Two Trigger services, one SetBool service, a Bool topic, or nothing: monitor only."""

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A topic that shows whether the robot stands.

    Attributes:
        topic: Name of the topic.
        type: Its message type, "package/msg/Name".
        field: Field of the message.
        held: Values that mean that the robot's program does not run.
    """

    topic: str
    type: str
    field: str
    held: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class SafetySpec:
    """A topic on which the robot's safety system is heard; andon only takes note.

    Attributes:
        topic: Name of the topic.
        type: Its message type, "package/msg/Name".
        field: Field of the message.
        normal: Values of ordinary work; any other is a safety stop seen.
    """

    topic: str
    type: str
    field: str
    normal: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class RobotSpec:
    """How andon holds a robot and lets it go on.

    Attributes:
        adapter: One of ADAPTERS.
        hold: Trigger: service that pauses. SetBool and topic: true pauses.
        resume: Trigger only: service that lets a program go on that andon paused.
        timeout_s: Time for the controller to confirm, s.
        read_back: Where to see that it stands; None: the service's answer counts.
    """

    adapter: str = "trigger"
    hold: str = "hold"
    resume: str = "resume"
    timeout_s: float = 1.0
    read_back: ReadBack | None = None


def read_robot(ros: Table, where: str) -> RobotSpec:
    """Read [cells.<id>.ros.robot].

    Raises:
        ConfigRefusedError: A key is unknown or its value cannot be lived with.
    """
    said, where = table(ros, "robot", where=where), f"{where}.robot"
    known(said, ("adapter", "hold", "resume", "timeout_s", "read_back"), where)
    default = RobotSpec()
    robot = RobotSpec(
        adapter=choice(said, "adapter", ADAPTERS, where),
        hold=_service(said, "hold", default.hold, where),
        resume=_service(said, "resume", default.resume, where),
        timeout_s=number(said, "timeout_s", default.timeout_s, where, above=0.0),
        read_back=_read_back(said, where),
    )
    if robot.adapter == "topic" and robot.read_back is None:
        raise ConfigRefusedError(
            f"{where}: adapter topic needs a read_back: a topic answers nothing, "
            "so nobody could say whether the robot stands"
        )
    return robot


def _service(said: Table, key: str, default: str, where: str) -> str:
    try:
        return allowed_service(topic_name(said, key, default, where))
    except ForbiddenServiceError as error:
        raise ConfigRefusedError(f"{where}: {key}: {error}") from error


def read_safety(ros: Table, where: str) -> tuple[SafetySpec, ...]:
    """Read [[cells.<id>.ros.safety]].

    Raises:
        ConfigRefusedError: A key is unknown or missing.
    """
    found = []
    for number_, said in enumerate(tables(ros, "safety", where=where)):
        at = f"{where}.safety[{number_}]"
        known(said, ("topic", "type", "field", "normal"), at)
        found.append(
            SafetySpec(
                topic_name(said, "topic", "", at),
                _type(said, at),
                text(said, "field", "data", at),
                values(said, "normal", at),
            )
        )
    return tuple(found)


def _read_back(robot: Table, where: str) -> ReadBack | None:
    if "read_back" not in robot:
        return None
    said, where = table(robot, "read_back", where=where), f"{where}.read_back"
    known(said, ("topic", "type", "field", "held"), where)
    return ReadBack(
        topic_name(said, "topic", "", where),
        _type(said, where),
        text(said, "field", "data", where),
        values(said, "held", where),
    )


def _type(said: Table, where: str) -> str:
    kind = text(said, "type", "std_msgs/msg/Bool", where)
    package, _, name = kind.partition("/msg/")
    if not (package.isidentifier() and name.isidentifier()):
        raise ConfigRefusedError(
            f"{where}: type {kind[:60]!r} is not a message type, "
            "for example std_msgs/msg/Bool"
        )
    return kind
