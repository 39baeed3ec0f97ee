"""One field of one topic, of any message type that is installed.

Polled like the sensors (see `tap`), so that a fast topic costs nothing while nobody
looks. Two subscriptions hear it: best effort matches every publisher, and reliable,
transient local finds the newest message of a latched one. What both bring is heard
once, and never an older message after a newer one of the same publisher.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.serialization import deserialize_message

from ros_nodes.config import ConfigRefusedError

MOST: Final = 8
"""Messages read a look; where more came, the topic is fast and the newest is enough."""

_DEPTH: Final = 100
_ANYBODY: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=_DEPTH,
    reliability=ReliabilityPolicy.BEST_EFFORT,
    durability=DurabilityPolicy.VOLATILE,
)
_LATCHED: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=_DEPTH,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)

Value = bool | int | float | str


def message_type(name: str, where: str) -> Any:
    """Return the class of a message type.

    Args:
        name: "package/msg/Name".
        where: Where it is configured, for the refusal.

    Raises:
        ConfigRefusedError: It is not installed here.
    """
    package, _, kind = name.partition("/msg/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), kind)
    except (ImportError, AttributeError) as error:
        raise ConfigRefusedError(
            f"{where}: type {name} is not installed here; "
            f"source the workspace that has {package}"
        ) from error


def field_reader(kind: Any, field: str, where: str) -> Callable[[Any], Value]:
    """Return what reads a field of a message; "status.mode" reads within a field.

    Raises:
        ConfigRefusedError: The type has no such field, or it is not one plain value.
    """
    parts = field.split(".")
    value: Any = kind()
    for part in parts:
        if part not in getattr(value, "get_fields_and_field_types", dict)():
            raise ConfigRefusedError(f"{where}: {kind.__name__} has no field {field!r}")
        value = getattr(value, part)
    if not isinstance(value, bool | int | float | str):
        raise ConfigRefusedError(
            f"{where}: field {field!r} of {kind.__name__} is not one plain value"
        )

    def read(message: Any) -> Value:
        for part in parts:
            message = getattr(message, part)
        found: Value = message
        return found

    return read


def same(one: Value, other: Value) -> bool:
    """Whether two values mean the same: 1 is 1.0, but true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


class Listening:
    """The values of one field, as they come. It lives on the event loop.

    Args:
        node: A node that is in no executor.
        topic: Name of the topic.
        kind: Name of its type, "package/msg/Name".
        field: The field.
        where: Where this is configured, for the refusal.
        latched: Look for the newest message of a latched topic as well. A publisher
            that is not latched is warned of it, by its own middleware.

    Raises:
        ConfigRefusedError: The type is not installed, or has no such field.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        kind: str,
        field: str,
        *,
        where: str,
        latched: bool = True,
    ) -> None:
        self.message_type = message_type(kind, where)
        self.topic = node.resolve_topic_name(topic)
        self._read = field_reader(self.message_type, field, where)
        self._newest: dict[bytes, int] = {}
        self._subscriptions = [
            node.create_subscription(
                self.message_type, topic, _nobody_calls_this, profile
            )
            for profile in ((_LATCHED, _ANYBODY) if latched else (_ANYBODY,))
        ]
        self.newest: Value | None = None
        """The newest value; None before the first."""

    def hear(self) -> list[Value]:
        """Return the values that came since the last time, oldest first."""
        new = list(self._take())
        if len(new) > MOST:
            del new[:-1]
        # As bytes until here: to decode a large message costs more than to take ten.
        values = [
            self._read(deserialize_message(message, self.message_type))
            for message in new
        ]
        if values:
            self.newest = values[-1]
        return values

    def _take(self) -> Iterator[bytes]:
        for subscription in self._subscriptions:
            handle = subscription.handle
            with handle:
                for _ in range(_DEPTH):
                    taken = handle.take_message(self.message_type, True)  # noqa: FBT003 - raw
                    if taken is None:
                        break
                    message, facts = taken
                    if self._is_new(facts):
                        yield message

    def _is_new(self, facts: Any) -> bool:
        publisher = (facts.get("publisher_gid") or {}).get("data", b"")
        number = facts.get("publication_sequence_number") or 0
        if number and number <= self._newest.get(publisher, 0):
            return False
        self._newest[publisher] = number
        return True


def _nobody_calls_this(_message: Any) -> None:
    """The subscription is polled: its node is in no executor."""
