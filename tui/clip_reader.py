"""MCAP to traces: whatever is a number in a ROS 2 message becomes a line over time.

The definitions come with the file, so the types of the plant's own packages are read
as well as the standard ones. Blocking: for a thread.
"""

from __future__ import annotations

import importlib
import io
import json
import math
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mcap.exceptions import McapError
from mcap.reader import McapReader, make_reader
from mcap_ros2.decoder import DecoderFactory
from zstandard import ZstdError

from tui.clip import Clip, ClipTrace, Mark, make_trace
from tui.errors import RefusedError

NOTE: Final = "andon.clip"
CHANNELS: Final = "andon.channels"
LONGEST_ARRAY: Final = 256
"""Numbers of an array that become lines each; more are no lines to look at."""
LONGEST_MARK: Final = 16
SKIPPED: Final = ("header", "layout", "stamp")
COVARIANCE: Final = "_covariance"


def _of_definitions() -> tuple[type[Exception], ...]:
    """What the parser of definitions raises: private to its library, so looked for."""
    try:
        parser = importlib.import_module("mcap_ros2._vendor.rosidl_adapter.parser")
    except ImportError:  # a later version keeps it elsewhere
        return ()
    return (parser.InvalidSpecification,)


UNREADABLE: Final[tuple[type[Exception], ...]] = (
    McapError,
    ZstdError,
    struct.error,
    ValueError,
    TypeError,
    LookupError,
    NameError,
    ArithmeticError,
    NotImplementedError,
    RecursionError,
    *_of_definitions(),
)
"""What the libraries raise about bytes that are no recording, or a damaged one: found
by flipping bits, where the digest that the link compares would have said so before."""

Path = tuple[str | int, ...]
"""The way to a number within a message: fields and places."""


class Columns:
    """The numbers of one topic's messages, column by column."""

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.values: dict[str, list[float]] = {}
        self.texts: list[tuple[float, str]] = []
        self._paths: dict[str, Path] = {}
        self._names: tuple[str, ...] | None = None

    def add(self, at_s: float, message: Any) -> None:
        """Take one message."""
        text = getattr(message, "data", None)
        if isinstance(text, str):
            self.texts.append((at_s, text))
            return
        if isinstance(text, bytes):
            return  # a picture
        names = _names(message)
        if not self._paths or names != self._names:
            # The first, or one whose joints are other ones: earlier rows lack the new.
            self._names = names
            self._paths = dict(_numbers(message, names, ()))
            for name in self._paths:
                self.values.setdefault(name, [math.nan] * len(self.times_s))
        self.times_s.append(at_s)
        for name, column in self.values.items():
            path = self._paths.get(name)
            column.append(math.nan if path is None else _number(message, path))


def _names(message: Any) -> tuple[str, ...] | None:
    """What the places of its arrays are called, as in JointState."""
    names = getattr(message, "name", None)
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    return None


def _numbers(
    message: Any, names: tuple[str, ...] | None, path: Path
) -> Iterator[tuple[str, Path]]:
    """Every number in a message: its name, and the way to it."""
    for field in getattr(type(message), "__slots__", ()):
        if field in SKIPPED or field.endswith(COVARIANCE):
            continue
        value = getattr(message, field)
        here = (*path, field)
        if isinstance(value, bool | int | float):
            yield ".".join(map(str, here)), here
        elif hasattr(type(value), "__slots__") and hasattr(value, "__dict__"):
            yield from _numbers(value, None, here)
        elif not isinstance(value, str | bytes) and hasattr(value, "__len__"):
            yield from _places(value, names, here)


def _places(
    values: Any, names: tuple[str, ...] | None, path: Path
) -> Iterator[tuple[str, Path]]:
    if not 0 < len(values) <= LONGEST_ARRAY:
        return
    if not all(isinstance(value, bool | int | float) for value in values):
        return
    named = names is not None and len(names) == len(values)
    for place in range(len(values)):
        word = names[place] if named and names else str(place)
        yield ".".join(map(str, (*path, word))), (*path, place)


def _number(message: Any, path: Path) -> float:
    value = message
    try:
        for step in path:
            value = value[step] if isinstance(step, int) else getattr(value, step)
        return float(value)
    except (IndexError, AttributeError, TypeError, ValueError):
        return math.nan


