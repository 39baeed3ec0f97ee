"""In a flood one card stands for one cause; outside of it nothing changes."""

from __future__ import annotations

import pytest

from andon.v1 import operator_pb2
from tests.tablet.conftest import MakePlant, OpenTablet
from tests.tablet.plant import Plant, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FRONT_BYTES = 5
"""Of a message in gRPC-Web: what it is, and its length."""
CAUSE = ("press-1", "press-2", "press-3")


async def ask_all(plant: Plant) -> dict[str, str]:
    """Let the cells ask for one cause; cell -> request."""
    plant.believe("misaligned", 0.62)
    return {name: await plant.cells[name].ask() for name in CAUSE}


async def flooded(make_plant: MakePlant, **more: float) -> tuple[Plant, dict[str, str]]:
    """A plant that asks more than people can answer."""
    requests = {"flood_per_10_min": 1, **more}
    plant = await make_plant(requests=requests)
    asked = await ask_all(plant)
    pressure = plant.coordinator.plant.requests.pressure
    await until(lambda: pressure.flood)
    return plant, asked


def most_urgent(plant: Plant) -> str:
    """The cell whose question a card shows while nobody is at it."""
    return str(min(plant.questions(), key=lambda one: one.deadline_ns).cell_id)


async def test_in_a_flood_one_answer_is_for_all_of_a_cause_and_moves_every_cell(
    make_plant: MakePlant, tablet: OpenTablet
) -> None:
    plant, _ = await flooded(make_plant)
    ana = await tablet(plant)
    await ana.see_text(f"{most_urgent(plant)} and 2 more: one cause", ".question")
    assert await ana.count(".question") == 1
    before = {name: len(cell.permits) for name, cell in plant.cells.items()}

    await ana.open_question("more: one cause")
    await ana.see_text("your answer is for press-1, press-2, press-3", ".cause")
    epoch = next(one.claim_epoch for one in plant.questions() if one.claimed_by)
    async with ana.page.expect_request("**/AnswerGroup") as sending:
        await ana.answer("misaligned insertion")
    await ana.see_text("press-1, press-2, press-3: misaligned insertion. Stored")
    sent = (await sending.value).post_data_buffer[FRONT_BYTES:]
    assert operator_pb2.AnswerGroupRequest.FromString(sent).claim_epoch == epoch > 0

    await until(
        lambda: all(len(plant.cells[one].permits) > before[one] for one in CAUSE)
    )
    assert {plant.cells[name].permits[-1].label for name in CAUSE} == {"misaligned"}
    assert plant.questions() == []


async def test_one_that_moved_is_named_and_stays_open_by_itself(
    make_plant: MakePlant, tablet: OpenTablet
) -> None:
    plant, _ = await flooded(make_plant)
    ana, ben = await tablet(plant, "ana"), await tablet(plant, "ben")
    moved = max(plant.questions(), key=lambda one: one.deadline_ns)
    await ana.open_question("more: one cause")
    await ana.see(".cause")
    await ben.tap(f".cell:has-text('{moved.cell_id}')")
    await ben.ready()

    await ana.answer("misaligned insertion")
    await ana.see_text(f"NOT TAKEN: {moved.cell_id}", ".banner.bad")
    await ana.see(".question:has-text('ben is answering it')")

    assert [one.cell_id for one in plant.questions()] == [moved.cell_id]
    assert plant.request(moved.request_id).claimed_by == "ben"
    assert await plant.answers(moved.request_id) == []
    await ben.answer("misaligned insertion")
    cell = plant.cells[moved.cell_id]
    await until(lambda: cell.permits[-1].label == "misaligned")
    await ana.tap(".banner.bad button")
    await ana.gone(".banner.bad")


async def test_where_the_one_shown_was_answered_elsewhere_nothing_is_said_of_the_others(
    make_plant: MakePlant, tablet: OpenTablet
) -> None:
    plant, asked = await flooded(make_plant)
    ana = await tablet(plant)
    shown = most_urgent(plant)
    others = sorted({*CAUSE} - {shown})
    await ana.open_question("more: one cause")
    await ana.see(".cause")
    plant.cut()
    await ana.see_text("NOT CONNECTED")
    await ana.look()
    await ana.answer("misaligned insertion")
    await ana.see_text("NOT SENT", ".banners")
    await plant.answer(asked[shown], "collision", take_over=True)
    plant.mend()

    await ana.see_text(f"Nothing was said of {', '.join(others)}", ".banner.bad")
    assert await ana.count(".banner:has-text('NOT TAKEN')") == 1
    assert sorted(one.cell_id for one in plant.questions()) == others
    assert [await plant.answers(asked[one]) for one in others] == [[], []]
    await ana.tap(".banner.bad button")
    if await ana.count(".standing button:has-text('Board')"):
        await ana.tap(".standing button:has-text('Board')")
    await ana.see_text("and 1 more: one cause", ".question")


async def test_a_person_may_answer_only_the_one_that_is_shown(
    make_plant: MakePlant, tablet: OpenTablet
) -> None:
    plant, asked = await flooded(make_plant)
    ana = await tablet(plant)
    shown = most_urgent(plant)
    await ana.open_question("more: one cause")
    await ana.tap(".cause button")
    await ana.see_text(f"for {shown} alone", ".cause")
    await ana.answer("misaligned insertion")
    await ana.see_text("and 1 more: one cause", ".question")

    assert {one.cell_id for one in plant.questions()} == {*CAUSE} - {shown}
    assert len(await plant.answers(asked[shown])) == 1


async def test_an_answer_for_a_cause_is_taken_back_for_all_of_it(
    make_plant: MakePlant, tablet: OpenTablet
) -> None:
    plant, asked = await flooded(make_plant, undo_s=30.0)
    ana = await tablet(plant)
    await ana.open_question("more: one cause")
    await ana.see(".cause")
    await ana.answer("misaligned insertion")
    await ana.see_text("press-1, press-2, press-3", ".undo")
    await ana.see_text("ana: misaligned insertion", ".question:has-text('and 2 more')")
    assert await ana.count(".question") == 1
    await ana.tap(".undo button")
    await ana.see_text("taken back. Answer it again")

    assert {one.cell_id for one in plant.questions()} == set(CAUSE)
    assert not any(one.pending_label for one in plant.questions())
    assert [await plant.answers(one) for one in asked.values()] == [[], [], []]


async def test_without_a_flood_every_question_has_its_own_row(
    plant: Plant, tablet: OpenTablet
) -> None:
    ana = await tablet(plant)
    await ask_all(plant)
    await ana.see(".question >> nth=2")
    await ana.open_question("press-2")
    assert await ana.count(".cause") == 0
    await ana.answer("misaligned insertion")
    await ana.see_text("press-2: misaligned insertion. Stored")

    assert {one.cell_id for one in plant.questions()} == {"press-1", "press-3"}


async def test_a_card_for_a_cause_speaks_german(
    make_plant: MakePlant, tablet: OpenTablet
) -> None:
    plant, _ = await flooded(make_plant)
    ana = await tablet(plant, language="de")
    shown = most_urgent(plant)
    await ana.see_text(f"{shown} und 2 mehr: eine Ursache", ".question")
    await ana.open_question("mehr: eine Ursache")

    await ana.see_text("Ihre Antwort gilt für press-1, press-2, press-3", ".cause")
    await ana.see_text(f"Nur {shown}", ".cause")
