"""A recording in long form: CSV in, samples with their groups, times and labels out.

Everything is checked while it is read, so that a refusal names row and column and
nothing is half-imported. Values out of range are kept: the live checks judge them.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from coordinator.errors import DatasetError
from coordinator.insight.schema import LabelColumn, RecordingSchema
from coordinator.terms import Digest

NS_PER_UNIT: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_NS: Final = 2**63 - 1
TRUE: Final = frozenset({"1", "1.0", "true", "yes"})
FALSE: Final = frozenset({"0", "0.0", "false", "no", ""})
MISSING: Final = frozenset({"", "nan", "na", "null", "none"})
SHOWN_CHARACTERS: Final = 40
SAVE_AS: Final = "Save it as CSV in UTF-8: headings first, then a row a sample."
"""What to do about a file that is no table."""
ROWS_PER_REPORT: Final = 2_000

LEAST_UTC_NS: Final = 10**17
"""Times from 1973 on are taken for UTC; smaller ones for a recorder's own clock, ns."""

ReadProgress = Callable[[int, int], None]
"""Called with bytes read and bytes in all."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """The rows of a recording, in the order of the file.

    Attributes:
        samples: float32, shape (rows, channels); NaN where there was no value.
        time_ns: int64, shape (rows,): nanoseconds since 1970, or since the recorder's
            own zero.
        group_index: int64, shape (rows,), into groups; rises from 0 without jumps.
        label_index: int64, shape (rows,), into the schema's labels.
        groups: Names of the contiguous runs; an id that returns gets "~2", "~3"...
        source_digest: SHA-256 over the file.
    """

    samples: NDArray[np.float32]
    time_ns: NDArray[np.int64]
    group_index: NDArray[np.int64]
    label_index: NDArray[np.int64]
    groups: tuple[str, ...]
    source_digest: Digest


def read_recording(
    path: Path,
    schema: RecordingSchema,
    progress: ReadProgress = lambda _done, _all: None,
) -> Recording:
    """Read one CSV file.

    Raises:
        DatasetError: the file cannot be read, a column is missing, a value is not what
            its column holds, or time runs backwards in a group; one sentence with row
            and column. Row 1 is the first row under the headings.
    """
    try:
        with path.open("rb") as file:
            digest = Digest(hashlib.file_digest(file, "sha256").hexdigest())
            size = file.tell()
            file.seek(0)
            return _Reader(path.name, schema, digest).read(
                file, lambda: progress(min(file.tell(), size), size)
            )
    except OSError as error:
        raise DatasetError(f"cannot read {path.name}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path.name} is not UTF-8 text. {SAVE_AS}") from error
    except csv.Error as error:
        raise DatasetError(f"{path.name} is not CSV: {error}. {SAVE_AS}") from error


@dataclass(slots=True)
class _Rows:
    """What was read so far, flat."""

    samples: array[float] = field(default_factory=lambda: array("f"))
    time_ns: array[int] = field(default_factory=lambda: array("q"))
    group_index: array[int] = field(default_factory=lambda: array("q"))
    label_index: array[int] = field(default_factory=lambda: array("q"))


class _Reader:
    """Reads one file once. Not to be used again."""

    def __init__(self, name: str, schema: RecordingSchema, digest: Digest) -> None:
        self._name = name
        self._schema = schema
        self._digest = digest
        self._rows = _Rows()
        self._groups: list[str] = []
        self._times_seen: dict[str, int] = {}
        self._group_id: str | None = None
        self._row = 0
        self._line = 1
        names = [label.name for label in schema.labels]
        self._default = names.index(schema.default_label)
        self._known_values = _closed_values(schema.labels)

    def read(self, file: BinaryIO, report: Callable[[], None]) -> Recording:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        try:
            lines = csv.reader(text, strict=True)
            headings = next(lines, None)
            if headings is None:
                raise DatasetError(f"{self._name} is empty. {SAVE_AS}")
            place = self._places(headings)
            for values in self._numbered(lines, len(headings)):
                self._take({column: values[i].strip() for column, i in place.items()})
                if self._row % ROWS_PER_REPORT == 0:
                    report()
        finally:
            text.detach()  # the file is closed by the one who opened it
        if self._row == 0:
            raise DatasetError(f"{self._name} has headings and no rows.")
        report()
        return self._recording()

    def _numbered(
        self, lines: Iterator[list[str]], width: int
    ) -> Iterator[Sequence[str]]:
        for values in lines:
            if not values:
                continue  # an empty line, as at the end of many files
            self._row += 1
            self._line = getattr(lines, "line_num", self._row + 1)
            if len(values) != width:
                raise DatasetError(
                    f"{self._where()}: {len(values)} values, "
                    f"but there are {width} headings."
                )
            yield values

    def _places(self, headings: Sequence[str]) -> dict[str, int]:
        """Where each column of the schema stands; blanks around a heading are let go.

        Raises:
            DatasetError: a column is missing or there twice.
        """
        schema = self._schema
        wanted = [schema.group, schema.time]
        wanted += [channel.column for channel in schema.channels]
        wanted += [label.column for label in schema.labels if label.column]
        found = [heading.strip() for heading in headings]
        places: dict[str, int] = {}
        for column in wanted:
            title = column.strip()
            if title not in found:
                near = difflib.get_close_matches(title, found, n=1)
                hint = f" (did you mean '{near[0]}'?)" if near else ""
                raise DatasetError(
                    f"{self._name}, headings: column '{column}' is missing{hint}."
                )
            if found.count(title) > 1:
                raise DatasetError(
                    f"{self._name}, headings: column '{column}' is there twice."
                )
            places[column] = found.index(title)
        return places

    def _take(self, row: dict[str, str]) -> None:
        self._take_group(row[self._schema.group])
        self._take_time(row[self._schema.time])
        for channel in self._schema.channels:
            value = self._number(channel.column, row[channel.column])
            if value in channel.missing_values:
                value = math.nan
            self._rows.samples.append(value)
        self._rows.label_index.append(self._label(row))
        self._rows.group_index.append(len(self._groups) - 1)

    def _take_group(self, group_id: str) -> None:
        if not group_id:
            raise DatasetError(f"{self._where(self._schema.group)}: no group.")
        if group_id == self._group_id:
            return
        # Ids return in real recordings, after a restart for example: the run counts.
        times = self._times_seen.get(group_id, 0) + 1
        self._times_seen[group_id] = times
        self._groups.append(group_id if times == 1 else f"{group_id}~{times}")
        self._group_id = group_id

    def _take_time(self, text: str) -> None:
        time_ns = self._time(text)
        seen = self._rows
        same_group = (
            bool(seen.group_index) and seen.group_index[-1] == len(self._groups) - 1
        )
        if same_group and time_ns < seen.time_ns[-1]:
            raise DatasetError(
                f"{self._where(self._schema.time)}: time runs backwards in group "
                f"'{_shown(self._groups[-1])}': {_shown(text)}."
            )
        seen.time_ns.append(time_ns)

    def _time(self, text: str) -> int:
        unit = self._schema.time_unit
        try:
            if unit == "iso8601":
                moment = datetime.fromisoformat(text.strip("\"'"))
                if moment.tzinfo is None:
                    moment = moment.replace(tzinfo=UTC)
                return (moment - EPOCH) // timedelta(microseconds=1) * 1_000
            return self._counted_time(text, NS_PER_UNIT[unit])
        except (ValueError, OverflowError) as error:
            kind = "an ISO 8601 time" if unit == "iso8601" else f"a time in {unit}"
            raise DatasetError(
                f"{self._where(self._schema.time)}: '{_shown(text)}' is not {kind}."
            ) from error

    @staticmethod
    def _counted_time(text: str, ns_per_unit: int) -> int:
        # Whole numbers stay whole: a float loses nanoseconds since 1970.
        whole = text.lstrip("+-").isdecimal()
        time_ns = int(text) * ns_per_unit if whole else round(float(text) * ns_per_unit)
        if not -LARGEST_NS <= time_ns <= LARGEST_NS:
            raise ValueError("out of the range of the clock")
        return time_ns

    def _number(self, column: str, text: str) -> float:
        if text.lower() in MISSING:
            return math.nan
        try:
            value = float(text.replace("_", "?"))  # Python reads 1_000 as a number
        except ValueError as error:
            raise DatasetError(
                f"{self._where(column)}: '{_shown(text)}' is not a number."
            ) from error
        if not abs(value) <= float(np.finfo(np.float32).max):
            raise DatasetError(
                f"{self._where(column)}: '{_shown(text)}' is not a finite number."
            )
        return value

    def _label(self, row: dict[str, str]) -> int:
        for column, known in self._known_values.items():
            if row[column] not in known:
                raise DatasetError(
                    f"{self._where(column)}: '{_shown(row[column])}' is no label, "
                    f"known: {', '.join(sorted(known - {''}))}."
                )
        for index, label in enumerate(self._schema.labels):
            if label.column and self._shows(label, row[label.column]):
                return index
        return self._default

    def _shows(self, label: LabelColumn, text: str) -> bool:
        if label.value is not None:
            return text == label.value
        if text.lower() in TRUE:
            return True
        if text.lower() in FALSE or text.lower() in MISSING:
            return False
        raise DatasetError(
            f"{self._where(label.column)}: '{_shown(text)}' is neither true nor false."
        )

    def _where(self, column: str = "") -> str:
        place = f"{self._name}, row {self._row} (line {self._line})"
        return f"{place}, column '{column}'" if column else place

    def _recording(self) -> Recording:
        rows, channels = self._row, len(self._schema.channels)
        return Recording(
            samples=np.array(self._rows.samples, np.float32).reshape(rows, channels),
            time_ns=np.array(self._rows.time_ns, np.int64),
            group_index=np.array(self._rows.group_index, np.int64),
            label_index=np.array(self._rows.label_index, np.int64),
            groups=tuple(self._groups),
            source_digest=self._digest,
        )


def _closed_values(labels: Sequence[LabelColumn]) -> dict[str, frozenset[str]]:
    """Values that a column may hold, for columns where every label has its value.

    A misspelt label would otherwise silently become the default one.
    """
    columns = {label.column for label in labels}
    if len(columns) != 1 or any(label.value is None for label in labels):
        return {}
    values = frozenset(label.value or "" for label in labels)
    return {columns.pop(): values | {""}}


def _shown(text: str) -> str:
    """The text as it may stand in a message: short and without control characters."""
    cut = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
    return cut.encode("unicode_escape").decode("ascii")


def time_text(time_ns: int) -> str:
    """Say a time of a recording: ISO 8601 in UTC, or seconds of the recorder."""
    if time_ns < LEAST_UTC_NS:
        return f"{time_ns / 1e9:.3f} s"
    return utc(time_ns).isoformat()


def utc(time_ns: int) -> datetime:
    """The UTC time so many nanoseconds after the beginning of 1970."""
    return EPOCH + timedelta(microseconds=time_ns // 1_000)
