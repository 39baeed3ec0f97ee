"""Recordings as ROS 2 tools leave them behind: MCAP, SQLite, and folders of them.

Read through `rosbags`, whose Reader hands out bytes and parses no message definition:
a topic with a definition that nobody can parse costs nothing while it is not played.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw
from backports.zstd import ZstdError
from rosbags.interfaces import QosDurability
from rosbags.rosbag2 import Reader, ReaderError

from ros_nodes.bags.terms import (
    NO_MESSAGE,
    BagTopic,
    Recorded,
    RecordingRefusedError,
    remedy,
)

DAMAGE: Final = (
    ReaderError,
    FileNotFoundError,
    apsw.Error,
    ZstdError,
    struct.error,
    ValueError,  # text that is no UTF-8, a size that is negative
    TypeError,  # an end of file where one byte was expected
    LookupError,  # an encoding nobody has heard of
    AssertionError,
    RuntimeError,  # lz4
    MemoryError,  # a length out of a broken file
    OverflowError,
    EOFError,
)
"""What the reader raises, tried on files cut and changed at every place."""


class WholeBag:
    """A recording with its index. See terms.Bag.

    Args:
        path: An MCAP file, a .db3 file, or a folder with metadata.yaml.

    Raises:
        RecordingRefusedError: It cannot be read, or holds no message.
    """

    cut_short = ""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._reader = Reader(path)
        with said(path):
            self._reader.open()
        self.topics: Mapping[str, BagTopic] = _topics(self._reader)
        self.begin_ns = self._reader.start_time
        self.end_ns = self._reader.end_time - 1
        if not self._reader.message_count:
            self._reader.close()
            raise RecordingRefusedError(f"{self.name} holds no message; {NO_MESSAGE}")

    @property
    def indexed(self) -> bool:
        """Whether messages can be found in order of time without reading it all."""
        storage = self._reader.storage
        return bool(getattr(storage, "chunks", True))

    def messages(
        self,
        topics: Collection[str],
        *,
        from_ns: int | None = None,
        until_ns: int | None = None,
    ) -> Iterator[Recorded]:
        """See terms.Bag."""
        connections = [c for c in self._stored() if c.topic in topics]
        if not connections:
            return
        count = 0
        with said(self._path):
            for connection, log_ns, data in self._reader.messages(
                connections, from_ns, until_ns
            ):
                count += 1
                yield Recorded(connection.topic, log_ns, bytes(data))
        whole = from_ns is None and until_ns is None
        expected = sum(self.topics[name].count for name in topics)
        if whole and count < expected:
            raise RecordingRefusedError(
                f"{self.name} is damaged: {count} messages are there of {expected} "
                f"that its index names; {remedy(self._path)}"
            )

    def _stored(self) -> list[Any]:
        """The connections as the files name them.

        A folder's metadata.yaml says them too, but the reader takes a connection of
        both for another one as soon as a detail of its QoS differs, and then reads
        nothing: rosbag2's own test bag is such a one.
        """
        storage: Any = self._reader.storage
        storages = getattr(storage, "storages", [storage])
        return [connection for one in storages for connection in one.connections]

    def close(self) -> None:
        """See terms.Bag."""
        self._reader.close()


@contextmanager
def said(path: Path) -> Iterator[None]:
    """Turn whatever a broken file makes the reader raise into one sentence."""
    try:
        yield
    except RecordingRefusedError:
        raise
    except DAMAGE as error:
        raise RecordingRefusedError(
            f"{path.name} cannot be read: {_why(path, error)}; {remedy(path)}"
        ) from error
    except OSError as error:
        raise RecordingRefusedError(
            f"{path.name} cannot be read: {error.strerror or error}"
        ) from error


def _why(path: Path, error: BaseException) -> str:
    """What an error says, or its kind when it says nothing that people can read."""
    text = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, ReaderError | OSError) and text:
        return text.replace(str(path), path.name)
    return f"it is damaged ({type(error).__name__})"


def _topics(reader: Reader) -> dict[str, BagTopic]:
    topics: dict[str, BagTopic] = {}
    for connection in reader.connections:
        facts: Any = connection.ext
        latched = any(
            one.durability == QosDurability.TRANSIENT_LOCAL
            for one in facts.offered_qos_profiles
        )
        one = BagTopic(
            connection.topic,
            connection.msgtype,
            connection.msgcount,
            latched=latched,
            encoding=facts.serialization_format,
        )
        topics[one.name] = joined(topics[one.name], one) if one.name in topics else one
    return topics


def joined(one: BagTopic, other: BagTopic) -> BagTopic:
    """Two publishers of one topic: a type and an encoding only where both agree."""
    return BagTopic(
        one.name,
        one.type if one.type == other.type else "",
        one.count + other.count,
        latched=one.latched or other.latched,
        encoding=one.encoding if one.encoding == other.encoding else "",
    )
