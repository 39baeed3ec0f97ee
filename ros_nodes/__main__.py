"""`python -m ros_nodes`: start the nodes of cells, or be one of them.

    python -m ros_nodes up --config andon.toml --cell press-1 [--simulate ...]
    python -m ros_nodes cell_node --ros-args -p config:=andon.toml -p cell:=press-1
    python -m ros_nodes check|record|replay ...

Exit codes: 0 ended as asked, 1 a check found what would hold a cell, 2 usage or an
unusable recording, 3 configuration refused, 7 the disk, 9 rclpy is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import importlib.util
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ros_nodes.clock import SystemClock
from ros_nodes.config import CellConfig, ConfigRefusedError, choose_cells
from ros_nodes.plan import NodeSpec, Simulation, plan
from ros_nodes.recording import RecordingRefusedError
from ros_nodes.starter import NODE, end_with_starter
from ros_nodes.supervisor import Supervisor

NODES: Final = ("cell_node", "simulated_cell_node", "replay_node")
COMMANDS: Final = {
    "check": "check_command",
    "record": "record_command",
    "replay": "replay_command",
}
"""Commands with a command line of their own, and their modules."""

TWIN_HZ: Final = 500.0
"""How often a simulated robot is computed, Hz."""

OK: Final = 0
USAGE: Final = 2
CONFIG_REFUSED: Final = 3
UNAVAILABLE: Final = 9

_log = logging.getLogger("ros_nodes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # The nodes of several cells write to one terminal.
    who = f"{os.environ.get(NODE, '')} ".lstrip().replace("%", "%%")
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s %(levelname)s {who}%(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        if words and words[0] in NODES:
            return _run_node(words[0], words[1:])
        if words and words[0] in COMMANDS:
            return _run_node(COMMANDS[words[0]], words[1:])
        return _up(_parser().parse_args(words))
    except RecordingRefusedError as error:
        return _refuse("RECORDING", f"{error}.", USAGE)
    except ConfigRefusedError as error:
        return _refuse("CONFIG", str(error), CONFIG_REFUSED)


def as_named() -> int:
    """Run the subcommand that this program is called like: colcon's `cell_node`."""
    return main([Path(sys.argv[0]).name, *sys.argv[1:]])


def _run_node(name: str, words: list[str]) -> int:
    if not _rclpy_is_there():
        return _no_rclpy()
    end_with_starter(os.environ)
    module = importlib.import_module(f"ros_nodes.{name}")
    return int(module.main(words))


def _up(options: argparse.Namespace) -> int:
    if not _rclpy_is_there():
        return _no_rclpy()
    cells = choose_cells(options.config, options.cell)
    specs = planned(cells, _wishes(options))
    places = [f"{c.cell_id} (ROS domain {c.ros.domain_id})" for c in cells]
    _log.info("%s: %d nodes; Ctrl-C ends them", ", ".join(places), len(specs))
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_supervise(specs))
    _log.info("all nodes ended")
    return OK


async def _supervise(specs: Sequence[NodeSpec]) -> None:
    loop = asyncio.get_running_loop()
    main_task = asyncio.current_task()
    if main_task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, main_task.cancel)
    await Supervisor(specs, SystemClock()).run()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says about the nodes to start."""

    config: Path
    simulation: Simulation | None
    trace: Path | None
    autostart: bool = True


def planned(cells: Sequence[CellConfig], wishes: Wishes) -> tuple[NodeSpec, ...]:
    """Plan the nodes of several cells."""
    return tuple(
        spec
        for cell in cells
        for spec in plan(
            cell,
            wishes.config,
            simulation=wishes.simulation,
            trace=wishes.trace,
            autostart=wishes.autostart,
            ros_distro=os.environ.get("ROS_DISTRO", ""),
        )
    )


def _wishes(options: argparse.Namespace) -> Wishes:
    simulation = None
    if options.simulate:
        simulation = Simulation(
            seed=options.seed,
            time_factor=options.time_factor,
            rate_hz=options.rate_hz,
            cycles=options.cycles,
            shift_at_cycle=options.shift_at_cycle,
            truth=options.truth,
            deaf_from_cycle=options.deaf_from_cycle,
        )
    return Wishes(options.config, simulation, options.trace, options.autostart)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ros_nodes", description="Start the ROS 2 nodes of cells."
    )
    commands = parser.add_subparsers(required=True)
    up = commands.add_parser("up", help="start the nodes of cells and keep them alive")
    up.add_argument("--config", type=Path, required=True, help="path of andon.toml")
    up.add_argument(
        "--cell",
        action="append",
        default=[],
        help="id of a cell; may be given several times; none: all cells",
    )
    up.add_argument("--trace", type=Path, help="folder for traces, one file a process")
    up.add_argument(
        "--no-autostart",
        dest="autostart",
        action="store_false",
        help="leave the nodes unconfigured, for a lifecycle manager",
    )
    up.add_argument(
        "--simulate", action="store_true", help="start a simulated robot as well"
    )
    up.add_argument("--seed", type=int, default=0, help="of all chance")
    up.add_argument(
        "--time-factor",
        type=_positive,
        default=1.0,
        help="simulated seconds a second",
    )
    up.add_argument(
        "--rate-hz",
        type=_rate,
        default=0.0,
        help="samples a simulated second; divides 500; none: as configured, or 50",
    )
    up.add_argument(
        "--deaf-from-cycle",
        type=int,
        default=0,
        help="cycle from which the simulated robot obeys no hold; 0: never",
    )
    up.add_argument(
        "--cycles", type=int, default=0, help="cycles a cell works; 0: without end"
    )
    up.add_argument(
        "--shift-at-cycle",
        type=int,
        default=0,
        help="cycle from which parts are heavier and drier; 0: never",
    )
    up.add_argument("--truth", type=Path, help="folder for the truth about each cycle")
    for node in NODES:
        commands.add_parser(node, help="be this node; takes --ros-args")
    for command in COMMANDS:
        commands.add_parser(command, help=f"see {command} --help")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0.0 < value <= 100.0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 100")
    return value


def _rate(text: str) -> float:
    value = float(text)
    if not (0.0 < value <= TWIN_HZ and (TWIN_HZ / value).is_integer()):
        raise argparse.ArgumentTypeError(f"{text} does not divide {TWIN_HZ:g}")
    return value


def _rclpy_is_there() -> bool:
    return importlib.util.find_spec("rclpy") is not None


def _no_rclpy() -> int:
    return _refuse(
        "NO_ROS",
        "rclpy is not installed; source a ROS 2 installation, or on Linux x86_64 "
        "install andon[ros].",
        UNAVAILABLE,
    )


def _refuse(token: str, text: str, code: int) -> int:
    sys.stderr.write(f"andon: error: {token}: {text}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
