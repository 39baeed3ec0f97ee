"""`andon tui`, `cell up`, `operator`, `record`, `replay`: other programs by one name.

They share nothing with the coordinator but the wire, so each takes this process's
place: its signals, its terminal and its exit code are its own.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import platform
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from coordinator.cli import options
from coordinator.errors import NotFoundError, UnavailableError

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def register(app: typer.Typer) -> None:
    """Add the commands to andon."""
    app.command("tui", context_settings=_PASS_ON)(tui)
    app.command("teach", context_settings=_PASS_ON)(teach)
    cell = typer.Typer(help="Start a cell's nodes.", rich_markup_mode=None)
    cell.callback()(_cell)
    cell.command("up", context_settings=_PASS_ON)(cell_up)
    app.add_typer(cell, name="cell")
    app.command("operator", context_settings=_PASS_ON)(operator)
    app.command("record", context_settings=_PASS_ON)(record)
    app.command("replay", context_settings=_PASS_ON)(replay)


def _cell() -> None:
    pass  # keeps `up` a command of its own


def tui(
    context: typer.Context,
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Open the operator's terminal.

    Further options are passed on to it.
    """
    spoken = (
        options.load_settings(config).coordinator.language if config.exists() else ""
    )
    language = ["--language", spoken] if spoken else []
    address = options.resolve_server(server, config)
    become("tui", "--server", address, *language, *context.args)


def teach(
    context: typer.Context,
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Open the operator's terminal to label stored windows, alone or with others.

    Further options are passed on to it.
    """
    address = options.resolve_server(server, config)
    become("tui", "--server", address, "--teach", *context.args)


def operator(
    context: typer.Context,
    server: options.ServerOption = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Let a simulated operator answer.

    Further options are passed on to it.
    """
    address = options.resolve_server(server, config)
    become("tui.operator", "--server", address, *context.args)


def cell_up(
    context: typer.Context,
    cells: Annotated[
        list[str],
        typer.Argument(metavar="CELL...", help="Configured cells of this machine."),
    ],
    config: options.ConfigOption = options.CONFIG,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Start a simulated cobot with each.")
    ] = False,
) -> None:
    """Start the nodes of cells as processes, and keep them alive until Ctrl-C.

    On a machine with ROS 2 from apt, `ros2 launch andon cell_launch.py` does the same.
    Further options: --no-autostart, --trace DIR, and with --simulate --seed N,
    --time-factor F, --rate-hz F, --cycles N, --shift-at-cycle N, --truth DIR.
    """
    named = list(itertools.takewhile(lambda word: not word.startswith("-"), cells))
    for cell in named:
        require_cell(config, cell)
    require_ros()
    chosen = [word for cell in named for word in ("--cell", cell)]
    simulated = ["--simulate"] if simulate else []
    become(
        "ros_nodes", "up", "--config", str(config.resolve()), *chosen,
        *simulated, *cells[len(named) :], *context.args,
    )  # fmt: skip


def record(
    context: typer.Context,
    cell: Annotated[str, typer.Option(metavar="CELL", help="A configured cell.")],
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Write what a cell's topics say to an MCAP file, until Ctrl-C.

    Further options: --out FILE, --seconds N, --topic NAME, --reserve-mb N, --loopback,
    --domain ID, --json.
    """
    require_cell(config, cell)
    require_ros()
    become(
        "ros_nodes", "record", "--config", str(config.resolve()), "--cell", cell,
        *context.args,
    )  # fmt: skip


def replay(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="MCAP, .db3, a rosbag2 folder, or a CSV."),
    ],
    cell: Annotated[
        str, typer.Option(metavar="CELL", help="Play its topics; else name some.")
    ] = "",
    config: options.ConfigOption = options.CONFIG,
) -> None:
    """Play a recording in its original time, or faster.

    Further options: --rate F, --loop, --from S, --to S, --topics NAME..., --remap
    /FROM:=/TO..., --keep-stamps, --as-robot, --cycle-seconds S, --wait S, --network,
    --domain ID, --json, and for a CSV --columns, --time-column, --group-column,
    --part-column.
    """
    of_the_cell = []
    if cell:
        require_cell(config, cell)
        of_the_cell = ["--config", str(config.resolve()), "--cell", cell]
    require_ros()
    become("ros_nodes", "replay", str(file), *of_the_cell, *context.args)


def require_cell(config: Path, cell: str) -> None:
    """Refuse a cell that is not in the configuration.

    Raises:
        ConfigError: The configuration is refused.
        NotFoundError: The cell is not in it.
    """
    settings = options.load_settings(config)
    if cell not in settings.cells:
        raise NotFoundError(
            f"'{cell[:40]}' is not configured; there is {', '.join(settings.cells)}.",
            "UNKNOWN_CELL",
        )


def require_ros() -> None:
    """Refuse, in one sentence, to start a ROS 2 node where there is no rclpy.

    Raises:
        UnavailableError: rclpy cannot be imported here.
    """
    if importlib.util.find_spec("rclpy") is not None:
        return
    here = f"{platform.system()} {platform.machine()}"
    if here == "Linux x86_64":
        remedy = "Install andon[ros], or source a ROS 2 installation"
    else:
        remedy = f"There are no wheels for {here}: source a ROS 2 installation"
    raise UnavailableError(
        f"cells need ROS 2, and rclpy is not here. {remedy}.", "NO_ROS"
    )


def become(program: str, *arguments: str) -> NoReturn:
    """Replace this process by `python -m program`, in the same environment."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", program, *arguments])  # noqa: S606 - no shell wanted: the program is andon's own
