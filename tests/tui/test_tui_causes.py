"""In a flood one row stands for one cause, and one answer for all that ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.tui.conftest import BEN, until
from tests.tui.fake_coordinator import FakeCoordinator
from tests.tui.pilot import LARGE, SMALL, Desk, desk
from tests.tui.test_tui_board import make_picture, make_request
from tui import seat
from tui.board import Board, PresenceChanged, fold
from tui.terms import Presence, RequestKind

SLIP = {"grip_slip": 0.6, "ok": 0.3, "missing_part": 0.07, "misaligned": 0.03}
FLOOD = PresenceChanged(Presence(1, ("ana",), flood=True))


@pytest.fixture(autouse=True)
def _quick_eyes(monkeypatch) -> None:
    """People in tests need no half second to look."""
    monkeypatch.setattr(seat, "LOOK_S", 0.0)


@pytest.fixture
def four(coordinator: FakeCoordinator) -> list[str]:
    """Four cells that ask for one cause, in a flood; press-4 is the most urgent."""
    coordinator.flood = True
    asked = [
        coordinator.ask(f"press-{number}", 17, SLIP, deadline_s=60 + number)
        for number in (4, 5, 6, 7)
    ]
    coordinator.cause(*asked)
    return asked


@asynccontextmanager
async def at_cause(
    coordinator: FakeCoordinator, size: tuple[int, int] = LARGE
) -> AsyncIterator[Desk]:
    """Ana at the card of the cause."""
    async with desk(coordinator, size) as ana:
        await ana.sees("press-4 and 3 more: one cause")
        await ana.press("enter")
        await ana.sees("yours", "One cause: your answer is for")
        yield ana


def seen_with(desk: Desk, request_id: str) -> str:
    """Who is at a request, as this terminal knows."""
    request = desk.app.board.request(request_id)
    return request.claimed_by if request else ""


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_in_a_flood_one_row_stands_for_one_cause(coordinator, four, size) -> None:
    coordinator.ask("press-1", 3, SLIP, deadline_s=90)

    async with desk(coordinator, size) as ana:
        await ana.sees("MANY QUESTIONS: 14 in 10 minutes", "QUESTIONS 5")
        await ana.sees("press-4 and 3 more: one cause")
        rows = ana.text.split("QUESTIONS 5")[1]
        assert rows.count("one cause") == 1
        coordinator.flood = False
        coordinator.tell_presence()
        await ana.sees_no("one cause")
        await ana.sees("QUESTIONS 5")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_one_answer_is_for_all_and_says_for_whom(coordinator, four, size) -> None:
    async with at_cause(coordinator, size) as ana:
        await ana.sees("press-4, press-5, press-6, press-7", "o: only for")
        await ana.press("1")
        await ana.sees("CELLS", "Nothing is asked.")

    assert coordinator.answers() == dict.fromkeys(four, "grip_slip")
    assert f"answer all grip_slip: {' '.join(four)}" in coordinator.calls


async def test_who_moved_is_said_one_by_one_and_stays_open(coordinator, four) -> None:
    _, fifth, sixth, _ = four
    async with at_cause(coordinator) as ana:
        coordinator.scene_moves(fifth)
        coordinator.scene_moves(sixth)
        await ana.press("1")
        await ana.sees("NOT for press-5, press-6: look", "The same for press-7.")
        await ana.sees("press-5", "yours", "By itself: The scene is not the one it was")
        assert "One cause" not in ana.text
        assert coordinator.answers().keys() == {four[0], four[3]}
        await ana.press("2")
        await ana.sees("press-6", "yours", "By itself: The scene is not the one it was")
        await ana.press("escape")
        await ana.sees("CELLS", "QUESTIONS 1")
        told = [one.text for one in ana.app.board.happenings if "not taken" in one.text]

    assert len(told) == 2
    assert coordinator.answers() == {
        four[0]: "grip_slip",
        fifth: "ok",
        four[3]: "grip_slip",
    }


async def test_of_those_left_over_the_first_that_is_free_is_opened(
    coordinator, four
) -> None:
    _, fifth, sixth, seventh = four
    async with at_cause(coordinator) as ana:
        asked = coordinator.requests[fifth]
        asked.summary.claimed_by, asked.claim_until_s = BEN.person, float("inf")
        coordinator.changed(asked)
        coordinator.scene_moves(seventh)
        await until(lambda: seen_with(ana, fifth) == BEN.person)
        await ana.press("1")
        await ana.sees("NOT for press-5, press-7", "The same for press-6.")
        await ana.sees("press-7", "yours", "By itself: The scene is not the one it was")

    assert coordinator.answers().keys() == {four[0], sixth}
    assert f"claim {fifth}" not in " ".join(coordinator.calls)


async def test_when_the_shown_one_moved_it_is_looked_at_again(
    coordinator, four
) -> None:
    async with at_cause(coordinator) as ana:
        coordinator.scene_moves(four[0])
        await ana.press("1")
        await ana.sees("was not taken: The scene is not the one it was.", "yours")
        await ana.sees("Nothing was said of the others.", "for press-4, press-5")
        assert coordinator.answers() == {}
        await ana.press("1")
        await ana.sees("CELLS", "Nothing is asked.")

    assert coordinator.answers() == dict.fromkeys(four, "grip_slip")


async def test_only_the_one_that_is_shown_can_be_answered(coordinator, four) -> None:
    async with at_cause(coordinator) as ana:
        await ana.press("o")
        await ana.sees("your answer is for press-4 alone")
        await ana.press("1")
        await ana.sees("press-5", "One cause: your answer is for")

    assert coordinator.answers() == {four[0]: "grip_slip"}


async def test_who_cannot_tell_says_nothing_of_the_others(coordinator, four) -> None:
    async with at_cause(coordinator) as ana:
        await ana.press("0")
        await ana.sees("press-5", "yours")

    assert coordinator.answers() == {}
    assert not [call for call in coordinator.calls if "answer all" in call]


async def test_what_somebody_else_is_at_is_not_answered_with_the_others(
    coordinator, four
) -> None:
    asked = coordinator.requests[four[2]]
    asked.summary.claimed_by, asked.claim_until_s = BEN.person, float("inf")

    async with desk(coordinator, LARGE) as ana:
        await ana.sees("press-6 and 3 more: one cause", "ben")
        await ana.press("n")
        await ana.sees("yours", "for press-4, press-5, press-7")
        await ana.press("1")
        await ana.sees("CELLS", "QUESTIONS 1")

    assert coordinator.answers().keys() == {four[0], four[1], four[3]}


async def test_an_answer_for_all_that_nobody_confirmed_is_sent_again_as_it_was(
    coordinator, four
) -> None:
    async with at_cause(coordinator) as ana:
        coordinator.lose_replies = 1
        await ana.press("1")
        await ana.sees("NOT SENT")
        await coordinator.stop()
        await ana.sees("NOT CONNECTED")
        await asyncio.sleep(0)
        await coordinator.start()
        await ana.sees("CELLS", "Nothing is asked.")

    sent = [call for call in coordinator.calls if call.startswith("answer all")]
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert coordinator.answers() == dict.fromkeys(four, "grip_slip")


async def test_a_question_that_is_asked_blind_speaks_for_itself_alone(
    coordinator, four
) -> None:
    coordinator.requests[four[0]].response.blind = True

    async with desk(coordinator) as ana:
        await ana.sees("press-4 and 3 more: one cause")
        await ana.press("enter")
        await ana.sees("yours", "Asked without the model")
        await ana.press("2")
        await ana.sees("You said")
        assert "One cause" not in ana.text
        await ana.press("2")
        await ana.sees("press-5", "yours", "One cause: your answer is for")

    assert coordinator.answers().keys() == {four[0]}


async def test_outside_a_flood_each_question_is_answered_alone(
    coordinator, four
) -> None:
    coordinator.flood = False

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 4")
        assert "one cause" not in ana.text
        await ana.press("enter")
        await ana.sees("yours")
        await ana.press("o")
        await ana.sees("This question is asked alone.")
        await ana.press("1")
        await ana.sees("press-5", "yours")

    assert coordinator.answers() == {four[0]: "grip_slip"}


def test_audits_and_answers_that_wait_are_rows_of_their_own() -> None:
    asked = [
        make_request("r-1", group_id="g"),
        make_request("r-2", group_id="g"),
        make_request("r-3", group_id="g", pending_label="ok"),
        make_request("r-4", group_id="g", kind=RequestKind.AUDIT),
        make_request("r-5", group_id="h"),
        make_request("r-6"),
    ]
    board = fold(fold(Board(), make_picture(*asked)), FLOOD)

    found = [
        [card.request.request_id, *(r.request_id for r in card.others)]
        for card in board.cards
    ]

    assert found == [["r-1", "r-2"], ["r-3"], ["r-5"], ["r-6"], ["r-4"]]
    assert board.together("r-1", "ana") == ("r-1", "r-2")
    assert board.together("r-3", "ana") == ()


def test_a_cause_that_somebody_is_at_comes_after_one_that_nobody_is() -> None:
    asked = [
        make_request("r-1", group_id="g", claimed_by="ben"),
        make_request("r-2", group_id="g"),
        make_request("r-3", group_id="h", deadline_s=200.0),
    ]
    board = fold(fold(Board(), make_picture(*asked)), FLOOD)

    following = board.next_request("ana")

    assert following is not None
    assert following.request_id == "r-3"
