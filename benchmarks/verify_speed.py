"""How fast `andon journal verify` goes, and how that compares with another checkout.

    python -m benchmarks.verify_speed [--entries 200000] [--other FOLDER]

Two journals are made: of small events, and of verdicts with their windows (12 KiB each)
and permits. Both programs verify both, by turns, each time in a process of its own; the
ratio is of medians of one run, so that it says something on a busy machine too.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.store_commit import Work, hold, step
from coordinator.clock import SystemClock
from coordinator.store import Store

AT_ONCE = 300
HERE = Path(__file__).resolve().parent.parent
VERIFY = """
import sys, time
from pathlib import Path
from coordinator.store import verify
begin = time.perf_counter()
found = verify(Path(sys.argv[1]))
print(time.perf_counter() - begin)
sys.exit(not found.ok)
"""


async def fill(path: Path, work: Work, entries: int) -> int:
    """Make a store of at least so many entries; return how many there are."""
    store = await Store.open(path, clock=SystemClock(), commit_deadline_s=60)
    calls = 0
    done = 0
    while done < entries:
        numbers = range(calls, calls + AT_ONCE)
        done += sum(await asyncio.gather(*(work(store, one) for one in numbers)))
        calls += AT_ONCE
    await store.close()
    return done


def verified_s(program: Path, store: Path) -> float:
    """Seconds that the program in that folder takes to verify the store."""
    paths = os.pathsep.join([str(program), str(program / "proto")])
    said = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", VERIFY, str(store)],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=program, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return float(said.split()[-1])


def main() -> None:
    """Print a line a journal."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--entries", type=int, default=200_000)
    asked.add_argument("--other", type=Path, help="another checkout of andon")
    asked.add_argument("--rounds", type=int, default=5)
    wanted = asked.parse_args()
    programs = [HERE] + ([wanted.other.resolve()] if wanted.other else [])
    with tempfile.TemporaryDirectory() as made:
        for work in (hold, step):
            path = Path(made) / work.__name__
            entries = asyncio.run(fill(path, work, wanted.entries))
            took: dict[Path, list[float]] = {program: [] for program in programs}
            for _ in range(wanted.rounds):
                for program in programs:
                    took[program].append(verified_s(program, path))
            medians = [statistics.median(took[program]) for program in programs]
            line = f"{work.__name__}: {entries} entries, {entries / medians[0]:,.0f}/s"
            for other_s in medians[1:]:
                line += (
                    f"; the other {entries / other_s:,.0f}/s,"
                    f" {other_s / medians[0]:.2f} times as long"
                )
            print(line)


if __name__ == "__main__":
    main()
