"""An MCAP file read from front to back: one that lost its end, or never had an index.

A recorder that was killed leaves a file without the last page that says where what is.
Everything up to its last whole chunk is there, and is read through `mcap`.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

import zstandard
from mcap.exceptions import EndOfFile, McapError
from mcap.records import Channel, Footer, McapRecord, Message, Schema
from mcap.stream_reader import StreamReader

from ros_nodes.bags.terms import (
    NO_MESSAGE,
    BagTopic,
    Recorded,
    RecordingRefusedError,
    remedy,
)
from ros_nodes.bags.whole import joined

_DAMAGE: Final = (
    McapError,
    zstandard.ZstdError,
    struct.error,
    ValueError,  # a checksum that differs, text that is no UTF-8
    TypeError,
    LookupError,
    RuntimeError,  # lz4
    MemoryError,
    OverflowError,
    EOFError,
)
_LARGEST_RECORD: Final = 1 << 30
_DEPTH: Final = 2_000
"""Messages held back to bring neighbours into order: more than one chunk's disorder."""


class SequentialBag:
    """An MCAP file without an index. See terms.Bag.

    Args:
        path: The file; it is read once from front to back to see what is in it.

    Raises:
        RecordingRefusedError: Not even its beginning can be read, or it holds no
            message.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self.cut_short = ""
        self._channels: dict[int, BagTopic] = {}
        self._schemas: dict[int, Schema] = {}
        counts: dict[int, int] = {}
        begin_ns = end_ns = 0
        for message in self._walk():
            if not counts:
                begin_ns = end_ns = message.log_time
            begin_ns = min(begin_ns, message.log_time)
            end_ns = max(end_ns, message.log_time)
            counts[message.channel_id] = counts.get(message.channel_id, 0) + 1
        if not counts:
            raise RecordingRefusedError(
                f"{self.name} cannot be read: {self.cut_short}; {remedy(path)}"
                if self.cut_short
                else f"{self.name} holds no message; {NO_MESSAGE}"
            )
        self.begin_ns, self.end_ns = begin_ns, end_ns
        self.topics: Mapping[str, BagTopic] = self._counted(counts)

    def _counted(self, counts: Mapping[int, int]) -> dict[str, BagTopic]:
        topics: dict[str, BagTopic] = {}
        for number, topic in self._channels.items():
            one = BagTopic(
                topic.name,
                topic.type,
                counts.get(number, 0),
                latched=topic.latched,
                encoding=topic.encoding,
            )
            topics[one.name] = (
                joined(topics[one.name], one) if one.name in topics else one
            )
        return topics

    def messages(
        self,
        topics: Collection[str],
        *,
        from_ns: int | None = None,
        until_ns: int | None = None,
    ) -> Iterator[Recorded]:
        """See terms.Bag."""
        wanted = {n for n, topic in self._channels.items() if topic.name in topics}
        first = 0 if from_ns is None else from_ns
        last = self.end_ns if until_ns is None else until_ns - 1
        held: list[tuple[int, int, Message]] = []
        for place, message in enumerate(self._walk()):
            if message.channel_id in wanted and first <= message.log_time <= last:
                heapq.heappush(held, (message.log_time, place, message))
                if len(held) > _DEPTH:
                    yield self._recorded(heapq.heappop(held)[2])
        while held:
            yield self._recorded(heapq.heappop(held)[2])

    def _recorded(self, message: Message) -> Recorded:
        name = self._channels[message.channel_id].name
        return Recorded(name, message.log_time, bytes(message.data))

    def _walk(self) -> Iterator[Message]:
        """All messages in the order of the file, up to where it breaks off."""
        try:
            with self._path.open("rb") as file:
                records = StreamReader(
                    file, validate_crcs=True, record_size_limit=_LARGEST_RECORD
                ).records
                for record in records:
                    if isinstance(record, Footer):
                        return  # what follows the footer says nothing about messages
                    if isinstance(record, Message):
                        if record.channel_id in self._channels:
                            yield record
                    else:
                        self._learn(record)
        except _DAMAGE as error:
            self.cut_short = self.cut_short or _why(error)
        except OSError as error:
            raise RecordingRefusedError(
                f"{self.name} cannot be read: {error.strerror}"
            ) from error

    def _learn(self, record: McapRecord) -> None:
        if isinstance(record, Schema):
            self._schemas[record.id] = record
        elif isinstance(record, Channel):
            schema = self._schemas.get(record.schema_id)
            profiles = record.metadata.get("offered_qos_profiles", "")
            self._channels[record.id] = BagTopic(
                record.topic,
                schema.name if schema is not None else "",
                0,
                latched=_latched(profiles),
                encoding=record.message_encoding,
            )

    def close(self) -> None:
        """See terms.Bag: nothing stays open between two readings."""


def _latched(profiles: str) -> bool:
    """Whether YAML of QoS profiles says transient local, in rosbag2's two spellings."""
    return any(
        line.strip().removeprefix("- ")
        in {"durability: 1", "durability: transient_local"}
        for line in profiles.splitlines()
    )


def _why(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, EndOfFile | struct.error):
        return "it ends within a record"
    if isinstance(error, McapError) and text:
        return text
    return f"it is damaged ({type(error).__name__})"
