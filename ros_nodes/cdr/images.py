"""Images as they come: what stands before the pixels, and the pixels untouched."""

from __future__ import annotations

from dataclasses import dataclass

from ros_nodes.cdr.walk import CdrError, Walk


@dataclass(frozen=True, slots=True, eq=False)
class RawImage:
    """One sensor_msgs/Image.

    Attributes:
        stamp_ns: When it was taken, by its header.
        height: Rows.
        width: Pixels a row.
        encoding: What a pixel is, for example "rgb8".
        big_endian: Order of the bytes of a value.
        step: Bytes a row.
        data: The rows; a view of the message.
    """

    stamp_ns: int
    height: int
    width: int
    encoding: str
    big_endian: bool
    step: int
    data: memoryview


@dataclass(frozen=True, slots=True, eq=False)
class CompressedImage:
    """One sensor_msgs/CompressedImage.

    Attributes:
        stamp_ns: When it was taken, by its header.
        format: What the publisher calls its format, for example "jpeg".
        data: The file; a view of the message.
    """

    stamp_ns: int
    format: str
    data: memoryview


def read_image(message: bytes) -> RawImage:
    """Read one sensor_msgs/Image.

    Raises:
        CdrError: It is cut short, or its rows are longer than its data.
    """
    walk = Walk(message)
    stamp_ns = walk.header()
    height, width = walk.count(), walk.count()
    encoding = walk.text()
    big_endian = walk.constant(1) != b"\x00"
    step = walk.count()
    data = _data(walk, message)
    if height * step > len(data):
        raise CdrError(f"{len(data)} bytes for {height} rows of {step}")
    return RawImage(stamp_ns, height, width, encoding, big_endian, step, data)


def read_compressed_image(message: bytes) -> CompressedImage:
    """Read one sensor_msgs/CompressedImage.

    Raises:
        CdrError: It is cut short.
    """
    walk = Walk(message)
    return CompressedImage(walk.header(), walk.text(), _data(walk, message))


def _data(walk: Walk, message: bytes) -> memoryview:
    size = walk.count()
    begin = walk.skip(size)
    return memoryview(message)[begin : begin + size]
