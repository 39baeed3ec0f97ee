"""Write the messages of a simulated cell."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ros_nodes.cdr.walk import BASE

_ENCAPSULATION: Final = b"\x00\x01\x00\x00"
_STAMP: Final = struct.Struct("<iI")
_U32: Final = struct.Struct("<I")


class JointWriter:
    """Write JointState messages of one set of joints."""

    def __init__(self, names: Sequence[str], frame_id: str = "") -> None:
        self._count = len(names)
        head = bytearray(_ENCAPSULATION + _STAMP.pack(0, 0))
        _append_string(head, frame_id)
        _align(head, 4)
        head += _U32.pack(self._count)
        for name in names:
            _align(head, 4)
            _append_string(head, name)
        self._head = bytes(head)

    def write(
        self,
        stamp_ns: int,
        position: Sequence[float] | NDArray[np.float64],
        velocity: Sequence[float] | NDArray[np.float64],
        effort: Sequence[float] | NDArray[np.float64],
    ) -> bytes:
        """Serialise one sample; an empty field is not sent."""
        message = bytearray(self._head)
        _STAMP.pack_into(message, BASE, *divmod(stamp_ns, 1_000_000_000))
        for field in (position, velocity, effort):
            _align(message, 4)
            message += _U32.pack(len(field))
            if len(field):
                _align(message, 8)
                message += np.asarray(field, dtype="<f8").tobytes()
        return bytes(message)


def write_wrench(
    stamp_ns: int, wrench: Sequence[float] | NDArray[np.float64], frame_id: str = ""
) -> bytes:
    """Serialise one WrenchStamped of force x, y, z and torque x, y, z."""
    message = bytearray(_ENCAPSULATION)
    message += _STAMP.pack(*divmod(stamp_ns, 1_000_000_000))
    _append_string(message, frame_id)
    _align(message, 8)
    message += np.asarray(wrench, dtype="<f8").tobytes()
    return bytes(message)


def _align(message: bytearray, size: int) -> None:
    message += bytes((BASE - len(message)) % size)


def _append_string(message: bytearray, text: str) -> None:
    content = text.encode() + b"\x00"
    message += _U32.pack(len(content)) + content
