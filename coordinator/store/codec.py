"""Events as canonical JSON, and back: what the journal's hashes are taken over.

One value has one text: keys sorted, no spaces, ASCII only, every field written. Enums
are written by value (IntEnum by name), times as ISO 8601 in UTC with microseconds,
floats exactly; NaN and the infinities, which JSON does not have, as strings. The rules
come from the type hints of the dataclasses, so a new event needs no line here. Reading
is strict: an unknown field or a wrong type is refused; a missing field that has a
default takes it, so that an event may grow.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum, IntEnum
from operator import itemgetter
from types import NoneType, UnionType
from typing import (
    Any,
    Final,
    NewType,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from coordinator.errors import StoreIntegrityError
from coordinator.terms.events import Event

Json = Any
"""What the json module reads and writes; checked by the codec, not by the type."""

NON_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, slots=True)
class Codec:
    """How one type is written and read.

    Attributes:
        write: Value to JSON; raises TypeError or ValueError on a wrong value.
        read: JSON to value; raises TypeError, ValueError or KeyError.
    """

    write: Callable[[Any], Json]
    read: Callable[[Json], Any]


def dumps(content: Json) -> str:
    """Return the canonical text of a JSON value."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def write_time(moment: datetime) -> str:
    """Return an aware time as ISO 8601 in UTC with microseconds."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be recorded")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def read_time(text: Json) -> datetime:
    """Return the time that write_time wrote."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a recorded time has no zone")
    return moment.astimezone(UTC)