def read_clip(content: bytes) -> Clip:
    """Read a clip.

    Raises:
        RefusedError: It is no MCAP of ROS 2 messages, or damaged.
    """
    try:
        reader = make_reader(
            io.BytesIO(content),
            validate_crcs=True,
            decoder_factories=[DecoderFactory()],
        )
        return _read(reader)
    except UNREADABLE as error:
        text = f"The clip cannot be read: {str(error)[:120] or type(error).__name__}."
        raise RefusedError("BAD_CLIP", text) from error


def _read(reader: McapReader) -> Clip:
    notes = {note.name: note.metadata for note in reader.iter_metadata()}
    about = notes.get(NOTE, {})
    topics: dict[str, Columns] = {}
    counts: dict[str, int] = {}
    zero_ns = _whole(about, "window_end_ns")
    first_ns = last_ns = None
    for _, channel, message, decoded in reader.iter_decoded_messages():
        at_ns = message.publish_time
        first_ns = at_ns if first_ns is None else min(first_ns, at_ns)
        last_ns = at_ns if last_ns is None else max(last_ns, at_ns)
        counts[channel.topic] = counts.get(channel.topic, 0) + 1
        zero_ns = at_ns if zero_ns is None else zero_ns
        columns = topics.setdefault(channel.topic, Columns())
        columns.add((at_ns - zero_ns) / 1e9, decoded)
    zero_ns = zero_ns or 0
    spans = [
        (_whole(about, f"{end}_ns"), at_ns or zero_ns)
        for end, at_ns in (
            ("span_start", first_ns),
            ("span_end", last_ns),
            ("window_start", zero_ns),
        )
    ]
    first_s, last_s, window_s = [
        ((at if at is not None else or_ns) - zero_ns) / 1e9 for at, or_ns in spans
    ]
    return Clip(
        cell_id=about.get("cell", ""),
        window_s=window_s,
        first_s=first_s,
        last_s=last_s,
        whole=about.get("whole") != "false",
        messages=sum(counts.values()),
        traces=_traces(topics, notes.get(CHANNELS, {})),
        marks=tuple(
            sorted(
                (
                    Mark(at_s, _word(text))
                    for columns in topics.values()
                    for at_s, text in columns.texts
                ),
                key=lambda mark: mark.at_s,
            )
        ),
        undrawn=tuple(
            (topic, counts[topic])
            for topic, columns in topics.items()
            if not columns.values and not columns.texts
        ),
        end_utc_ns=zero_ns,
    )


def _whole(about: Mapping[str, str], key: str) -> int | None:
    text = about.get(key, "")
    return int(text) if text.lstrip("-").isdigit() else None


def _traces(
    topics: Mapping[str, Columns], channels: Mapping[str, str]
) -> tuple[ClipTrace, ...]:
    """The cell's channels in their order, then every other number."""
    drawn: list[ClipTrace] = []
    used: set[tuple[str, str]] = set()
    for name, source in channels.items():
        at, _, unit = source.partition(" ")
        topic, _, rest = at.partition(":")
        field, _, element = rest.partition(":")
        found = _column(topics.get(topic), field, element)
        if found is None:
            continue
        used.add((topic, found))
        columns = topics[topic]
        drawn.append(
            make_trace(name, unit, columns.times_s, columns.values[found], channel=True)
        )
    for topic, columns in topics.items():
        short = topic.rpartition("/")[2]
        drawn += [
            make_trace(f"{short} {name}", "", columns.times_s, values, channel=False)
            for name, values in columns.values.items()
            if (topic, name) not in used
        ]
    return tuple(drawn)


def _column(columns: Columns | None, field: str, element: str) -> str | None:
    """What a channel's source is called among the numbers of its topic."""
    if columns is None:
        return None
    wanted = field if element == "value" else f"{field}.{element}"
    return next(
        (
            name
            for name in columns.values
            if name == wanted or name.endswith(f".{wanted}")
        ),
        None,
    )


def _word(text: str) -> str:
    """What a message of text says, in a word: the event of a step, or its begin."""
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if isinstance(said, dict) and isinstance(said.get("event"), str):
        text = said["event"]
    shown = "".join(c if c.isprintable() else " " for c in text).strip()
    return shown[:LONGEST_MARK]
