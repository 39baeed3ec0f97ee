"""`andon demo`: a coordinator, simulated cells, and the questions they ask.

In a terminal a person answers, until the terminal UI is quit. Without one a simulated
operator answers for so many cycles, and the demo ends with a report of what it proved.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from coordinator.cli.programs import require_ros

CYCLES: Final = 600
HEADLESS_TIME_FACTOR: Final = 6.0
PERSON_TIME_FACTOR: Final = 1.0


def register(app: typer.Typer) -> None:
    """Add the command to andon."""
    app.command("demo")(demo)


def demo(
    headless: Annotated[
        bool,
        typer.Option(
            "--headless",
            help="A simulated operator answers; also without a terminal, or with "
            "HEADLESS=1.",
        ),
    ] = False,
    cells: Annotated[int, typer.Option(min=1, max=16, help="How many cells.")] = 3,
    cycles: Annotated[
        int, typer.Option(min=1, help="Cycles over all cells, when headless.")
    ] = CYCLES,
    time_factor: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=50.0,
            help=f"Simulated seconds a second; 0: {PERSON_TIME_FACTOR:g} with a "
            f"person, {HEADLESS_TIME_FACTOR:g} without.",
        ),
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
    error_rate: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of wrong answers.")
    ] = 0.02,
    reaction_s: Annotated[
        float, typer.Option(min=0.0, max=600.0, help="Mean time to an answer, s.")
    ] = 0.3,
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="Where demos are kept, one folder each.")
    ] = Path("demo-data"),
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on with the newest demo's models.")
    ] = False,
    report: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the headless report goes.")
    ] = Path("demo-report.json"),
    kill_coordinator_at: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="CYCLE",
            help="Kill -9 it there and start it 4 s later; 0: never.",
        ),
    ] = 0,
    shift_at: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="CYCLE",
            help="From this cycle of each cell on parts are heavier; 0: never.",
        ),
    ] = 0,
    certified: Annotated[
        bool,
        typer.Option(
            "--certified",
            help="Ask about everything until it is proven that at most 5 % of what is "
            "decided alone is wrong. Otherwise it decides alone on the demo's word.",
        ),
    ] = False,
) -> int:
    """Run simulated cells that ask, and learn from the answers.

    In a terminal you answer, until you quit. Without one a simulated operator answers,
    and a report says what was proved: exit 1 when anything was lost or moved without
    permit.
    """
    import asyncio

    from coordinator.cli import demo_run
    from coordinator.cli.demo_programs import until_told
    from coordinator.clock import SystemClock

    require_ros()
    alone = headless or _wants_headless()
    wanted = HEADLESS_TIME_FACTOR if alone else PERSON_TIME_FACTOR
    plan = demo_run.Plan(
        cells=cells,
        cycles=cycles if alone else 0,
        time_factor=time_factor if time_factor > 0.0 else wanted,
        seed=seed,
        error_rate=error_rate,
        reaction_s=reaction_s,
        parent=folder,
        keep=keep,
        report=report,
        kill_at=kill_coordinator_at,
        shift_at=shift_at,
        certified=certified,
    )
    run = demo_run.headless if alone else demo_run.with_person
    return asyncio.run(until_told(run(plan, SystemClock())))


def _wants_headless() -> bool:
    asked = os.environ.get("HEADLESS", "") not in {"", "0"}
    return asked or not (sys.stdin.isatty() and sys.stdout.isatty())
