"""Numbers, reports with their cases, the journal and the hand-over sheet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from andon.v1.insight_pb2 import TeamCatches
from tests.tui.conftest import until
from tests.tui.pilot import LARGE, SMALL, desk
from tui.board import Event
from tui.errands.about import about_what
from tui.link import Link
from tui.widgets.trend import trend

BOTH = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])


@BOTH
async def test_the_numbers_of_a_shift(coordinator, size) -> None:
    async with desk(coordinator, size) as ana:
        await ana.sees("● working")
        await ana.press("N")
        await ana.sees("NUMBERS OF the last 8 hours", "peg", "press-1", "4.5", "83 %")
        await ana.sees("decided alone", "█")
        await ana.sees("Decided alone and wrong: 1.1%, between 0.2% and 3.4%")
        await ana.press("1")
        await ana.sees("NUMBERS OF the last hour")
        await ana.press("escape")
        await ana.sees("CELLS")

    spans = [request.back.seconds for request in coordinator.insight.asked]
    assert spans == [8 * 3600, 3600]


@BOTH
async def test_a_team_board_where_the_plant_wants_one(coordinator, size) -> None:
    coordinator.insight.teams = [
        TeamCatches(faults=5, errors=2, known=7, known_right=6),
        TeamCatches(team="early", faults=3, errors=1),
    ]

    async with desk(coordinator, size) as ana:
        await ana.begins()
        await ana.press("N")
        await ana.sees("What people caught, the last 8 hours")
        await ana.sees("all together", "faults not guessed: 5")
        await ana.sees("early", "faults not guessed: 3 · errors in audits: 1")
        if size == LARGE:
            await ana.sees("known cases right: 6 of 7")


async def test_the_models_are_there_also_when_asked_for_before_anything_else(
    coordinator, monkeypatch
) -> None:
    coordinator.learning.add_model("LIVE", accuracy=0.96)
    watch, may_begin = Link.watch, asyncio.Event()

    async def watch_later(link: Link) -> AsyncIterator[Event]:
        await may_begin.wait()
        async for event in watch(link):
            yield event

    monkeypatch.setattr(Link, "watch", watch_later)
    async with desk(coordinator) as ana:
        await ana.press("l")
        await ana.sees("MODELS OF -")
        may_begin.set()
        await ana.sees("MODELS OF peg", "It may serve.")


async def test_nothing_is_said_of_what_was_not_measured(coordinator, monkeypatch):
    monkeypatch.setattr("tests.tui.fake_insight.NUMBERS", {"questions_count": 0.0})

    async with desk(coordinator) as ana:
        await ana.begins()
        await ana.press("N")
        await ana.sees("questions asked")
        await ana.sees_no("good parts at the first try")
        assert "0 %" not in ana.text.split("ALL NUMBERS")[0]


async def test_a_number_of_a_report_opens_its_cases_and_they_their_request(
    coordinator,
) -> None:
    coordinator.learning.add_model("LIVE", accuracy=0.96)
    request_id = coordinator.ask("press-2", 17, {"ok": 0.6, "misaligned": 0.4})
    coordinator.insight.cases[0].request_id = request_id

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("l")
        await ana.sees("It may serve.", "97 windows", "It is better on 97 held-out")
        await ana.press("v")
        await ana.sees("WHAT WAS SAID", "62✓", "2x", "85 %")
        await ana.press("down", "right", "right", "right", "right", "enter")
        await ana.sees("CASES OF MODEL 1", "misaligned, called ok", "2 of 2", "87 %")
        await ana.sees("A-1017")
        await ana.press("enter")
        await ana.sees("part A-1017", "why ok at 0.60")
        await ana.press("escape")
        await ana.sees("CASES OF MODEL 1")
        await ana.press("escape")
        await ana.sees("WHAT WAS SAID")

    (asked,) = coordinator.insight.asked
    assert (asked.truth, asked.said, asked.held_out) == ("misaligned", "ok", True)


async def test_the_mistakes_of_a_model_and_their_story(coordinator) -> None:
    coordinator.learning.add_model("LIVE", accuracy=0.96)

    async with desk(coordinator) as ana:
        await ana.begins()
        await ana.press("l")
        await ana.sees("It may serve.")
        await ana.press("enter")
        await ana.sees("CASES OF MODEL 1", "A-1017")
        assert coordinator.insight.asked[-1].wrong
        await ana.press("e")
        await ana.sees("JOURNAL", "request-17")

    assert coordinator.insight.asked[-1].about == "request-17"


@BOTH
async def test_the_pages_of_a_report(coordinator, size) -> None:
    coordinator.learning.add_model("LIVE", accuracy=0.96)

    async with desk(coordinator, size) as ana:
        await ana.begins()
        await ana.press("l")
        for words in (
            ("It may serve.",),
            ("was \\ said", "11✓"),
            ("decided alone", "If the surest half is decided alone: 0 % wrong."),
            ("sure", "95 %"),
            ("digest", "timeconv"),
        ):
            await ana.sees(*words)
            await ana.press("v")
        await ana.press("s")
        await ana.sees("REPORT: live windows", "Nothing is known of this yet.")


async def test_promoting_keeps_the_report_in_sight(coordinator) -> None:
    coordinator.learning.add_model("VALIDATED", accuracy=0.96)

    async with desk(coordinator) as ana:
        await ana.begins()
        await ana.press("l")
        await ana.sees("It may serve.")
        await ana.press("p")
        await ana.sees("Let model 1 serve?", "It is better on 97 held-out")


@BOTH
async def test_the_journal_newest_first_with_an_entry_and_its_story(
    coordinator, size
) -> None:
    async with desk(coordinator, size) as ana:
        await ana.begins()
        await ana.press("J")
        await ana.sees("JOURNAL", "everything", "✓ the newest 250 entries fit")
        await ana.sees("250", "press-1, cycle 250", "ENTRY", "follows the newest")
        await ana.press("down", "enter")
        await ana.sees("The story, oldest first:", "was answered misaligned by ana.")
        assert coordinator.insight.asked[-1].request_id == "request-249"
        await ana.press("escape")
        await ana.sees("#249", "RequestAnswered")
        await ana.press("escape")
        await ana.sees("CELLS")


async def test_the_journal_is_filtered_and_paged(coordinator) -> None:
    asked = coordinator.insight.asked

    async with desk(coordinator) as ana:
        await ana.begins()
        await ana.press("J")
        await ana.sees("#250")
        await ana.press("t")
        await ana.sees("Which kind of entry?", "RequestAnswered")
        await ana.press("enter")
        await until(lambda: any(list(r.kinds) == ["RequestAnswered"] for r in asked))
        await ana.press("c")
        await ana.sees("Which cell?", "press-3")
        await ana.press("down", "enter")
        await until(lambda: asked[-1].cell_id == "press-2")
        await ana.sees("press-2  RequestAnswered")
        await ana.press("x")
        await until(lambda: asked[-1].cell_id == "" and not asked[-1].kinds)
        await ana.press("pagedown")
        await until(lambda: asked[-1].page_token.endswith("151"))
        await ana.sees("#150", "earlier")
        await ana.press("pageup")
        await ana.sees("#250")


async def test_an_entry_about_no_request_says_so(coordinator) -> None:
    async with desk(coordinator) as ana:
        await ana.begins()
        await ana.press("J")
        await ana.sees("#250")
        await ana.press("o")
        await ana.sees("There was no request about it.")


@BOTH
async def test_the_sheet_says_what_waits_and_that_nothing_else_does(
    coordinator, size
) -> None:
    async with desk(coordinator, size) as ana:
        await ana.begins()
        await ana.press("O")
        await ana.sees("HAND-OVER", "Waits for an answer", "misaligned at 0.55")
        await ana.sees("Stands still now", "nothing", "model 2 serves peg")
        await ana.press("escape")
        await ana.sees("CELLS")


async def test_what_the_coordinator_refuses_is_said_as_it_says_it(coordinator) -> None:
    coordinator.learning.refuses = "operator may not; ask an engineer."
    coordinator.learning.add_model("VALIDATED", accuracy=0.96)

    async with desk(coordinator) as ana:
        await ana.begins()
        await ana.press("l")
        await ana.sees("validated")
        await ana.press("p", "y")
        await ana.sees("operator may not; ask an engineer.")


async def test_a_cell_is_taken_out_of_work_and_back_by_name(coordinator) -> None:
    async with desk(coordinator) as ana:
        await ana.sees("● working")
        await ana.press("tab", "M")
        await ana.sees("Take press-1 out of work?")
        await ana.press("y")
        await ana.sees("◇ service", "press-1 is out of work.")
        await ana.press("M", "y")
        await ana.sees("press-1 is back, and held")

    assert coordinator.calls[-2:] == [
        "maintenance press-1 on",
        "maintenance press-1 off",
    ]


async def test_a_muted_terminal_does_not_ring(coordinator, monkeypatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr("tui.app.AndonApp.bell", lambda self: rung.append(1))

    async with desk(coordinator) as ana:
        await ana.sees("● working")
        await ana.press("f4")
        await ana.sees("Muted")
        coordinator.ask("press-2", 17, {"ok": 0.6, "misaligned": 0.4})
        await ana.sees("QUESTIONS 1")
        assert rung == []
        await ana.press("f4")
        await ana.sees("It sounds when a question comes.")
        assert rung == [1]


async def test_another_theme_and_the_palette(coordinator) -> None:
    async with desk(coordinator) as ana:
        await ana.sees("● working")
        await ana.press("f3")
        await ana.sees("High contrast.")
        assert ana.app.theme == "andon-contrast"
        await ana.press("ctrl+p")
        await ana.sees("Search for commands")
        await ana.press(*"hand")
        await ana.sees("hand-over")
        await ana.press("enter")
        await ana.sees("HAND-OVER")


@pytest.mark.parametrize(
    ("payload", "about"),
    [
        ('{"actor":{},"request_id":"r-1","part_id":"p"}', "r-1"),
        ('{"part_id":"p-1"}', "p-1"),
        ('{"text":"none"}', ""),
    ],
)
def test_what_an_entry_is_about(payload: str, about: str) -> None:
    assert about_what(payload) == about


def test_only_a_request_can_be_opened() -> None:
    assert about_what('{"part_id":"p-1"}', requests_alone=True) == ""


def test_a_trend_is_a_block_a_value() -> None:
    assert trend([0.0, 0.5, 1.0, float("nan")]) == "▁▅█·"
    assert trend([0.5], top=1.0) == "▅"
    assert trend([0.0, 0.0]) == "▁▁"
