"""From hand to hand at the terminal: arrive, leave it to others, give it by name."""

from __future__ import annotations

import pytest

from tests.tui.conftest import ANA, BEN, until
from tests.tui.pilot import LARGE, SMALL, Desk, desk
from tui import messages, seat
from tui.evidence import Phase
from tui.words import LANGUAGES, WORDS

SLIP = {"grip_slip": 0.6, "ok": 0.3, "missing_part": 0.07, "misaligned": 0.03}


@pytest.fixture(autouse=True)
def _quick_eyes(monkeypatch) -> None:
    """People in tests need no half second to look."""
    monkeypatch.setattr(seat, "LOOK_S", 0.0)


def mine(desk: Desk) -> str:
    """The cell whose question is open and claimed, or ""."""
    sitting = desk.scene.sitting
    if sitting is None or sitting.phase is not Phase.MINE or sitting.evidence is None:
        return ""
    return sitting.evidence.request.cell_id


async def at_question(ana: Desk) -> None:
    await ana.begins()
    await ana.press("n")
    await ana.sees("press-2", "yours")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_a_person_says_that_they_stand_at_the_cell(coordinator, size) -> None:
    request_id = coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator, size) as ana:
        await at_question(ana)
        await ana.press("i")
        await ana.sees("Noted: you are at press-2.", "you are at the cell", "yours")

    assert f"arrive {request_id}" in coordinator.calls


async def test_the_first_who_arrived_counts_and_the_next_is_told_who(
    coordinator,
) -> None:
    request_id = coordinator.ask("press-2", 17, SLIP)
    coordinator.requests[request_id].summary.arrived_by = "ben"

    async with desk(coordinator) as ana:
        await at_question(ana)
        await ana.sees("ben is at the cell")
        await ana.press("i")
        await ana.sees("ben is at press-2 already.")


async def test_what_is_left_to_others_is_given_back_and_the_next_opens(
    coordinator,
) -> None:
    request_id = coordinator.ask("press-2", 17, SLIP, deadline_s=30)
    coordinator.ask("press-1", 9, SLIP, deadline_s=60)

    async with desk(coordinator) as ana:
        await at_question(ana)
        await ana.press("s")
        await ana.sees("press-1", "yours", "Left to others: press-2.")

    summary = coordinator.requests[request_id].summary
    assert list(summary.skipped_by) == ["ana"]
    assert summary.claimed_by == ""
    assert coordinator.answers() == {}


async def test_the_only_question_left_to_others_leads_to_the_board(
    coordinator,
) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await at_question(ana)
        await ana.press("s")
        await ana.sees("CELLS", "QUESTIONS 1", "free", "Left to others: press-2.")
        await ana.press("n")
        await ana.sees("yours")


async def test_a_question_is_given_to_somebody_who_is_here(coordinator) -> None:
    request_id = coordinator.ask("press-2", 17, SLIP)

    async with (
        desk(coordinator, actor=BEN) as ben,
        desk(coordinator, actor=ANA) as ana,
    ):
        await ben.sees("2 connected")
        await ana.sees("2 connected")
        await at_question(ana)
        await ana.press("g")
        await ana.sees("Who gets this question?", "ben", "Enter chooses")
        assert "ana\n" not in ana.text.split("Who gets")[1].split("Enter")[0]
        await ana.press("enter")
        await ana.sees("CELLS", "press-2 is ben's now.")
        await ben.sees("you")

    assert coordinator.requests[request_id].summary.claimed_by == "ben"
    assert coordinator.answers() == {}


async def test_giving_it_can_be_left_and_nothing_is_said_to_the_coordinator(
    coordinator,
) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await at_question(ana)
        coordinator.people.append("ben")
        coordinator.tell_presence()
        await until(lambda: "ben" in ana.app.board.presence.people)
        await ana.press("g")
        await ana.sees("Who gets this question?")
        await ana.press("escape")
        await ana.sees("yours")

    assert not [call for call in coordinator.calls if call.startswith("give r")]


async def test_who_is_chosen_late_is_not_given_the_question_that_came_after(
    coordinator,
) -> None:
    first = coordinator.ask("press-2", 17, SLIP, deadline_s=30)
    coordinator.ask("press-1", 9, SLIP, deadline_s=60)
    coordinator.people.append("ben")

    async with desk(coordinator) as ana:
        await at_question(ana)
        # Two keys faster than the reply: the dialog asks about what is answered by now.
        ana.app.screen.post_message(messages.Say("grip_slip"))
        ana.app.screen.post_message(messages.HandOver())
        await ana.sees("Who gets this question?", "ben")
        await until(lambda: mine(ana) == "press-1")
        await ana.press("enter")
        await ana.sees("press-1", "yours")

        assert mine(ana) == "press-1"

    assert coordinator.answers().keys() == {first}
    assert not [call for call in coordinator.calls if call.startswith("give r")]


async def test_with_nobody_else_there_nobody_can_be_given_it(coordinator) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await at_question(ana)
        await ana.press("g")
        await ana.sees("Nobody else is here. Press s", "yours")


async def test_what_somebody_else_holds_can_be_neither_given_nor_left(
    coordinator,
) -> None:
    request_id = coordinator.ask("press-2", 17, SLIP)
    coordinator.requests[request_id].summary.claimed_by = "ben"
    coordinator.requests[request_id].claim_until_s = float("inf")

    async with desk(coordinator) as ana:
        await ana.sees("QUESTIONS 1")
        await ana.press("enter")
        await ana.sees("ben has it")
        for key in ("s", "g"):
            await ana.press(key)
            await ana.sees("It is not yours: press t to take it over.")

    assert coordinator.requests[request_id].summary.claimed_by == "ben"


async def test_a_claim_that_ran_out_is_said_and_can_be_taken_over(coordinator) -> None:
    request_id = coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await at_question(ana)
        coordinator.requests[request_id].summary.claim_epoch += 1
        await ana.press("s")
        await ana.sees("Your claim is an old one.", "t take over")


async def test_what_a_role_does_not_allow_is_said_without_its_token(
    coordinator,
) -> None:
    coordinator.ask("press-2", 17, SLIP)
    coordinator.only_supervisors = True

    async with desk(coordinator) as ana:
        await at_question(ana)
        await ana.press("s")
        await ana.sees("this needs a supervisor. Ask one.", "yours")
        assert "ROLE_REQUIRED" not in ana.text


async def test_without_a_link_the_person_is_told_that_it_may_not_have_arrived(
    coordinator,
) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await at_question(ana)
        await coordinator.stop()
        await ana.sees("NOT CONNECTED")
        await ana.press("s")
        await ana.sees("Not connected: it may not have arrived.", "yours")


async def test_help_names_the_keys_of_hands_and_no_key_does_two_things(
    coordinator,
) -> None:
    coordinator.ask("press-2", 17, SLIP)

    async with desk(coordinator) as ana:
        await at_question(ana)
        keys = ana.app.keys_of(ana.app.screen)
        each = [one for key in keys for one in key.keys.split()]
        await ana.press("question_mark")
        await ana.sees("I am at the cell", "leave it to others", "give it to somebody")

    assert len(each) == len(set(each))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_keys_of_hands_are_named_in_every_language(language) -> None:
    WORDS.speak(language)
    try:
        named = {WORDS.say(f"keys.{key}") for key in ("arrive", "skip", "hand_over")}
    finally:
        WORDS.speak(LANGUAGES[0])

    assert len(named) == 3
