"""`python -m ros_nodes check`: look at the ROS graph before a cell's node starts.

Exit codes: 0 it can start, 1 something would hold it, 3 configuration refused.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from ros_nodes.bags.line import StatusLine, bar
from ros_nodes.check.findings import find
from ros_nodes.check.report import Report, in_colour, plain
from ros_nodes.check.wants import wants_of
from ros_nodes.clock import SystemClock
from ros_nodes.config import CellConfig, choose_cells
from ros_nodes.loopback import loopback_environment
from ros_nodes.plan import plan

OK: Final = 0
HOLDS: Final = 1
SECONDS: Final = 3.0
LEAST_S: Final = 2.0
"""Shortest time in which a rate can be told."""
LONGEST_S: Final = 10.0
PERIODS: Final = 5
"""A slow topic is listened to for so many of its periods."""
CONNECT_S: Final = 1.0


def main(words: Sequence[str]) -> int:
    """Check cells and return the exit code."""
    # Ctrl-C is the way out of a look that takes too long, and `| head` reads no more:
    # neither is worth a traceback.
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    options = _parser().parse_args(list(words))
    cells = choose_cells(options.config, options.cell)
    for cell in cells:
        plan(cell, options.config)  # refuses what would not be started
    shell_domain = os.environ.get("ROS_DOMAIN_ID", "")
    if options.simulate:
        os.environ.update(loopback_environment())
        cells = [_simulated(cell) for cell in cells]
    reports = [_look(cell, options.seconds, shell_domain) for cell in cells]
    if options.json:
        values = [report.as_values() for report in reports]
        sys.stdout.write(json.dumps(values, indent=2) + "\n")
    else:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        for report in reports:
            for line in report.lines(in_colour if colour else plain):
                sys.stdout.write(line + "\n")
    return HOLDS if any(report.would_hold for report in reports) else OK


def listening_time(cell: CellConfig, wanted_s: float) -> float:
    """How long to listen to a cell, s: longer where a topic is slow."""
    slowest_s = max((1.0 / t.rate_hz for t in cell.topics if t.rate_hz), default=0.0)
    return max(LEAST_S, wanted_s, min(PERIODS * slowest_s, LONGEST_S))


def _look(cell: CellConfig, seconds: float, shell_domain: str) -> Report:
    # Here and not above: the environment says how DDS speaks, and is set by now.
    from ros_nodes.adapters.called import require_a_hold
    from ros_nodes.check_node import Looker

    require_a_hold(cell.ros)
    wants = wants_of(cell)
    line = StatusLine(SystemClock())

    def progress(share: float, text: str) -> None:
        if line.due:
            line.show(f"{bar(share)} {cell.cell_id}: {text}")

    with Looker(wants, progress) as looker:
        seen = looker.look(listening_time(cell, seconds))
    line.end()
    seen = replace(
        seen, shell_domain=shell_domain, coordinator=_somebody_listens(cell.target)
    )
    return Report(wants, seen, find(wants, seen))


def _simulated(cell: CellConfig) -> CellConfig:
    # Starts rclpy, which reads the environment that was set before.
    from ros_nodes.adapters.stand_ins import stood_in

    return replace(cell, ros=stood_in(cell.ros))


def _somebody_listens(target: str) -> bool:
    """Whether a connection to host:port is taken."""
    host, _, port = target.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_S):
            return True
    except (OSError, ValueError):
        return False


def _seconds(text: str) -> float:
    value = float(text)
    if not LEAST_S <= value <= 600.0:
        raise argparse.ArgumentTypeError(f"{text} is not from {LEAST_S:g} to 600")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ros_nodes check",
        description="Look at the ROS graph before a cell's node starts.",
    )
    parser.add_argument("--config", type=Path, required=True, help="path of andon.toml")
    parser.add_argument(
        "--cell",
        action="append",
        default=[],
        help="id of a cell; may be given several times; none: all cells",
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=SECONDS,
        help="how long to listen; longer by itself where a topic is slow",
    )
    parser.add_argument(
        "--simulate",
        action="store_true",
        help="the cells are simulated: on this machine alone, with stand-ins for "
        "messages that are not installed",
    )
    parser.add_argument("--json", action="store_true", help="write JSON for a program")
    return parser
