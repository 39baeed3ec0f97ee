"""Serialised messages as the tests of the data path write and read them."""

import struct
from collections.abc import Sequence
from typing import Any

from ros_nodes.cdr import Reader

JOINTS = "sensor_msgs/msg/JointState"
WRENCH = "geometry_msgs/msg/WrenchStamped"

Element = tuple[str, str]


def values_of(
    reader: Reader, wanted: Sequence[Element], message: bytes
) -> dict[Element, Any]:
    """What a message has of the wanted values."""
    layout, values = reader.read(message)
    values = values[2:] if reader.stamped else values
    return {wanted[c]: v for c, v in zip(layout.columns, values, strict=True)}


def stamp_of(message: bytes, kind: str = JOINTS) -> int:
    """The stamp of a message with a header, a JointState if nothing else is said."""
    _, (seconds, nanoseconds) = Reader(kind, ()).read(message)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def write_float64(value: float) -> bytes:
    """Serialise one std_msgs/Float64."""
    return b"\x00\x01\x00\x00" + struct.pack("<d", value)


def write_bool(*, value: bool) -> bytes:
    """Serialise one std_msgs/Bool."""
    return b"\x00\x01\x00\x00" + struct.pack("<B", value)


def write_temperature(stamp_ns: int, value: float) -> bytes:
    """Serialise one sensor_msgs/Temperature with an empty frame."""
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    head = struct.pack("<iII4x", seconds, nanoseconds, 1)
    return b"\x00\x01\x00\x00" + head + struct.pack("<dd", value, 0.0)


def write_clock(sim_ns: int) -> bytes:
    """Serialise one rosgraph_msgs/Clock."""
    return b"\x00\x01\x00\x00" + struct.pack("<iI", *divmod(sim_ns, 1_000_000_000))
