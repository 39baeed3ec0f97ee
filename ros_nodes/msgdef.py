"""Message definitions, read off the classes that serialise the messages.

A recording must say how its bytes are to be read. The ROS 2 wheels ship no .msg files
and a plant has types of its own, but whoever takes a message has its class, and the
class knows its fields: so the definition is always that of the machine that wrote the
bytes, and there is no list of types to keep. Constants, defaults and comments are not
in a class; no reader needs them. Pure: needs message packages, but no rclpy.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_KIND: Final = re.compile(r"([a-z][a-z0-9_]*)/(?:msg/)?([A-Z][A-Za-z0-9]*)")
_SEQUENCE: Final = re.compile(r"sequence<(.+?)(?:, (\d+))?>")
_ARRAY: Final = re.compile(r"(.+)\[(\d+)\]")
_BOUNDED_TEXT: Final = re.compile(r"(w?string)<(\d+)>")
_RULER: Final = "=" * 80

_PRIMITIVES: Final[Mapping[str, str]] = {
    "boolean": "bool",
    "octet": "byte",
    "float": "float32",
    "double": "float64",
    "string": "string",
    "wstring": "wstring",
} | {
    f"{sign}int{bits}": f"{sign}int{bits}"
    for sign in ("", "u")
    for bits in (8, 16, 32, 64)
}
"""Names of IDL, which the classes use, to those of .msg files."""


class UnknownTypeError(Exception):
    """A message type is not installed here, or says nothing about its fields."""


ClassOf = Callable[[str], Any]
"""Returns the class of "package/msg/Name"; raises UnknownTypeError."""


def full_name(kind: str) -> str:
    """Return "package/msg/Name" for this, or for "package/Name".

    Raises:
        UnknownTypeError: it is the name of no message.
    """
    parts = _KIND.fullmatch(kind)
    if parts is None:
        raise UnknownTypeError(f"{kind[:80]!r} is not package/msg/Name")
    return f"{parts[1]}/msg/{parts[2]}"


def class_named(kind: str) -> Any:
    """Return the class of a message type.

    Raises:
        UnknownTypeError: its package is not installed, or has no such message.
    """
    package, _, name = full_name(kind).split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        raise UnknownTypeError(f"{kind} is not installed here") from error


@functools.cache
def definition_named(kind: str) -> str:
    """Return the whole definition of a message type installed here.

    Raises:
        UnknownTypeError: it, or a type in it, is not installed.
    """
    return definition(kind, class_named)


def definition(kind: str, class_of: ClassOf) -> str:
    """Return the definition of a message type with all that it is made of.

    Returns:
        Its fields, one a line, then every type within it, each behind a ruler and its
        name: what MCAP calls ros2msg.

    Raises:
        UnknownTypeError: a class is missing or says nothing about its fields.
    """
    wanted = [full_name(kind)]
    parts: list[str] = []
    for name in wanted:  # grows as types are met
        fields, met = _fields(name, class_of(name))
        package, _, short = name.split("/")
        title = f"{_RULER}\nMSG: {package}/{short}\n" if parts else ""
        parts.append(title + fields)
        wanted.extend(one for one in met if one not in wanted)
    return "".join(parts)


def _fields(kind: str, its_class: Any) -> tuple[str, list[str]]:
    """The lines of one type, and the types it names."""
    said = getattr(its_class, "get_fields_and_field_types", None)
    if said is None:
        raise UnknownTypeError(f"the class of {kind} does not say its fields")
    lines, met = [], []
    for name, idl in said().items():
        wire, inner = _type(idl)
        lines.append(f"{wire} {name}\n")
        if inner:
            met.append(full_name(inner))
    return "".join(lines), list(dict.fromkeys(met))


def _type(idl: str) -> tuple[str, str]:
    """What a .msg file calls a type, and the message type within it or ""."""
    if sequence := _SEQUENCE.fullmatch(idl):
        wire, inner = _type(sequence[1])
        return f"{wire}[<={sequence[2]}]" if sequence[2] else f"{wire}[]", inner
    if array := _ARRAY.fullmatch(idl):
        wire, inner = _type(array[1])
        return f"{wire}[{array[2]}]", inner
    if text := _BOUNDED_TEXT.fullmatch(idl):
        return f"{text[1]}<={text[2]}", ""
    if idl in _PRIMITIVES:
        return _PRIMITIVES[idl], ""
    return idl, idl
