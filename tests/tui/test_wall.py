"""The wall: who waits and how long, read from afar; nothing on it changes anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from andon.v1.insight_pb2 import TeamCatches
from tests.tui.conftest import ANA, until
from tests.tui.pilot import LARGE, SMALL, Desk
from tui.screens.wall import waiting
from tui.wall import WallApp
from tui.widgets.big import ROWS, big
from tui.words import speak


@asynccontextmanager
async def wall(coordinator, size=SMALL) -> AsyncIterator[Desk]:
    app = WallApp(f"127.0.0.1:{coordinator.port}", ANA)
    async with app.run_test(size=size) as pilot:
        yield Desk(app, pilot)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_it_says_who_waits_and_that_nobody_is_at_it(coordinator, size) -> None:
    coordinator.ask("press-2", 17, {"grip_slip": 0.6, "ok": 0.4})
    coordinator.put_cell("press-3", "HELD", "BAD_DATA", text="force_z is stuck")

    async with wall(coordinator, size) as seen:
        await seen.sees("CELLS WAIT", "THE LONGEST", "███")
        await seen.sees("▲ ASKING", "press-2", "NOBODY YET.", "grip_slip at 0.60")
        await seen.sees("■ HELD", "press-3", "force_z is stuck")
        await seen.sees("● working", "press-1")


async def test_it_says_what_teams_caught_where_the_plant_wants_it(coordinator) -> None:
    caught = TeamCatches(faults=5, errors=2, known=7, known_right=6)
    coordinator.insight.teams = [caught]

    async with wall(coordinator, LARGE) as seen:
        await seen.sees("NONE WAITS", "What people caught, the last 8 hours")
        await seen.sees("errors in audits: 2 · known cases right: 6 of 7")


async def test_it_says_when_nobody_waits(coordinator) -> None:
    async with wall(coordinator) as seen:
        await seen.sees("NONE WAITS", "● working   press-1  press-2  press-3")


async def test_it_does_not_count_as_somebody_who_answers(coordinator) -> None:
    coordinator.nobody = True

    async with wall(coordinator) as seen:
        await seen.sees("NONE WAITS", "nobody answers", "NOBODY IS ANSWERING")
        assert coordinator.people == []


async def test_a_flood_of_questions_is_said_as_one(coordinator) -> None:
    coordinator.flood = True

    async with wall(coordinator) as seen:
        await seen.sees("MANY QUESTIONS: 14 in 10 minutes.")


async def test_no_key_of_the_desk_does_anything(coordinator) -> None:
    coordinator.ask("press-2", 17, {"grip_slip": 0.6, "ok": 0.4})

    async with wall(coordinator) as seen:
        await seen.sees("▲ ASKING")
        for key in ("enter", "n", "h", "H", "H", "r", "1", "u", "M", "p", "T", "b"):
            await seen.press(key)
        await seen.sees("▲ ASKING")

    assert coordinator.calls == []
    assert coordinator.learning.calls == []


async def test_more_cells_than_there_is_room_for_are_counted(coordinator) -> None:
    for number in range(1, 13):
        coordinator.put_cell(f"press-{number}", "HELD", "LINK_LOST")

    async with wall(coordinator) as seen:
        await seen.sees("more wait")


async def test_it_comes_back_by_itself(coordinator) -> None:
    async with wall(coordinator) as seen:
        await seen.sees("NONE WAITS")
        await coordinator.stop()
        await seen.sees("NOT CONNECTED")
        await coordinator.start()
        await seen.sees_no("NOT CONNECTED")
        await until(lambda: seen.app.board.connected)


async def test_who_waits_longest_comes_first_after_a_robot_that_may_move(
    coordinator,
) -> None:
    coordinator.put_cell("press-1", "HELD", "BAD_DATA")
    coordinator.put_cell("press-3", "HELD", "LINK_LOST", hold_unconfirmed=True)

    async with wall(coordinator) as seen:
        await seen.sees("NO HOLD")
        assert [c.cell_id for c in waiting(seen.app.board)] == ["press-3", "press-1"]


def test_digits_are_blocks_of_a_size() -> None:
    rows = big("10:2")

    assert len(rows) == ROWS
    assert len({len(row) for row in rows}) == 1
    assert len(big("1", 2)) == 2 * ROWS


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_it_says_in_german_why_a_cell_asks(coordinator, size) -> None:
    coordinator.words = {"de": {"grip_slip": "abgerutscht"}}
    coordinator.ask("press-2", 17, {"grip_slip": 0.6, "ok": 0.4})

    async with wall(coordinator, size) as seen:
        speak("de")
        await seen.sees("▲ FRAGT", "Nicht sicher genug: abgerutscht?")
        await seen.sees_no("is less sure than")
