"""Nodes that are killed while they hold a permit, and come back held."""

import asyncio
import random
import signal
from pathlib import Path

import pytest

from tests.link.cuts import judge
from tests.link.judge import Findings
from tests.link.world import World, gathered, plant

pytestmark = pytest.mark.slow
CELLS = 7
KILLS_A_CELL = 3


async def killed(world: World, cell: str, times: int, found: Findings) -> None:
    """Kill one cell's node at work, some times, and see that it works again."""
    rng = random.Random(f"{world.seed} {cell}")  # noqa: S311 - when, no secret
    for _ in range(times):
        await world.at_work(cell)
        await asyncio.sleep(rng.uniform(0.0, 0.6))
        before = world.person.now[cell].epoch
        await world.nodes[cell].end(signal.SIGKILL)
        await world.node(cell, cell, through=world.lines[cell])
        await world.at_work(cell, after_epoch=before, within_s=30.0)
        found.counts["kills"] += 1


async def test_twenty_killed_nodes_come_back_held_and_use_no_permit_again(
    tmp_path: Path,
) -> None:
    found = Findings()
    cells = [f"c{n}" for n in range(CELLS)]
    async with plant(tmp_path, cells, seed=40) as world:
        for cell in cells:
            await world.node(cell, cell)
        await gathered(killed(world, cell, KILLS_A_CELL, found) for cell in cells)
    judge(world, found)

    assert found.violations == []
    assert found.counts["kills"] == CELLS * KILLS_A_CELL
    assert found.counts["nodes_killed"] == CELLS * KILLS_A_CELL
