"""Eight cells that ask for one cause, to be answered by hand in a terminal.

    python -m benchmarks.seat.flood [--cells 8] [--undo-s 10]

A real coordinator with played cells; it says how to look at it, and runs until Ctrl-C.
A cell that was answered asks again after a while.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.seat.plant import ROOT, Cell, Plant, cells

REST_S = 20.0
"""Time from an answer to the next question of a cell, s."""


def requests_for(undo_s: float) -> str:
    """Lines of [requests] with which a few questions are a flood, whoever is there."""
    return (
        f"deadline_s = 600.0\nspread_share = 0.0\nundo_s = {undo_s}\n"
        "flood_per_10_min = 1\n"
    )


async def ask_for_ever(cell: Cell) -> None:
    """A cell that is unsure of each part."""
    while True:
        await cell.cut(sure=False)
        await cell.leave.get()
        await asyncio.sleep(REST_S)


async def play(count: int, undo_s: float) -> None:
    """Let the cells ask until cancelled."""
    names = [f"press-{number}" for number in range(1, count + 1)]
    with tempfile.TemporaryDirectory() as folder:
        requests = requests_for(undo_s)
        async with (
            Plant.serving(Path(folder), names, requests) as plant,
            cells(plant.address, names) as made,
        ):
            look = f"python -m tui --server {plant.address} --person ana"
            sys.stdout.write(f"In {ROOT.name}: PYTHONPATH=.:proto {look}\n")
            sys.stdout.write(f"Or http://127.0.0.1:{plant.web_port}\n")
            sys.stdout.flush()
            await asyncio.gather(*map(ask_for_ever, made))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--cells", type=int, default=8, help="how many ask, at most 64")
    add("--undo-s", type=float, default=10.0, help="time to take an answer back, s")
    options = parser.parse_args(arguments)
    with suppress(KeyboardInterrupt):
        asyncio.run(play(min(64, options.cells), options.undo_s))
    return 0


if __name__ == "__main__":
    sys.exit(main())
