"""The line to the tablet is cut, goes silent, and comes back: nothing is pretended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from coordinator.terms import CellState
from tests.link.proxy import DOWN, Harm, Weather
from tests.tablet.conftest import MakePlant, OpenTablet
from tests.tablet.plant import SOON_S, Plant
from tests.tablet.seat import Tablet, open_tablet

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SLOW_S = 0.4
"""What an update may take without moving a deadline on the board."""


async def lost(one: Tablet) -> None:
    await one.wait_for(".banner:has-text('NOT CONNECTED')")


async def back(one: Tablet) -> None:
    await one.wait_for(".top .lamp.good")


def direct(plant: Plant) -> str:
    """The page by a line of its own."""
    return f"http://{plant.coordinator.server.web_address}/"


async def test_a_cut_line_is_told_and_the_picture_is_new_when_it_is_back(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    plant.cut()
    await lost(ana)
    await plant.cells["press-2"].ask()
    await plant.cells["press-3"].end()
    assert await ana.count(".question") == 0

    plant.mend()
    await back(ana)
    await ana.see(".question:has-text('press-2')")
    await ana.see(".cell.s-offline:has-text('press-3')")
    assert "NOT CONNECTED" not in await ana.text(".banners")


async def test_a_line_that_is_silent_is_not_taken_for_a_quiet_plant(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    plant.proxy.become(Weather(Harm.SILENCE))
    await lost(ana)

    plant.mend()
    await back(ana)


async def test_cards_keep_their_places_when_the_line_is_slow_for_a_moment(
    make_plant: MakePlant, tablet: OpenTablet
) -> None:
    plant = await make_plant(requests={"spread_share": 0.0})
    first = await plant.cells["press-1"].ask()
    await plant.cells["press-2"].ask()
    ana = await tablet(plant)
    await ana.see(".question >> nth=1")
    assert await ana.texts(".question .name") == ["press-1", "press-2"]

    plant.proxy.become(Weather(Harm.DELAY, DOWN, SLOW_S))
    await plant.claim(first)
    await ana.see_text("ben is answering it", ".question")
    assert await ana.texts(".question .name") == ["press-1", "press-2"]


async def test_an_answer_without_a_line_waits_and_is_sent_once(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    plant.cut()
    await lost(ana)
    await ana.answer("misaligned insertion")
    await ana.see_text("NOT SENT: press-1, 'misaligned insertion'", ".banners")
    await ana.see_text("NOT SENT", ".standing")
    assert await plant.answers(request_id) == []

    plant.mend()
    await ana.see_text("press-1: misaligned insertion. Stored")
    assert len(await plant.answers(request_id)) == 1
    assert "NOT SENT" not in await ana.text(".app")
    assert plant.cells["press-1"].permits[-1].label == "misaligned"


async def test_an_answer_whose_reply_was_lost_is_sent_again_and_counts_once(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    plant.proxy.become(Weather(Harm.SILENCE, DOWN))
    await ana.answer("good")
    async with asyncio.timeout(SOON_S):
        while not await plant.answers(request_id):  # noqa: ASYNC110 - on another line
            await asyncio.sleep(0.05)
    await lost(ana)

    plant.mend()
    await ana.see_text("press-1: good. Stored")
    assert len(await plant.answers(request_id)) == 1


async def test_an_unsent_answer_outlives_the_page(
    plant: Plant, tablet: OpenTablet
) -> None:
    """The service worker opens the page although nobody serves it."""
    ana = await tablet(plant)
    await ana.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    plant.cut()
    await lost(ana)
    await ana.answer("good")
    await ana.see_text("NOT SENT", ".banners")

    await ana.page.reload()
    await ana.see_text("NOT SENT: press-1, 'good'", ".banners")
    plant.mend()
    await ana.see_text("press-1: good. Stored")
    assert len(await plant.answers(request_id)) == 1


async def test_an_answer_that_comes_too_late_says_why(
    plant: Plant, tablet: OpenTablet, chromium: Any
) -> None:
    ana = await tablet(plant)
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    plant.cut()
    await lost(ana)
    await ana.answer("good")
    async with open_tablet(chromium, direct(plant)) as ben:
        await ben.enter("ben")
        await ben.tap(".question")
        await ben.tap("button:has-text('Take it over')")
        await ben.ready()
        await ben.answer("collision")
        await ben.see_text("Stored")

    plant.mend()
    await ana.see_text("NOT TAKEN: press-1, 'good'", ".banners")
    assert "no longer open" in await ana.text(".banners")
    await ana.tap(".banner button:has-text('Seen')")
    assert len(await plant.answers(request_id)) == 1
    await ana.gone(".banner.bad:has-text('NOT TAKEN')")


async def test_a_hold_that_does_not_arrive_says_so_loudly(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    plant.cut()
    await lost(ana)
    await ana.tap(".hold")
    await ana.tap(".sheet button:has-text('press-3')")

    await ana.see_text("HOLD NOT SENT: press-3", ".banner.loud")
    assert "Use the stop at the cell" in await ana.text(".banner.loud")
    assert plant.cells["press-3"].state is not CellState.HELD


async def test_a_claim_is_kept_while_it_is_looked_at(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    plant.cut()
    await lost(ana)
    plant.mend()
    await back(ana)
    await ana.ready()

    assert plant.request(request_id).claimed_by == "ana"
    await ana.answer("good")
    await ana.see_text("Stored")


async def test_a_coordinator_that_stops_takes_no_tablet_with_it(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    plant.coordinator.stop()
    await lost(ana)
