"""Sensor messages as bytes: CDR in, numbers out, and back.

The data path takes messages serialised (a typed message costs ten times as much). A
`Reader` reads the values that a cell wants from the front of their little-endian CDR
encoding and remembers where they lie, for a topic's messages hardly ever change their
shape. Trailing bytes are allowed; what does not fit is refused, never guessed.
"""

from ros_nodes.cdr.images import (
    CompressedImage,
    RawImage,
    read_compressed_image,
    read_image,
)
from ros_nodes.cdr.reader import READABLE, STAMPED, Layout, Reader
from ros_nodes.cdr.walk import CdrError, Walk
from ros_nodes.cdr.words import PoseReader, read_clock, read_text
from ros_nodes.cdr.writer import JointWriter, write_wrench

__all__ = [
    "READABLE",
    "STAMPED",
    "CdrError",
    "CompressedImage",
    "JointWriter",
    "Layout",
    "PoseReader",
    "RawImage",
    "Reader",
    "Walk",
    "read_clock",
    "read_compressed_image",
    "read_image",
    "read_text",
    "write_wrench",
]
