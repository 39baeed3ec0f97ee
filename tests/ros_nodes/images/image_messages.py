"""Serialised images as the tests write them."""

import struct


def _text(message: bytearray, text: str) -> None:
    message += bytes(-(len(message) - 4) % 4)
    content = text.encode() + b"\x00"
    message += struct.pack("<I", len(content)) + content


def _number(message: bytearray, value: int) -> None:
    message += bytes(-(len(message) - 4) % 4)
    message += struct.pack("<I", value)


def _head(stamp_ns: int) -> bytearray:
    message = bytearray(b"\x00\x01\x00\x00")
    message += struct.pack("<iI", *divmod(stamp_ns, 1_000_000_000))
    _text(message, "camera")
    return message


def write_image(
    stamp_ns: int,
    size: tuple[int, int],
    encoding: str,
    data: bytes,
    *,
    step: int,
    big_endian: bool = False,
) -> bytes:
    """Serialise one sensor_msgs/Image of (height, width)."""
    message = _head(stamp_ns)
    for value in size:
        _number(message, value)
    _text(message, encoding)
    message += bytes([big_endian])
    _number(message, step)
    _number(message, len(data))
    return bytes(message + data)


def write_compressed(stamp_ns: int, data: bytes) -> bytes:
    """Serialise one sensor_msgs/CompressedImage."""
    message = _head(stamp_ns)
    _text(message, "jpeg")
    _number(message, len(data))
    return bytes(message + data)
