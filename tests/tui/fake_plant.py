"""A lively plant behind the fake coordinator, to look at the terminal with open eyes.

`python -m tests.tui.fake_plant --listen 50599 --truth FOLDER` runs three cells; then
`python -m tui --server 127.0.0.1:50599` in another terminal. Nothing here is andon:
it only shows the terminal what a day looks like, faster than a day.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from pathlib import Path

from andon.v1 import learning_pb2, terms_pb2
from tests.tui import fake_windows
from tests.tui.fake_coordinator import FakeCoordinator, make_coordinator

NAMES = [name for name, _, _ in fake_windows.LABELS]
CHANCES = [0.05, 0.12, 0.12, 0.08, 0.63]


class Plant:
    """Cells that work, ask now and then, and are held now and then."""

    def __init__(self, coordinator: FakeCoordinator, cells: int, pace_s: float) -> None:
        self.coordinator = coordinator
        self.truth: Path | None = None
        self._pace_s = pace_s
        self._dice = random.Random(11)  # noqa: S311 - a play
        self._cells = [f"press-{number}" for number in range(1, cells + 1)]

    async def run(self) -> None:
        for cell in self._cells:
            self.coordinator.put_cell(cell, "IDLE", cycle=0, part_id="A-1000")
        async with asyncio.TaskGroup() as tasks:
            for cell in self._cells:
                tasks.create_task(self._work(cell))
            tasks.create_task(self._learn())

    async def _work(self, cell: str) -> None:
        coordinator, dice = self.coordinator, self._dice
        cycle, acted, asked = 40 + dice.randrange(20), 0, 0
        while True:
            cycle += 1
            (label,) = dice.choices(NAMES, CHANCES)
            self._write(cell, cycle, label)
            part = f"A-{1000 + cycle}"
            coordinator.put_cell(cell, "WORKING", cycle=cycle, part_id=part)
            await asyncio.sleep(self._pace_s * dice.uniform(0.6, 1.4))
            if dice.random() < 0.06:
                text = "force_z has not moved for 64 rows"
                coordinator.put_cell(cell, "HELD", "BAD_DATA", text=text)
            elif dice.random() < 0.4:
                asked += 1
                beliefs = self._beliefs(label)
                coordinator.ask(
                    cell, cycle, beliefs, truth=label, deadline_s=dice.choice([40, 90])
                )
            else:
                acted += 1
                coordinator.put_cell(cell, "DECIDING")
                await asyncio.sleep(0.3)
                if dice.random() < 0.08:
                    self._audit(cell, cycle, label)
                coordinator.put_cell(cell, "WORKING")
            await self._until_working(cell)
            coordinator.put_cell(cell, "WORKING", acted=acted, asked=asked)

    def _beliefs(self, label: str) -> dict[str, float]:
        if not self.coordinator.learning.models:
            return {}
        dice = self._dice
        first = dice.uniform(0.4, 0.85)
        names = [label, *(name for name in NAMES if name != label)]
        if dice.random() < 0.3:
            names[0], names[1] = names[1], names[0]
        rest = [dice.random() ** 3 for _ in names[1:]]
        shares = [(1 - first) * share / sum(rest) for share in rest]
        return dict(zip(names, [first, *shares], strict=True))

    def _audit(self, cell: str, cycle: int, label: str) -> None:
        beliefs = dict.fromkeys(NAMES, 0.01) | {label: 0.96}
        self.coordinator.ask(
            cell, cycle, beliefs, truth=label, audit=True, deadline_s=600, priority=3
        )

    async def _until_working(self, cell: str) -> None:
        waiting = (terms_pb2.CELL_STATE_HELD, terms_pb2.CELL_STATE_ASKING)
        while self.coordinator.cells[cell].state in waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    def _write(self, cell: str, cycle: int, label: str) -> None:
        if self.truth is None:
            return
        line = json.dumps({"cell": cell, "cycle": cycle, "label": label})
        with (self.truth / f"truth-{cell}.jsonl").open("a") as file:
            file.write(line + "\n")

    async def _learn(self) -> None:
        learning = self.coordinator.learning
        learning.put(until_training=6)
        while True:
            while learning.stands["peg"].until_training > 0:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            for phase, steps in (("training", 40), ("validating", 20), ("shadow", 30)):
                for step in range(steps):
                    left_s = (steps - step) * 0.2
                    learning.put(phase=phase, progress=step / steps, time_left_s=left_s)
                    await asyncio.sleep(0.2)
            for model in learning.models[:1]:
                model.state = learning_pb2.MODEL_STATE_RETIRED
            model = learning.add_model("LIVE", risk=0.012, coverage=0.81, ece=0.021)
            model.text = "risk at coverage 0.81 fell from 0.019 to 0.012"
            model.promoted_by = "policy:auto_promote"
            learning.put(
                phase="collecting",
                model_version=model.version,
                model_digest=model.model_digest,
                until_training=12,
                gate="PROVISIONAL",
                gate_text="acts alone at 0.90 or more",
                text=f"model {model.version} serves: {model.text}",
            )


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", type=int, default=50599)
    parser.add_argument("--cells", type=int, default=3)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--pace-s", type=float, default=4.0)
    options = parser.parse_args()
    coordinator = make_coordinator(port=options.listen)
    await coordinator.start()
    plant = Plant(coordinator, options.cells, options.pace_s)
    plant.truth = options.truth
    await plant.run()


if __name__ == "__main__":
    asyncio.run(main())
