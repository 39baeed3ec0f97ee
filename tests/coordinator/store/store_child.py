"""A coordinator that is killed: commits as fast as it can and prints what was acked.

Arguments: directory, callers, and where to kill itself ("-" to wait for it, or
"before N" and "after N": around the N-th COMMIT). A line on standard output is the
number of a call, written after its commit returned.
"""

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

from coordinator.clock import SystemClock
from coordinator.store import Store
from coordinator.store.database import DATABASE, uri
from coordinator.terms import HoldReason
from coordinator.terms import events as e
from tests.coordinator.store.store_world import (
    ANA,
    CELL,
    answered,
    claimed,
    decided,
    make_window,
    once,
    opened,
)


class Suicidal(sqlite3.Connection):
    """Dies around its N-th COMMIT, by a signal that nobody can catch."""

    before = after = 0

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            self._die(self.before)
            result = super().execute(sql, *values)
            self._die(self.after)
            type(self).before -= 1
            type(self).after -= 1
            return result
        return super().execute(sql, *values)

    def _die(self, left: int) -> None:
        if left == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def arm(store: Store, path: Path, where: str, number: int) -> None:
    setattr(Suicidal, where, number)
    store._writer._db.close()
    store._writer._db = sqlite3.connect(
        uri(path / DATABASE, "rw"),
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=Suicidal,
    )


def acked(call: str) -> None:
    os.write(1, f"{call}\n".encode())


async def caller(store: Store, first: int, step: int) -> None:
    number = first
    while True:
        await store.commit(decided(number), opened(number), window=make_window(number))
        acked(f"asked {number}")
        await store.commit(claimed(number))
        await store.commit(
            answered(number), once=once(f"key-{number}"), reply=f"thanks {number}"
        )
        acked(f"answered {number}")
        await store.commit(
            e.HoldPlaced(CELL, HoldReason.OPERATOR_HOLD, f"{number}.", ANA)
        )
        number += step


async def main(path: Path, callers: int, where: str) -> None:
    store = await Store.open(path, clock=SystemClock(), commit_deadline_s=60)
    first = (await store.head()).seq + 1
    if where != "-":
        kind, number = where.split()
        arm(store, path, kind, int(number))
    acked("ready")
    await asyncio.gather(
        *(caller(store, first + one, callers) for one in range(callers))
    )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
