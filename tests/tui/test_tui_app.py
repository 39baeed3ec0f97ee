"""What a person at the terminal sees and does, against a real server."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs
from textual.widgets import Static

from tests.tui.conftest import BEN, until
from tests.tui.pilot import LARGE, SMALL, desk
from tui import seat
from tui.app import AndonApp
from tui.link import Link
from tui.screens.dialogs import ReleaseDialog
from tui.screens.frame import Frame
from tui.terms import Actor
from tui.words import speak

BY_BEN = "ben pulled the cord."
SLIP = {"grip_slip": 0.6, "ok": 0.3, "missing_part": 0.07, "misaligned": 0.03}


@pytest.fixture(autouse=True)
def _quick_eyes(monkeypatch) -> None:
    """People in tests need no half second to look."""
    monkeypatch.setattr(seat, "LOOK_S", 0.0)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_the_board_says_of_each_cell_what_it_waits_for(coordinator, size) -> None:
    coordinator.ask("press-2", 17, SLIP)
    coordinator.put_cell("press-3", "HELD", "STOP_LABEL", text="a person must look")

    async with desk(coordinator, size) as ana:
        await ana.sees("press-1", "● working")
        await ana.sees(
            "press-2", "▲ ASKING", "grip_slip at 0.60 is less sure than 0.90"
        )
        await ana.sees("press-3", "■ HELD", "a person must look")
        await ana.sees("QUESTIONS 1", "0:5", "free")
        await ana.sees("peg", "no model yet", "ASK_ALL", "40 more until")
        await ana.sees("Enter", "? help")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_a_request_shows_why_and_what_and_until_when(coordinator, size) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator, size) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("press-2", "part A-1017", "yours")
        await ana.sees("why grip_slip at 0.60 is less sure than 0.90")
        await ana.sees("gripper_effort", "50 %", "max", "min", "1-", "of 24")
        await ana.sees("1  part slipped in the gripper", "60 %", "rework")
        await ana.sees("0  cannot tell", "m  other labels")
        await ana.sees("then the cell stays held")


async def test_without_colour_every_state_is_still_told(
    coordinator, monkeypatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    coordinator.put_cell("press-3", "HELD", "BAD_DATA")

    async with desk(coordinator) as ana:
        await ana.sees("■ HELD", "● working", "a sensor cannot be used")
        assert ana.app.no_color


async def test_an_answer_is_one_key_and_the_next_question_opens(coordinator) -> None:
    coordinator.ask("press-2", 17, SLIP, deadline_s=30)
    coordinator.ask("press-1", 9, SLIP, deadline_s=60)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 2")
        await ana.press("enter")
        await ana.sees("press-2", "yours")
        await ana.press("2")
        await ana.sees("press-1", "yours", "press-2: good. The cell goes on in")
        await ana.press("1")
        await ana.sees("CELLS", "Nothing is asked.")

    assert coordinator.answers() == {"r-press-2-17": "ok", "r-press-1-9": "grip_slip"}


async def test_with_stay_an_answer_leads_back_to_the_board(coordinator) -> None:
    coordinator.ask("press-2", 17, SLIP, deadline_s=30)
    coordinator.ask("press-1", 9, SLIP, deadline_s=60)

    async with desk(coordinator, go_on=False) as ana:
        await ana.sees("QUESTIONS 2")
        await ana.press("n")
        await ana.sees("yours")
        await ana.press("1")
        await ana.sees("QUESTIONS 1", " s: rework")


async def test_the_labels_that_are_not_likely_are_one_key_away(coordinator) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        await ana.press("m")
        await ana.sees("1  collision", "stop the cell")
        await ana.press("1")
        await ana.sees("The cell is held: look at it")

    assert coordinator.answers() == {"r-press-2-17": "collision"}


async def test_a_key_before_the_claim_is_not_dropped_in_silence(
    coordinator, monkeypatch
) -> None:
    coordinator.ask("press-2", 17, SLIP)
    going = asyncio.Event()
    claim = Link.claim

    async def slow_claim(link, *args, **how):
        await going.wait()
        return await claim(link, *args, **how)

    monkeypatch.setattr(Link, "claim", slow_claim)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("1  part slipped", "opening")
        await ana.press("1")
        await ana.sees("Not yet")
        assert coordinator.answers() == {}
        going.set()
        await ana.sees("yours")


async def test_leaving_lets_somebody_else_answer(coordinator) -> None:
    request_id = coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        await ana.press("escape")
        await ana.sees("CELLS", "free")

        assert coordinator.requests[request_id].summary.claimed_by == ""


async def test_closing_the_terminal_gives_the_claim_back(coordinator) -> None:
    request_id = coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")

    assert coordinator.requests[request_id].summary.claimed_by == ""


@pytest.mark.slow
async def test_every_key_that_a_screen_offers_is_bound(coordinator) -> None:
    names = {
        "Enter": "enter",
        "Tab": "tab",
        "Esc": "escape",
        "?": "question_mark",
        "]": "right_square_bracket",
        "^P": "ctrl+p",
        "PgDn": "pagedown",
    }
    coordinator.ask("press-2", 17, SLIP)
    coordinator.put_cell("press-3", "HELD", "BAD_DATA")

    async with desk(coordinator, LARGE) as ana:
        await ana.sees("QUESTIONS 1", "HELD")
        for opened, sign in (
            ("", "r release"),
            ("n", "yours"),
            ("l", "p promote"),
            ("N", "1 hour"),
            ("J", "PgDn earlier"),
            ("O", "Esc back"),
        ):
            if opened:
                await ana.press(opened)
            await ana.sees(sign)
            screen = ana.app.screen
            assert isinstance(screen, Frame)
            offered = {key for key, _ in screen.keys(ana.scene)} - {"1-4", "↑↓"}
            bound = set(screen.active_bindings)
            assert {names.get(key, key) for key in offered} <= bound
            if opened:
                await ana.press("escape")


async def test_q_leaves(coordinator) -> None:
    async with desk(coordinator) as ana:
        await ana.sees("● working")
        await ana.press("q")
        await ana.until(lambda: not ana.app.is_running)


@pytest.mark.slow
async def test_two_people_at_one_request_know_of_each_other(coordinator) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana, desk(coordinator, actor=BEN) as ben:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        await ben.sees("ana is at it")
        await ben.press("enter")
        await ben.sees("ana has it", "ana is answering this request.")
        await ben.press("1")
        await ben.sees("It is not yours")
        await ben.press("t")
        await ben.sees("yours")
        await ana.sees("ben took it over.", "ben has it")
        await ben.press("1")
        await ana.sees("ben answered: part slipped in the gripper.", "Enter")

    assert coordinator.answers() == {"r-press-2-17": "grip_slip"}


async def test_a_refusal_is_shown_in_its_own_sentence(coordinator) -> None:
    coordinator.put_cell("press-3", "HELD", "BAD_DATA")

    async with desk(coordinator) as ana:
        await ana.sees("■ HELD")
        await ana.press("r")
        await ana.sees("a sensor cannot be used", "in your name")
        coordinator.put_cell("press-3", "HELD", "SAFETY_STOP_SEEN")
        await ana.press("c")
        await ana.sees("press-3 is held for a worse reason by now: SAFETY_STOP_SEEN.")

    assert "release press-3 CONTINUE" in coordinator.calls


@pytest.mark.parametrize(
    ("key", "fate"),
    [("c", "CONTINUE"), ("w", "REWORK"), ("x", "REJECT"), ("j", "UNSPECIFIED")],
)
async def test_a_held_cell_is_released_with_a_word_about_its_part(
    coordinator, key, fate
) -> None:
    coordinator.put_cell("press-3", "HELD", "STOP_LABEL", text="ben says collision")

    async with desk(coordinator) as ana:
        await ana.sees("■ HELD")
        await ana.press("r")
        await ana.sees("Look at the cell.", "ben says collision")
        await ana.press(key)
        await ana.sees("press-3 released by ana")

    assert f"release press-3 {fate}" in coordinator.calls


@pytest.mark.parametrize(
    ("language", "why"),
    [
        ("en", "ben pulled the cord."),
        ("de", "von Hand angehalten (ben pulled the cord)"),
    ],
)
async def test_why_a_cell_is_held_is_said_once(coordinator, language, why) -> None:
    coordinator.put_cell("press-3", "HELD", "OPERATOR_HOLD", text=BY_BEN)

    async with desk(coordinator) as ana:
        await ana.sees("■ HELD")
        speak(language)
        await ana.press("r")
        await ana.until(lambda: isinstance(ana.app.screen, ReleaseDialog))
        dialog = str(ana.app.screen.query_one(Static).content)

    assert dialog.splitlines()[1] == why
    assert dialog.count("ben") == 1
    assert dialog.count("held by hand") == 0


async def test_a_release_can_be_thought_better_of(coordinator) -> None:
    coordinator.put_cell("press-3", "HELD", "STOP_LABEL")

    async with desk(coordinator) as ana:
        await ana.sees("■ HELD")
        await ana.press("r")
        await ana.sees("in your name")
        await ana.press("escape")
        await ana.sees_no("in your name")

    assert not [call for call in coordinator.calls if "release" in call]


async def test_the_cord_of_one_cell_is_one_key(coordinator) -> None:
    async with desk(coordinator) as ana:
        await ana.sees("● working")
        await ana.press("tab", "down", "h")
        await ana.sees("■ HELD", "Held: press-2.")

    assert "hold press-2" in coordinator.calls


async def test_the_cord_of_all_cells_takes_two_presses(
    coordinator, monkeypatch
) -> None:
    monkeypatch.setattr("tui.screens.board.TWICE_S", 60.0)

    async with desk(coordinator) as ana:
        await ana.sees("● working")
        await ana.press("H")
        await ana.sees("Press H again to hold all 3 cells.")
        assert not [call for call in coordinator.calls if call.startswith("hold")]
        await ana.press("H")
        await ana.sees("Held: press-1, press-2, press-3.")


async def test_a_hold_that_could_not_be_recorded_says_so(coordinator) -> None:
    coordinator.never_recorded = True

    async with desk(coordinator) as ana:
        await ana.sees("● working")
        await ana.press("h")
        await ana.sees("Held: press-1. It could not be recorded.")


async def test_a_hold_into_silence_says_that_it_did_not_hold(coordinator) -> None:
    async with desk(coordinator) as ana:
        await ana.sees("● working")
        await coordinator.stop()
        await ana.sees("NOT CONNECTED: answers are not being sent.")
        await ana.press("h")
        await ana.sees("NOT HELD, use the cell's own stop.")


@pytest.mark.slow
async def test_the_open_request_and_its_answer_survive_a_lost_link(
    coordinator,
) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        await coordinator.stop()
        await ana.sees("NOT CONNECTED")
        await ana.press("1")
        await ana.sees("NOT SENT.", "Esc drops it: 'part slipped")
        assert coordinator.answers() == {}
        await coordinator.start()
        await ana.sees("Nothing is asked.")
        await ana.sees_no("NOT CONNECTED")

    assert coordinator.answers() == {"r-press-2-17": "grip_slip"}


async def test_an_answer_that_was_dropped_is_said_to_be(coordinator) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        await coordinator.stop()
        await ana.press("1")
        await ana.sees("NOT SENT")
        await ana.press("escape")
        await ana.sees("Dropped: 'part slipped in the gripper' may not")
        await coordinator.start()
        await ana.sees("QUESTIONS 1")

    assert coordinator.answers() == {}


async def test_a_wrong_address_is_said_and_tried_again() -> None:
    app = AndonApp("127.0.0.1:1", Actor("ana", "desk-1"))

    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause(0.3)
        strips = app.screen._compositor.render_strips()
        text = "\n".join(strip.text for strip in strips)

        assert "NOT CONNECTED" in text
        assert "No picture yet from 127.0.0.1:1" in text


async def test_nobody_answering_cannot_be_overlooked(coordinator) -> None:
    async with desk(coordinator) as ana:
        await ana.sees("● working")
        coordinator.nobody = True
        coordinator.tell_presence()
        await ana.sees("NOBODY IS ANSWERING")


async def test_missed_changes_are_said(coordinator) -> None:
    async with desk(coordinator) as ana:
        await ana.sees("● working")
        coordinator.tell_missed(7)
        await ana.sees("7 changes missed, refreshed.")


async def test_a_new_question_rings_and_an_audit_does_not(
    coordinator, monkeypatch
) -> None:
    rings: list[str] = []
    monkeypatch.setattr(AndonApp, "bell", lambda _: rings.append("ring"))
    coordinator.ask("press-1", 1, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        assert rings == []
        coordinator.ask("press-3", 8, SLIP, audit=True)
        await ana.sees("AUDITS 1")
        assert rings == []
        coordinator.ask("press-2", 17, SLIP)
        await ana.sees("QUESTIONS 2")

    assert rings == ["ring"]


async def test_an_answer_can_be_taken_back_while_it_is_not_final(coordinator) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        await ana.press("1")
        await ana.sees("u takes back")
        await ana.press("u")
        await ana.sees("Taken back", "yours")

    assert coordinator.answers() == {}


async def test_a_final_answer_is_not_taken_back(coordinator) -> None:
    coordinator.undo_s = 0.0
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        await ana.press("1")
        await ana.sees("Nothing is asked.")
        await ana.press("u")
        await ana.sees("an answer is final")

    assert "undo r-press-2-17" not in coordinator.calls


async def test_what_cannot_be_told_is_not_asked_of_the_same_person_again(
    coordinator,
) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("n")
        await ana.sees("yours")
        await ana.press("0")
        await ana.sees("CELLS", "SHIFT LEAD", "It goes to the shift lead.")


async def test_learning_is_visible_with_its_progress(coordinator) -> None:
    async with desk(coordinator) as ana:
        coordinator.learning.put(
            phase="training", progress=0.5, time_left_s=8, examples=40, model_version=3
        )
        await ana.sees("model 3", "training", "50 %", "0:07 left", "40 examples")


@pytest.mark.slow
async def test_a_model_is_promoted_only_when_confirmed(coordinator) -> None:
    coordinator.learning.add_model("LIVE", risk=0.03)
    coordinator.learning.add_model("VALIDATED", risk=0.01)

    async with desk(coordinator) as ana:
        await ana.sees("● working")
        await ana.press("l")
        await ana.sees("model 2", "validated", "risk 0.010", "model 1", "LIVE")
        await ana.press("p")
        await ana.sees("Let model 2 serve?")
        await ana.press("n")
        await ana.sees_no("Let model 2 serve?")
        assert coordinator.learning.calls == []
        await ana.press("p", "y")
        await ana.sees("Model 2 is LIVE.", "retired")
        await ana.press("b", "y")
        await ana.sees("Rolled back: model 1 serves.")
        await ana.press("T", "y")
        await ana.sees("Training of peg begun: run-1.")
        await ana.press("escape")
        await ana.sees("CELLS")

    assert coordinator.learning.calls == ["promote 0202", "roll back peg", "train peg"]


async def test_help_names_every_key(coordinator) -> None:
    async with desk(coordinator) as ana:
        await ana.sees("● working")
        await ana.press("question_mark")
        await ana.sees("most urgent", "hold all", "journal", "▲ ASKING", "Ctrl+P")
        await ana.press("escape")
        await ana.sees_no("hold all")


async def test_a_small_terminal_says_so_and_works(coordinator) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator, (50, 15)) as ana:
        await ana.sees("TOO SMALL: 50x15")
        await ana.press("n")
        await ana.sees("1  part slipped", "yours")
        await ana.press("1")
        await ana.until(coordinator.answers)


@pytest.mark.slow
async def test_twenty_cells_scroll_and_the_cursor_stays_on_its_cell(
    coordinator,
) -> None:
    for number in range(4, 21):
        coordinator.put_cell(f"press-{number:02}", "WORKING")

    async with desk(coordinator) as ana:
        await ana.sees("more below")
        await ana.press("tab", *["down"] * 15)
        await ana.sees("▸ ● working  press-16", "more above")
        await ana.press("h")
        await ana.sees("Held: press-16.")


@pytest.mark.slow
async def test_no_size_of_a_terminal_ends_it(coordinator) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        for opened in ("", "n"):
            if opened:
                await ana.press(opened)
                await ana.sees("yours")
            for size in ((1, 1), (20, 5), (200, 60), SMALL):
                await ana.pilot.resize_terminal(*size)
                await ana.pilot.pause(0.2)
        await ana.sees("1  part slipped in the gripper")


async def test_a_crash_is_logged_and_is_no_success(coordinator, capsys) -> None:
    app = AndonApp(f"127.0.0.1:{coordinator.port}", Actor("ana", "desk-1"))

    async def crash() -> None:
        async with app.run_test():
            app.call_later(lambda: 1 / 0)
            await until(lambda: not app.is_running)

    with capture_logs() as logged, pytest.raises(ZeroDivisionError):
        await crash()

    capsys.readouterr()
    assert [entry["event"] for entry in logged][-1] == "crashed"
    assert app.return_code == 1


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_more_cells_than_three_are_in_sight_with_their_questions(
    coordinator, size
) -> None:
    for number in range(1, 8):
        coordinator.put_cell(f"press-{number}", "WORKING")
    for number in range(1, 5):
        coordinator.ask(f"press-{number}", number, SLIP)

    async with desk(coordinator, size) as ana:
        await ana.sees(*(f"press-{number}" for number in range(1, 8)))
        await ana.sees("QUESTIONS 4", "LEARNING", "LATELY")
        await ana.sees_no("more below")


async def test_two_hundred_cells_leave_room_for_the_questions(coordinator) -> None:
    for number in range(1, 201):
        coordinator.put_cell(f"cell-{number}", "WORKING")
    coordinator.ask("cell-7", 17, SLIP)

    async with desk(coordinator) as ana:
        await ana.sees("more below", "QUESTIONS 1", "grip_slip at 0.60", "LEARNING")