def _write_float(value: Any) -> Json:
    if isinstance(value, bool | str):
        raise TypeError(f"{value!r} is not a number")
    number = float(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _read_float(content: Json) -> float:
    if type(content) is float:
        return content
    if isinstance(content, str):
        return NON_FINITE[content]
    raise TypeError(f"{content!r} is not a number")


def _exactly(kind: type, content: Json) -> Json:
    """Return content if it is of this very type: True is no int, 1 is no float."""
    if type(content) is not kind:
        raise TypeError(f"{content!r} is not {kind.__name__}")
    return content


# Each runs for every field of every entry that is read: no call within a call.


def _read_text(content: Json) -> str:
    if type(content) is not str:
        raise TypeError(f"{content!r} is not text")
    return content


def _read_int(content: Json) -> int:
    if type(content) is not int:
        raise TypeError(f"{content!r} is not a whole number")
    return content


def _write_int(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError(f"{value!r} is not a whole number")
    return int(value.__index__())


def _write_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return str(value)


LEAVES: Final[Mapping[Any, Codec]] = {
    str: Codec(_write_text, _read_text),
    int: Codec(_write_int, _read_int),
    float: Codec(_write_float, _read_float),
    bool: Codec(
        lambda value: _exactly(bool, value), lambda content: _exactly(bool, content)
    ),
    datetime: Codec(write_time, read_time),
}

PLAIN: Final = (str, int, float, bool)
"""What JSON says as it is; only a float may also be told in words."""

_known: Final = dict(LEAVES)
"""Every codec made so far; making one twice gives the same."""


def codec_of(hint: Any) -> Codec:
    """Return how values of this type hint are written and read.

    Raises:
        TypeError: the journal has no rule for this type.
    """
    found = _known.get(hint)
    if found is None:
        found = _known[hint] = _made(hint)
    return found


def _made(hint: Any) -> Codec:
    if isinstance(hint, NewType):
        return codec_of(hint.__supertype__)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return _fields(hint)
    return _composed(hint)


def _composed(hint: Any) -> Codec:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType) and len(inner) == 2 and NoneType in inner:
        return _optional(next(one for one in inner if one is not NoneType))
    if origin is tuple and len(inner) == 2 and inner[1] is Ellipsis:
        item = codec_of(inner[0])
        write, read = item.write, item.read
        return Codec(
            lambda values: [write(value) for value in values],
            lambda content: tuple([read(one) for one in _exactly(list, content)]),
        )
    if origin is Mapping and inner[0] is str:
        entry = codec_of(inner[1])
        return Codec(
            lambda pairs: {_write_text(k): entry.write(v) for k, v in pairs.items()},
            lambda content: {
                k: entry.read(v) for k, v in _exactly(dict, content).items()
            },
        )
    raise TypeError(f"the journal has no rule for {hint}")


def _optional(inner: Any) -> Codec:
    there = codec_of(inner)
    return Codec(
        lambda value: None if value is None else there.write(value),
        lambda content: None if content is None else there.read(content),
    )


def _enum(kind: type[Enum]) -> Codec:
    if issubclass(kind, IntEnum):  # the number may be re-ranked, the name stays
        return Codec(
            lambda value: cast(IntEnum, _exactly(kind, value)).name,
            dict(kind.__members__).__getitem__,
        )
    said = {one.value: one for one in kind}
    return Codec(lambda value: _exactly(kind, value).value, said.__getitem__)


def _fields(kind: type) -> Codec:
    hints = get_type_hints(kind)
    parts = [(one.name, codec_of(hints[one.name])) for one in fields(kind)]
    # This runs for every field of every event: no attribute is looked up twice.
    writers = [(name, part.write) for name, part in parts]
    readers = {name: part.read for name, part in parts}
    needed = {
        one.name
        for one in fields(kind)
        if one.default is MISSING and one.default_factory is MISSING
    }

    def write(value: Any) -> Json:
        _exactly(kind, value)
        return {name: write_part(getattr(value, name)) for name, write_part in writers}

    def read(content: Json) -> Any:
        if not _exactly(dict, content).keys() >= needed:
            raise ValueError(f"{kind.__name__} lacks a field")
        return kind(**{name: readers[name](one) for name, one in content.items()})

    return Codec(write, _at_once(kind, parts, read))


def _at_once(
    kind: type, parts: Sequence[tuple[str, Codec]], one_by_one: Callable[[Json], Any]
) -> Callable[[Json], Any]:
    """Return a reader that looks once at all plain fields, not at each by itself.

    Whatever is not exactly as it is written today is left to the other reader, which
    understands it or refuses it.
    """
    leaf = {id(LEAVES[one]): one for one in PLAIN}
    types = [leaf.get(id(part)) for _, part in parts]
    plain = [place for place, one in enumerate(types) if one is not None]
    if len(plain) < 2 or any(one.kw_only or not one.init for one in fields(kind)):
        return one_by_one
    expected = [types[place] for place in plain]
    others = [(n, part.read) for n, (_, part) in enumerate(parts) if n not in plain]
    values_of, plain_of = itemgetter(*(name for name, _ in parts)), itemgetter(*plain)
    count = len(parts)

    def read(content: Json) -> Any:
        if type(content) is not dict or len(content) != count:
            return one_by_one(content)
        try:
            values = list(values_of(content))
        except KeyError:
            return one_by_one(content)
        if list(map(type, plain_of(values))) != expected:
            return one_by_one(content)
        for place, read_part in others:
            values[place] = read_part(values[place])
        return kind(*values)

    return read


def encode(value: Any) -> Json:
    """Return a term or event as a JSON value.

    Raises:
        TypeError: a field holds a value of another type than it says.
        ValueError: a time has no zone.
    """
    return codec_of(type(value)).write(value)


KINDS: Final[Mapping[str, type[Event]]] = {
    kind.__name__: kind for kind in get_args(Event)
}
"""Every class of event by the name under which it is journaled."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with what was kept in the same transaction.

    Attributes:
        event: The event.
        window: Id and content digest of the window that was kept, if one was.
        once: Person, key, payload digest and reply of the call, if it had a key.
    """

    event: Event
    window: tuple[str, ...] | None = None
    once: tuple[str, ...] | None = None


KEPT: Final = "_kept"
"""Extra key in the payload, so that the chain covers windows and replies too."""


def write_record(record: Recorded) -> str:
    """Return the payload of a journal entry; see encode for what it raises."""
    content = encode(record.event)
    kept = {
        name: list(part)
        for name, part in (("window", record.window), ("once", record.once))
        if part is not None
    }
    return dumps({**content, KEPT: kept} if kept else content)


def read_record(kind: str, payload: str) -> Recorded:
    """Return what write_record wrote.

    Raises:
        StoreIntegrityError: the payload does not read as an event of this kind.
    """
    try:
        content = json.loads(payload)
        kept = content.pop(KEPT, {})
        return Recorded(
            codec_of(KINDS[kind]).read(content),
            tuple(kept["window"]) if "window" in kept else None,
            tuple(kept["once"]) if "once" in kept else None,
        )
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise StoreIntegrityError(
            f"a journal entry does not read as {kind}."
        ) from error


def decode(kind: str, payload: str) -> Event:
    """Return the event of a journal entry; see read_record for what it raises."""
    return read_record(kind, payload).event
