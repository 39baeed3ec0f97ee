"""Nodes that are killed at work, and started again."""

from __future__ import annotations

import asyncio
import random
import signal

from tests.link.judge import Findings
from tests.link.world import World


async def killed(world: World, cell: str, times: int, found: Findings) -> None:
    """Kill one cell's node at work, some times, and see that it works again."""
    rng = random.Random(f"{world.seed} {cell}")  # noqa: S311 - when, no secret
    for _ in range(times):
        await world.at_work(cell, within_s=60.0)
        await asyncio.sleep(rng.uniform(0.0, 0.6))
        before = world.person.now[cell].epoch
        await world.nodes[cell].end(signal.SIGKILL)
        await world.node(cell, cell, through=world.lines[cell])
        await world.at_work(cell, after_epoch=before, within_s=60.0)
        found.counts["kills"] += 1
