"""Which topics a cell's sensors speak on, and which of their values is which channel.

A channel's source is "topic key : field : element", for example
"joints:effort:elbow_joint". The key is a table [cells.<id>.ros.topics.<key>], which
says the topic's name, its type and how often it speaks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ros_nodes.config.refusal import (
    ConfigRefusedError,
    Table,
    choice,
    flag,
    known,
    number,
    table,
    text,
)

AXES: Final = ("x", "y", "z")
POLICIES: Final = ("required", "ask", "tolerate")
"""What the absence of a channel means; the coordinator carries it out."""
LEAST_AGE_S: Final = 0.25
LATCHED_AGE_S: Final = 86_400.0
"""Age of what is said only when it changes, where nothing else is configured."""
PERIODS: Final = 3
"""A channel is absent when its newest sample is older than so many periods."""

JOINT_STATE: Final = "sensor_msgs/msg/JointState"
IMAGES: Final = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
_VALUE: Final = ("value",)
_ANY: Final[tuple[str, ...]] = ()
_INDEX: Final = ("<index>",)

FIELDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    JOINT_STATE: {"position": _ANY, "velocity": _ANY, "effort": _ANY},
    "geometry_msgs/msg/WrenchStamped": {"force": AXES, "torque": AXES},
    "sensor_msgs/msg/Imu": {
        "orientation": (*AXES, "w"),
        "angular_velocity": AXES,
        "linear_acceleration": AXES,
    },
    "sensor_msgs/msg/Temperature": {"temperature": _VALUE},
    "std_msgs/msg/Float64": {"data": _VALUE},
    "std_msgs/msg/Float64MultiArray": {"data": _INDEX},
    "std_msgs/msg/Bool": {"data": _VALUE},
    "sensor_msgs/msg/Image": {"feature": _ANY},
    "sensor_msgs/msg/CompressedImage": {"feature": _ANY},
}
"""Types a node reads: field -> elements. () is any name (a joint, a feature)."""

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PLACE: Final = re.compile(r"[0-9]{1,4}")
_TOPIC: Final = re.compile(r"[~/]?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic that a node listens to.

    Attributes:
        key: What sources call it.
        name: Name on the ROS side; a relative one lives below the cell's namespace.
        type: One of FIELDS.
        rate_hz: How often it speaks, Hz; 0: unknown.
        latched: Its newest message is kept for late listeners (transient local).
    """

    key: str
    name: str
    type: str
    rate_hz: float = 0.0
    latched: bool = False

    @property
    def maximum_age_s(self) -> float:
        """Age of the newest sample above which its channels are absent, s."""
        if not self.rate_hz:
            return LATCHED_AGE_S if self.latched else LEAST_AGE_S
        return max(PERIODS / self.rate_hz, LEAST_AGE_S)


DEFAULT_TOPICS: Final[Mapping[str, TopicSpec]] = {
    "joints": TopicSpec("joints", "joint_states", JOINT_STATE),
    "wrench": TopicSpec("wrench", "wrench", "geometry_msgs/msg/WrenchStamped"),
}
"""The topics of a cell whose configuration names none."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a channel comes from.

    Attributes:
        topic: Key of a topic.
        field: Field of the message, for example "effort" or "force".
        element: Name of the joint or feature, axis, index, or "value".
    """

    topic: str
    field: str
    element: str

    @classmethod
    def parse(
        cls, said: str, topics: Mapping[str, TopicSpec] = DEFAULT_TOPICS
    ) -> Source:
        """Read "topic:field:element".

        Raises:
            ConfigRefusedError: A part is missing or unknown.
        """
        parts = said.split(":")
        if len(parts) != 3 or not all(parts):
            raise ConfigRefusedError(
                f"source {said!r} is not topic:field:element, "
                "for example joints:effort:elbow_joint"
            )
        topic, field, element = parts
        if topic not in topics:
            raise ConfigRefusedError(
                f"source {said!r}: unknown topic {topic!r}, known: {', '.join(topics)}"
            )
        fields = FIELDS[topics[topic].type]
        if field not in fields:
            raise ConfigRefusedError(
                f"source {said!r}: {topic} has no field {field!r}, "
                f"known: {', '.join(fields)}"
            )
        elements = fields[field]
        if elements == _INDEX:
            if _PLACE.fullmatch(element) is None:
                raise ConfigRefusedError(
                    f"source {said!r}: {element!r} is not an index from 0"
                )
        elif elements and element not in elements:
            word = "axis" if elements == AXES else "element"
            raise ConfigRefusedError(
                f"source {said!r}: unknown {word} {element!r}, "
                f"known: {', '.join(elements)}"
            )
        return cls(topic, field, element)


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One channel as a node sees it.

    Attributes:
        name: Id of the channel.
        unit: SI unit.
        source: Where it comes from.
        policy: What its absence means: "required", "ask" or "tolerate".
        maximum_age_s: Age of its newest sample above which it is absent, s; 0: from
            the rate of its topic.
    """

    name: str
    unit: str
    source: Source
    policy: str = "required"
    maximum_age_s: float = 0.0


def read_topics(ros: Table, where: str) -> Mapping[str, TopicSpec]:
    """Read the topics of a cell; without any, joints and wrench are there.

    Raises:
        ConfigRefusedError: A key, name or type is not one.
    """
    said = table(ros, "topics", where=where)
    if not said:
        return DEFAULT_TOPICS
    return {
        key: _topic(key, table(said, key, where=where), f"{where}.topics.{key}")
        for key in said
    }


def _topic(key: str, said: Table, where: str) -> TopicSpec:
    if _KEY.fullmatch(key) is None:
        raise ConfigRefusedError(f"{where}: topic keys match {_KEY.pattern}")
    known(said, ("name", "type", "rate_hz", "latched"), where)
    default = DEFAULT_TOPICS.get(key)
    kind = text(said, "type", default.type if default else "", where)
    if kind not in FIELDS:
        raise ConfigRefusedError(
            f"{where}: type {kind[:60]!r} is not read by andon, "
            f"known: {', '.join(FIELDS)}"
        )
    return TopicSpec(
        key,
        topic_name(said, "name", default.name if default else key, where),
        kind,
        rate_hz=number(said, "rate_hz", 0.0, where),
        latched=flag(said, "latched", where, default=False),
    )


def topic_name(of: Table, key: str, default: str, where: str) -> str:
    """Read a name that ROS accepts for a topic or service."""
    name = text(of, key, default, where)
    if _TOPIC.fullmatch(name) is None:
        raise ConfigRefusedError(f"{where}: {key} {name[:60]!r} is not a ROS name")
    return name


def read_channel(
    row: Table, topics: Mapping[str, TopicSpec], where: str
) -> ChannelSpec:
    """Read one channel of a family.

    Raises:
        ConfigRefusedError: Its source or policy is not one.
    """
    try:
        source = Source.parse(text(row, "source", "", where), topics)
    except ConfigRefusedError as error:
        raise ConfigRefusedError(f"{where}: {error}") from error
    return ChannelSpec(
        text(row, "name", "", where),
        text(row, "unit", "", where),
        source,
        policy=choice(row, "policy", POLICIES, where),
        maximum_age_s=number(row, "maximum_age_s", 0.0, where),
    )
