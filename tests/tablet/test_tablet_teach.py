"""Stored windows are labelled on the page, one after the other."""

from __future__ import annotations

import pytest

from tests.tablet.conftest import OpenTablet
from tests.tablet.plant import Plant

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def said(plant: Plant) -> list[str]:
    entries = await plant.coordinator.plant.store.entries(0, 100_000)
    return [entry.kind for entry in entries]


async def test_a_window_is_labelled_and_the_label_taken_back(
    plant: Plant, tablet: OpenTablet
) -> None:
    await plant.label_some(6)
    before = len(await said(plant))
    ana = await tablet(plant)
    await ana.tap(".tab:has-text('Teach')")
    await ana.see(".teach .answer:not([disabled])")
    assert "%" not in "".join(await ana.texts(".answers"))
    assert await ana.count(".answer") == 6
    await ana.look()
    await ana.answer("misaligned")
    await ana.tap("button:has-text('Take the last one back')")
    await ana.see(".teach .answer:not([disabled])")

    assert len(await said(plant)) > before + 1


async def test_where_nothing_is_to_be_labelled_the_page_says_so(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await ana.tap(".tab:has-text('Teach')")

    await ana.see_text("Nothing to label now")


async def test_a_window_that_somebody_left_is_there_for_the_next_person(
    plant: Plant, tablet: OpenTablet
) -> None:
    await plant.label_some(1)
    ana, cem = await tablet(plant, "ana"), await tablet(plant, "cem")
    await ana.tap(".tab:has-text('Teach')")
    await ana.see(".teach .answer:not([disabled])")
    async with ana.page.expect_response("**/ReturnTeachable"):
        await ana.tap(".tab:has-text('Board')")
    await cem.tap(".tab:has-text('Teach')")

    await cem.see(".teach .answer:not([disabled])")
