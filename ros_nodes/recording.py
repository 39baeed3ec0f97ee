"""A recording as a robot's body: the rows of a CSV, played cycle by cycle.

Long form: one row a sample, a time column in seconds, one column a channel, and a group
column whose value changes from cycle to cycle. A column belongs to a topic, a field and
a joint or axis, in the same words as a channel's `source`.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ros_nodes.config import AXES, ConfigRefusedError, Source

USUAL_PERIOD_S: Final = 0.02
"""Time between samples of a recorded robot that stands."""


class RecordingRefusedError(ConfigRefusedError):
    """A recording cannot be played; the text is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a recording mean.

    Attributes:
        time: Column of the time, s.
        group: Column that tells cycles apart.
        sources: Source of every channel column.
        part: Column of the serial number; "" takes the group.
    """

    time: str
    group: str
    sources: Mapping[str, Source]
    part: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class RecordedSample:
    """One row, as a robot would publish it. See simulated_robot.Sample."""

    position: NDArray[np.float64]
    velocity: NDArray[np.float64]
    effort: NDArray[np.float64]
    wrench: NDArray[np.float64]
    joints_sent: bool = True
    wrench_sent: bool = True


@dataclass(frozen=True, slots=True)
class RecordedTruth:
    """What is known about a recorded cycle: nothing but its part."""

    part_id: str
    label: str = ""
    fault: str = ""
    severity: float = 0.0
    sensor_fault: str = ""
    ambiguous: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RecordedCycle:
    """The rows of one cycle: times (rows,) in s from its first, and its samples."""

    part_id: str
    times_s: NDArray[np.float64]
    samples: tuple[RecordedSample, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """All cycles of a file, in its order."""

    joint_names: tuple[str, ...]
    cycles: tuple[RecordedCycle, ...]


def parse_columns(text: str) -> dict[str, Source]:
    """Read "column=topic:field:element,..." as it may stand in a parameter.

    Raises:
        ConfigRefusedError: A pair is not of this form.
    """
    sources = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        column, equals, source = pair.partition("=")
        if not (equals and column):
            raise RecordingRefusedError(f"{pair!r} is not column=topic:field:element")
        sources[column.strip()] = Source.parse(source.strip())
    return sources


def read_recording(path: Path, columns: Columns) -> Recording:
    """Read a recording.

    Raises:
        RecordingRefusedError: The file cannot be read, lacks a column, holds text in
            place of a number, or its time does not rise within a cycle.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            _require_columns(path, columns, rows.fieldnames or ())
            return _recording(path, columns, list(rows))
    except OSError as error:
        raise RecordingRefusedError(
            f"{path.name} cannot be read: {error.strerror}"
        ) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise RecordingRefusedError(
            f"{path.name} is not a CSV: {error}; save it as CSV in UTF-8"
        ) from error


def _require_columns(path: Path, columns: Columns, there: Sequence[str]) -> None:
    wanted = [columns.time, columns.group, *columns.sources]
    if columns.part:
        wanted.append(columns.part)
    missing = [name for name in wanted if name not in there]
    if missing:
        raise RecordingRefusedError(f"{path.name} lacks column {missing[0]!r}")
    if not columns.sources:
        raise RecordingRefusedError(f"{path.name}: no column has a source")


def _recording(
    path: Path, columns: Columns, rows: Sequence[Mapping[str, str]]
) -> Recording:
    joint_names = tuple(
        dict.fromkeys(
            s.element for s in columns.sources.values() if s.topic == "joints"
        )
    )
    numbered = list(enumerate(rows, start=2))  # line 1 holds the names
    cycles = []
    for group, members in itertools.groupby(
        numbered, key=lambda row: row[1][columns.group]
    ):
        lines = list(members)
        times_s = np.array(
            [_number(path, line, row, columns.time) for line, row in lines]
        )  # (rows,)
        if len(times_s) > 1 and not (np.diff(times_s) > 0).all():
            raise RecordingRefusedError(
                f"{path.name}: time does not rise within {columns.group} {group!r}"
            )
        samples = tuple(
            _sample(path, line, row, columns, joint_names) for line, row in lines
        )
        part_id = lines[0][1][columns.part] if columns.part else group
        cycles.append(RecordedCycle(part_id, times_s - times_s[0], samples))
    if not cycles:
        raise RecordingRefusedError(f"{path.name} has no rows")
    return Recording(joint_names, tuple(cycles))


def _number(path: Path, line: int, row: Mapping[str, str], column: str) -> float:
    text = (row[column] or "").strip()
    if not text:
        return math.nan
    try:
        return float(text)
    except ValueError as error:
        raise RecordingRefusedError(
            f"{path.name} line {line}: {column} is {text[:40]!r}, not a number"
        ) from error


def _sample(
    path: Path,
    line: int,
    row: Mapping[str, str],
    columns: Columns,
    joint_names: Sequence[str],
) -> RecordedSample:
    fields: dict[str, NDArray[np.float64]] = {}
    wrench = np.full(6, math.nan)
    for column, source in columns.sources.items():
        value = _number(path, line, row, column)
        if source.topic == "wrench":
            place = 3 * (source.field == "torque") + AXES.index(source.element)
            wrench[place] = value
        else:
            values = fields.setdefault(
                source.field, np.full(len(joint_names), math.nan)
            )
            values[joint_names.index(source.element)] = value
    none: NDArray[np.float64] = np.zeros(0)
    topics = {source.topic for source in columns.sources.values()}
    return RecordedSample(
        position=fields.get("position", none),
        velocity=fields.get("velocity", none),
        effort=fields.get("effort", none),
        wrench=wrench,
        joints_sent="joints" in topics,
        wrench_sent="wrench" in topics,
    )


class RecordedBody:
    """Plays a recording. See simulated_robot.Body.

    It begins anew after the last cycle; who wants each cycle once says so in the pace.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._cycle = recording.cycles[0]
        self._row = 0
        self._paused = False

    @property
    def period_s(self) -> float:
        """Time from the newest sample to the next one, s."""
        times_s, row = self._cycle.times_s, self._row
        if self._paused or not 0 < row < len(times_s):
            return USUAL_PERIOD_S
        return float(times_s[row] - times_s[row - 1])

    def begin_cycle(self, cycle: int) -> RecordedTruth:
        """Go to the beginning of a recorded cycle."""
        cycles = self._recording.cycles
        self._cycle = cycles[cycle % len(cycles)]
        self._row = 0
        return RecordedTruth(self._cycle.part_id)

    def advance(self) -> RecordedSample | None:
        """Return the next row; the same one while paused; None after the last."""
        if self._paused:
            return self.idle()
        if self._row >= len(self._cycle.samples):
            return None
        self._row += 1
        return self._cycle.samples[self._row - 1]

    def idle(self) -> RecordedSample:
        """Return where the robot stands: the newest row once more."""
        return self._cycle.samples[max(0, self._row - 1)]

    def pause(self) -> None:
        """Stand still."""
        self._paused = True

    def resume(self) -> None:
        """Go on."""
        self._paused = False
