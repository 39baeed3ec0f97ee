"""Standard messages in the place of a driver's own, for a simulated robot.

A driver's message types are not on every machine; a twin can speak without them. Only
a simulated cell does so: its node and its robot agree by asking this module.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from ros_nodes.adapters.listening import Value, message_type
from ros_nodes.config import (
    ConfigRefusedError,
    ReadBack,
    RosNames,
    SafetySpec,
)

_log = logging.getLogger(__name__)


def stood_in(names: RosNames) -> RosNames:
    """Return the names with a standard type where a configured one is not installed."""
    back = names.robot.read_back
    robot = replace(names.robot, read_back=None if back is None else _back(back))
    return replace(
        names, robot=robot, safety=tuple(_safety(spec) for spec in names.safety)
    )


def _back(spec: ReadBack) -> ReadBack:
    if installed(spec.type):
        return spec
    return replace(spec, type=_standard(spec.topic, spec.type, spec.held), field="data")


def _safety(spec: SafetySpec) -> SafetySpec:
    if installed(spec.type):
        return spec
    kind = _standard(spec.topic, spec.type, spec.normal)
    return replace(spec, type=kind, field="data")


def installed(kind: str) -> bool:
    """Whether messages of a type can be read and published here."""
    try:
        message_type(kind, "")
    except ConfigRefusedError:
        return False
    return True


def _standard(topic: str, kind: str, values: Sequence[Value]) -> str:
    match values[0]:
        case bool():
            name = "Bool"
        case int():
            small = all(isinstance(v, int) and 0 <= v < 256 for v in values)
            name = "UInt8" if small else "Int32"
        case float():
            name = "Float64"
        case _:
            name = "String"
    _log.warning(
        "%s is not installed: this simulated cell uses std_msgs/msg/%s on %s",
        kind,
        name,
        topic,
    )
    return f"std_msgs/msg/{name}"
