"""What is shown before and after the first tap; a coordinator made for it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from coordinator.config.service import ServiceSection
from coordinator.service.web import Web
from tests.tablet.seat import Tablet, open_tablet
from tests.tui import fake_windows
from tests.tui.fake_coordinator import FakeCoordinator, make_coordinator

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BELIEFS = {"misaligned": 0.61, "ok": 0.28, "grip_slip": 0.08, "collision": 0.02}
Open = Callable[[], Awaitable[Tablet]]


@pytest_asyncio.fixture(loop_scope="session")
async def fake() -> AsyncIterator[FakeCoordinator]:
    """Three cells; what is asked is the test's to say."""
    coordinator = make_coordinator(undo_s=30.0)
    for number in (1, 2, 3):
        coordinator.put_cell(f"press-{number}", "WORKING")
    await coordinator.start()
    yield coordinator
    await coordinator.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def ana(chromium: Any, fake: FakeCoordinator) -> AsyncIterator[Tablet]:
    """A tablet at a page before it."""
    web = Web(ServiceSection())
    url = f"http://{await web.start(f'127.0.0.1:{fake.port}')}/"
    async with open_tablet(chromium, url) as one:
        await one.enter("ana")
        yield one
    await web.stop()


def ask(fake: FakeCoordinator, *, blind: bool) -> Any:
    request_id = fake.ask("press-2", 41, BELIEFS, truth="misaligned")
    response = fake.requests[request_id].response
    response.blind = blind
    for one in response.nearest:
        one.window.CopyFrom(fake_windows.window(one.label, 3))
    return response


async def test_a_blind_question_hides_what_the_model_thinks_until_the_first_tap(
    fake: FakeCoordinator, ana: Tablet
) -> None:
    response = ask(fake, blind=True)
    await ana.open_question("press-2")
    shown = await ana.text("main")
    order = await ana.texts(".answer b")
    assert "%" not in "".join(await ana.texts(".answer"))
    assert "0.61" not in shown
    assert "Say first what you see" in shown
    assert await ana.count(".alike") == 0
    family = [label.text for label in response.labels]
    assert order == sorted(order, key=family.index)

    await ana.answer("good")
    await ana.see_text("The model thinks: misaligned insertion, 61 %", ".sheet")
    assert fake.answers() == {}
    await ana.look()
    await ana.tap(".sheet button:has-text('Keep good')")
    await ana.see(".undo")
    assert fake.answers() == {response.summary.request_id: "ok"}


async def test_a_blind_answer_may_be_changed_and_both_taps_are_told(
    fake: FakeCoordinator, ana: Tablet
) -> None:
    response = ask(fake, blind=True)
    told: list[Any] = []
    taken = fake._take

    def take(request: Any, asked: Any) -> Any:
        told.append(request)
        return taken(request, asked)

    fake._take = take  # type: ignore[method-assign]
    await ana.open_question("press-2")
    await ana.answer("good")
    await ana.see(".sheet")
    await ana.look()
    await ana.tap(".sheet button:has-text('Change to misaligned')")
    await ana.see(".undo")

    assert fake.answers() == {response.summary.request_id: "misaligned"}
    assert [(one.label, one.first_label) for one in told] == [("misaligned", "ok")]


async def test_whoever_looks_again_sees_the_guess_and_answers_with_one_tap(
    fake: FakeCoordinator, ana: Tablet
) -> None:
    ask(fake, blind=True)
    await ana.open_question("press-2")
    await ana.answer("good")
    await ana.tap(".sheet button:has-text('Look again')")
    await ana.see(".answer .belief")
    await ana.look()
    await ana.answer("part slipped")

    await ana.see(".undo")
    assert list(fake.answers().values()) == ["grip_slip"]


async def test_an_open_question_shows_beliefs_and_lays_an_example_behind(
    fake: FakeCoordinator, ana: Tablet
) -> None:
    ask(fake, blind=False)
    await ana.open_question("press-2")
    assert "61 %" in await ana.text(".answer >> nth=0")
    before = await ana.page.evaluate(INK)
    await ana.tap(".alike button >> nth=1")
    await ana.see(".alike button[aria-pressed=true]")
    await ana.page.wait_for_timeout(200)

    assert await ana.page.evaluate(INK) != before


async def test_a_board_does_not_say_what_the_model_thinks(
    fake: FakeCoordinator, ana: Tablet
) -> None:
    """It would have answered before anybody looked."""
    ask(fake, blind=False)
    await ana.see(".question")

    board = await ana.text(".board")
    assert "misaligned" not in board
    assert "0.61" not in board


async def test_a_robot_that_does_not_confirm_its_hold_is_the_loudest_thing(
    fake: FakeCoordinator, ana: Tablet
) -> None:
    fake.put_cell("press-3", "HELD", "OPERATOR_HOLD", hold_unconfirmed=True)

    await ana.see_text("press-3: the robot does not confirm", ".banner.loud")
    assert "NO HOLD" in await ana.text(".cell.s-unconfirmed .band")


async def test_nobody_there_and_a_slow_tablet_are_told(
    fake: FakeCoordinator, ana: Tablet
) -> None:
    fake.nobody = True
    fake.tell_presence()
    await ana.see_text("Nobody is answering", ".queue")
    fake.put_cell("press-1", "IDLE")
    fake.tell_missed(7)

    await ana.see(".cell.s-idle")


INK = """() => document.querySelector(".trace canvas").toDataURL()"""
