"""Recordings as MCAP, as rosbag2 writes them: messages stay the bytes they arrived as.

Profile ros2, schemas ros2msg with every definition in full, messages CDR, chunks
compressed with zstd and indexed. `mcap`, `rosbags`, Foxglove and `ros2 bag` read them.
Blocking: who lives on an event loop writes in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Final

from mcap.well_known import MessageEncoding, Profile, SchemaEncoding
from mcap.writer import CompressionType, Writer

from ros_nodes.msgdef import definition_named, full_name

CHUNK_BYTES: Final = 1 << 20
"""A reader that wants one second decompresses no more than it must."""


@dataclass(slots=True)
class Statistics:
    """What a recording holds so far.

    Attributes:
        messages: Messages by topic.
        message_bytes: Serialised bytes of all messages, before compression.
        first_ns: Log time of the earliest message, UTC; 0 without one.
        last_ns: Log time of the latest message, UTC; 0 without one.
    """

    messages: dict[str, int] = field(default_factory=dict)
    message_bytes: int = 0
    first_ns: int = 0
    last_ns: int = 0

    @property
    def count(self) -> int:
        """Messages of all topics."""
        return sum(self.messages.values())


class McapFile:
    """A recording that is being written. One thread at a time.

    Args:
        file: Where to; opened for writing bytes, and closed by whoever opened it.
        library: Who writes, for example "andon 0.1.0".
        definition_of: Returns the definition of a message type; see msgdef.

    Usage::

        with path.open("wb") as out:
            recording = McapFile(out, library=software)
            recording.add("/joint_states", "sensor_msgs/msg/JointState", cdr,
                          log_ns=..., publish_ns=...)
            statistics = recording.close()
    """

    def __init__(
        self,
        file: IO[bytes],
        *,
        library: str,
        definition_of: Callable[[str], str] = definition_named,
    ) -> None:
        self.statistics = Statistics()
        self._definition_of = definition_of
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._kinds: dict[str, str] = {}
        self._begun = False
        self._writer = Writer(
            file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD
        )
        self._writer.start(profile=Profile.ROS2, library=library)

    def declare(
        self, topic: str, kind: str, facts: Mapping[str, str] | None = None
    ) -> None:
        """Name a topic before, or without, a message of it.

        Args:
            topic: Full name, for example "/press_1/joint_states".
            kind: Message type, "package/msg/Name".
            facts: Of the channel, for example rosbag2's "offered_qos_profiles".

        Raises:
            UnknownTypeError: the type is not installed here.
            ValueError: the topic was declared with another type.
        """
        kind = full_name(kind)
        known = self._kinds.get(topic)
        if known is not None:
            if known != kind:
                raise ValueError(f"{topic} is {known}, not {kind}")
            return
        if kind not in self._schemas:
            self._schemas[kind] = self._writer.register_schema(
                name=kind,
                encoding=SchemaEncoding.ROS2,
                data=self._definition_of(kind).encode(),
            )
        self._channels[topic] = self._writer.register_channel(
            topic=topic,
            message_encoding=MessageEncoding.CDR,
            schema_id=self._schemas[kind],
            metadata={"offered_qos_profiles": "", **(facts or {})},
        )
        self._kinds[topic] = kind
        self.statistics.messages[topic] = 0

    def add(
        self, topic: str, kind: str, message: bytes, *, log_ns: int, publish_ns: int
    ) -> None:
        """Write one serialised message; raises like declare.

        Args:
            topic: Full name.
            kind: Message type, "package/msg/Name".
            message: CDR with its encapsulation header, as rclpy gives it.
            log_ns: When it was received, UTC.
            publish_ns: When it was published, or stamped, UTC.
        """
        if self._kinds.get(topic) != kind:
            self.declare(topic, kind)
        statistics = self.statistics
        self._writer.add_message(
            channel_id=self._channels[topic],
            log_time=log_ns,
            data=message,
            publish_time=publish_ns,
            sequence=statistics.messages[topic] & 0xFFFFFFFF,
        )
        if not self._begun:
            self._begun = True
            statistics.first_ns = statistics.last_ns = log_ns
        statistics.first_ns = min(statistics.first_ns, log_ns)
        statistics.last_ns = max(statistics.last_ns, log_ns)
        statistics.messages[topic] += 1
        statistics.message_bytes += len(message)

    def note(self, name: str, facts: Mapping[str, str]) -> None:
        """Write what is known beside the messages: an MCAP metadata record."""
        self._writer.add_metadata(name, dict(facts))

    def flush(self) -> None:
        """End the chunk under way: what was added so far outlives a kill."""
        self._writer.flush()  # type: ignore[no-untyped-call]

    def close(self) -> Statistics:
        """Write the rest and the index; the file itself stays open."""
        self._writer.finish()  # type: ignore[no-untyped-call]
        return self.statistics
