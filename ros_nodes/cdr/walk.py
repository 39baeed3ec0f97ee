"""One walk through a serialised message, from its front."""

from __future__ import annotations

import struct
from typing import Final

BASE: Final = 4
"""Alignment counts from the byte behind the encapsulation."""
PLAIN_LITTLE_ENDIAN: Final = b"\x00\x01"

_U32: Final = struct.Struct("<I")
_STAMP: Final = struct.Struct("<iI")


class CdrError(ValueError):
    """The bytes are not the message that they should be."""


class Walk:
    """A walk through a message that notes what of it is the same in the next one.

    Texts and counts decide where everything behind them lies. As long as they stay the
    same, so do the places of all values; the padding between them may hold anything.

    Args:
        message: A serialised message.

    Raises:
        CdrError: It is not plain CDR in little-endian; so do all methods for a message
            that ends too early.
    """

    def __init__(self, message: bytes) -> None:
        if message[:2] != PLAIN_LITTLE_ENDIAN or len(message) < BASE:
            raise CdrError("not a little-endian CDR message")
        self._message = message
        self.at = BASE
        self._noted: list[tuple[int, bytes]] = [(0, PLAIN_LITTLE_ENDIAN)]

    @property
    def sameness(self) -> tuple[struct.Struct, tuple[bytes, ...]]:
        """What to unpack of another message, and what comes out of it when it fits."""
        formats, passed = ["<"], 0
        for begin, content in self._noted:
            formats.append(f"{begin - passed}x{len(content)}s")
            passed = begin + len(content)
        seen = tuple(content for _, content in self._noted)
        return struct.Struct("".join(formats)), seen

    def align(self, size: int) -> None:
        """Go to the next multiple of a size."""
        self.at += (BASE - self.at) % size

    def skip(self, size: int) -> int:
        """Go on by so many bytes; return where they begin."""
        begin, self.at = self.at, self.at + size
        if self.at > len(self._message):
            raise CdrError(f"{len(self._message)} bytes end within {size}")
        return begin

    def constant(self, size: int) -> bytes:
        """Read bytes that decide about what follows."""
        begin = self.skip(size)
        content = self._message[begin : self.at]
        before, noted = self._noted[-1]
        if before + len(noted) == begin:
            self._noted[-1] = (before, noted + content)
        else:
            self._noted.append((begin, content))
        return content

    def count(self) -> int:
        """Read a uint32 that decides about what follows."""
        self.align(4)
        return int(_U32.unpack(self.constant(4))[0])

    def text(self) -> str:
        """Read a string."""
        content = self.constant(self.count())
        try:
            return content.rstrip(b"\x00").decode()
        except UnicodeDecodeError as error:
            raise CdrError("a text is not UTF-8") from error

    def doubles(self, count: int) -> int:
        """Pass float64 values; return where they begin."""
        if count == 0:
            return self.at  # nothing is aligned for an empty sequence
        self.align(8)
        return self.skip(8 * count)

    def header(self) -> int:
        """Pass a std_msgs/Header; return its stamp, ns."""
        begin = self.skip(_STAMP.size)
        self.text()
        seconds, nanoseconds = _STAMP.unpack_from(self._message, begin)
        return int(seconds) * 1_000_000_000 + int(nanoseconds)
