"""Logging in at the terminal, over a real port, with the board in sight."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from andon.v1 import operator_pb2
from coordinator.terms import events
from tests.coordinator.service.people_world import PIN, Front, bearer
from tests.coordinator.service.service_world import ServiceWorld
from tests.tui.conftest import HandClock
from tests.tui.pilot import SMALL, Desk
from tui.app import AndonApp
from tui.board import RequestChanged, fold
from tui.door import FrontDoor
from tui.link import Link
from tui.terms import Actor, Outcome

pytestmark = pytest.mark.slow
DESK = Actor("owner", "desk-1")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ServiceWorld]:
    opened = await ServiceWorld.open(tmp_path)
    yield opened
    await opened.close()


@asynccontextmanager
async def terminal(
    world: ServiceWorld, clock: HandClock | None = None
) -> AsyncIterator[Desk]:
    app = AndonApp(world.address, DESK, clock)
    async with app.run_test(size=SMALL) as pilot:
        yield Desk(app, pilot)


async def people(world: ServiceWorld) -> Front:
    front = Front(world.channel)
    await front.add("ana", shown="Ana Berg")
    await front.add("ben", "supervisor")
    return front


async def test_without_accounts_nobody_is_asked(world: ServiceWorld) -> None:
    async with terminal(world) as desk:
        await desk.sees("press-1", "owner")
        await desk.press("f5")

        await desk.sees("there are no accounts")
        assert "Who are you?" not in desk.text


async def test_a_name_a_pin_and_the_board_is_open(world: ServiceWorld) -> None:
    await people(world)
    async with terminal(world) as desk:
        await desk.sees("Who are you?", "Ana Berg", "press-1", "nobody is logged in")
        await desk.press(*"271828", "enter")
        await desk.sees("The name or the PIN is wrong.")
        await desk.press(*PIN)
        await desk.sees("● ● ● ● ● ●")
        assert PIN not in desk.text
        await desk.press("enter")

        await desk.sees("Ana Berg is logged in as operator.", " Ana Berg  operator")
        assert "Who are you?" not in desk.text
        await desk.until(lambda: world.plant.attendance().people == ("ana",))


async def test_the_cord_needs_no_login(world: ServiceWorld) -> None:
    await people(world)
    await world.working()
    async with terminal(world) as desk:
        await desk.sees("Who are you?", "press-1")
        await desk.press("h")

        await desk.sees("HELD")
        assert "Who are you?" in desk.text
    [held] = await world.journal(events.HoldPlaced)
    assert held.actor is not None
    assert (held.actor.person, held.actor.verified) == ("owner", False)


async def test_a_typed_name_may_have_an_h_and_f8_holds(world: ServiceWorld) -> None:
    front = await people(world)
    await front.add("hugh")
    await world.working()
    async with terminal(world) as desk:
        await desk.sees("Who are you?", "press-1")
        await desk.press("t", *"hugh")
        await desk.sees("Name  hugh")
        await desk.press("f8")
        await desk.sees("HELD")
        await desk.press("enter", *PIN, "enter")

        await desk.sees("hugh is logged in")


async def test_another_person_in_one_key(world: ServiceWorld) -> None:
    node, _ = await world.asked()
    await people(world)
    async with terminal(world) as desk:
        await desk.sees("Who are you?")
        await desk.press(*PIN, "enter")
        await desk.sees("Ana Berg is logged in")
        await desk.press("n")
        await desk.sees("yours")
        await desk.press("f5")
        await desk.sees("Who are you?", "Logged out.")
        await desk.until(lambda: world.plant.requests.all_open()[0].claimed_by == "")
        await desk.press("down", *PIN, "enter")

        await desk.sees("ben is logged in as shift lead.")
    ended = await world.journal(events.PersonSessionEnded)
    assert [one.person for one in ended] == ["ana"]
    await node.leave()


async def test_a_terminal_that_nobody_touches_locks(world: ServiceWorld) -> None:
    await people(world)
    clock = HandClock()
    async with terminal(world, clock) as desk:
        await desk.sees("Who are you?")
        await desk.press(*PIN, "enter")
        await desk.sees("Ana Berg is logged in")
        clock.now_s += 119
        await desk.press("tab")
        clock.now_s += 119
        await desk.pilot.pause(1.2)
        assert "Who are you?" not in desk.text
        clock.now_s += 1

        await desk.sees(
            "Who are you?", "Locked: nobody touched this terminal.", "CELLS"
        )
        await desk.until(lambda: world.plant.people.sessions.all() == [])


async def test_who_is_locked_out_hears_of_it(world: ServiceWorld) -> None:
    node, _ = await world.asked()
    front = await people(world)
    async with terminal(world) as desk:
        await desk.sees("Who are you?")
        await desk.press(*PIN, "enter")
        await desk.sees("Ana Berg is logged in")
        await front.change("ana", locked=True)
        await desk.press("n")

        await desk.sees("Who are you?", "The login has ended.")
        await desk.press(*PIN, "enter")
        await desk.sees("This account is locked.", "QUESTIONS")
    await node.leave()
    said = await world.journal(events.RequestClaimed)
    assert said == []


async def test_the_answer_is_that_of_who_is_logged_in(world: ServiceWorld) -> None:
    node, summary = await world.asked()
    await people(world)
    async with terminal(world) as desk:
        await desk.sees("Who are you?")
        await desk.press(*PIN, "enter")
        await desk.sees("Ana Berg is logged in")
        await desk.press("n")
        await desk.sees("yours")
        await desk.pilot.pause(0.6)
        await desk.press("1")
        await desk.until(lambda: not world.plant.requests.all_open())
    [answered] = await world.journal(events.RequestAnswered)
    assert answered.actor.person == "ana"
    assert answered.actor.device == "desk-1"
    assert answered.actor.verified
    got = await world.operators.ListRequests(
        operator_pb2.ListRequestsRequest(include_ended=True),
        metadata=bearer((await Front(world.channel).login("ben", "x")).token),
    )
    assert got.requests[0].request_id == summary.request_id
    await node.leave()


async def test_a_blind_question_shows_the_guess_after_the_first_word(
    world: ServiceWorld,
) -> None:
    node, _ = await world.asked()
    await people(world)
    world.plant.people = replace(world.plant.people, blind_share=1.0)
    async with terminal(world) as desk:
        await desk.sees("Who are you?")
        await desk.press(*PIN, "enter")
        await desk.sees("Ana Berg is logged in")
        await desk.press("n")
        await desk.sees("yours", "Asked without the model")
        assert "0.50" not in desk.text
        await desk.pilot.pause(0.6)
        await desk.press("2")
        await desk.sees("You said misaligned, the model says ok.", "0.50")
        await desk.pilot.pause(0.6)
        await desk.press("2")
        await desk.until(lambda: not world.plant.requests.all_open())
    [answered] = await world.journal(events.RequestAnswered)
    assert (answered.first_label, answered.label) == ("misaligned", "misaligned")
    await node.leave()


async def test_a_program_answers_in_a_session_that_was_begun_elsewhere(
    world: ServiceWorld,
) -> None:
    node, summary = await world.asked()
    front = await people(world)
    login = await front.login("ana", "cli-1")
    link = Link(world.address, DESK)

    await FrontDoor(link).enter(login.token)
    claim = await link.claim(summary.request_id, "key-1")
    await link.close()

    [claimed] = await world.journal(events.RequestClaimed)
    assert claim.epoch == 1
    assert (claimed.actor.person, claimed.actor.device) == ("ana", "cli-1")
    await node.leave()


async def test_who_has_to_log_in_first_comes_back_to_the_question(
    world: ServiceWorld,
) -> None:
    await world.asked()
    async with terminal(world) as desk:
        await desk.sees("press-1", "owner")
        await people(world)
        await desk.press("n")
        await desk.sees("Who are you?")
        await desk.press(*PIN, "enter")

        await desk.sees("Ana Berg is logged in", "1-4 answer", "yours")


async def test_after_a_login_a_question_that_is_over_is_not_shown(
    world: ServiceWorld,
) -> None:
    await world.asked()
    async with terminal(world) as desk:
        await desk.sees("press-1", "owner")
        await people(world)
        await desk.press("n")
        await desk.sees("Who are you?")
        [request] = desk.app.board.requests
        over = RequestChanged(replace(request, outcome=Outcome.SUPERSEDED), 0.0)
        desk.app.board = fold(desk.app.board, over)
        await desk.press(*PIN, "enter")

        await desk.sees("Ana Berg is logged in", "CELLS")
        assert "1-4 answer" not in desk.text
