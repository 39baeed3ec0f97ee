"""One card for one cause: each member is bound to its own scene."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from coordinator.errors import InputError, StoreDegradedError
from coordinator.live.request.groups import (
    GroupAnswer,
    Member,
    Result,
    all_wait,
    answer_group,
    nothing_blind,
)
from coordinator.live.request.view import view_digest
from coordinator.terms import (
    CellId,
    OperatorRequest,
    Outcome,
    RequestId,
    Role,
    events,
)
from tests.builders import ANA, BEN, FAMILY, make_digest, make_key
from tests.coordinator.live.request.queue_world import QueueWorld
from tests.still_disk import StillDisk

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
    blind = changes.pop("blind", nothing_blind)
    waits = changes.pop("waits", all_wait)
    said = GroupAnswer(**{**facts, **changes})
    return await answer_group(world.queue, said, blind=blind, waits=waits)


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


async def test_what_is_asked_blind_is_left_open_and_said(world: QueueWorld):
    asked = await eight(world)
    blind = {asked[3].request_id, asked[6].request_id}

    results = await say(world, asked, blind=lambda r: r.request_id in blind)

    refused = {r.request_id: r.refused.code for r in results if r.refused}
    assert refused == dict.fromkeys(blind, "LOOK_ALONE")
    assert world.open_ids() == blind
    assert all(not r.claimed_by for r in world.queue.all_open())


async def test_a_cell_that_does_not_stand_where_it_stood_is_left_to_be_looked_at(
    world: QueueWorld,
):
    asked = await eight(world)
    moved = {asked[0].request_id, asked[3].request_id}

    results = await say(world, asked, waits=lambda r: r.request_id not in moved)

    refused = {r.request_id: r.refused.code for r in results if r.refused}
    assert refused == {asked[3].request_id: "LOOK_ALONE"}
    assert world.open_ids() == {asked[3].request_id}


async def test_one_that_was_shown_blind_speaks_for_nobody(world: QueueWorld):
    asked = await eight(world)

    results = await say(
        world, asked, blind=lambda r: r.request_id == asked[0].request_id
    )

    assert {r.refused.code for r in results if r.refused} == {"LOOK_ALONE"}
    assert len(world.open_ids()) == 8
    shown = world.queue.get(asked[0].request_id)
    assert shown is not None
    assert shown.claimed_by == "ana"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"claim_epoch": 7}, "STALE_EPOCH"), ({"actor": BEN}, "NOT_YOUR_CLAIM")],
    ids=["an-older-claim", "no-claim"],
)
async def test_when_the_shown_one_is_refused_nothing_is_said_of_the_others(
    world: QueueWorld, changes, code
):
    asked = await eight(world)

    results = await say(world, asked, **changes)

    codes = [r.refused.code if r.refused else "" for r in results]
    assert codes == [code, *["LOOK_ALONE"] * 7]
    assert len(world.open_ids()) == 8
    claims = [r.claimed_by for r in world.queue.all_open()]
    assert [bool(by) for by in claims].count(False) == 7


async def test_the_one_that_was_shown_is_answered_first(world: QueueWorld):
    asked = await eight(world)
    await world.queue.release_claim(asked[0].request_id, ANA, 1)
    await world.claim(asked[5])

    results = await say(world, asked, shown=asked[5].request_id)

    assert [r.refused for r in results] == [None] * 8
    first, *_ = await world.of_kind(events.RequestAnswered)
    assert first.request_id == asked[5].request_id


async def test_what_was_taken_back_leaves_only_the_shown_one_claimed():
    world = await QueueWorld.open(undo_s=3)
    asked = await eight(world)
    await say(world, asked)

    await world.queue.undo(asked[0].request_id, ANA, make_key("undo"))
    claimed = {r.request_id: r.claimed_by for r in world.queue.all_open()}
    stored = {r.request_id: r.claimed_by for r in await world.store.open_requests()}
    ben = await world.claim(asked[4], BEN)
    await world.store.close()

    assert claimed == stored
    assert {i for i, who in claimed.items() if who} == {asked[0].request_id}
    assert ben.claimed_by == "ben"


async def test_all_are_taken_back_in_one_transaction():
    world = await QueueWorld.open(undo_s=3)
    asked = await eight(world)
    await say(world, asked)
    before = len(await world.store.entries(0, 10_000))

    await world.queue.undo(asked[0].request_id, ANA, make_key("undo"))
    entries = (await world.store.entries(0, 10_000))[before:]
    await world.store.close()

    kinds = [entry.kind for entry in entries]
    assert kinds[:8] == ["AnswerUndone"] * 8
    assert len({entry.recorded_at for entry in entries[:8]}) == 1


async def test_where_one_is_final_already_the_others_are_still_taken_back():
    world = await QueueWorld.open(undo_s=3)
    asked = await eight(world)
    await say(world, asked)
    await world.queue.end(asked[2], Outcome.SUPERSEDED, "another part waits.")

    await world.queue.undo(asked[0].request_id, ANA, make_key("undo"))
    left = world.open_ids()
    waiting = [r.pending_label for r in world.queue.all_open()]
    await world.store.close()

    assert left == {r.request_id for r in asked} - {asked[2].request_id}
    assert waiting == [""] * 7


async def test_a_call_that_comes_again_after_it_was_taken_back_says_nothing():
    world = await QueueWorld.open(undo_s=3)
    asked = await eight(world)
    await say(world, asked[:4])  # the rest was lost in a crash, say
    await world.queue.undo(asked[0].request_id, ANA, make_key("undo"))

    again = await say(world, asked)
    waiting = [r.pending_label for r in world.queue.all_open()]
    await world.store.close()

    assert waiting == [""] * 8
    assert {r.refused.code for r in again[1:] if r.refused} == {"LOOK_ALONE"}


@pytest.mark.parametrize("slow", [events.RequestClaimed, events.AnswerGiven])
async def test_what_is_taken_back_while_the_others_are_answered_is_said_of_none(
    monkeypatch, slow
):
    world = await QueueWorld.open(undo_s=3)
    asked = await eight(world)
    commit = world.store.commit
    comes, gate = asyncio.Event(), asyncio.Event()

    async def held_up(*happened: Any, **more: Any) -> Any:
        about = getattr(happened[0], "answer", happened[0])
        if isinstance(happened[0], slow) and about.request_id == asked[2].request_id:
            comes.set()
            await gate.wait()
        return await commit(*happened, **more)

    monkeypatch.setattr(world.store, "commit", held_up)
    under_way = asyncio.create_task(say(world, asked))
    await comes.wait()
    await world.queue.undo(asked[0].request_id, ANA, make_key("undo"))
    gate.set()
    results = await under_way
    world.advance(10)
    await world.queue.make_final()
    waiting = [r for r in world.queue.all_open() if r.is_pending]
    claimed = [r.cell_id for r in world.queue.all_open() if r.claimed_by]
    await world.store.close()

    assert {r.refused.code for r in results[2:] if r.refused} == {"LOOK_ALONE"}
    assert (world.final, waiting) == ([], [])
    assert claimed == [asked[0].cell_id]


async def test_one_on_its_way_to_the_disk_is_taken_back_with_the_others(
    monkeypatch, tmp_path
):
    world = await QueueWorld.on_disk(tmp_path, undo_s=3)
    asked = await eight(world)
    commit, disk = world.store.commit, StillDisk(world.store, None)
    both_wait = asyncio.Event()

    async def in_order(*happened: Any, **more: Any) -> Any:
        match happened[0]:
            case events.AnswerGiven(answer) if answer.request_id == asked[2].request_id:
                disk.__enter__()
            case events.AnswerUndone():
                both_wait.set()
            case _:
                pass
        return await commit(*happened, **more)

    monkeypatch.setattr(world.store, "commit", in_order)
    under_way = asyncio.create_task(say(world, asked))
    await asyncio.to_thread(disk.stands.wait)
    undo = world.queue.undo(asked[0].request_id, ANA, make_key("undo"))
    undone = asyncio.create_task(undo)
    await both_wait.wait()
    disk.__exit__(None, None, None)
    await asyncio.gather(under_way, undone)
    world.advance(10)
    await world.queue.make_final()
    waiting = [r for r in world.queue.all_open() if r.is_pending]
    await world.store.close()

    assert (world.final, waiting) == ([], [])


async def test_after_a_crash_between_members_the_same_call_does_the_rest():
    world = await QueueWorld.open(undo_s=3)
    asked = await eight(world)
    await say(world, asked[:3])
    world = await world.restarted()

    again = await say(world, asked)
    waiting = [r.pending_label for r in world.queue.all_open()]
    given = await world.of_kind(events.AnswerGiven)
    await world.store.close()

    assert [r.refused for r in again] == [None] * 8
    assert waiting == ["ok"] * 8
    assert len(given) == 8


async def test_a_store_that_fails_between_members_loses_none_of_them(
    world: QueueWorld, monkeypatch
):
    asked = await eight(world)
    commit, left = world.store.commit, 5

    async def full(*what: Any, **more: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise StoreDegradedError("the disk is full.")
        return await commit(*what, **more)

    monkeypatch.setattr(world.store, "commit", full)
    results = await say(world, asked)
    monkeypatch.undo()

    codes = [r.refused.code if r.refused else "" for r in results]
    assert codes == ["", "", "", *["STORE_DEGRADED"] * 5]
    assert world.open_ids() == {r.request_id for r in asked[3:]}


async def test_two_people_at_one_cause_answer_each_member_once(world: QueueWorld):
    asked = await eight(world)
    await world.claim(asked[7], BEN)

    both = await asyncio.gather(
        say(world, asked),
        say(
            world,
            asked,
            actor=BEN,
            label="misaligned",
            shown=asked[7].request_id,
            once=make_key("group", by=BEN, key="g-2"),
        ),
    )

    answered = await world.of_kind(events.RequestAnswered)
    assert len(answered) == len({e.request_id for e in answered}) == 8
    by = {e.request_id: e.actor.person for e in answered}
    assert (by[asked[0].request_id], by[asked[7].request_id]) == ("ana", "ben")
    for results, person in zip(both, ("ana", "ben"), strict=True):
        assert len(results) == 8
        taken = {r.request_id for r in results if r.refused is None}
        assert taken == {i for i, who in by.items() if who == person}


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPERVISOR, None])
async def test_what_somebody_could_not_tell_is_looked_at_alone(
    world: QueueWorld, role: Role | None
):
    asked = await eight(world)
    await world.claim(asked[4])
    raised = await world.queue.pass_on(asked[4].request_id, ANA, 1, make_key("pass"))
    (lead,) = [r for r in world.queue.all_open() if r.level == 1]
    asked[4] = lead

    results = await say(world, asked, actor=replace(ANA, role=role))

    codes = [r.refused.code if r.refused else "" for r in results]
    assert raised.outcome is Outcome.SUPERSEDED
    assert codes == [*[""] * 4, "LOOK_ALONE", *[""] * 3]
    assert (lead.cause, world.queue.alike(lead)) == ("", [lead])
    assert world.open_ids() == {lead.request_id}


async def test_what_two_people_disagreed_about_is_looked_at_alone(world: QueueWorld):
    asked = await eight(world)
    disputed = replace(asked[3], disputed_by=(BEN.person,))
    world.queue._open.change(disputed)

    results = await say(world, asked)

    codes = [r.refused.code if r.refused else "" for r in results]
    assert codes == [*[""] * 3, "OTHER_PERSON", *[""] * 4]
