"""The programs of a demo: started as processes, watched, and stopped in order."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from coordinator.errors import UnavailableError

PATIENCE_S: Final = 10.0
"""Time for a program to end by itself when it is told to, s."""
LONGEST_LINE: Final = 160
_PR_SET_PDEATHSIG: Final = 1


@dataclass(slots=True)
class Program:
    """One process, leader of its own session: its children can be found and stopped."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.process.returncode

    def last_words(self) -> str:
        """The last line of what it printed."""
        with suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            if lines:
                return lines[-1][:LONGEST_LINE]
        return "it said nothing"

    async def stop(self) -> None:
        """Tell it to end, wait, and kill what is left of its session."""
        if self.code is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), PATIENCE_S)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def kill(self) -> None:
        """End it as a power cut would: without a word, and this process alone."""
        self.process.kill()
        await self.process.wait()


def _die_with(parent: int) -> Callable[[], None]:
    """Make a function for the child: end when the demo ends, even by SIGKILL."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def prepare() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended in between
            os.kill(os.getpid(), signal.SIGTERM)

    return prepare


async def start(name: str, log: Path, *command: str) -> Program:
    """Start `python -m command...` in the background; what it prints goes to log.

    A session of its own keeps it out of reach of the terminal: Ctrl-C means the demo,
    and the demo stops its programs in order.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            preexec_fn=_die_with(os.getpid()),
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
    return Program(name, process, log)


async def until_told(work: Coroutine[object, object, int]) -> int:
    """Do the work until it is done or somebody ends it; its exit code.

    The first SIGINT, SIGTERM or SIGHUP cancels the work, which then stops its programs.
    Further ones change nothing: a stop that is interrupted would leave some running.
    """
    told: list[signal.Signals] = []
    task = asyncio.ensure_future(work)

    def tell(number: signal.Signals) -> None:
        if not told:
            task.cancel()
        told.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, tell, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not told:
            raise
        typer.echo("stopped.", err=True)
        return 128 + told[0]


async def in_foreground(*command: str) -> int:
    """Run `python -m command...` in this terminal until it ends; its exit code."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", *command)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def require_alive(programs: list[Program]) -> None:
    """Refuse to go on when a program has died.

    Raises:
        UnavailableError: one ended with a code that is not 0; names it.
    """
    for program in programs:
        if program.code not in (None, 0):
            raise UnavailableError(
                f"{program.name} ended with code {program.code}: "
                f"{program.last_words()}",
                "PROGRAM_ENDED",
            )
