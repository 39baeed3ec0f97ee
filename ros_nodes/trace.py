"""What a node saw and did, one JSON line an event, for tests and reports.

Each line carries the monotonic clock of the machine, so that lines of several processes
of one machine can be compared. The trace is a record, never an input.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from ros_nodes.clock import Clock

Fact = str | int | float | bool | None


class Trace:
    """An append-only file of events; without a path it keeps nothing.

    Args:
        path: Where to write; its folder is made. None writes nothing.
        clock: Whose time each line carries.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._clock = clock
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Line by line: what happened before a kill is on disk.
            self._file = path.open("a", buffering=1, encoding="utf-8")

    def write(self, event: str, **facts: Fact) -> None:
        """Write one event with its facts and the time."""
        if self._file is not None:
            line = {"event": event, "mono_ns": self._clock.monotonic_ns(), **facts}
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
