"""Messages that are read whole: where joints stand, a text, a clock."""

from __future__ import annotations

import struct
from typing import Final

from ros_nodes.cdr.reader import MOST_NAMES, Layout, Reader
from ros_nodes.cdr.walk import Walk

_JOINT_STATE: Final = "sensor_msgs/msg/JointState"
_CLOCK: Final = struct.Struct("<4xiI")


class PoseReader:
    """Reads where all joints of a JointState stand, whatever their order is."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._reader = Reader(_JOINT_STATE, ())
        self._layout: Layout | None = None

    def read(self, message: bytes) -> dict[str, float]:
        """Return the positions by name; a message without positions has none.

        Raises:
            CdrError: It is cut short, or is no JointState in little-endian CDR.
        """
        layout, values = self._reader.read(message)
        if layout is not self._layout:
            names = _joint_names(message)
            if set(names) != set(self._names):
                self._names = names
                self._reader = Reader(_JOINT_STATE, [("position", n) for n in names])
            layout, values = self._reader.read(message)
            self._layout = layout
        return {
            self._names[column]: float(value)
            for column, value in zip(layout.columns, values[2:], strict=True)
        }


def _joint_names(message: bytes) -> tuple[str, ...]:
    walk = Walk(message)
    walk.header()
    return tuple(walk.text() for _ in range(min(walk.count(), MOST_NAMES)))


def read_text(message: bytes) -> str:
    """Read one std_msgs/String.

    Raises:
        CdrError: It is cut short, or its text is not UTF-8.
    """
    return Walk(message).text()


def read_clock(message: bytes) -> int:
    """Read one rosgraph_msgs/Clock: simulated time, ns.

    Raises:
        CdrError: It is cut short.
    """
    Walk(message).skip(8)
    seconds, nanoseconds = _CLOCK.unpack_from(message)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
