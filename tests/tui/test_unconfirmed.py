"""A robot that does not confirm that it holds cannot be overlooked or overheard."""

from __future__ import annotations

import asyncio

import pytest

from tests.tui.pilot import LARGE, SMALL, desk
from tui import look
from tui.app import AndonApp
from tui.board import Board, CellChanged, Pictured, fold, look_at, rings
from tui.errands import core
from tui.terms import Cell, CellState, HoldReason, Presence


def deaf(coordinator, cell_id: str = "press-2", *, unconfirmed: bool = True) -> None:
    coordinator.put_cell(
        cell_id,
        "HELD",
        "OPERATOR_HOLD",
        text="ana pulled the cord.",
        hold_unconfirmed=unconfirmed,
    )


@pytest.fixture
def heard(monkeypatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr(AndonApp, "bell", lambda _: heard.append("bell"))
    return heard


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_it_is_said_on_top_of_every_screen_and_at_its_cell(
    coordinator, size
) -> None:
    async with desk(coordinator, size) as ana:
        await ana.sees("press-2")
        deaf(coordinator)
        await ana.sees(
            "HOLD UNCONFIRMED: press-2 does not confirm that it holds: go and look.",
            "NO HOLD",
        )
        await ana.sees("does not confirm")  # among what happened lately
        await ana.press("l")
        await ana.sees("MODELS", "press-2 does not confirm that it holds")


async def test_it_rings_at_once_again_and_again_and_stops_when_it_holds(
    coordinator, heard, monkeypatch
) -> None:
    monkeypatch.setattr(core, "ALARM_S", 0.1)

    async with desk(coordinator) as ana:
        await ana.sees("press-2")
        assert heard == []
        deaf(coordinator)
        await ana.until(lambda: len(heard) >= 3)
        deaf(coordinator, unconfirmed=False)
        await ana.sees_no("NO HOLD")
        await ana.sees("is known to hold")
        rung = len(heard)
        await asyncio.sleep(0.3)

    assert len(heard) == rung


async def test_it_rings_for_who_opens_a_terminal_later(coordinator, heard) -> None:
    deaf(coordinator)

    async with desk(coordinator) as ana:
        await ana.sees("NO HOLD")
        await ana.until(lambda: heard)


async def test_it_is_not_told_by_colour_alone(coordinator, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    deaf(coordinator)

    async with desk(coordinator, LARGE) as ana:
        await ana.sees("‼ NO HOLD", "HOLD UNCONFIRMED, go and look. ana pulled")


async def test_a_terminal_that_is_too_small_says_it_all_the_same(coordinator) -> None:
    deaf(coordinator)

    async with desk(coordinator, (60, 16)) as ana:
        await ana.sees("HOLD UNCONFIRMED: press-2", "TOO SMALL")


async def test_a_cell_that_is_only_watched_does_not_look_held(coordinator) -> None:
    coordinator.put_cell("press-2", "HELD", "BAD_DATA", text="gap", monitor_only=True)

    async with desk(coordinator, LARGE) as ana:
        await ana.sees("MONITOR ONLY, not held by andon. gap")


def pictured(*cells: Cell) -> Board:
    picture = Pictured(cells, (), Presence(), (), (), "test", 0.0)
    return fold(Board(), picture)


HELD = Cell("press-1", state=CellState.HELD, reason=HoldReason.OPERATOR_HOLD)
DEAF = Cell("press-1", state=CellState.HELD, hold_unconfirmed=True)


def test_the_sound_is_for_the_robot_that_was_not_known() -> None:
    held, deaf = pictured(HELD), pictured(DEAF)

    assert rings(held, deaf)
    assert not rings(deaf, deaf)
    assert not rings(deaf, held)


def test_what_happened_says_both_ends() -> None:
    board = fold(pictured(HELD), CellChanged(DEAF, 1.0))
    board = fold(board, CellChanged(HELD, 2.0))

    assert [h.text for h in board.happenings] == [
        "is known to hold",
        "does not confirm that it holds: go and look",
    ]


def test_several_are_named_together() -> None:
    assert look_at("press-1", "press-2") == (
        "press-1, press-2 do not confirm that they hold: go and look"
    )


@pytest.mark.parametrize("state", list(CellState))
def test_it_is_worse_than_any_state(state: CellState) -> None:
    cell = Cell("press-1", state=state, hold_unconfirmed=True)

    assert look.lamp(cell) is look.NO_HOLD
