"""What a cell's nodes need of andon.toml, read without the coordinator.

The coordinator checks the whole file (`andon check`); a node reads the few tables it
lives by and refuses in one sentence what it cannot live with.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ros_nodes.windowing import schema_digest

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "joints": ("position", "velocity", "effort"),
    "wrench": ("force", "torque"),
}
"""Message fields that a source may name, by topic."""
AXES: Final = ("x", "y", "z")

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_DEFAULT_LISTEN: Final = "127.0.0.1:50551"


class ConfigRefusedError(Exception):
    """The configuration cannot run a node; the text is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a channel comes from.

    Attributes:
        topic: "joints" or "wrench".
        field: Field of the message, for example "effort" or "force".
        element: Name of the joint, or the axis.
    """

    topic: str
    field: str
    element: str

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read "topic:field:element".

        Raises:
            ConfigRefusedError: A part is missing or unknown.
        """
        parts = text.split(":")
        if len(parts) != 3 or not all(parts):
            raise ConfigRefusedError(
                f"source {text!r} is not topic:field:element, "
                "for example joints:effort:elbow_joint"
            )
        topic, field, element = parts
        if topic not in FIELDS:
            raise ConfigRefusedError(
                f"source {text!r}: unknown topic {topic!r}, known: {', '.join(FIELDS)}"
            )
        if field not in FIELDS[topic]:
            raise ConfigRefusedError(
                f"source {text!r}: {topic} has no field {field!r}, "
                f"known: {', '.join(FIELDS[topic])}"
            )
        if topic == "wrench" and element not in AXES:
            raise ConfigRefusedError(
                f"source {text!r}: unknown axis {element!r}, known: {', '.join(AXES)}"
            )
        return cls(topic, field, element)


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One channel as a node sees it."""

    name: str
    unit: str
    source: Source


@dataclass(frozen=True, slots=True)
class RosNames:
    """Names of one cell on the ROS side; relative ones live below its namespace."""

    domain_id: int = 42
    joints: str = "joint_states"
    wrench: str = "wrench"
    steps: str = "steps"
    permits: str = "permits"
    hold_service: str = "hold"
    resume_service: str = "resume"
    service_timeout_s: float = 1.0


@dataclass(frozen=True, slots=True)
class CellConfig:
    """One cell as its nodes need it.

    Attributes:
        cell_id: The cell.
        target: host:port of the coordinator.
        channels: In the order of the samples.
        rows: Rows of a decision window.
        monitor_rows: Rows of a monitor window.
        maximum_step_s: Longest a permitted step may take, s.
        monitor_every_s: Time between monitor windows, s; 0: none.
        ros: Names on the ROS side.
    """

    cell_id: str
    target: str
    channels: tuple[ChannelSpec, ...]
    rows: int
    monitor_rows: int
    maximum_step_s: float
    monitor_every_s: float
    ros: RosNames

    @property
    def schema_digest(self) -> str:
        """Identity of the channel order and units."""
        return schema_digest([(c.name, c.unit) for c in self.channels])

    @property
    def namespace(self) -> str:
        """ROS namespace of the cell."""
        return namespace_of(self.cell_id)

    @property
    def needs_wrench(self) -> bool:
        """Whether a channel comes from the wrench topic."""
        return any(channel.source.topic == "wrench" for channel in self.channels)


def namespace_of(cell_id: str) -> str:
    """ROS namespace of a cell: "/press_1" for "press-1".

    ROS names know neither "-" nor "." nor a digit at the start.
    """
    name = re.sub(r"[^a-z0-9]", "_", cell_id)
    return f"/{name}" if name[0].isalpha() else f"/cell_{name}"


def read_cells(path: Path) -> dict[str, CellConfig]:
    """Read all cells of a configuration file.

    Raises:
        ConfigRefusedError: The file is missing or broken, or a table is incomplete.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigRefusedError(
            f"{path.name} cannot be read: {error.strerror}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigRefusedError(f"{path.name} is not TOML: {error}") from error
    cells = _table(document, "cells", where="the file")
    if not cells:
        raise ConfigRefusedError(f"{path.name} has no [cells.<id>] table")
    return {cell_id: _cell(document, cell_id) for cell_id in cells}


def read_cell(path: Path, cell_id: str) -> CellConfig:
    """Read one cell of a configuration file.

    Raises:
        ConfigRefusedError: As read_cells, or the cell is not in it.
    """
    cells = read_cells(path)
    if cell_id not in cells:
        raise ConfigRefusedError(
            f"cell {cell_id[:40]!r} is not configured, known: {', '.join(cells)}"
        )
    return cells[cell_id]


def _cell(document: Mapping[str, Any], cell_id: str) -> CellConfig:
    where = f"cells.{cell_id}"
    if _ID.fullmatch(cell_id) is None:
        raise ConfigRefusedError(f"{where}: ids match {_ID.pattern}")
    cell = _table(document["cells"], cell_id, where="cells")
    family_id = _text(cell, "family", "", where)
    families = _table(document, "families", where="the file")
    if family_id not in families:
        raise ConfigRefusedError(f"{where}: family {family_id!r} is not configured")
    family = _table(families, family_id, where="families")
    coordinator = _table(document, "coordinator", where="the file")
    return CellConfig(
        cell_id=cell_id,
        target=_text(coordinator, "listen", _DEFAULT_LISTEN, "coordinator"),
        channels=_channels(family, f"families.{family_id}"),
        rows=_whole(family, "rows", 128, f"families.{family_id}", least=1),
        monitor_rows=_whole(
            family, "monitor_rows", 32, f"families.{family_id}", least=1
        ),
        maximum_step_s=_number(cell, "maximum_step_s", 60.0, where, above=0.0),
        monitor_every_s=_number(cell, "monitor_every_s", 0.0, where),
        ros=_ros(_table(cell, "ros", where=where), f"{where}.ros"),
    )


def _channels(family: Mapping[str, Any], where: str) -> tuple[ChannelSpec, ...]:
    rows = family.get("channels")
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise ConfigRefusedError(f"{where}: channels are missing")
    channels = []
    for number, row in enumerate(rows):
        at = f"{where}.channels[{number}]"
        if not isinstance(row, Mapping):
            raise ConfigRefusedError(f"{at} is not a table")
        try:
            source = Source.parse(_text(row, "source", "", at))
        except ConfigRefusedError as error:
            raise ConfigRefusedError(f"{at}: {error}") from error
        channels.append(
            ChannelSpec(_text(row, "name", "", at), _text(row, "unit", "", at), source)
        )
    names = [channel.name for channel in channels]
    if "" in names or len(set(names)) != len(names):
        raise ConfigRefusedError(f"{where}: every channel needs a name of its own")
    return tuple(channels)


def _ros(table: Mapping[str, Any], where: str) -> RosNames:
    default = RosNames()
    domain_id = _whole(table, "domain_id", default.domain_id, where, least=0)
    if domain_id > 101:
        # Above 101 the ports of DDS collide with ports Linux hands out.
        raise ConfigRefusedError(f"{where}: domain_id is {domain_id}, allowed 0 to 101")
    return RosNames(
        domain_id=domain_id,
        joints=_text(table, "joints", default.joints, where),
        wrench=_text(table, "wrench", default.wrench, where),
        steps=_text(table, "steps", default.steps, where),
        permits=_text(table, "permits", default.permits, where),
        hold_service=_text(table, "hold_service", default.hold_service, where),
        resume_service=_text(table, "resume_service", default.resume_service, where),
        service_timeout_s=_number(
            table, "service_timeout_s", default.service_timeout_s, where, above=0.0
        ),
    )


def _table(parent: Mapping[str, Any], key: str, *, where: str) -> Mapping[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, Mapping):
        raise ConfigRefusedError(f"{key} in {where} is not a table")
    return value


def _text(table: Mapping[str, Any], key: str, default: str, where: str) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise ConfigRefusedError(f"{where}: {key} is not a text")
    return value


def _whole(
    table: Mapping[str, Any], key: str, default: int, where: str, *, least: int
) -> int:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigRefusedError(f"{where}: {key} is not a whole number from {least}")
    return value


def _number(
    table: Mapping[str, Any],
    key: str,
    default: float,
    where: str,
    *,
    above: float | None = None,
) -> float:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigRefusedError(f"{where}: {key} is not a number")
    # Written so that NaN is refused as well.
    enough = value > above if above is not None else value >= 0.0
    if not (enough and math.isfinite(value)):
        raise ConfigRefusedError(f"{where}: {key} is {value}, which is out of range")
    return float(value)
