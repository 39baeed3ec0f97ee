"""What a recording is to whoever plays it, whatever wrote it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ros_nodes.recording import RecordingRefusedError

__all__ = [
    "NO_MESSAGE",
    "Bag",
    "BagTopic",
    "Recorded",
    "RecordingRefusedError",
    "remedy",
]

NO_MESSAGE: Final = "record again while its topics speak (`andon check --live` looks)"
"""What to do about a recording of nothing; the end of a sentence."""


@dataclass(frozen=True, slots=True)
class BagTopic:
    """One topic of a recording.

    Attributes:
        name: Full name, as recorded.
        type: "package/msg/Name"; "" where the recording has several under one name.
        count: Messages.
        latched: A publisher offered its newest message to late listeners.
        encoding: How messages are serialised; only "cdr" can be played.
    """

    name: str
    type: str
    count: int
    latched: bool = False
    encoding: str = "cdr"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One message: its topic, when it was received (UTC ns), and its bytes."""

    topic: str
    log_ns: int
    data: bytes


class Bag(Protocol):
    """An open recording. One thread at a time."""

    @property
    def name(self) -> str:
        """Name of the file or folder, for people."""

    @property
    def topics(self) -> Mapping[str, BagTopic]:
        """Its topics by name."""

    @property
    def begin_ns(self) -> int:
        """When the first message was received, UTC ns."""

    @property
    def end_ns(self) -> int:
        """When the last message was received, UTC ns."""

    @property
    def cut_short(self) -> str:
        """Why the file ends before its time; "" for a whole one."""

    def messages(
        self,
        topics: Collection[str],
        *,
        from_ns: int | None = None,
        until_ns: int | None = None,
    ) -> Iterator[Recorded]:
        """Messages of some topics in the order they were received, from the disk.

        Args:
            topics: Names; nothing of other topics is looked at, their types neither.
            from_ns: First moment, UTC ns; None: from the beginning.
            until_ns: First moment that is left out; None: to the end.

        Raises:
            RecordingRefusedError: The file is damaged at this place.
        """

    def close(self) -> None:
        """Close the files."""


def remedy(path: Path) -> str:
    """What to do about a recording that cannot be read; the end of a sentence."""
    if path.is_dir():
        return "bring the whole folder again, as it was recorded"
    if path.suffix == ".mcap":
        return "copy it again; if it is the same there, `mcap recover` may save a part"
    return "copy it again, after its recorder has ended"
