"""One card for one cause, with nothing played but the robots.

A coordinator in a process of its own, its own store, cells that speak gRPC to it, and
the terminal as a person has it. What became of each member is read from the
coordinator, and what the robots may do is what came to the robots.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from andon.v1 import insight_pb2, insight_pb2_grpc, operator_pb2, operator_pb2_grpc
from benchmarks.seat.flood import requests_for
from benchmarks.seat.plant import Cell, Plant, cells
from tests.tui.conftest import ANA, BEN, until
from tests.tui.pilot import LARGE, SMALL, Desk
from tui import seat
from tui.app import AndonApp
from tui.terms import Actor, CellState

pytestmark = pytest.mark.slow

NAMES = [f"press-{number}" for number in range(1, 9)]
LONG_S = 60.0


@pytest.fixture(autouse=True)
def _quick_eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """People in tests need no half second to look."""
    monkeypatch.setattr(seat, "LOOK_S", 0.0)


@dataclass
class Flooded:
    """A plant in which eight cells ask for one cause."""

    address: str
    cells: list[Cell]
    operators: Any
    insight: Any

    async def open_ids(self) -> dict[str, str]:
        """The cells that are asked about, and their requests."""
        found = await self.operators.ListRequests(operator_pb2.ListRequestsRequest())
        return {one.cell_id: one.request_id for one in found.requests}

    async def asks(self) -> None:
        """Every cell is unsure of a part."""
        for cell in self.cells:
            await cell.cut(sure=False)
        async with asyncio.timeout(20.0):
            while len(await self.open_ids()) < len(self.cells):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def journalled(self, kind: str) -> int:
        """How many entries of a kind there are."""
        ask = insight_pb2.ListJournalRequest(kinds=[kind], page_size=200)
        return len((await self.insight.ListJournal(ask)).lines)

    @property
    def moving(self) -> int:
        """How many cells have got leave to go on."""
        return sum(not cell.leave.empty() for cell in self.cells)

    @asynccontextmanager
    async def desk(
        self, actor: Actor = ANA, size: tuple[int, int] = LARGE, *, go_on: bool = True
    ) -> AsyncIterator[Desk]:
        """Somebody's terminal."""
        app = AndonApp(self.address, actor, go_on=go_on)
        async with app.run_test(size=size) as pilot:
            yield Desk(app, pilot)


@asynccontextmanager
async def flooded(folder: Path, undo_s: float) -> AsyncIterator[Flooded]:
    requests = requests_for(undo_s)
    async with (
        Plant.serving(folder, NAMES, requests) as plant,
        cells(plant.address, NAMES) as made,
        grpc.aio.insecure_channel(plant.address) as channel,
    ):
        found = Flooded(
            plant.address,
            made,
            operator_pb2_grpc.OperatorServiceStub(channel),
            insight_pb2_grpc.InsightServiceStub(channel),
        )
        await found.asks()
        yield found


def cell_shown(desk: Desk) -> str:
    """The cell whose evidence is on the screen."""
    for line in desk.text.splitlines():
        if "yours" in line:
            return line.split()[0]
    raise AssertionError(desk.text)


async def test_eight_cells_are_answered_taken_back_and_one_is_held_on_one_card(
    tmp_path: Path,
) -> None:
    async with flooded(tmp_path, undo_s=LONG_S) as plant, plant.desk(size=SMALL) as ana:
        await ana.sees("MANY QUESTIONS", "QUESTIONS 8", "and 7 more: one cause")
        await ana.press("n")
        await ana.sees("yours", "One cause: your answer is for")
        await ana.press("1")
        await ana.sees("CELLS", "u takes back ok of press-", "and 7 more")
        asked = await plant.open_ids()
        assert len(asked) == 8
        assert plant.moving == 0
        await ana.press("u")
        await ana.sees("yours", "One cause: your answer is for")
        found = await plant.operators.ListRequests(operator_pb2.ListRequestsRequest())
        shown = cell_shown(ana)
        await ana.press("h")
        await until(lambda: ana.scene.board.cells[shown].state is CellState.HELD)
        others = [c for c in ana.scene.board.cells.values() if c.cell_id != shown]
        assert {c.state for c in others} == {CellState.ASKING}

    claims = sorted(one.claimed_by for one in found.requests)
    assert [one.pending_label for one in found.requests] == [""] * 8
    assert claims == [*[""] * 7, "ana"]
    assert plant.moving == 0


async def test_one_answer_moves_eight_cells_each_by_its_own_permit(
    tmp_path: Path,
) -> None:
    async with flooded(tmp_path, undo_s=0.0) as plant, plant.desk() as ana:
        await ana.sees("and 7 more: one cause")
        await ana.press("n")
        await ana.sees("yours", "One cause: your answer is for")
        await ana.press("1")
        for cell in plant.cells:
            await cell.permitted_ns()
        await ana.sees("CELLS", "Nothing is asked.")

        assert await plant.open_ids() == {}
        assert await plant.journalled("RequestAnswered") == 8
        assert await plant.journalled("ExampleAdded") == 1


async def test_what_is_held_and_what_another_has_stay_as_they_are(
    tmp_path: Path,
) -> None:
    async with flooded(tmp_path, undo_s=0.0) as plant, plant.desk() as ana:
        await ana.sees("and 7 more: one cause")
        await ana.press("n")
        await ana.sees("yours", "One cause: your answer is for")
        asked = await plant.open_ids()
        shown = cell_shown(ana)
        theirs, held, *_ = [name for name in NAMES if name != shown]
        await plant.operators.Claim(
            operator_pb2.ClaimRequest(
                request_id=asked[theirs],
                actor=operator_pb2.Actor(person=BEN.person, device=BEN.device),
                idempotency_key="ben",
            )
        )
        await plant.operators.Hold(
            operator_pb2.HoldRequest(
                cell_id=held, actor=operator_pb2.Actor(person=BEN.person)
            )
        )
        await until(lambda: ana.scene.board.cells[held].reason is not None)
        await ana.press("1")
        await ana.sees(f"NOT for {theirs}, {held}: look", "The same for")
        await until(lambda: plant.moving >= 6)
        left = await plant.open_ids()
        told = [one.text for one in ana.app.board.happenings if "not taken" in one.text]

    assert theirs in left
    still = {cell.name for cell in plant.cells if cell.leave.empty()}
    assert still == {theirs, held}
    assert any("ben" in text for text in told)


async def test_two_people_at_one_cause_never_answer_one_cell_twice(
    tmp_path: Path,
) -> None:
    async with flooded(tmp_path, undo_s=0.0) as plant:
        async with (
            plant.desk(ANA, go_on=False) as ana,
            plant.desk(BEN, go_on=False) as ben,
        ):
            for person in (ana, ben):
                await person.sees("one cause")
            await ana.press("n")
            await ana.sees("yours", "One cause: your answer is for")
            await ben.press("n")
            await ben.sees("yours")
            await asyncio.gather(ana.press("1"), ben.press("2"))
            for cell in plant.cells:
                await cell.permitted_ns()

        assert await plant.open_ids() == {}
        assert await plant.journalled("RequestAnswered") == 8
