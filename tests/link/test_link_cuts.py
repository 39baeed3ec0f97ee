"""Twenty cuts: whatever a line does, the robot stands, and works again by name.

What is judged is what node, robot, journal and watcher wrote down, see judge.py.
"""

import random
from pathlib import Path

import pytest

from tests.link.cuts import Cut, draw, judge, suffer
from tests.link.judge import Findings
from tests.link.proxy import BOTH, DOWN, UP, Harm, Weather
from tests.link.world import gathered, plant

pytestmark = pytest.mark.slow
SEED = 20
CELLS = 7
CUTS_A_CELL = 3
LONGEST_S = 4.0


def planned() -> dict[str, list[Cut]]:
    """The cuts of every cell."""
    rng = random.Random(SEED)  # noqa: S311 - weather, no secret
    plan = {
        f"c{n}": [draw(rng, longest_s=LONGEST_S) for _ in range(CUTS_A_CELL)]
        for n in range(CELLS)
    }
    # Whatever the seed draws: silence long enough for the lease, every way.
    for cell, ways in zip(plan, (BOTH, UP, DOWN), strict=False):
        plan[cell][0] = Cut(Weather(Harm.SILENCE, ways), LONGEST_S, 0.3)
    # A flipped bit that leaves the framing whole is TCP's checksum's to catch (see
    # test_link_wire.py), and TLS's; samples have a digest of their own.
    spoilt = [(harm, way) for harm in (Harm.REPEAT, Harm.SWAP) for way in (UP, DOWN)]
    for n, (harm, way) in enumerate([*spoilt, (Harm.FLIP, UP)]):
        plan[f"{harm.value}-{n}"] = [Cut(Weather(harm, way), 1.2, 0.1 * n)] * 2
    return plan


async def test_twenty_cuts_hold_the_robots_in_time_and_nothing_else_happens(
    tmp_path: Path,
) -> None:
    plan = planned()
    found = Findings()
    async with plant(tmp_path, list(plan), seed=SEED) as world:
        await world.crowd({cell: cell for cell in plan})
        await gathered(suffer(world, cell, cuts, found) for cell, cuts in plan.items())
    judge(world, found)

    assert found.violations == []
    cuts = sum(n for what, n in found.counts.items() if what.startswith("cut_"))
    assert cuts == CELLS * CUTS_A_CELL + 10
    assert found.counts["lost_leases"] >= 3
    assert found.counts["sessions_lost"] >= 3 + 8  # what is mixed up ends the line
    assert found.counts["cycles"] > CELLS
    assert len(found.shown_ns) >= 1
