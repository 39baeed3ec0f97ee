"""How many events a second the store makes durable, for one caller and for many.

    python benchmarks/store_commit.py [directory]

Each caller commits one event, waits until it is on the disk, and commits the next. The
last rows are what the live path does: a verdict with its window, then a permit. Then
what was left is verified.
"""

import asyncio
import json
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from coordinator.clock import SystemClock
from coordinator.store import Store, journal, verify
from coordinator.store.database import DATABASE
from coordinator.terms import (
    Action,
    Actor,
    AuditCoin,
    CellId,
    Decision,
    DecisionId,
    Digest,
    FamilyId,
    HoldReason,
    Permit,
    PermitId,
    PermitPurpose,
    PersonId,
    Prediction,
    SensorWindow,
    Verdict,
    WindowId,
    WindowKind,
    window_digest,
)
from coordinator.terms import events as e

SECONDS = 3.0
SCHEMA = Digest("0" * 64)
Work = Callable[[Store, int], Awaitable[int]]


async def hold(store: Store, number: int) -> int:
    """One small event."""
    pulled = e.HoldPlaced(
        CellId(f"cell-{number % 50}"),
        HoldReason.OPERATOR_HOLD,
        "pulled.",
        Actor(PersonId("ana")),
    )
    await store.commit(pulled)
    return 1


async def step(store: Store, number: int) -> int:
    """A verdict with 128 x 24 samples, and the permit that rests on it."""
    cell = CellId(f"cell-{number % 50}")
    samples = np.full((128, 24), number, dtype=np.float32)
    present = np.ones(24, dtype=np.bool_)
    window = SensorWindow(
        WindowId(f"w-{number}"), cell, WindowKind.DECISION, 1, number, number, "insert",
        f"part-{number}", 0, 10_000_000, samples, present,
        window_digest(SCHEMA, samples, present), 0, 0, SystemClock().utc_now(),
    )  # fmt: skip
    labels = ("collision", "misaligned", "grip_slip", "missing_part", "ok")
    guess = Prediction(
        Digest("1" * 64), labels, (0.1, 0.2, 0.3, 0.4, 5.0),
        (0.01, 0.01, 0.01, 0.01, 0.96), 0.3,
    )  # fmt: skip
    decided = e.WindowDecided(
        DecisionId(f"d-{number}"), window.window_id, cell, FamilyId("peg"), 1,
        WindowKind.DECISION, number, "insert", window.part_id, window.digest,
        Verdict(Decision.ACT, "ACT", "sure.", guess), AuditCoin(0.05, drawn=False),
        Digest("2" * 64), 0,
    )  # fmt: skip
    permit = Permit(
        PermitId(f"p-{number}"), cell, PermitPurpose.NEXT_STEP, Action.CONTINUE, "ok",
        1, decided.decision_id, window.digest, number, 10**9, number, 8 * 10**9,
    )  # fmt: skip
    await store.commit(decided, e.PermitIssued(permit), window=window)
    return 2


async def measure(directory: Path | None, callers: int, work: Work) -> None:
    """Print one row."""
    store = await Store.open(directory, clock=SystemClock(), commit_deadline_s=60)
    waits: list[float] = []
    events = calls = 0
    begin = time.perf_counter()

    async def caller() -> None:
        nonlocal calls, events
        while (now := time.perf_counter()) - begin < SECONDS:
            calls += 1
            done = await work(store, calls)
            events += done  # not in one line: others count while this one waits
            waits.append(time.perf_counter() - now)

    await asyncio.gather(*(caller() for _ in range(callers)))
    took = time.perf_counter() - begin
    await store.close()
    p50, p99 = (1000 * np.quantile(waits, share) for share in (0.5, 0.99))
    where = "memory" if directory is None else "disk"
    print(
        f"{work.__name__:>5} {where:>7} {callers:>8} {events / took:>10,.0f}"
        f" {p50:>9.2f} {p99:>9.2f}"
    )


async def main(base: Path) -> None:
    """Print the table, and how long it takes to verify what it left."""
    print(" work   where  callers   events/s    p50 ms    p99 ms")
    for work in (hold, step):
        for callers in (1, 10, 200):
            await measure(base / f"{work.__name__}-{callers}", callers, work)
        await measure(None, 1, work)
    print()
    for work in (hold, step):
        verified(work.__name__, base / f"{work.__name__}-200")


def verified(name: str, path: Path) -> None:
    """Print how long verifying takes, and beside what no reader can do without.

    That is: read each entry, parse its JSON and hash it onto the chain.
    """
    begin = time.perf_counter()
    found = verify(path)
    took = time.perf_counter() - begin
    begin, before = time.perf_counter(), "0" * 64
    with closing(sqlite3.connect(path / DATABASE)) as db:
        for row in journal.rows(db):
            json.loads(row[3])
            before = journal.link(before, *row[:4])
    bare = time.perf_counter() - begin
    print(
        f"verify {name}: {found.entries / took:,.0f} entries/s, {took / bare:.1f} times"
        f" as long as to read, parse and hash them ({found.text})"
    )


if __name__ == "__main__":
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    print(
        f"{platform.machine()}, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version},"
        f" commit {commit or 'unknown'}"
    )
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as made:
        asyncio.run(main(Path(made)))
