"""One node floods; the others' windows are judged all the same."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.link.cuts import judge
from tests.link.judge import Findings, quantiles
from tests.link.sender import Sender
from tests.link.traces import MS, read_lines
from tests.link.world import World, plant

pytestmark = pytest.mark.slow
CELLS = ["c0", "c1", "c2", "c3"]
QUIET_S, FLOOD_S = 2.0, 3.0
LATEST_MS = 250.0
"""A window that is older is not judged."""
READ_PER_S = 500
"""Messages of one node that are read in the long run; twice as many at once."""


def latencies(folder: Path, since_ns: int, until_ns: int) -> list[int]:
    """From a window's cut to its permit, where nobody was asked in between."""
    return [
        int(line["since_cut_ns"])
        for cell in CELLS
        for line in read_lines(folder / f"{cell}.node.jsonl")
        if line["event"] == "permit_received"
        and line["since_cut_ns"] is not None
        and since_ns <= line["mono_ns"] <= until_ns
        and line["since_cut_ns"] < LATEST_MS * MS
    ]


async def flooded(world: World, cell: str) -> tuple[Sender, int, int]:
    """Let a cell's node say as much as it can; returns it, from when, to when."""
    sender, enough = Sender(f"127.0.0.1:{world.port}", cell), asyncio.Event()
    since_ns = time.monotonic_ns()
    async with sender.session():
        if cell == "windows":
            flood = sender.windows(every_s=0.0, until=enough)
        else:
            flood = sender.heartbeats(until=enough)
        flooding = asyncio.create_task(flood)
        await asyncio.sleep(FLOOD_S)
        enough.set()
        await flooding
    return sender, since_ns, time.monotonic_ns()


async def test_a_node_that_floods_harms_nobody_else(tmp_path: Path) -> None:
    found = Findings()
    async with plant(tmp_path, [*CELLS, "windows", "heartbeats"], seed=35) as world:
        await world.crowd({cell: cell for cell in CELLS})
        for cell in CELLS:
            await world.at_work(cell)
        quiet_ns = time.monotonic_ns()
        await asyncio.sleep(QUIET_S)
        floods = [await flooded(world, cell) for cell in ("windows", "heartbeats")]
    judge(world, found)

    assert found.violations == []
    shown = [one for one in world.person.shown if one.cell in CELLS]
    since_ns, until_ns = floods[0][1], floods[-1][2]
    held = [one for one in shown if since_ns < one.seen_ns < until_ns and one.reason]
    assert held == []
    quiet = latencies(tmp_path, quiet_ns, since_ns)
    for sender, began_ns, ended_ns in floods:
        flood = latencies(tmp_path, began_ns, ended_ns)
        rate = len(flood) / (ended_ns - began_ns)
        told = f"{quantiles(quiet)} before, {quantiles(flood)} in the flood"
        assert rate > 0.6 * len(quiet) / (since_ns - quiet_ns), told
        # What is too much is not even read.
        assert sender.heard.total() < 2 * READ_PER_S * (2 + 2 * FLOOD_S)
    assert floods[0][0].heard["RATE_LIMITED"] > 100
