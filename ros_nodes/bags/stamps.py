"""The stamp in a serialised message: read, and replaced without knowing the rest.

Where a message begins with a std_msgs/Header, its stamp is the first eight bytes behind
the encapsulation, whatever follows.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from ros_nodes.clock import SECOND_NS

HEADER: Final = "std_msgs/Header"
LONGEST_AGE_NS: Final = SECOND_NS
"""A stamp that is older than this when its message arrives is of another clock."""
USUAL_AGE_NS: Final = SECOND_NS // 50
"""Taken for the age of the first message that such a clock stamped."""

_BEFORE: Final = 4
_SIZE: Final = 8
_PLAIN: Final = {0: ">iI", 1: "<iI", 6: ">iI", 7: "<iI"}
"""Encapsulations whose first field comes first: CDR and CDR 2, in both byte orders."""


def begins_with_header(its_class: Any) -> bool:
    """Whether the first field of a message class is a header."""
    fields = its_class.get_fields_and_field_types()
    return next(iter(fields.values()), "") == HEADER


def stamp_ns(message: bytes) -> int | None:
    """The stamp of a message that begins with a header; None when it has none."""
    form = _form(message)
    if form is None:
        return None
    seconds, nanoseconds = struct.unpack_from(form, message, _BEFORE)
    return int(seconds) * SECOND_NS + int(nanoseconds)


def restamped(message: bytes, new_ns: int) -> bytes:
    """The same message with another stamp; untouched when it has none."""
    form = _form(message)
    if form is None:
        return message
    stamp = struct.pack(form, *divmod(new_ns, SECOND_NS))
    return message[:_BEFORE] + stamp + message[_BEFORE + _SIZE :]


class Restamper:
    """Gives messages stamps as if they had been recorded now.

    The age that a stamp had when its message was received is kept: what was sampled
    evenly stays even, although it arrived unevenly. A stamp of a clock that has nothing
    to do with the recorder's counts from the first message of its topic.

    Args:
        rate: Seconds of the recording a second.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._foreign_ns: dict[str, int] = {}

    def stamped(self, topic: str, message: bytes, *, log_ns: int, now_ns: int) -> bytes:
        """Return the message with a new stamp; untouched when it has none.

        Args:
            topic: Its topic.
            message: Begins with a header.
            log_ns: When it was received.
            now_ns: When it is played, on the clock of the new stamp.
        """
        old_ns = stamp_ns(message)
        if old_ns is None:
            return message
        age_ns = log_ns - old_ns - self._foreign_ns.get(topic, 0)
        if not -USUAL_AGE_NS <= age_ns <= LONGEST_AGE_NS:
            self._foreign_ns[topic] = log_ns - old_ns - USUAL_AGE_NS
            age_ns = USUAL_AGE_NS
        return restamped(message, now_ns - round(max(0, age_ns) / self._rate))


def _form(message: bytes) -> str | None:
    if len(message) < _BEFORE + _SIZE or message[0] != 0:
        return None
    return _PLAIN.get(message[1])
