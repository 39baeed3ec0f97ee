"""Read the wanted values of one topic's messages."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ros_nodes.cdr.walk import BASE, CdrError, Walk

MOST_NAMES: Final = 256
MOST_DIMENSIONS: Final = 16
_MOST_LAYOUTS: Final = 8
"""Shapes of a topic's messages that are remembered: one a publisher, as a rule."""

Element = tuple[str, str]
"""Field of a message, and which of its elements."""
_Place = tuple[int, str]
"""Where a value begins, and how `struct` calls its type."""
_Places = Callable[[Element], _Place | None]

_XYZ: Final = ("x", "y", "z")


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the wanted values lie in messages of one shape.

    Attributes:
        columns: Which of the wanted values a message has, in its own order; the others
            are not in it.
        values: Unpacks stamp (s, ns), if the type has one, and these values.
        same: Unpacks what decides about the shape.
        seen: What comes out of `same` as long as the shape stays.
        size: Least length of such a message.
    """

    columns: tuple[int, ...]
    values: struct.Struct
    same: struct.Struct
    seen: tuple[bytes, ...]
    size: int

    def fits(self, message: bytes) -> bool:
        """Whether a message has this shape."""
        return len(message) >= self.size and self.same.unpack_from(message) == self.seen


class Reader:
    """Reads the values that a cell wants of one topic.

    Args:
        kind: Message type, one of READABLE.
        wanted: The values: field and element, for example ("effort", "elbow").
    """

    def __init__(self, kind: str, wanted: Sequence[Element]) -> None:
        self._walk = _WALKS[kind]
        self._wanted = tuple(wanted)
        self.stamped = kind in STAMPED
        self._layouts: list[Layout] = []

    def read(self, message: bytes) -> tuple[Layout, tuple[Any, ...]]:
        """Read one message.

        Returns:
            Its layout, and what `Layout.values` makes of it.

        Raises:
            CdrError: It is cut short, or is no such message in little-endian CDR.
        """
        layouts = self._layouts
        if layouts and layouts[0].fits(message):
            layout = layouts[0]
        else:
            layout = self._other(message)
        return layout, layout.values.unpack_from(message)

    def _other(self, message: bytes) -> Layout:
        """Find the layout of a message that has not that of the one before it."""
        layouts = self._layouts
        for place, layout in enumerate(layouts):
            if layout.fits(message):
                layouts.insert(0, layouts.pop(place))
                return layout
        layouts.insert(0, self._survey(message))
        del layouts[_MOST_LAYOUTS:]
        return layouts[0]

    def _survey(self, message: bytes) -> Layout:
        walk = Walk(message)
        places = self._walk(walk)
        found = [
            (place, column)
            for column, element in enumerate(self._wanted)
            if (place := places(element)) is not None
        ]
        found.sort()
        values = "<4xiI" if self.stamped else "<4x"
        passed = struct.calcsize(values)
        for (begin, code), _ in found:
            values += f"{begin - passed}x{code}"
            passed = begin + struct.calcsize("<" + code)
        same, seen = walk.sameness
        return Layout(
            columns=tuple(column for _, column in found),
            values=struct.Struct(values),
            same=same,
            seen=seen,
            size=walk.at,
        )


def _joint_state(walk: Walk) -> _Places:
    walk.header()
    names = [walk.text() for _ in range(_limited(walk.count(), MOST_NAMES, "joints"))]
    index: dict[str, int] = {}
    for place, name in enumerate(names):
        index.setdefault(name, place)
    fields: dict[str, int] = {}
    for field in ("position", "velocity", "effort"):
        count = walk.count()
        if count not in (0, len(names)):
            raise CdrError(f"{count} values for {len(names)} joints")
        begin = walk.doubles(count)
        if count:
            fields[field] = begin

    def places(element: Element) -> _Place | None:
        begin, place = fields.get(element[0]), index.get(element[1])
        return None if begin is None or place is None else (begin + 8 * place, "d")

    return places


def _wrench(walk: Walk) -> _Places:
    walk.header()
    begin = walk.doubles(6)
    return _vectors({"force": (begin, _XYZ), "torque": (begin + 24, _XYZ)})


def _imu(walk: Walk) -> _Places:
    walk.header()
    begin = walk.doubles(37)  # three vectors, each with a covariance of nine behind it
    return _vectors(
        {
            "orientation": (begin, (*_XYZ, "w")),
            "angular_velocity": (begin + 8 * 13, _XYZ),
            "linear_acceleration": (begin + 8 * 25, _XYZ),
        }
    )


def _vectors(fields: Mapping[str, tuple[int, tuple[str, ...]]]) -> _Places:
    def places(element: Element) -> _Place:
        begin, names = fields[element[0]]
        return begin + 8 * names.index(element[1]), "d"

    return places


def _temperature(walk: Walk) -> _Places:
    walk.header()
    begin = walk.doubles(2)  # the temperature, and its variance
    return lambda _: (begin, "d")


def _float64(walk: Walk) -> _Places:
    begin = walk.doubles(1)
    return lambda _: (begin, "d")


def _float64_array(walk: Walk) -> _Places:
    for _ in range(_limited(walk.count(), MOST_DIMENSIONS, "dimensions")):
        walk.text()
        walk.count()  # size
        walk.count()  # stride
    walk.count()  # offset of the data
    count = walk.count()
    begin = walk.doubles(count)

    def places(element: Element) -> _Place | None:
        place = int(element[1])
        return (begin + 8 * place, "d") if place < count else None

    return places


def _bool(walk: Walk) -> _Places:
    # Yes and no are two layouts: any other byte fits neither, and is refused here.
    if walk.constant(1) not in (b"\x00", b"\x01"):
        raise CdrError("neither true nor false")
    return lambda _: (BASE, "B")


def _limited(count: int, limit: int, what: str) -> int:
    if count > limit:
        raise CdrError(f"{count} {what}, limit {limit}")
    return count


_WALKS: Final[Mapping[str, Callable[[Walk], _Places]]] = {
    "sensor_msgs/msg/JointState": _joint_state,
    "geometry_msgs/msg/WrenchStamped": _wrench,
    "sensor_msgs/msg/Imu": _imu,
    "sensor_msgs/msg/Temperature": _temperature,
    "std_msgs/msg/Float64": _float64,
    "std_msgs/msg/Float64MultiArray": _float64_array,
    "std_msgs/msg/Bool": _bool,
}
READABLE: Final = frozenset(_WALKS)
"""Message types whose values are read as they are; images are reduced first."""
STAMPED: Final = frozenset(kind for kind in _WALKS if not kind.startswith("std_msgs"))
"""Those that carry a stamp."""
