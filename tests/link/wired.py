"""A plant over wires of real packets, in a namespace of its own; prints its findings.

unshare -n python -m tests.link.wired FOLDER
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.link.cuts import Cut, judge, suffer
from tests.link.judge import Findings, summary
from tests.link.proxy import BOTH, DOWN, UP, Harm, Weather
from tests.link.wire import HALL, Wire, loopback_over_wires
from tests.link.world import plant

HARMS: dict[str, list[Cut]] = {
    "both": [Cut(Weather(Harm.SILENCE, BOTH), 4.0, 0.3)],
    "up": [Cut(Weather(Harm.SILENCE, UP), 4.0, 0.6)],
    "down": [Cut(Weather(Harm.SILENCE, DOWN), 4.0, 0.9)],
    "short": [Cut(Weather(Harm.SILENCE, BOTH), 0.4, 0.2)] * 3,
    "lossy": [
        Cut(Weather(Harm.LOSE, BOTH, 0.2), 4.0, 0.2),
        Cut(Weather(Harm.NARROW, BOTH, 32_000.0), 2.0, 0.2),
    ],
    "mixed": [
        Cut(Weather(Harm.REPEAT, BOTH, 0.5), 1.2, 0.2),
        Cut(Weather(Harm.SWAP, BOTH, 0.3), 1.2, 0.2),
    ],
    "spoilt": [Cut(Weather(Harm.FLIP, BOTH, 0.2), 3.0, 0.2)],
    "late": [Cut(Weather(Harm.DELAY, BOTH, 2.0), 4.0, 0.2)],
}


async def main(folder: Path) -> dict[str, object]:
    loopback_over_wires()
    found = Findings()
    wires: dict[str, Wire] = {}
    async with plant(folder, list(HARMS), seed=1, host=HALL) as world:
        for number, cell in enumerate(HARMS, start=1):
            wires[cell] = wire = Wire(number, world.port, seed=number)
            wire.start()
            await world.node(cell, cell, through=wire, within=wire.within)
        async with asyncio.TaskGroup() as tasks:
            for cell, cuts in HARMS.items():
                tasks.create_task(suffer(world, cell, cuts, found))
    judge(world, found)
    return {
        **summary(found),
        "hurt": {cell: sum(wire.hurt.values()) for cell, wire in wires.items()},
        "epochs": {
            cell: max(one.epoch for one in world.person.shown if one.cell == cell)
            for cell in HARMS
        },
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(Path(sys.argv[1])))) + "\n")
