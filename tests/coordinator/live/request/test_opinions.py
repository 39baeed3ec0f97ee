"""Words without effect are kept; declared labels need two people who agree."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from coordinator.errors import (
    AnswerWaitsError,
    ConflictError,
    NotYourClaimError,
    OtherPersonError,
    RequestClosedError,
)
from coordinator.terms import (
    Actor,
    OpinionKind,
    Outcome,
    PersonId,
    events,
)
from tests.builders import ANA, BEN, FAMILY, make_digest, make_key
from tests.coordinator.live.request.queue_world import QueueWorld

CLEO = Actor(PersonId("cleo"), "panel-3")


@pytest.fixture
async def world() -> AsyncIterator[QueueWorld]:
    opened = await QueueWorld.open()
    yield opened
    await opened.store.close()


@pytest.fixture
async def careful() -> AsyncIterator[QueueWorld]:
    """Nobody alone says that a part is missing."""
    opened = await QueueWorld.open()
    labels = tuple(
        replace(x, second_opinion=x.name == "missing_part") for x in FAMILY.labels
    )
    opened.family = replace(FAMILY, labels=labels)
    yield opened
    await opened.store.close()


async def kept(world: QueueWorld) -> list[tuple[str, str, OpinionKind]]:
    return [
        (e.actor.person, e.label, e.why)
        for e in await world.of_kind(events.OpinionKept)
    ]


async def test_whoever_loses_the_race_is_told_by_whom_and_heard_all_the_same(
    world: QueueWorld,
):
    request = await world.ask()
    await world.claim(request)
    await world.claim(request, BEN, take_over=True)
    await world.answer(request, BEN, epoch=2, label="ok")

    with pytest.raises(RequestClosedError, match="by ben as ok"):
        await world.answer(request, ANA, epoch=1, label="misaligned")

    assert await kept(world) == [("ana", "misaligned", OpinionKind.LOST)]
    assert (await world.store.request(request.request_id)).label == "ok"
    assert len(await world.of_kind(events.ExampleAdded)) == 1


async def test_an_answer_after_the_end_is_kept_and_reopens_nothing(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    world.advance(120)
    await world.queue.expire_due()

    with pytest.raises(RequestClosedError, match="timed out"):
        await world.answer(request, label="ok")

    assert await kept(world) == [("ana", "ok", OpinionKind.LATE)]
    assert (await world.store.request(request.request_id)).outcome is Outcome.TIMED_OUT
    assert await world.of_kind(events.RequestAnswered) == []


@pytest.mark.parametrize("late_by_s", [-0.001, 0.0, 0.001])
async def test_an_answer_around_its_deadline_leaves_one_outcome(
    world: QueueWorld, late_by_s
):
    request = await world.ask()
    await world.claim(request)
    world.advance(120 + late_by_s)

    results = await asyncio.gather(
        world.answer(request, label="ok"),
        world.queue.expire_due(),
        return_exceptions=True,
    )

    stored = await world.store.request(request.request_id)
    answered = await world.of_kind(events.RequestAnswered)
    ended = await world.of_kind(events.RequestEnded)
    assert len(answered) + len(ended) == 1
    assert stored.outcome is (Outcome.ANSWERED if answered else Outcome.TIMED_OUT)
    if late_by_s < 0:
        assert answered
    if ended:
        assert isinstance(results[0], RequestClosedError)
        assert await kept(world) == [("ana", "ok", OpinionKind.LATE)]


@pytest.mark.parametrize("people", [2, 4, 16])
async def test_many_people_at_once_leave_one_answer(world: QueueWorld, people):
    request = await world.ask()
    crowd = [Actor(PersonId(f"p{n}"), "panel") for n in range(people)]

    async def rush(actor: Actor):
        claimed = await world.claim(request, actor, take_over=True)
        return await world.answer(request, actor, epoch=claimed.claim_epoch, label="ok")

    results = await asyncio.gather(*map(rush, crowd), return_exceptions=True)

    winners = [r for r in results if not isinstance(r, BaseException)]
    assert len(winners) == 1
    assert all(isinstance(r, ConflictError) for r in results if r not in winners)
    assert len(await world.of_kind(events.RequestAnswered)) == 1
    heard = {person for person, _, _ in await kept(world)}
    assert winners[0].answered_by not in heard
    assert heard <= {actor.person for actor in crowd}


async def test_an_opinion_while_an_answer_waits_is_kept():
    world = await QueueWorld.open(undo_s=3)
    request = await world.ask()
    await world.claim(request, BEN)
    await world.claim(request, ANA, take_over=True)
    await world.answer(request, ANA, epoch=2, label="ok")

    with pytest.raises(AnswerWaitsError):
        await world.answer(request, BEN, epoch=1, label="misaligned")
    with pytest.raises(AnswerWaitsError):
        await world.answer(request, ANA, epoch=2, label="misaligned")
    heard = await kept(world)
    await world.store.close()

    assert heard == [("ben", "misaligned", OpinionKind.LOST)]


@pytest.mark.parametrize(
    "words",
    [{"label": "strange"}, {"view": make_digest("another view")}],
    ids=["no-such-label", "did-not-look"],
)
async def test_only_words_about_what_was_shown_are_kept(world: QueueWorld, words):
    request = await world.ask()
    await world.queue.end(request, Outcome.CANCELLED, "withdrawn.")

    with pytest.raises(RequestClosedError):
        await world.answer(request, **words)

    assert await kept(world) == []


async def test_each_person_is_kept_once_a_request(world: QueueWorld):
    request = await world.ask()
    await world.queue.end(request, Outcome.CANCELLED, "withdrawn.")

    for label in ("ok", "misaligned", "ok"):
        with pytest.raises(RequestClosedError):
            await world.answer(request, label=label, once=make_key(label))

    assert await kept(world) == [("ana", "ok", OpinionKind.LATE)]


async def test_an_answer_without_a_claim_is_no_opinion(world: QueueWorld):
    request = await world.ask()

    with pytest.raises(NotYourClaimError):
        await world.answer(request)

    assert await kept(world) == []


# -- second opinions ---------------------------------------------------------------


async def test_a_declared_label_counts_when_a_second_person_agrees(
    careful: QueueWorld,
):
    request = await careful.ask()
    await careful.claim(request)
    first = await careful.answer(request, label="missing_part")
    nothing = (await careful.of_kind(events.RequestAnswered), [*careful.final])
    claimed = await careful.claim(request, BEN)

    second = await careful.answer(
        request, BEN, epoch=claimed.claim_epoch, label="missing_part"
    )

    assert (first.is_open, first.first_by, first.claimed_by) == (True, "ana", "")
    assert nothing == ([], [])
    assert (second.outcome, second.answered_by) == (Outcome.ANSWERED, "ben")
    assert len(await careful.of_kind(events.ExampleAdded)) == 1


async def test_nobody_agrees_with_themselves(careful: QueueWorld):
    request = await careful.ask()
    await careful.claim(request)
    once = make_key("first", key="k")
    await careful.answer(request, label="missing_part", once=once)
    again = await careful.answer(request, label="missing_part", once=once)
    claimed = await careful.claim(request)

    with pytest.raises(OtherPersonError, match="a second person"):
        await careful.answer(request, epoch=claimed.claim_epoch, label="missing_part")
    with pytest.raises(OtherPersonError, match="a second person"):
        await careful.store.commit(
            events.RequestAnswered(
                request.request_id,
                request.cell_id,
                ANA,
                claimed.claim_epoch,
                "missing_part",
                correction=True,
                view_digest=make_digest("view"),
            )
        )

    assert again.first_by == "ana"
    assert await careful.of_kind(events.RequestAnswered) == []
    assert len(await careful.of_kind(events.FirstOpinion)) == 1


async def test_two_who_differ_send_the_question_up_and_a_third_decides(
    careful: QueueWorld,
):
    request = await careful.ask()
    await careful.claim(request)
    await careful.answer(request, label="missing_part")
    await careful.claim(request, BEN)
    ended = await careful.answer(request, BEN, epoch=2, label="ok")
    (successor,) = careful.queue.all_open()

    for person in (ANA, BEN):
        claimed = await careful.claim(successor, person, take_over=True)
        with pytest.raises(OtherPersonError, match="somebody else decides"):
            await careful.answer(
                successor, person, epoch=claimed.claim_epoch, label="ok"
            )
    claimed = await careful.claim(successor, CLEO, take_over=True)
    decided = await careful.answer(
        successor, CLEO, epoch=claimed.claim_epoch, label="missing_part"
    )

    assert ended.outcome is Outcome.SUPERSEDED
    assert (successor.level, successor.disputed_by) == (1, ("ana", "ben"))
    assert (decided.outcome, decided.answered_by) == (Outcome.ANSWERED, "cleo")
    assert await kept(careful) == [("ben", "ok", OpinionKind.DISAGREED)]


async def test_who_ends_a_question_without_an_answer_is_on_record(careful: QueueWorld):
    # So that the commit can look once more whether they may.
    one = await careful.ask()
    await careful.claim(one)
    await careful.answer(one, label="missing_part")
    await careful.claim(one, BEN)
    await careful.answer(one, BEN, epoch=2, label="ok")
    (two,) = careful.queue.all_open()
    await careful.claim(two, CLEO)
    await careful.queue.pass_on(two.request_id, CLEO, 1, make_key("pass"))
    (three,) = careful.queue.all_open()
    await careful.queue.end(three, Outcome.CANCELLED, "withdrawn.")

    ended = await careful.of_kind(events.RequestEnded)

    assert [one.actor for one in ended] == [BEN, CLEO, None]


async def test_a_first_opinion_outlives_a_restart(careful: QueueWorld):
    request = await careful.ask()
    await careful.claim(request)
    await careful.answer(request, label="missing_part")

    after = await careful.restarted()
    after.family = careful.family
    waiting = after.queue.get(request.request_id)
    assert waiting is not None
    await after.claim(request, BEN)
    second = await after.answer(request, BEN, epoch=2, label="missing_part")

    assert (waiting.first_by, waiting.first_label) == ("ana", "missing_part")
    assert second.outcome is Outcome.ANSWERED


async def test_a_label_that_is_not_declared_needs_nobody_else(careful: QueueWorld):
    request = await careful.ask()
    await careful.claim(request)

    assert (await careful.answer(request, label="ok")).outcome is Outcome.ANSWERED


async def test_silence_after_a_first_opinion_is_no_answer(careful: QueueWorld):
    request = await careful.ask()
    await careful.claim(request)
    await careful.answer(request, label="missing_part")
    careful.advance(120)

    (ended,) = await careful.queue.expire_due()

    assert ended.outcome is Outcome.TIMED_OUT
    (successor,) = careful.queue.all_open()
    assert (successor.first_by, successor.disputed_by) == ("", ())


async def test_after_silence_those_who_disagreed_still_do_not_decide(
    careful: QueueWorld,
):
    request = await careful.ask()
    await careful.claim(request)
    await careful.answer(request, label="missing_part")
    await careful.claim(request, BEN)
    await careful.answer(request, BEN, epoch=2, label="ok")
    careful.advance(120)
    await careful.queue.expire_due()
    (again,) = careful.queue.all_open()

    for person in (ANA, BEN):
        claimed = await careful.claim(again, person, take_over=True)
        with pytest.raises(OtherPersonError, match="somebody else decides"):
            await careful.answer(again, person, epoch=claimed.claim_epoch, label="ok")

    assert again.disputed_by == ("ana", "ben")
