"""A clip as it travels: MCAP with everything it takes to read it, and its digest."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ros_nodes.clip import ClipSource, Cut, Wanted
from ros_nodes.mcap_file import McapFile
from ros_nodes.msgdef import definition_named

NOTE: Final = "andon.clip"
"""Name of the MCAP metadata record that says what a clip is."""
CHANNELS: Final = "andon.channels"
"""Name of the record that says which value of which topic is which channel."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A clip as it travels.

    Attributes:
        wanted: What was asked.
        content: MCAP.
        digest: SHA-256 over the content.
        start_utc_ns: UTC of its first message; of the span's start without one.
    """

    wanted: Wanted
    content: bytes
    digest: str
    start_utc_ns: int


def write_clip(
    cut: Cut,
    source: ClipSource,
    *,
    definition_of: Callable[[str], str] = definition_named,
) -> Clip:
    """Write a clip as MCAP; blocking, so not for the event loop.

    Times move to UTC, all by one offset: a wall clock that jumps tears no clip apart.

    Raises:
        UnknownTypeError: the type of a topic is not installed here.
    """
    offset_ns = cut.utc_offset_ns
    file = io.BytesIO()
    mcap = McapFile(file, library=source.software, definition_of=definition_of)
    for name, kind in source.topics.values():
        mcap.declare(name, kind)
    for kept in cut.messages:
        name, kind = source.topics[kept.topic]
        mcap.add(
            name,
            kind,
            kept.message,
            log_ns=max(0, kept.heard_ns + offset_ns),
            publish_ns=max(0, kept.stamp_ns + offset_ns),
        )
    mcap.note(
        NOTE,
        {
            "cell": source.cell_id,
            "request": cut.wanted.request_id,
            "window": cut.wanted.window_id,
            "window_start_ns": str(cut.window.begin_ns + offset_ns),
            "window_end_ns": str(cut.window.end_ns + offset_ns),
            "span_start_ns": str(cut.span.begin_ns + offset_ns),
            "span_end_ns": str(cut.span.end_ns + offset_ns),
            "whole": "true" if cut.whole else "false",
            "software": source.software,
        },
    )
    mcap.note(CHANNELS, source.channels)
    mcap.close()
    content = file.getvalue()
    first_ns = min((k.stamp_ns for k in cut.messages), default=cut.span.begin_ns)
    return Clip(
        cut.wanted,
        content,
        hashlib.sha256(content).hexdigest(),
        max(0, first_ns + offset_ns),
    )
