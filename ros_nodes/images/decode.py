"""Serialised images to pixels."""

from __future__ import annotations

import importlib
import importlib.util
import io
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ros_nodes.cdr import CdrError, RawImage, read_compressed_image, read_image
from ros_nodes.config import ConfigRefusedError

MOST_PIXELS: Final = 64_000_000
"""An image that claims to be larger is refused before it is unpacked."""

_FORMATS: Final = ("JPEG", "PNG")
_MODES: Final = ("L", "RGB", "RGBA", "I;16")

_ENCODINGS: Final[Mapping[str, tuple[str, int]]] = {
    "mono8": ("u1", 1),
    "mono16": ("u2", 1),
    "rgb8": ("u1", 3),
    "bgr8": ("u1", 3),
    "rgba8": ("u1", 4),
    "bgra8": ("u1", 4),
    "rgb16": ("u2", 3),
    "bgr16": ("u2", 3),
    "8UC1": ("u1", 1),
    "8UC3": ("u1", 3),
    "16UC1": ("u2", 1),
    "16SC1": ("i2", 1),
    "32FC1": ("f4", 1),
    "bayer_rggb8": ("u1", 1),
    "bayer_bggr8": ("u1", 1),
    "bayer_gbrg8": ("u1", 1),
    "bayer_grbg8": ("u1", 1),
}
"""What a pixel is: type and count of its values."""

Decoded = tuple[int, NDArray[Any]]
"""Stamp in the header, ns, and pixels."""


class ImageError(ValueError):
    """The message holds no image that can be read here."""


def decoder(kind: str) -> Callable[[bytes], Decoded]:
    """Return what decodes messages of an image type.

    Raises:
        ConfigRefusedError: Compressed images cannot be decoded without Pillow.
    """
    if kind == "sensor_msgs/msg/Image":
        return _decode_raw
    if importlib.util.find_spec("PIL") is None:
        raise ConfigRefusedError(
            "compressed images need Pillow (pip install pillow), or use the raw topic"
        )
    return _decode_compressed


def _decode_raw(message: bytes) -> Decoded:
    try:
        image = read_image(message)
    except CdrError as error:
        raise ImageError(str(error)) from error
    return image.stamp_ns, pixels_of(image)


def pixels_of(image: RawImage) -> NDArray[Any]:
    """View an image as (height, width), or (height, width, colours), read-only.

    Raises:
        ImageError: Its encoding is not known, or its rows do not fit its size.
    """
    if image.encoding not in _ENCODINGS:
        raise ImageError(f"encoding {image.encoding[:40]!r} is not read by andon")
    code, values = _ENCODINGS[image.encoding]
    kind = np.dtype((">" if image.big_endian else "<") + code)
    width = image.width * values
    if not (image.height and width) or width * kind.itemsize > image.step:
        raise ImageError(
            f"{image.width} x {image.height} pixels in rows of {image.step} bytes"
        )
    rows = np.frombuffer(image.data, np.uint8, image.height * image.step)
    rows = rows.reshape(image.height, image.step)[:, : width * kind.itemsize]
    pixels = rows.view(kind)  # (height, width * values)
    if values == 1:
        return pixels
    return pixels.reshape(image.height, image.width, values)


def _decode_compressed(message: bytes) -> Decoded:
    # Where Pillow is missing no decoder was handed out; a node without a camera does
    # without it.
    pillow = importlib.import_module("PIL.Image")
    try:
        image = read_compressed_image(message)
        with pillow.open(io.BytesIO(image.data), formats=_FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ImageError(f"{opened.width} x {opened.height} pixels")
            readable = opened if opened.mode in _MODES else opened.convert("RGB")
            pixels = np.asarray(readable)
            pixels.flags.writeable = False
            return image.stamp_ns, pixels
    # What Pillow raises about a broken file: its plug-ins each have their own way.
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise ImageError(str(error)) from error
