"""A cell and the last answer of its cycle: on a word, nothing contradicts it alone."""

from collections.abc import AsyncIterator

import pytest

from coordinator.live.gate.desk import FixedDesk
from coordinator.live.gate.judge import Gate
from coordinator.terms import CellState
from tests.builders import FAMILY, MODEL, make_prediction
from tests.path.path_world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    opened = await World.open()
    await opened.start()
    yield opened
    await opened.close()


async def sure(world: World, label: str, cycle: int) -> str:
    """The code of a window of which the model is sure."""
    assert world.link is not None
    world.prediction = make_prediction(label)
    await world.offer(world.window(cycle=cycle))
    return world.link.codes[-1]


async def test_a_sure_window_after_a_fault_was_named_in_its_cycle_is_asked(
    world: World,
):
    await world.doubt(cycle=3)
    await world.answer("misaligned")

    assert await sure(world, "ok", cycle=3) == "CONTRADICTS"
    assert world.state() is CellState.ASKING
    await world.answer("ok")
    assert await sure(world, "ok", cycle=3) == "ACT"


async def test_the_next_cycle_begins_without_it(world: World):
    await world.doubt(cycle=3)
    await world.answer("misaligned")

    assert await sure(world, "ok", cycle=4) == "ACT"


async def test_an_answer_that_stops_the_cell_is_heard_as_well(world: World):
    await world.doubt(cycle=3)
    await world.answer("collision")
    await world.release()

    assert await sure(world, "ok", cycle=3) == "CONTRADICTS"


async def test_a_certified_gate_decides_as_its_certificate_says(world: World):
    labels = tuple((name, 0.9) for name in FAMILY.label_names)
    certified = Gate(1.0, certified=labels, model_digest=MODEL)
    world.path._gate = FixedDesk(certified, 0.0)
    await world.doubt(cycle=3)
    await world.answer("misaligned")

    assert await sure(world, "ok", cycle=3) == "ACT"
