"""A clip as CSV files, one a topic, for spreadsheets and statistics.

Whatever is a number in a message becomes a column, and so does a text; an array of at
most 256 numbers becomes one column a place, named after the joints where the message
names them. Pictures become none. The definitions of the messages are in the clip.
"""

from __future__ import annotations

import csv
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from mcap.exceptions import McapError
from mcap.reader import McapReader, make_reader
from mcap_ros2.decoder import DecoderFactory

from coordinator.errors import DatasetError

NOTE: Final = "andon.clip"
CHANNELS: Final = "andon.channels"
LONGEST_ARRAY: Final = 256
"""Numbers of an array that become columns each; more are a picture or a cloud."""
TIMES: Final = ("utc_ns", "time_s [s]")
"""When a message was stamped: UTC in ns, and seconds from the end of the window that
was unclear."""
SKIPPED: Final = frozenset({"header", "layout"})
UNREADABLE: Final = (
    McapError,
    struct.error,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    RecursionError,
)
"""What the libraries raise about bytes that are no recording."""


@dataclass(slots=True)
class Table:
    """The messages of one topic, a row each."""

    columns: dict[str, None] = field(default_factory=dict)
    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def add(self, at_ns: int, message: Any) -> None:
        """Take one message."""
        row = dict(_values(message, _names(message), ""))
        self.columns.update(dict.fromkeys(row))
        self.rows.append((at_ns, row))

    def write(self, file: TextIO, zero_ns: int, units: Mapping[str, str]) -> None:
        """Write it, with the units that are known in its first line."""
        writer = csv.writer(file)
        named = [f"{x} [{units[x]}]" if x in units else x for x in self.columns]
        writer.writerow([*TIMES, *named])
        for at_ns, row in self.rows:
            times = (at_ns, f"{(at_ns - zero_ns) / 1e9:.9f}")
            writer.writerow([*times, *(row.get(x, "") for x in self.columns)])


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a clip.

    Attributes:
        files: One a topic.
        left_out: Topics in which nothing is a number or a text.
    """

    files: tuple[Path, ...]
    left_out: tuple[str, ...]


def write_tables(clip: Path, folder: Path) -> Written:
    """Write a clip's topics as CSV files into a folder, which is made if needed.

    Raises:
        DatasetError: the file is no MCAP of ROS 2 messages, or damaged.
    """
    try:
        with clip.open("rb") as file:
            notes, tables = _read(
                make_reader(
                    file, validate_crcs=True, decoder_factories=[DecoderFactory()]
                )
            )
    except UNREADABLE as error:
        why = " ".join(str(error).split())[:120] or type(error).__name__
        raise DatasetError(
            f"{clip.name} cannot be read as a clip: {why}. Export it again, and keep "
            "the file for who looks after andon if that does not help."
        ) from error
    zero_ns = _zero_ns(notes.get(NOTE, {}), tables)
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    for topic, table in tables.items():
        if not table.columns:
            continue
        path = folder / f"{_safe(topic)}.csv"
        if path in files:  # /a/b and /a_b
            path = folder / f"{_safe(topic)}_{len(files)}.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            table.write(out, zero_ns, _units(topic, table, notes.get(CHANNELS, {})))
        files.append(path)
    left_out = (topic for topic, table in tables.items() if not table.columns)
    return Written(tuple(files), tuple(left_out))


def _read(reader: McapReader) -> tuple[dict[str, dict[str, str]], dict[str, Table]]:
    notes = {note.name: note.metadata for note in reader.iter_metadata()}
    tables: dict[str, Table] = {}
    for _, channel, message, decoded in reader.iter_decoded_messages():
        tables.setdefault(channel.topic, Table()).add(message.publish_time, decoded)
    return notes, tables


def _zero_ns(about: Mapping[str, str], tables: Mapping[str, Table]) -> int:
    """The end of the unclear window; of a recording without one its first message."""
    if (said := about.get("window_end_ns", "")).isdigit():
        return int(said)
    return min(
        (at_ns for table in tables.values() for at_ns, _ in table.rows), default=0
    )


def _names(message: Any) -> list[str] | None:
    """What the places of its arrays are called, as in JointState."""
    names = getattr(message, "name", None)
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return names
    return None


def _values(
    message: Any, names: list[str] | None, at: str
) -> Iterator[tuple[str, float | str]]:
    """Every number and text of a message, by its place; none of a picture."""
    if isinstance(getattr(message, "data", None), bytes):
        return
    for slot in getattr(type(message), "__slots__", ()):
        value, here = getattr(message, slot), f"{at}{slot}"
        if slot in SKIPPED or value is names:
            continue
        if isinstance(value, bool | int | float | str):
            yield here, int(value) if isinstance(value, bool) else value
        elif hasattr(type(value), "__slots__") and hasattr(value, "__dict__"):
            yield from _values(value, None, f"{here}.")
        elif hasattr(value, "__len__"):
            yield from _places(value, names, here)


def _places(
    values: Any, names: list[str] | None, at: str
) -> Iterator[tuple[str, float]]:
    if not 0 < len(values) <= LONGEST_ARRAY:
        return
    if not all(isinstance(value, bool | int | float) for value in values):
        return
    known = names if names is not None and len(names) == len(values) else None
    for place, value in enumerate(values):
        yield f"{at}.{known[place] if known else place}", value


def _units(topic: str, table: Table, channels: Mapping[str, str]) -> dict[str, str]:
    """Units of the columns that are channels of the cell.

    Args:
        topic: Whose.
        table: Its messages.
        channels: From a channel's name to `topic:field:element unit`.
    """
    found: dict[str, str] = {}
    for source in channels.values():
        at, _, unit = source.partition(" ")
        of_topic, _, rest = at.partition(":")
        slot, _, element = rest.partition(":")
        wanted = slot if element == "value" else f"{slot}.{element}"
        if unit and of_topic == topic:
            found |= {
                x: unit
                for x in table.columns
                if x == wanted or x.endswith(f".{wanted}")
            }
    return found


def _safe(topic: str) -> str:
    """A topic as the name of a file: what names a file is not left to a recording."""
    kept = "".join(c if c.isalnum() or c in "._-" else "_" for c in topic.strip("/"))
    return kept.lstrip(".") or "topic"
