"""A glove taps twice, and buttons move under it: neither is anybody's word."""

from __future__ import annotations

import pytest

from coordinator.terms import CellState
from tests.tablet.conftest import OpenTablet
from tests.tablet.plant import Plant
from tests.tablet.seat import LANDSCAPE, Tablet

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TAP_AS_THEY_MOVE = """() => new Promise((done) => {
  const answers = document.querySelector(".answers");
  const before = answers.getBoundingClientRect().top;
  const watch = () => {
    if (answers.getBoundingClientRect().top === before) requestAnimationFrame(watch);
    else done(answers.querySelector(".answer").click());
  };
  watch();
})"""

TAP_AS_IT_COMES = """() => new Promise((done) => {
  const watch = () => {
    const button = document.querySelector(".sheet .grid button");
    if (button) done(button.click());
    else requestAnimationFrame(watch);
  };
  watch();
})"""


async def held(plant: Plant, one: Tablet) -> None:
    await one.tap(".hold")
    await one.tap(".sheet button:has-text('press-3')")
    await one.see(".cell.s-held")


async def test_a_glove_that_taps_twice_on_a_held_cell_does_not_release_it(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await held(plant, ana)
    await ana.stop_time()
    await ana.tap(".cell.s-held")
    await ana.page.evaluate(TAP_AS_IT_COMES)

    await ana.see_text("Look at the cell first", ".news")
    assert plant.cells["press-3"].state is CellState.HELD


async def test_a_glove_that_taps_twice_labels_one_window(
    plant: Plant, tablet: OpenTablet
) -> None:
    """The second tap would have been for a window that nobody has looked at."""
    await plant.label_some(3)
    ana = await tablet(plant)
    await ana.tap(".tab:has-text('Teach')")
    await ana.see(".teach .answer:not([disabled])")
    await ana.look()
    await ana.stop_time()
    await ana.answer("misaligned")
    await ana.see_text("1 labelled")
    await ana.see(".teach .answer:not([disabled])")
    await ana.page.evaluate("document.querySelector('.teach .answer').click()")

    await ana.see_text("Look first", ".news")
    assert "1 labelled" in await ana.text(".teach .deadline")


async def test_answers_that_moved_under_the_finger_take_no_tap(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant, size=LANDSCAPE)
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    plant.cut()  # what is said of it pushes the answers down
    await ana.page.evaluate(TAP_AS_THEY_MOVE)

    await ana.see_text("Look first", ".news")
    assert await ana.count(".standing.bad") == 0
    plant.mend()
    await ana.gone(".news:not(:empty)")
    await ana.ready()
    await ana.answer("good")
    await ana.see_text("Stored")
    assert len(await plant.answers(request_id)) == 1


async def test_news_moves_no_button(plant: Plant, tablet: OpenTablet) -> None:
    ana = await tablet(plant, size=LANDSCAPE)
    await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    before = await ana.page.locator(".answers").bounding_box()
    await ana.tap("button:has-text('I am at the cell')")
    await ana.see_text("you are at the cell", ".news")

    assert await ana.page.locator(".answers").bounding_box() == before


async def test_what_went_wrong_stays_until_somebody_has_read_it(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await held(plant, ana)
    await ana.tap(".cell.s-held")
    await ana.look()
    plant.cut()
    await ana.tap(".sheet button:has-text('Judge')")
    await ana.see_text("press-3 is still held", ".banner.bad")
    plant.mend()
    await ana.see(".top .lamp.good")
    assert await ana.count(".banner.bad:has-text('still held')") == 1
    await ana.tap(".banner.bad:has-text('still held') button")

    await ana.gone(".banner.bad:has-text('still held')")
