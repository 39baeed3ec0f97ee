"""Sensor messages as bytes: CDR in, numbers out, and back.

The data path takes messages serialised (a typed message costs ten times as much), so
this module reads JointState and WrenchStamped from the front of their little-endian CDR
encoding, and writes them for the simulated cell. Trailing bytes are allowed; whatever
does not fit is refused, never guessed.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ENCAPSULATION: Final = b"\x00\x01\x00\x00"
"""Plain CDR, little-endian; alignment counts from the byte behind it."""
_BASE: Final = 4
_LITTLE: Final = 1
_MAX_NAMES: Final = 256

_STAMP: Final = struct.Struct("<iI")
_U32: Final = struct.Struct("<I")


class CdrError(ValueError):
    """The bytes are not the message that they should be."""


@dataclass(frozen=True, slots=True, eq=False)
class JointSample:
    """One JointState: field arrays of shape (joints,), or empty when not sent."""

    stamp_ns: int
    names: tuple[str, ...]
    position: NDArray[np.float64]
    velocity: NDArray[np.float64]
    effort: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class WrenchSample:
    """One WrenchStamped: force x, y, z in N and torque x, y, z in N*m, shape (6,)."""

    stamp_ns: int
    wrench: NDArray[np.float64]


class JointReader:
    """Read JointState messages; remembers the names, which hardly ever change."""

    def __init__(self) -> None:
        self._head = b""
        self._names: tuple[str, ...] = ()

    def read(self, message: bytes) -> JointSample:
        """Read one message.

        Raises:
            CdrError: It is cut short, or is no JointState in little-endian CDR.
        """
        stamp_ns = _stamp(message)
        size = len(self._head)
        if not size or message[12 : 12 + size] != self._head:
            end, names = _names(message)
            self._head, self._names = message[12:end], names
            size = len(self._head)
        offset = 12 + size
        position, offset = _doubles(message, offset)
        velocity, offset = _doubles(message, offset)
        effort, _ = _doubles(message, offset)
        for field in (position, velocity, effort):
            if len(field) not in (0, len(self._names)):
                raise CdrError(f"{len(field)} values for {len(self._names)} joints")
        return JointSample(stamp_ns, self._names, position, velocity, effort)


def read_wrench(message: bytes) -> WrenchSample:
    """Read one WrenchStamped.

    Raises:
        CdrError: It is cut short, or is no WrenchStamped in little-endian CDR.
    """
    stamp_ns = _stamp(message)
    _, offset = _string(message, 12)
    offset = _aligned(offset, 8)
    if len(message) < offset + 48:
        raise CdrError(f"{len(message)} bytes are too few for a WrenchStamped")
    return WrenchSample(stamp_ns, np.frombuffer(message, "<f8", 6, offset))


def read_text(message: bytes) -> str:
    """Read one std_msgs/String.

    Raises:
        CdrError: It is cut short, or its text is not UTF-8.
    """
    if len(message) < _BASE or message[1] != _LITTLE:
        raise CdrError("not a little-endian CDR message")
    return _string(message, _BASE)[0]


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
        _STAMP.pack_into(message, _BASE, *divmod(stamp_ns, 1_000_000_000))
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


def _aligned(offset: int, size: int) -> int:
    return offset + (_BASE - offset) % size


def _align(message: bytearray, size: int) -> None:
    message += bytes((_BASE - len(message)) % size)


def _append_string(message: bytearray, text: str) -> None:
    content = text.encode() + b"\x00"
    message += _U32.pack(len(content)) + content


def _stamp(message: bytes) -> int:
    if len(message) < 12 or message[1] != _LITTLE:
        raise CdrError("not a little-endian CDR message with a header")
    seconds, nanoseconds = _STAMP.unpack_from(message, _BASE)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def _u32(message: bytes, offset: int) -> tuple[int, int]:
    offset = _aligned(offset, 4)
    if len(message) < offset + 4:
        raise CdrError(f"{len(message)} bytes end within a number")
    return int(_U32.unpack_from(message, offset)[0]), offset + 4


def _string(message: bytes, offset: int) -> tuple[str, int]:
    size, offset = _u32(message, offset)
    content = message[offset : offset + size]
    if len(content) != size:
        raise CdrError(f"{len(message)} bytes end within a text of {size}")
    try:
        return content.rstrip(b"\x00").decode(), offset + size
    except UnicodeDecodeError as error:
        raise CdrError("a text is not UTF-8") from error


def _names(message: bytes) -> tuple[int, tuple[str, ...]]:
    _, offset = _string(message, 12)
    count, offset = _u32(message, offset)
    if count > _MAX_NAMES:
        raise CdrError(f"{count} joints, limit {_MAX_NAMES}")
    names = []
    for _ in range(count):
        name, offset = _string(message, offset)
        names.append(name)
    return offset, tuple(names)


def _doubles(message: bytes, offset: int) -> tuple[NDArray[np.float64], int]:
    count, offset = _u32(message, offset)
    if count == 0:
        return np.zeros(0), offset
    offset = _aligned(offset, 8)
    if len(message) < offset + 8 * count:
        raise CdrError(f"{len(message)} bytes end within {count} numbers")
    return np.frombuffer(message, "<f8", count, offset), offset + 8 * count
