"""What somebody wants of a replay or a recording, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ros_nodes.config import CellConfig
from ros_nodes.recording import Columns


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a recording, s from its beginning.

    Attributes:
        from_s: First moment.
        to_s: First moment that is left out; None: to the end.
    """

    from_s: float = 0.0
    to_s: float | None = None


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How a recording is played.

    Attributes:
        file: The recording.
        cell: Whose topics are played; None: those of the recording.
        topics: Names in the recording, or keys of the cell's topics; none: see choice.
        renamed: Names in the recording, and the names to publish under instead.
        part: The part to play.
        rate: Seconds of the recording a second.
        loop: Whether to begin anew at the end.
        keep_stamps: Messages keep their stamps, and /clock tells the recorded time.
        wait_s: Longest time to wait for somebody who listens, s.
        columns: What the columns of a CSV mean; None: nobody said.
    """

    file: Path
    cell: CellConfig | None = None
    topics: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    part: Part = field(default_factory=Part)
    rate: float = 1.0
    loop: bool = False
    keep_stamps: bool = False
    wait_s: float = 2.0
    columns: Columns | None = None


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What is recorded.

    Attributes:
        cell: Whose topics.
        file: Where to; it must not be there.
        topics: Keys or names of the cell's topics, or names of others; none: all of
            the cell's.
        seconds: How long; 0: until told to end.
        reserve_mb: The recording ends when the disk has less free than this, MB: who
            records beside a cell must not stop it by filling its disk.
    """

    cell: CellConfig
    file: Path
    topics: tuple[str, ...] = ()
    seconds: float = 0.0
    reserve_mb: float = 500.0
