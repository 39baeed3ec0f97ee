"""`python -m tui.operator`: people who answer headlessly, for demos and tests.

They use the same calls as the terminal and know the truth from a folder of files. They
work until SIGINT or SIGTERM, then write their report; it is also written as it grows.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui import log
from tui.clock import SystemClock
from tui.door import FrontDoor
from tui.identity import actor, own_token
from tui.ledger import Ledger
from tui.link import Link
from tui.simulated import Crew, Habits, SimulatedPerson
from tui.terms import Actor
from tui.truth import TruthError, TruthFiles

REPORT_S: Final = 1.0
"""Time between two versions of the report while the people work, s."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Where so many people work, and how: the command line as a value."""

    server: str
    truth: Path
    habits: Habits
    people: int = 1
    person: str = "sim"
    report: Path | None = None


async def work(shift: Shift, stop: asyncio.Event, ledger: Ledger) -> None:
    """Let the people of a shift answer until stop is set, and enter it in the ledger.

    Raises:
        TruthError: A truth file cannot be read.
        OSError: The report cannot be written.
    """
    crew = Crew(TruthFiles(shift.truth), ledger, shift.habits, SystemClock())
    links = [Link(shift.server, who) for who in _people(shift)]
    try:
        if token := own_token():
            for link in links:
                await FrontDoor(link).enter(token)
        async with asyncio.TaskGroup() as tasks:
            working = [
                tasks.create_task(SimulatedPerson(link, crew).work()) for link in links
            ]
            if shift.report is not None:
                working.append(tasks.create_task(_keep(ledger, shift.report)))
            await stop.wait()
            for task in working:
                task.cancel()
    except ExceptionGroup as group:
        raise _first(group) from group
    finally:
        for link in links:
            await link.close()
        if shift.report is not None:
            ledger.write(shift.report)


def _people(shift: Shift) -> list[Actor]:
    one = actor(shift.person, "simulated")
    if shift.people == 1:
        return [one]
    numbers = range(1, shift.people + 1)
    return [Actor(f"{one.person}-{number}", one.device) for number in numbers]


def _first(error: Exception) -> Exception:
    """The first error of a group of groups: one sentence is enough for a person."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


async def _keep(ledger: Ledger, report: Path) -> None:
    while True:
        ledger.write(report)
        await asyncio.sleep(REPORT_S)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code: 0, or 2 for a wrong argument."""
    shift = _shift(arguments)
    log.to_stderr()
    try:
        asyncio.run(_until_told(shift))
    except (TruthError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 7
    return 0


async def _until_told(shift: Shift) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(told, stop.set)
    await work(shift, stop, Ledger())


def _shift(arguments: Sequence[str] | None) -> Shift:
    parser = argparse.ArgumentParser(
        prog="python -m tui.operator",
        description="Simulated operators: they answer from files of truth.",
    )
    add = parser.add_argument
    add("--server", default="127.0.0.1:50551", help="host:port of the coordinator")
    add("--truth", type=Path, required=True, help="folder of truth-<cell>.jsonl files")
    add("--error-rate", type=float, default=0.02, help="share of mistakes, 0 to 1")
    add("--reaction-s", type=float, default=0.3, help="mean thinking time, s")
    add("--seed", type=int, default=0, help="whole number; same seed, same mistakes")
    add("--people", type=int, default=1, help="how many people answer at once")
    add("--person", default="sim", help="id of the person, and stem of several")
    add("--report", type=Path, help="JSON file to write the counts to")
    options = parser.parse_args(arguments)
    if not 0.0 <= options.error_rate <= 1.0:
        parser.error(f"--error-rate is between 0 and 1, not {options.error_rate}")
    if not 0.0 <= options.reaction_s <= 3600.0:
        parser.error(f"--reaction-s is between 0 and 3600, not {options.reaction_s}")
    if not 1 <= options.people <= 100:
        parser.error(f"--people is between 1 and 100, not {options.people}")
    if not options.truth.is_dir():
        parser.error(f"there is no folder {options.truth}")
    if options.report is not None and not options.report.absolute().parent.is_dir():
        parser.error(f"there is no folder for the report {options.report}")
    try:
        actor(options.person, "simulated")
    except ValueError as error:
        parser.error(str(error))
    return Shift(
        server=options.server,
        truth=options.truth,
        habits=Habits(options.error_rate, options.reaction_s, options.seed),
        people=options.people,
        person=options.person,
        report=options.report,
    )


if __name__ == "__main__":
    sys.exit(main())
