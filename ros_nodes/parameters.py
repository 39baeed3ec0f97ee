"""The ROS parameters of a cell's node: what they may be, in the coordinator's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ros_nodes.config import CellConfig, ConfigRefusedError, step_id
from ros_nodes.config.refusal import flag, known, text
from ros_nodes.talk import LONGEST_PART

Value = bool | int | float | str | object


@dataclass(frozen=True, slots=True)
class Described:
    """One parameter.

    Attributes:
        default: Its value when nobody says one; its type is the parameter's type.
        text: What it is, for `ros2 param describe`.
        at_work: It may be set while the node is configured.
    """

    default: bool | str
    text: str
    at_work: bool = False


DESCRIBED: Final[Mapping[str, Described]] = {
    "config": Described("", "path of andon.toml"),
    "cell": Described("", "id of the cell in it"),
    "trace": Described("", "file for a trace of what the node did; empty: none"),
    "autostart": Described(default=True, text="configure and activate by itself"),
    "simulated": Described(
        default=False, text="the robot is simulated: standard messages may stand in"
    ),
    "target": Described("", "host:port of the coordinator; empty: as configured"),
    "step": Described("", "id of the step; empty: as configured"),
    "part_id": Described(
        "", "serial number of the part while no topic says it", at_work=True
    ),
}

_WHERE: Final = "parameters"
_OF_ROS: Final = re.compile(r"use_sim_time|start_type_description_service|qos_.*")
"""Parameters that every node of ROS has."""
_TARGET: Final = re.compile(r"[A-Za-z0-9_.:\[\]-]{1,255}:([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a cell's node is told on its command line.

    Attributes:
        config: Path of andon.toml.
        cell: Id of the cell.
        trace: Where to write a trace; None: nowhere.
        autostart: Configure and activate by itself.
        simulated: The robot is; message types that are not installed are stood in for.
        target: host:port of the coordinator; "": as configured.
        step: Id of the step; "": as configured.
        use_sim_time: Samples are stamped by /clock.
    """

    config: Path
    cell: str
    trace: Path | None = None
    autostart: bool = True
    simulated: bool = False
    target: str = ""
    step: str = ""
    use_sim_time: bool = False

    def over(self, config: CellConfig) -> CellConfig:
        """Lay what is said here over what the file says."""
        ros = config.ros
        program = replace(ros.program, step=self.step or ros.program.step)
        return replace(
            config,
            target=self.target or config.target,
            ros=replace(
                ros,
                program=program,
                use_sim_time=ros.use_sim_time or self.use_sim_time,
            ),
        )


def read_parameters(said: Mapping[str, Value]) -> Parameters:
    """Understand the parameters of a node.

    Args:
        said: All parameters of the node by name, those of ROS itself among them.

    Raises:
        ConfigRefusedError: A name is unknown, or a value cannot be lived with.
    """
    own = {name: value for name, value in said.items() if not _OF_ROS.fullmatch(name)}
    known(own, tuple(DESCRIBED), _WHERE)
    for name, value in own.items():
        check(name, value)
    config, cell = text(own, "config", "", _WHERE), text(own, "cell", "", _WHERE)
    for name, value in (("config", config), ("cell", cell)):
        if not value:
            raise ConfigRefusedError(f"{_WHERE}: {name} is missing")
    trace = text(own, "trace", "", _WHERE)
    return Parameters(
        config=Path(config),
        cell=cell,
        trace=Path(trace) if trace else None,
        autostart=flag(own, "autostart", _WHERE, default=True),
        simulated=flag(own, "simulated", _WHERE, default=False),
        target=text(own, "target", "", _WHERE),
        step=text(own, "step", "", _WHERE),
        use_sim_time=said.get("use_sim_time") is True,
    )


def check(name: str, value: Value) -> None:
    """Refuse a value that a parameter can never have.

    Raises:
        ConfigRefusedError: The value is of another type, or cannot be lived with.
    """
    kind = type(DESCRIBED[name].default)
    if type(value) is not kind:
        wanted = "true or false" if kind is bool else "a text"
        raise ConfigRefusedError(f"{_WHERE}: {name} is {value!r}, and must be {wanted}")
    if not isinstance(value, str) or not value:
        return
    if name == "step":
        step_id(value, _WHERE)
    if name == "target":
        _target(value)
    if name == "part_id" and not (len(value) <= LONGEST_PART and value.isprintable()):
        raise ConfigRefusedError(
            f"{_WHERE}: part_id is no line of at most {LONGEST_PART} characters"
        )


def _target(value: str) -> None:
    match = _TARGET.fullmatch(value)
    if match is None or not 0 < int(match[1]) < 65_536:
        raise ConfigRefusedError(f"{_WHERE}: target {value[:60]!r} is not host:port")
