"""Names, PINs and locks on the page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coordinator.terms import CellState
from tests.tablet.conftest import OpenTablet
from tests.tablet.plant import PIN, Plant, until
from tests.tablet.seat import open_tablet

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_login_is_a_name_and_a_pin_and_the_answer_is_the_persons(
    plant: Plant, tablet: OpenTablet
) -> None:
    await plant.add_person("ana")
    ana = await tablet(plant, "")
    await ana.log_in("Ana", PIN)
    await ana.see(".board")
    assert "Ana" in await ana.text(".top .person")
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    await ana.answer("good")
    await ana.see_text("Stored")

    (entry,) = await plant.answers(request_id)
    actor = json.loads(entry.payload_json)["actor"]
    assert actor["person"] == "ana"
    assert actor["verified"] is True
    assert actor["device"].startswith("tablet-")


async def test_a_wrong_pin_says_so_and_does_not_stay_in_sight(
    plant: Plant, tablet: OpenTablet
) -> None:
    await plant.add_person("ana")
    ana = await tablet(plant, "")
    await ana.tap(".names button")
    await ana.type_pin("000000")

    await ana.see(".login .standing.bad")
    assert await ana.count(".dots svg") == 0
    assert "000000" not in await ana.page.content()
    await ana.type_pin(PIN)
    await ana.see(".board")


async def test_nobody_answers_without_a_login_but_anybody_may_hold(
    plant: Plant, tablet: OpenTablet
) -> None:
    await plant.add_person("ana")
    nobody = await tablet(plant, "")
    await plant.cells["press-1"].ask()
    await nobody.see(".top .lamp.good")
    assert await nobody.count(".question") == 0
    await nobody.tap(".hold")
    await nobody.tap(".sheet button:has-text('press-2')")

    await until(lambda: plant.cells["press-2"].state is CellState.HELD)


async def test_the_next_person_needs_one_tap_and_the_question_is_free(
    plant: Plant, tablet: OpenTablet
) -> None:
    await plant.add_person("ana")
    await plant.add_person("ben")
    shared = await tablet(plant, "")
    await shared.log_in("Ana", PIN)
    request_id = await plant.cells["press-1"].ask()
    await shared.open_question("press-1")
    await shared.tap(".top .person")
    await until(lambda: plant.request(request_id).claimed_by == "")

    await shared.log_in("Ben", PIN)
    await shared.open_question("press-1")
    assert plant.request(request_id).claimed_by == "ben"


async def test_a_tablet_that_nobody_touches_locks_itself(
    plant: Plant, chromium: Any
) -> None:
    await plant.add_person("ana")
    async with open_tablet(chromium, plant.url) as ana:
        await ana.log_in("Ana", PIN)
        request_id = await plant.cells["press-1"].ask()
        await ana.tap(".question")
        await until(lambda: plant.request(request_id).claimed_by == "ana")
        await ana.page.clock.fast_forward("05:00")

        await ana.see_text("Locked")
        assert await ana.count(".request") == 0
        await until(lambda: plant.request(request_id).claimed_by == "")
        await ana.type_pin(PIN)
        await ana.see(".board")


async def test_a_session_that_was_ended_elsewhere_asks_for_the_pin(
    plant: Plant, tablet: OpenTablet
) -> None:
    await plant.add_person("ana")
    ana = await tablet(plant, "")
    await ana.log_in("Ana", PIN)
    await plant.cells["press-1"].ask()
    await ana.see(".question")
    for session in list(plant.coordinator.plant.people.sessions.all()):
        await plant.coordinator.plant.people.sessions.logout(session)
    # The watch may have said so before anybody taps.
    await ana.page.evaluate("document.querySelector('.question')?.click()")

    await ana.see(".pad")


async def test_without_accounts_a_name_is_enough_and_it_is_said_to_be_unverified(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant, "")
    assert "unverified" in await ana.text(".login")
    await ana.enter("ana")
    await ana.page.reload()

    await ana.see(".board")
    assert "ana" in await ana.text(".top .person")
    await ana.tap(".top .person")
    await ana.see(".names button:has-text('ana')")
