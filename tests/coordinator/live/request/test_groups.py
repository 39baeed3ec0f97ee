"""One card for one cause: each member is bound to its own scene."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from coordinator.errors import InputError
from coordinator.live.request.groups import (
    GroupAnswer,
    Member,
    Result,
    answer_group,
)
from coordinator.live.request.view import view_digest
from coordinator.terms import (
    CellId,
    OperatorRequest,
    Outcome,
    RequestId,
    events,
)
from tests.builders import ANA, BEN, FAMILY, make_digest, make_key
from tests.coordinator.live.request.queue_world import QueueWorld

CELLS = [CellId(f"press-{n}") for n in range(1, 9)]


@pytest.fixture
async def world() -> AsyncIterator[QueueWorld]:
    opened = await QueueWorld.open()
    yield opened
    await opened.store.close()


async def eight(world: QueueWorld) -> list[OperatorRequest]:
    """Eight cells ask for one cause; ana has claimed the first."""
    asked = [await world.ask(cell) for cell in CELLS]
    await world.claim(asked[0])
    return asked


async def say(
    world: QueueWorld, asked: list[OperatorRequest], **changes: Any
) -> list[Result]:
    members = [Member(r.request_id, view_digest(r, world.family)) for r in asked]
    facts = {
        "actor": ANA,
        "label": "ok",
        "shown": asked[0].request_id,
        "members": members,
        "once": make_key("group", key="g-1"),
    }
    return await answer_group(world.queue, GroupAnswer(**{**facts, **changes}))


async def test_one_word_answers_eight_cells_each_by_itself(world: QueueWorld):
    asked = await eight(world)

    results = await say(world, asked)

    assert [r.refused for r in results] == [None] * 8
    answered = await world.of_kind(events.RequestAnswered)
    assert [e.request_id for e in answered] == [r.request_id for r in asked]
    assert len({e.view_digest for e in answered}) == 8
    shown = asked[0].request_id
    assert [e.shown for e in answered] == ["", *[shown] * 7]
    assert world.open_ids() == set()


async def test_only_the_evidence_that_was_shown_teaches(world: QueueWorld):
    asked = await eight(world)

    await say(world, asked)

    (learned,) = await world.of_kind(events.ExampleAdded)
    assert learned.example.window_id == asked[0].window_id
    assert len(world.final) == 8


async def test_a_member_that_moved_is_refused_alone_and_stays_open(
    world: QueueWorld,
):
    asked = await eight(world)
    gone, moved, theirs, ended = asked[2], asked[3], asked[4], asked[5]
    await world.claim(theirs, BEN)
    await world.queue.end(ended, Outcome.SUPERSEDED, "another part waits.")
    members = [Member(r.request_id, view_digest(r, FAMILY)) for r in asked]
    members[2] = Member(RequestId("r-nowhere"), members[2].view)
    members[3] = Member(moved.request_id, make_digest("an older view"))

    results = await say(world, asked, members=members)

    codes = [r.refused.code if r.refused else "" for r in results]
    assert codes == [
        "",
        "",
        "NOT_FOUND",
        "VIEW_CHANGED",
        "CLAIMED_BY",
        "REQUEST_CLOSED",
        "",
        "",
    ]
    still = {gone.request_id, moved.request_id, theirs.request_id}
    assert world.open_ids() == still
    left = world.queue.get(moved.request_id)
    assert left is not None
    assert left.claimed_by == ""
    assert [r.request for r in results][4] is not None


async def test_the_same_word_again_gives_the_same_results(world: QueueWorld):
    asked = await eight(world)

    first = await say(world, asked)
    again = await say(world, asked)

    def said(results: list[Result]) -> list[tuple[str, str]]:
        return [(r.request_id, r.request.label) for r in results if r.request]

    assert said(first) == said(again)
    assert len(said(again)) == 8
    assert len(await world.of_kind(events.RequestAnswered)) == 8


async def test_another_cause_is_never_swept_along(world: QueueWorld):
    asked = await eight(world)
    other = replace(
        await world.ask(CellId("press-9")), request_id=RequestId("r-other"), cause="x"
    )
    await world.store.commit(events.RequestOpened(other))
    world.queue.add(other)

    results = await say(world, [*asked, other])

    assert results[-1].refused is not None
    assert results[-1].refused.code == "VIEW_CHANGED"
    assert other.request_id in world.open_ids()


async def test_taking_back_what_was_shown_takes_back_all():
    world = await QueueWorld.open(undo_s=3)
    asked = await eight(world)
    await say(world, asked)
    waiting = [r.pending_label for r in world.queue.all_open()]

    await world.queue.undo(asked[0].request_id, ANA, make_key("undo"))
    left = [r.pending_label for r in world.queue.all_open()]
    await world.store.close()

    assert waiting == ["ok"] * 8
    assert left == [""] * 8


async def test_two_people_have_to_agree_on_each_alone(world: QueueWorld):
    labels = tuple(replace(x, second_opinion=x.name == "ok") for x in FAMILY.labels)
    world.family = replace(FAMILY, labels=labels)
    asked = await eight(world)

    results = await say(world, asked)

    codes = {r.refused.code if r.refused else "" for r in results[1:]}
    assert codes == {"OTHER_PERSON"}
    assert results[0].refused is None
    assert await world.of_kind(events.RequestAnswered) == []
    assert len(await world.of_kind(events.FirstOpinion)) == 1
    assert all(not r.claimed_by for r in world.queue.all_open())


@pytest.mark.parametrize(
    "changes",
    [
        {"shown": RequestId("r-none")},
        {"members": [Member(RequestId(f"r-{n}"), make_digest("v")) for n in range(65)]},
    ],
    ids=["shown-is-no-member", "too-many"],
)
async def test_a_group_that_is_none_is_refused_whole(world: QueueWorld, changes):
    asked = await eight(world)

    with pytest.raises(InputError):
        await say(world, asked, **changes)

    assert await world.of_kind(events.RequestAnswered) == []


async def test_who_asks_without_a_model_stands_alone(world: QueueWorld):
    request = await world.ask()
    alone = replace(request, cause="")

    assert world.queue.alike(alone) == [alone]
    assert world.queue.alike_count(alone) == 1
    assert world.queue.alike(request) == [request]
