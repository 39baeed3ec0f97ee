"""The full-rate clip: asked for when a person is asked, and never in a permit's way."""

from coordinator.terms import (
    CellState,
    ClipId,
    RequestKind,
    Scene,
    Stand,
    StoredClip,
    events,
)
from tests.builders import CELL, NOON, make_digest, make_prediction
from tests.path.path_world import World


async def test_a_question_wants_its_clip(world: World):
    await world.start()
    await world.doubt()
    question = world.requests.question_of(CELL)

    assert question is not None
    assert world.link is not None
    assert world.link.clips_wanted == [question.request_id]


async def test_what_nobody_is_asked_about_wants_none(world: World):
    await world.start()
    await world.offer(world.window())
    world.prediction = None
    held = world.window(gap_rows=9)
    await world.offer(held)

    assert world.state() is CellState.HELD
    assert world.link is not None
    assert world.link.clips_wanted == []


async def test_an_audit_wants_its_clip_after_the_permit_has_left():
    world = await World.open(audit_share=1.0)
    await world.start()
    world.prediction = make_prediction()
    await world.offer(world.window())

    [audit] = world.requests.all_open()
    assert audit.kind is RequestKind.AUDIT
    assert world.link is not None
    assert world.link.clips_wanted == [audit.request_id]
    assert world.link.said[-2:] == ["permit", "clip"]
    await world.close()


async def test_a_clip_that_was_asked_for_in_vain_is_asked_for_again(world: World):
    await world.start()
    window = await world.doubt()
    question = world.requests.question_of(CELL)
    assert question is not None
    await world.lose_link()
    link = await world.connect(Scene(Stand.DECIDING, window_digest=window.digest))
    await world.release(disposition=None)
    await world.offer(world.again(window))

    assert link.clips_wanted == [question.request_id]


async def test_a_clip_that_is_here_is_not_asked_for_again(world: World):
    await world.start()
    window = await world.doubt()
    question = world.requests.question_of(CELL)
    assert question is not None
    clip = StoredClip(
        ClipId("c-1"),
        CELL,
        question.request_id,
        window.window_id,
        make_digest("clip"),
        5,
        NOON,
        NOON,
    )
    await world.real.commit(events.ClipStored(clip))
    world.requests.has_clip(window.window_id, clip.clip_id)
    await world.lose_link()
    link = await world.connect(Scene(Stand.DECIDING, window_digest=window.digest))
    await world.release(disposition=None)
    await world.offer(world.again(window))

    assert world.requests.question_of(CELL) is not None
    assert link.clips_wanted == []


async def test_the_question_one_level_up_shows_the_same_clip(world: World):
    await world.start()
    window = await world.doubt()
    question = world.requests.question_of(CELL)
    assert question is not None
    clip = StoredClip(
        ClipId("c-1"),
        CELL,
        question.request_id,
        window.window_id,
        make_digest("clip"),
        5,
        NOON,
        NOON,
    )
    await world.real.commit(events.ClipStored(clip))
    world.requests.has_clip(window.window_id, clip.clip_id)
    await world.tick(121)
    await world.expire()
    up = world.requests.question_of(CELL)

    assert up is not None
    assert (up.level, up.clip_id) == (1, "c-1")
    assert (await world.real.request(up.request_id)).clip_id == "c-1"
