"""Answers that were not sent: kept, dropped by a word, shared by two pages."""

from __future__ import annotations

import pytest

from tests.tablet.conftest import OpenTablet
from tests.tablet.plant import Plant
from tests.tablet.seat import Tablet

pytestmark = [pytest.mark.browser, pytest.mark.slow]

UNSENT = ".banner:has-text('NOT SENT')"


async def answer_in_vain(plant: Plant, one: Tablet) -> None:
    """Answer while nobody can hear it."""
    plant.cut()
    await one.see_text("NOT CONNECTED")
    await one.look()
    await one.answer("good")
    await one.see(UNSENT)


async def test_an_answer_outlives_a_restart_of_the_coordinator(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    await answer_in_vain(plant, ana)
    await plant.restart()
    plant.mend()

    await ana.gone(UNSENT)
    assert await ana.count(".banner:has-text('NOT TAKEN')") == 0
    assert len(await plant.answers(request_id)) == 1


async def test_another_person_drops_an_answer_only_by_saying_so(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    await answer_in_vain(plant, ana)
    await ana.tap(".top .person")
    await ana.see_text("by ana", ".banners")
    assert "Seen" not in await ana.text(UNSENT)
    await ana.tap(f"{UNSENT} button:has-text('Drop it')")
    await ana.gone(UNSENT)
    plant.mend()
    await ana.enter("ana")

    assert await plant.answers(request_id) == []


async def test_two_pages_of_one_tablet_lose_no_answer_of_each_other(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    second = Tablet(await ana.page.context.new_page(), plant.url)
    await second.open()
    await second.enter("ana")
    asked = [await plant.cells[name].ask() for name in ("press-1", "press-2")]
    await ana.open_question("press-1")
    await second.open_question("press-2")
    await answer_in_vain(plant, ana)
    await second.see_text("NOT CONNECTED")
    await second.look()
    await second.answer("good")
    await second.see(f"{UNSENT} >> nth=1")
    await second.page.close()
    plant.mend()

    await ana.gone(UNSENT)
    assert [len(await plant.answers(one)) for one in asked] == [1, 1]


async def test_a_page_opens_whatever_a_tablet_has_kept(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await ana.page.evaluate(
        """() => {
          for (const key of ["andon.outbox", "andon.recent"]) localStorage[key] = "{";
          sessionStorage["andon.person"] = "?";
        }"""
    )
    await ana.page.reload()

    await ana.see(".login")
    await ana.enter("ana")
