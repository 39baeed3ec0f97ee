"""Which message types a node reads, and what of them a channel may come from.

The node has the same table (`ros_nodes/config/topics.py`; a test compares): a source
that no node can read is found before one is started.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

AXES: Final = ("x", "y", "z")
_VALUE: Final = ("value",)
_ANY: Final[tuple[str, ...]] = ()
_INDEX: Final = ("<index>",)

FIELDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "sensor_msgs/msg/JointState": {"position": _ANY, "velocity": _ANY, "effort": _ANY},
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

DEFAULT_TYPES: Final[Mapping[str, str]] = {
    "joints": "sensor_msgs/msg/JointState",
    "wrench": "geometry_msgs/msg/WrenchStamped",
}
"""Types of the topics of a cell whose configuration names none."""

_PLACE: Final = re.compile(r"[0-9]{1,4}")


def objection(source: str, types: Mapping[str, str]) -> str:
    """Why no node can read a source, in words that follow its name; "" if one can.

    Args:
        source: "topic:field:element".
        types: Message type of each topic key.
    """
    topic, *rest = source.split(":")
    if len(rest) != 2 or not all((topic, *rest)):
        return "is not topic:field:element, for example joints:effort:elbow_joint"
    field, element = rest
    if topic not in types:
        return f"comes from topic '{topic}', which is not among {', '.join(types)}"
    fields = FIELDS.get(types[topic], {})
    if field not in fields:
        return f"names field '{field}' of '{topic}', which has {', '.join(fields)}"
    elements = fields[field]
    if elements == _INDEX:
        readable = _PLACE.fullmatch(element) is not None
        return "" if readable else f"names '{element}', which is no index from 0"
    if elements and element not in elements:
        return f"names '{element}' of {field}, which has {', '.join(elements)}"
    return ""
