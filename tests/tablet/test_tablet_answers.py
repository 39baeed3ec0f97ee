"""Questions and answers on the page, against a real coordinator."""

from __future__ import annotations

import pytest

from coordinator.terms import CellState
from tests.tablet.conftest import MakePlant, OpenTablet
from tests.tablet.plant import Plant, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_question_comes_with_the_watch_and_an_answer_moves_the_cell(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    assert await ana.count(".question") == 0
    request_id = await plant.cells["press-2"].ask()
    before = len(plant.cells["press-2"].permits)

    await ana.open_question("press-2")
    assert plant.request(request_id).claimed_by == "ana"
    await ana.answer("good")
    await ana.see_text("Stored")

    await until(lambda: len(plant.cells["press-2"].permits) > before)
    assert plant.cells["press-2"].permits[-1].label == "ok"
    assert await ana.count(".question") == 0
    assert len(await plant.answers(request_id)) == 1


async def test_every_state_has_a_shape_and_a_word(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await plant.cells["press-1"].ask()
    await ana.see(".cell.s-asking")
    await plant.cells["press-3"].end()
    await ana.see(".cell.s-offline")

    bands = await ana.texts(".cell .band")
    shapes = await ana.page.eval_on_selector_all(
        ".cell .band svg", "found => found.map((one) => one.innerHTML)"
    )

    assert bands == ["ASKING", "working", "offline"]
    assert len(set(shapes)) == 3


async def test_the_most_urgent_question_stands_first(
    make_plant: MakePlant, tablet: OpenTablet
) -> None:
    plant = await make_plant()
    ana = await tablet(plant)
    for name in ("press-3", "press-1", "press-2"):
        await plant.cells[name].ask()

    await ana.see(".question >> nth=2")
    names = await ana.texts(".question .name")
    assert names == [one.cell_id for one in plant.questions()]


async def test_two_tablets_race_and_one_answer_counts(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana, ben = await tablet(plant, "ana"), await tablet(plant, "ben")
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    await ben.tap(".question")
    await ben.see_text("ana is answering this")
    await ben.tap("button:has-text('Take it over')")
    await ben.ready()
    await ana.see_text("ben is answering this")
    assert await ana.count(".answer:not([disabled])") == 0

    await ben.answer("misaligned insertion")
    await ben.see_text("Stored")
    await ana.see_text("ben answered: misaligned insertion")

    assert len(await plant.answers(request_id)) == 1


async def test_an_answer_can_be_taken_back_for_a_moment(
    make_plant: MakePlant, tablet: OpenTablet
) -> None:
    plant = await make_plant(requests={"undo_s": 30.0})
    ana = await tablet(plant)
    request_id = await plant.cells["press-1"].ask()
    before = len(plant.cells["press-1"].permits)
    await ana.open_question("press-1")
    await ana.answer("good")

    await ana.see(".undo")
    await ana.tap(".undo button")
    await ana.see_text("taken back")
    await ana.ready()
    assert len(plant.cells["press-1"].permits) == before
    assert await plant.answers(request_id) == []

    await ana.answer("misaligned insertion")
    await ana.see(".undo")
    assert "misaligned insertion" in await ana.text(".undo")


async def test_an_answer_comes_too_soon_only_by_mistake(
    plant: Plant, tablet: OpenTablet
) -> None:
    """A tap that was meant for what stood there before is not an answer."""
    ana = await tablet(plant)
    request_id = await plant.cells["press-1"].ask()
    await ana.stop_time()
    await ana.tap(".question")
    await ana.see(".answer:not([disabled])")
    await ana.page.evaluate("document.querySelector('.answer').click()")

    await ana.see_text("Look first")
    assert plant.request(request_id)


async def test_a_hold_is_one_tap_on_a_question_and_at_the_same_place_everywhere(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await plant.cells["press-2"].ask()
    places = [await ana.page.locator(".hold").bounding_box()]
    await ana.open_question("press-2")
    places.append(await ana.page.locator(".hold").bounding_box())
    await ana.tap(".hold")
    await ana.see_text("Held: press-2")
    await ana.tap(".tab:has-text('Models')")
    places.append(await ana.page.locator(".hold").bounding_box())

    assert plant.cells["press-2"].state is CellState.HELD
    assert len({str(place) for place in places}) == 1


async def test_any_cell_or_every_cell_can_be_held_from_the_board(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await ana.tap(".hold")
    await ana.tap(".sheet button:has-text('press-3')")
    await ana.see(".cell.s-held")
    assert plant.cells["press-3"].state is CellState.HELD

    await ana.tap(".hold")
    await ana.tap(".sheet button:has-text('every cell')")
    await ana.see(".cell.s-held >> nth=2")
    assert {cell.state for cell in plant.cells.values()} == {CellState.HELD}


async def test_a_held_cell_is_released_in_a_persons_name(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await ana.tap(".hold")
    await ana.tap(".sheet button:has-text('press-3')")
    await ana.tap(".cell.s-held")
    await ana.see_text("Held by ana.", ".sheet")
    assert "held by hand" not in await ana.text(".sheet")
    await ana.look()
    await ana.tap(".sheet button:has-text('Judge')")

    await ana.see_text("press-3 is released")
    await until(lambda: plant.cells["press-3"].state is not CellState.HELD)


async def test_in_german_a_hold_is_said_beside_what_the_coordinator_says(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant, language="de")
    await ana.tap(".hold")
    await ana.tap(".sheet button:has-text('press-3')")
    await ana.tap(".cell.s-held")

    await ana.see_text("von Hand gehalten", ".sheet .why")
    await ana.see_text("Held by ana.", ".sheet .said")


async def test_whoever_cannot_tell_passes_it_on(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    await ana.tap('button:has-text("Can\'t tell")')

    await ana.see_text("passed on to the shift lead")
    (passed_on,) = plant.questions()
    assert (passed_on.level, passed_on.claimed_by) == (1, "")


async def test_every_other_label_is_one_tap_further(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    offered = await ana.count(".answer")
    await ana.tap("button:has-text('Something else')")
    await ana.see(".sheet .answer")
    others = await ana.count(".sheet .answer")
    await ana.look()
    await ana.tap(".sheet .answer >> nth=0")
    await ana.see_text("Stored")

    assert (offered, offered + others) == (4, 6)


async def test_leaving_a_question_gives_it_back(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    request_id = await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    await ana.tap(".back")

    await until(lambda: plant.request(request_id).claimed_by == "")


async def test_a_deadline_is_in_sight_and_says_what_happens_then(
    make_plant: MakePlant, tablet: OpenTablet
) -> None:
    plant = await make_plant(requests={"deadline_s": 2.5})
    ana = await tablet(plant)
    await plant.cells["press-1"].ask()
    await ana.tap(".question")
    await ana.see(".deadline")
    assert "then the cell stays held" in await ana.text(".deadline")

    await ana.see_text("The time is up and nobody had answered")
    await until(lambda: plant.cells["press-1"].state is CellState.HELD)


async def test_the_signals_that_matter_are_drawn_and_told_in_words(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await plant.cells["press-1"].ask()
    await ana.open_question("press-1")
    inked = await ana.page.eval_on_selector_all(
        ".trace canvas",
        """found => found.map((one) => {
          const pen = one.getContext("2d");
          const { data } = pen.getImageData(0, 0, one.width, one.height);
          return data.some((value) => value > 0);
        })""",
    )
    told = await ana.page.eval_on_selector_all(
        ".trace canvas", "found => found.map((one) => one.getAttribute('aria-label'))"
    )
    await ana.tap(".pager button >> nth=1")
    await ana.see_text("signals 2 of 2")

    assert inked == [True, True, True]
    assert all("…" in words for words in told)
