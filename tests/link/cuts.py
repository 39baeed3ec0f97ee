"""Cuts: what is done to a cell's line, for how long, and that it comes back then."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.link.judge import (
    Findings,
    judge_journal,
    judge_leases,
    judge_motions,
    judge_permits,
    judge_shown,
    judge_windows,
    read_journal,
)
from tests.link.proxy import BOTH, DOWN, SPOILS, UP, Harm, Proxy, Weather
from tests.link.traces import Node, read_lines
from tests.link.world import AT_WORK, World

SHORTEST_S = 0.1
BACK_WITHIN_S = 25.0
"""From a healed line to work: a refused session, a back-off and the hysteresis, s."""
FLOWS_S = 0.6
"""A line is good again when bytes came both ways for longer than a heartbeat, s."""
BREAKS = frozenset({Harm.RESET, Harm.END, Harm.SILENCE, Harm.REPEAT, Harm.SWAP})
"""After these no connection lives on."""

SOMETIMES: Sequence[tuple[Harm, int]] = (
    (Harm.RESET, 3),
    (Harm.END, 2),
    (Harm.SILENCE, 5),
    (Harm.STALL, 4),
    (Harm.DELAY, 2),
    (Harm.NARROW, 1),
    (Harm.STUTTER, 2),
    (Harm.REPEAT, 1),
    (Harm.SWAP, 1),
)
"""What happens to lines, and how often: most of it is a line that goes silent."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One thing that happens to one line.

    Attributes:
        weather: What is wrong.
        seconds: For how long.
        after_s: Time at work before it begins.
    """

    weather: Weather
    seconds: float
    after_s: float

    def __str__(self) -> str:
        ways = "+".join(sorted(way.value for way in self.weather.ways))
        return f"{self.weather.harm.value} {ways} for {self.seconds:.2f} s"


def draw(rng: random.Random, *, longest_s: float) -> Cut:
    """A cut between a tenth of a second and the longest, short ones more often."""
    harms, weights = zip(*SOMETIMES, strict=True)
    harm = rng.choices(harms, weights)[0]
    amount = {
        Harm.DELAY: rng.choice((0.3, 0.8, 2.0)),
        Harm.NARROW: 32_000.0 / rng.choice((1, 4)),  # 256 kbit/s, and a quarter of it
        Harm.STUTTER: rng.uniform(0.05, 0.5),
    }.get(harm, 0.0)
    seconds = math.exp(rng.uniform(math.log(SHORTEST_S), math.log(longest_s)))
    if harm in SPOILS:
        seconds = max(seconds, 1.0)  # something is said each way in half a second
    return Cut(
        Weather(harm, rng.choice((BOTH, UP, DOWN)), amount),
        seconds,
        rng.uniform(0.05, 1.5),
    )


async def suffer(world: World, cell: str, cuts: Sequence[Cut], found: Findings) -> None:
    """Let one cell live through its cuts, and see that it works again after each."""
    line = world.lines[cell]
    for cut in cuts:
        await world.at_work(cell)
        await asyncio.sleep(cut.after_s)
        before = world.person.now[cell].epoch
        line.become(cut.weather)
        await asyncio.sleep(cut.seconds)
        line.heal()
        healed_ns = time.monotonic_ns()
        found.counts[f"cut_{cut.weather.harm.value}"] += 1
        breaks = isinstance(line, Proxy) and cut.weather.harm in BREAKS
        newer_than = before if breaks else before - 1
        try:
            async with asyncio.timeout(BACK_WITHIN_S):
                while not (  # noqa: ASYNC110 - bytes on a line make no event
                    line.last_ns() - healed_ns > FLOWS_S * 1e9
                    and world.person.now[cell].state in AT_WORK
                    and world.person.now[cell].epoch > newer_than
                ):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            found.wrong(f"{cell}: not back after {cut}: {world.state(cell)}")
            return
        if world.person.now[cell].epoch > before:
            found.counts["sessions_lost"] += 1
            found.back_ns.append(time.monotonic_ns() - healed_ns)
        else:
            found.counts["sessions_survived"] += 1


def judge(
    world: World,
    found: Findings,
    *,
    away: Sequence[tuple[int, int]] = (),
    alone: bool = True,
) -> Findings:
    """Judge everything a stopped world wrote down, into the findings.

    Args:
        world: Stopped.
        found: Where to add.
        away: Stretches in which there was no coordinator to show anything.
        alone: Each cell has one node, whose silence is the cell's.
    """
    nodes: dict[str, list[Node]] = {}
    for name, cell in world.cell_of.items():
        node = Node(name, read_lines(world.folder / f"{name}.node.jsonl"))
        nodes.setdefault(cell, []).append(node)
        judge_leases(node, found)
        judge_permits(node, found)
        judge_windows(node, found)
        if alone:
            line = world.lines[name]
            judge_shown(cell, line, world.person.shown, found, away=away)
    for cell, of_cell in nodes.items():
        robot = read_lines(world.folder / f"{cell}.motions.jsonl")
        judge_motions(robot, of_cell, found)
    judge_journal(read_journal(world.data_dir), nodes, found)
    return found
