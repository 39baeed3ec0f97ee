"""A coordinator that dies by itself around the commit of an opinion.

Arguments: andon.toml, and "before", "after" or "-" (it lives). The address it serves at
is the one line on standard output.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from coordinator.app import Coordinator
from coordinator.clock import SystemClock
from coordinator.config import load
from coordinator.terms import events


def arm(coordinator: Coordinator, where: str) -> None:
    """Let it die where it is told to, by a signal that nobody can catch."""
    store: Any = coordinator._store
    commit = store.commit

    async def deadly(*happened: events.Event, **more: Any) -> Any:
        marked = any(isinstance(e, events.OpinionGiven) for e in happened)
        if marked and where == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        entries = await commit(*happened, **more)
        if marked and where == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return entries

    store.commit = deadly


async def main(config: Path, where: str) -> None:
    coordinator = Coordinator(load(config), SystemClock())
    await coordinator.open()
    arm(coordinator, where)
    await coordinator.run(lambda address: print(address, flush=True))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
