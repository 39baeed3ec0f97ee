"""Who stands at a cell says so, and who cannot stay leaves the question to others."""

from __future__ import annotations

import pytest

from tests.tablet.conftest import OpenTablet
from tests.tablet.plant import Plant, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_who_stands_at_the_cell_says_so_and_others_see_it(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana, ben = await tablet(plant, "ana"), await tablet(plant, "ben")
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    await ben.tap(".question")
    await ben.see_text("ana is answering this")
    await ana.tap("button:has-text('I am at the cell')")

    await ana.see_text("you are at the cell")
    await ana.see_text("ana is at the cell", ".arrived")
    await ben.see_text("ana is at the cell", ".arrived")
    assert plant.request(request_id).arrived_by == "ana"


async def test_a_question_that_is_left_to_others_stays_open_for_them(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant, "ana")
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    await ana.tap("button:has-text('Leave it to others')")
    await ana.see(".question:has-text('tap to answer')")

    left = plant.request(request_id)
    assert (left.claimed_by, list(left.skipped_by)) == ("", ["ana"])
    ben = await tablet(plant, "ben")
    await ben.open_question("press-1")
    await ben.answer("good")
    await ben.see_text("Stored")
    await until(lambda: plant.cells["press-1"].permits[-1].label == "ok")
