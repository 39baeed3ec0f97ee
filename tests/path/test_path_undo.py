"""A cell between an answer and its being final: holds, links, releases, restarts."""

from collections.abc import AsyncIterator

import pytest

from coordinator.clock import SECOND_NS
from coordinator.terms import Action, CellState, HoldReason, Outcome, events
from tests.builders import ANA, BEN, make_key
from tests.path.path_world import World, scene_of

UNDO_S = 3.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    opened = await World.open(undo_ns=round(UNDO_S * SECOND_NS))
    await opened.start()
    yield opened
    await opened.close()


async def finish(world: World, seconds: float = UNDO_S) -> None:
    """Let time pass, and do what the coordinator's tick does about answers."""
    await world.tick(seconds)
    await world.requests.make_final()
    await world.settle()


async def next_steps(world: World) -> list[events.PermitIssued]:
    return [
        event
        for event in await world.journal()
        if isinstance(event, events.PermitIssued) and event.permit.label
    ]


async def test_no_permit_is_made_before_the_answer_is_final(world: World):
    await world.doubt()
    await world.answer("ok")
    await finish(world, UNDO_S - 0.001)
    before = (world.state(), await next_steps(world))
    await finish(world, 0.001)

    assert before == (CellState.ASKING, [])
    (issued,) = await next_steps(world)
    assert (issued.permit.label, issued.actor) == ("ok", ANA)
    assert world.state() is CellState.WORKING


async def test_another_answer_after_an_undo_is_the_one_that_moves_the_cell(
    world: World,
):
    await world.doubt()
    given = await world.answer("ok")
    await world.requests.undo(given.request_id, ANA, make_key("undo"))
    await world.answer("misaligned")

    await finish(world)

    (issued,) = await next_steps(world)
    assert issued.permit.action is Action.REWORK


async def test_a_hold_in_between_holds_and_the_label_is_learned(world: World):
    await world.doubt()
    await world.answer("ok")
    world.path.hold(HoldReason.OPERATOR_HOLD, "held by ben.", BEN)
    await finish(world)

    assert world.state() is CellState.HELD
    assert await next_steps(world) == []
    learned = [e for e in await world.journal() if isinstance(e, events.ExampleAdded)]
    assert [e.example.label for e in learned] == ["ok"]


async def test_a_release_in_between_leaves_one_end_and_moves_by_the_release(
    world: World,
):
    window = await world.doubt()
    await world.answer("ok")
    world.path.hold(HoldReason.OPERATOR_HOLD, "held by ben.", BEN)
    await world.release(BEN, disposition=Action.REJECT)
    await finish(world)

    permits = [e for e in await world.journal() if isinstance(e, events.PermitIssued)]
    assert permits[-1].permit.action is Action.REJECT
    assert permits[-1].permit.window_digest == window.digest
    ended = [
        e
        for e in await world.journal()
        if isinstance(e, events.RequestAnswered | events.RequestEnded)
    ]
    assert [type(e) for e in ended] == [events.RequestAnswered]
    assert await next_steps(world) == []


@pytest.mark.parametrize("back_after_s", [1.0, 5.0], ids=["before", "after"])
async def test_a_link_lost_in_between_loses_no_answer(world: World, back_after_s):
    window = await world.doubt()
    await world.answer("ok")
    await world.lose_link()
    await finish(world, back_after_s)
    await world.connect(scene_of(window))
    await world.release()
    await world.offer(world.again(window))

    await finish(world)

    issued = await next_steps(world)
    assert [e.permit.label for e in issued] == ["ok"]
    assert issued[0].permit.session_epoch == 2


async def test_a_deadline_in_between_takes_nothing_away(world: World):
    await world.doubt()
    await world.tick(119.0)
    await world.answer("ok")
    await world.tick(2.0)
    expired = await world.expire()
    await finish(world, 1.0)

    assert expired == []
    assert world.state() is CellState.WORKING
    assert [e.permit.label for e in await next_steps(world)] == ["ok"]


async def test_the_answer_of_a_coordinator_that_died_still_stands(world: World):
    window = await world.doubt()
    given = await world.answer("ok")
    after = await world.restarted(undo_ns=round(UNDO_S * SECOND_NS))
    await after.connect(scene_of(window))
    await after.release()
    await after.offer(after.again(window))
    waiting = after.state()
    await finish(after)

    stored = await after.real.request(given.request_id)
    assert waiting is CellState.ASKING
    assert (stored.outcome, stored.label) == (Outcome.ANSWERED, "ok")
    assert [e.permit.label for e in await next_steps(after)] == ["ok"]
    assert after.state() is CellState.WORKING
