"""The whole thing as it is shipped: `andon serve`, `andon cell up`, and a bad line."""

from pathlib import Path

import pytest

from tests.link.cuts import Cut, judge, suffer
from tests.link.judge import Findings
from tests.link.proxy import BOTH, DOWN, Harm, Proxy, Weather
from tests.link.world import Program, World
from tests.ros_nodes.cells import cell_up, free_domain
from tests.ros_nodes.node_builders import TEMPLATE

pytest.importorskip("rclpy")
pytestmark = [pytest.mark.ros, pytest.mark.slow]
CELL = "press-1"
CUTS = [
    Cut(Weather(Harm.SILENCE, BOTH), 3.0, 0.4),
    Cut(Weather(Harm.RESET), 0.5, 0.7),
    Cut(Weather(Harm.SILENCE, DOWN), 3.0, 0.1),
]


class Shipped(World):
    """A plant whose configuration is andon's own template."""

    @property
    def config(self) -> Path:
        return self.folder / "hall" / "andon.toml"

    @property
    def data_dir(self) -> Path:
        return self.folder / "hall" / "andon-data"

    async def serve(self) -> None:
        text = TEMPLATE.read_text(encoding="utf-8")
        text = text.replace("127.0.0.1:50551", f"{self.host}:{self.port}")
        text = text.replace("autostart = false", "autostart = true")
        self.config.parent.mkdir()
        self.config.write_text(text, encoding="utf-8")
        self.coordinator = await Program.start(
            self.folder, "hall", "coordinator", "serve", "-c", str(self.config)
        )
        await self.serves()


async def test_a_cell_of_real_processes_lives_through_cuts(tmp_path: Path) -> None:
    found = Findings()
    world = Shipped(tmp_path, seed=8)
    proxy = Proxy(world.port, seed=8)
    world.lines[CELL], world.cell_of[CELL] = proxy, CELL
    try:
        world.watch()
        await world.serve()
        port = await proxy.start()
        async with cell_up(tmp_path, port=port, domain=free_domain(9)):
            await suffer(world, CELL, CUTS, found)
    finally:
        await world.stop()
    judge(world, found)

    assert found.violations == []
    assert found.counts["sessions_lost"] == len(CUTS)
    assert found.counts["lost_leases"] >= 1
    assert found.counts["cycles"] >= 1
