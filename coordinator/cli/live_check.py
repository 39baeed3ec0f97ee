"""The live half of `andon check`: what is on the ROS graph, told by ros_nodes.

It runs as a process: the coordinator shares nothing with the nodes but the wire.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from coordinator.cli import programs
from coordinator.cli.exits import Exit
from coordinator.errors import UnavailableError

LiveOption = Annotated[
    bool, typer.Option("--live", help="Look at the cells' ROS topics and services too.")
]
CellsOption = Annotated[
    list[str], typer.Option("--cell", metavar="ID", help="With --live: this cell only.")
]
SecondsOption = Annotated[
    float,
    typer.Option(min=2.0, max=600.0, help="With --live: how long to listen, s."),
]
SimulateOption = Annotated[
    bool, typer.Option("--simulate", help="With --live: the cells are simulated.")
]


@dataclass(frozen=True, slots=True)
class Look:
    """What to look at.

    Attributes:
        config: The configuration.
        cells: Ids of cells; none: all.
        seconds: How long to listen, s.
        simulate: They are simulated.
    """

    config: Path
    cells: Sequence[str]
    seconds: float
    simulate: bool

    def require(self) -> None:
        """Refuse what cannot be looked at.

        Raises:
            NotFoundError: A cell is not configured.
            UnavailableError: There is no rclpy here.
        """
        for cell in self.cells:
            programs.require_cell(self.config, cell)
        programs.require_ros()

    def shown(self) -> Exit:
        """Let it be printed, and return whether the cells can start."""
        sys.stdout.flush()
        return self._exit(subprocess.run(self._command(), check=False).returncode)  # noqa: S603 - andon's own program

    def as_values(self) -> tuple[Exit, Any]:
        """Return whether the cells can start, and all that was found."""
        done = subprocess.run(  # noqa: S603 - andon's own program
            [*self._command(), "--json"], stdout=subprocess.PIPE, text=True, check=False
        )
        return self._exit(done.returncode), json.loads(done.stdout)

    def _command(self) -> list[str]:
        words = [sys.executable, "-m", "ros_nodes", "check"]
        words += ["--config", str(self.config.resolve())]
        words += ["--seconds", str(self.seconds)]
        for cell in self.cells:
            words += ["--cell", cell]
        return [*words, "--simulate"] if self.simulate else words

    @staticmethod
    def _exit(code: int) -> Exit:
        """Its word on the cells; any other end is not one.

        Raises:
            UnavailableError: It did not finish; it has said why.
        """
        if code not in (Exit.OK, Exit.NEGATIVE):
            raise UnavailableError(
                "the ROS graph could not be looked at; see above.", "NO_LOOK"
            )
        return Exit(code)
