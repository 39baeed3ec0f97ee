"""Nodes that are killed while they hold a permit, and come back held."""

from pathlib import Path

import pytest

from tests.link.cuts import judge
from tests.link.judge import Findings
from tests.link.kills import killed
from tests.link.world import gathered, plant

pytestmark = pytest.mark.slow
CELLS = 7
KILLS_A_CELL = 3


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
