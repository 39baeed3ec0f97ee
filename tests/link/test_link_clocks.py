"""Wall clocks that jump change nothing; a node's that is wrong is told, and holds."""

import asyncio
from pathlib import Path

import pytest

from andon.v1 import terms_pb2
from tests.link.cuts import judge
from tests.link.judge import Findings
from tests.link.traces import read_lines
from tests.link.world import plant

pytestmark = pytest.mark.slow
HOUR_S = 3600.0


async def test_a_wall_clock_that_jumps_an_hour_moves_no_deadline_and_no_lease(
    tmp_path: Path,
) -> None:
    found = Findings()
    cells = ["c0", "c1", "c2"]
    async with plant(tmp_path, cells, seed=26) as world:
        await world.crowd({cell: cell for cell in cells})
        for cell in cells:
            await world.at_work(cell)
        for ahead_s in (HOUR_S, -HOUR_S, 0.0):
            await world.set_clocks(coordinator_s=ahead_s, nodes_s=ahead_s)
            await asyncio.sleep(1.6)  # cycles, heartbeats, a question

        told = {one.reason for one in world.person.shown[len(cells) :]}
        epochs = {world.person.now[cell].epoch for cell in cells}

        await world.set_clocks(coordinator_s=0.0, nodes_s=5.0)
        await asyncio.sleep(1.2)
        assert {world.person.now[cell].epoch for cell in cells} == epochs
        await world.set_clocks(coordinator_s=0.0, nodes_s=90.0)
        await world.person.until(
            lambda: all(
                world.person.now[cell].reason == terms_pb2.HOLD_REASON_BAD_DATA
                for cell in cells
            ),
            10.0,
            lambda: f"held for their clocks: {[world.state(cell) for cell in cells]}",
        )
        await world.set_clocks(coordinator_s=0.0, nodes_s=0.0)
        for cell in cells:
            await world.at_work(cell)
    judge(world, found)

    # Once: the policy's first release. By the journal's UTC it was hours between.
    assert [v for v in found.violations if "was released after" not in v] == []
    assert epochs == {1}
    reasons = (terms_pb2.HOLD_REASON_UNSPECIFIED, terms_pb2.HOLD_REASON_LINK_LOST)
    assert told <= set(reasons)
    cycles = [len(read_lines(tmp_path / f"{cell}.motions.jsonl")) for cell in cells]
    assert all(count > 8 for count in cycles)
    log = (world.data_dir / "coordinator.log").read_text()
    assert log.count("clock_jump") == 3
    assert "clock_skew" in log
