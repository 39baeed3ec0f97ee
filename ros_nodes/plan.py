"""Which nodes a cell needs: one plan for `ros2 launch` and for the supervisor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ros_nodes.adapters.forbidden import ForbiddenServiceError, allowed_service
from ros_nodes.config import DEFAULT_TOPICS, CellConfig, ConfigRefusedError
from ros_nodes.loopback import loopback_environment

Parameter = str | int | float | bool


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node process.

    Attributes:
        executable: Subcommand of `python -m ros_nodes`.
        namespace: ROS namespace.
        name: Name of the process, unique in a plan.
        parameters: ROS parameters.
        remaps: Pairs of names, from and to.
        env: Environment variables on top of the starter's own.
    """

    executable: str
    namespace: str
    name: str
    parameters: Mapping[str, Parameter]
    remaps: tuple[tuple[str, str], ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def ros_arguments(self) -> tuple[str, ...]:
        """The part of the command line that ROS reads."""
        words = ["--ros-args", "-r", f"__ns:={self.namespace}"]
        for before, after in self.remaps:
            words += ["-r", f"{before}:={after}"]
        for name, value in self.parameters.items():
            words += ["-p", f"{name}:={_yaml(value)}"]
        return tuple(words)


@dataclass(frozen=True, slots=True)
class Simulation:
    """How simulated cells live.

    Attributes:
        seed: Of all chance; cells of one seed differ.
        time_factor: Simulated seconds a second.
        rate_hz: Samples a simulated second; 0: as configured, or 50.
        cycles: Cycles a cell works; 0: without end.
        shift_at_cycle: Cycle from which parts are heavier and drier; 0: never.
        truth: Folder for the truth about each cycle.
        deaf_from_cycle: Cycle from which the robot obeys no hold; 0: never.
    """

    seed: int = 0
    time_factor: float = 1.0
    rate_hz: float = 0.0
    cycles: int = 0
    shift_at_cycle: int = 0
    truth: Path | None = None
    deaf_from_cycle: int = 0


def plan(
    config: CellConfig,
    config_path: Path,
    *,
    simulation: Simulation | None = None,
    trace: Path | None = None,
    autostart: bool = True,
    ros_distro: str = "",
) -> tuple[NodeSpec, ...]:
    """Plan the nodes of one cell: its node, and a simulated robot if wanted.

    Args:
        config: The cell.
        config_path: The file it was read from; nodes read it again.
        simulation: How to simulate the robot; None: a real one is there.
        trace: Folder for traces.
        autostart: The node configures and activates itself; else somebody else does.
        ros_distro: Name of the ROS 2 release, where the environment says it.

    Raises:
        ConfigRefusedError: The cell names a service that andon never calls, or a
            program that cannot be simulated.
    """
    try:
        for service in (config.ros.robot.hold, config.ros.robot.resume):
            allowed_service(service)
    except ForbiddenServiceError as error:
        raise ConfigRefusedError(f"cells.{config.cell_id}.ros: {error}") from error
    env = {"ROS_DOMAIN_ID": str(config.ros.domain_id)}
    if simulation is not None:
        env |= loopback_environment(ros_distro)
    cell = NodeSpec(
        executable="cell_node",
        namespace=config.namespace,
        name=f"{config.cell_id}.node",
        parameters={
            "config": str(config_path.resolve()),
            "cell": config.cell_id,
            "trace": _record(trace, config.cell_id, "node"),
            "autostart": autostart,
        },
        env=env,
    )
    if simulation is None:
        return (cell,)
    if config.ros.program.adapter == "signals":
        raise ConfigRefusedError(
            f"cells.{config.cell_id}.ros.program: a simulated robot raises no signals; "
            'simulate with adapter "decide" or "topics"'
        )
    cell = replace(cell, parameters={**cell.parameters, "simulated": True})
    return (_robot(config, config_path, simulation, trace, env), cell)


def _robot(
    config: CellConfig,
    config_path: Path,
    simulation: Simulation,
    trace: Path | None,
    env: Mapping[str, str],
) -> NodeSpec:
    ros = config.ros
    return NodeSpec(
        executable="simulated_cell_node",
        namespace=config.namespace,
        name=f"{config.cell_id}.robot",
        parameters={
            "config": str(config_path.resolve()),
            "cell": config.cell_id,
            "seed": simulation.seed,
            "rate_hz": float(simulation.rate_hz),
            "time_factor": float(simulation.time_factor),
            "cycles": simulation.cycles,
            "shift_at_cycle": simulation.shift_at_cycle,
            "deaf_from_cycle": simulation.deaf_from_cycle,
            "truth": _truth(simulation.truth, config.cell_id),
            "trace": _record(trace, config.cell_id, "motions"),
            "joints": _name(config, "joints"),
            "wrench": _name(config, "wrench"),
            "steps": ros.steps,
            "permits": ros.permits,
            "decide": "cell_node/decide" if ros.program.adapter == "decide" else "",
            "part": ros.program.part,
            "hold_service": ros.robot.hold,
            "resume_service": ros.robot.resume,
        },
        env=env,
    )


def _name(config: CellConfig, key: str) -> str:
    """Name of a topic that a simulated robot speaks on, listened to or not."""
    return config.ros.topics.get(key, DEFAULT_TOPICS[key]).name


def _truth(folder: Path | None, cell_id: str) -> str:
    """Where the simulated operator looks for the truth about a cell."""
    return "" if folder is None else str(folder.resolve() / f"truth-{cell_id}.jsonl")


def _record(folder: Path | None, cell_id: str, kind: str) -> str:
    if folder is None:
        return ""
    return str(folder.resolve() / f"{cell_id}.{kind}.jsonl")


def _yaml(value: Parameter) -> str:
    """Write a value so that ROS reads the same type: a cell "42" stays a text."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value) if "." in repr(value) else f"{value:.1f}"
        case str():
            return "'" + value.replace("'", "''") + "'"
