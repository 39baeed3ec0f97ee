"""Questions to people: claimed under epochs, answered once, never lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from coordinator.errors import (
    KeyReusedError,
    NotFoundError,
    NotYourClaimError,
    RequestClaimedError,
    RequestClosedError,
    StaleEpochError,
    UnknownLabelError,
    ViewChangedError,
)
from coordinator.live.request.view import view_digest
from coordinator.terms import (
    Action,
    CellId,
    ExampleSource,
    Label,
    Outcome,
    RequestId,
    RequestKind,
    TimeoutOutcome,
    events,
)
from tests.builders import ANA, BEN, FAMILY, make_digest, make_key, make_request
from tests.coordinator.live.request.queue_world import ALLOWED_NS, QueueWorld


@pytest.fixture
async def world() -> AsyncIterator[QueueWorld]:
    opened = await QueueWorld.open()
    yield opened
    await opened.store.close()


# -- claims --------------------------------------------------------------------------


async def test_a_claim_is_a_lease_under_an_epoch(world: QueueWorld):
    request = await world.ask()
    claimed = await world.claim(request)

    assert (claimed.claimed_by, claimed.claim_epoch) == ("ana", 1)
    assert claimed.claim_expires_ns == 60 * 10**9
    assert claimed.seen_at is not None
    assert world.queue.get(request.request_id) == claimed
    assert world.told[-1] == claimed


async def test_somebody_elses_claim_is_respected_until_taken_over_by_name(
    world: QueueWorld,
):
    request = await world.ask()
    await world.claim(request)
    world.advance(12)
    with pytest.raises(RequestClaimedError, match="ana, 12 s ago"):
        await world.claim(request, BEN)

    taken = await world.claim(request, BEN, take_over=True)

    assert (taken.claimed_by, taken.claim_epoch) == ("ben", 2)
    [_, event] = await world.of_kind(events.RequestClaimed)
    assert event.taken_from == "ana"
    with pytest.raises(NotYourClaimError):
        await world.answer(request, ANA, epoch=1)


async def test_claiming_again_keeps_the_epoch_and_renews(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    world.advance(50)
    again = await world.claim(request)

    assert again.claim_epoch == 1
    assert again.claim_expires_ns == 110 * 10**9
    assert len(await world.of_kind(events.RequestClaimed)) == 1


async def test_two_people_claim_at_once_and_one_of_them_has_it(world: QueueWorld):
    request = await world.ask()
    results = await asyncio.gather(
        world.claim(request, ANA), world.claim(request, BEN), return_exceptions=True
    )

    refused = [r for r in results if isinstance(r, BaseException)]
    assert len(refused) == 1
    assert isinstance(refused[0], RequestClaimedError)


async def test_one_person_claims_twice_at_once_and_has_it(world: QueueWorld):
    request = await world.ask()
    one, two = await asyncio.gather(world.claim(request), world.claim(request))

    assert one.claim_epoch == two.claim_epoch == 1


async def test_a_claim_nobody_renews_is_offered_again(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    world.advance(59)
    await world.queue.renew(request.request_id, ANA, 1)
    world.advance(59)
    await world.queue.end_lapsed_claims()
    assert world.queue.all_open()[0].claimed_by == "ana"

    world.advance(1)
    await world.queue.end_lapsed_claims()

    free = world.queue.all_open()[0]
    assert (free.claimed_by, free.claim_epoch, free.claim_expires_ns) == ("", 1, 0)
    with pytest.raises(NotYourClaimError):
        await world.answer(request, ANA)
    assert (await world.claim(request, BEN)).claim_epoch == 2


async def test_a_claim_can_be_given_back(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    with pytest.raises(NotYourClaimError):
        await world.queue.release_claim(request.request_id, BEN, 1)
    with pytest.raises(StaleEpochError):
        await world.queue.release_claim(request.request_id, ANA, 2)
    await world.queue.release_claim(request.request_id, ANA, 1)

    assert world.queue.all_open()[0].claimed_by == ""


async def test_the_end_of_a_claim_loses_against_whatever_was_faster(
    world: QueueWorld,
):
    request = await world.ask()
    claimed = await world.claim(request)
    ended = events.ClaimEnded(request.request_id, 1, "elsewhere")
    await world.store.commit(ended)
    await world.queue.release_claim(request.request_id, ANA, claimed.claim_epoch)

    assert len(await world.of_kind(events.ClaimEnded)) == 1


async def test_a_claim_repeated_with_its_key_gives_its_first_epoch(world: QueueWorld):
    request = await world.ask()
    key = make_key()
    await world.claim(request, once=key)
    await world.queue.release_claim(request.request_id, ANA, 1)
    await world.claim(request, BEN)
    await world.queue.release_claim(request.request_id, BEN, 2)
    again = await world.claim(request, once=key)

    assert again.claim_epoch == 1
    assert again.claimed_by == ""


# -- answers -------------------------------------------------------------------------


async def test_a_claims_key_is_not_used_for_another_claim(world: QueueWorld):
    one, two = await world.ask(), await world.ask(CellId("press-2"))
    await world.claim(one, once=make_key("claim one", key="k-1"))
    await world.claim(two)

    for request in (two, one):
        with pytest.raises(KeyReusedError):
            await world.claim(request, once=make_key("claim other", key="k-1"))

    assert len(await world.of_kind(events.RequestClaimed)) == 2


async def test_an_answer_closes_the_request_and_becomes_an_example(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    answered = await world.answer(request, label="misaligned")

    assert answered.outcome is Outcome.ANSWERED
    assert (answered.label, answered.answered_by) == ("misaligned", "ana")
    assert world.queue.all_open() == []
    [event] = await world.of_kind(events.RequestAnswered)
    assert event.correction
    [example] = await world.store.examples(request.family)
    assert (example.label, example.source) == ("misaligned", ExampleSource.QUESTION)
    assert world.queue.last_answer_ns == 0


async def test_an_audits_example_keeps_its_propensity(world: QueueWorld):
    request = await world.ask(kind=RequestKind.AUDIT)
    await world.claim(request)
    await world.answer(request)
    [example] = await world.store.examples(request.family)

    assert (example.source, example.propensity) == (ExampleSource.AUDIT, 0.25)


async def test_the_same_answer_twice_is_one_answer(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    key = make_key("answer")
    first, second = await asyncio.gather(
        world.answer(request, once=key), world.answer(request, once=key)
    )
    third = await world.answer(request, once=key)

    assert first.label == second.label == third.label == "ok"
    assert len(await world.of_kind(events.RequestAnswered)) == 1
    assert len(await world.store.examples(request.family)) == 1


async def test_the_same_key_with_other_content_is_refused(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    await world.answer(request, once=make_key("answer ok", key="key-x"))

    with pytest.raises(KeyReusedError):
        await world.answer(request, once=make_key("answer slip", key="key-x"))
    assert len(await world.of_kind(events.RequestAnswered)) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"actor": BEN}, NotYourClaimError),
        ({"epoch": 0}, StaleEpochError),
        ({"epoch": 2}, StaleEpochError),
        ({"label": "scraped"}, UnknownLabelError),
        ({"label": ""}, UnknownLabelError),
        ({"view": make_digest("other")}, ViewChangedError),
    ],
)
async def test_an_answer_that_may_not_be_changes_nothing(
    world: QueueWorld, changes, error
):
    request = await world.ask()
    await world.claim(request)
    with pytest.raises(error):
        await world.answer(request, **changes)

    assert world.open_ids() == {request.request_id}
    assert await world.of_kind(events.RequestAnswered) == []


async def test_a_first_word_that_is_unknown_is_the_one_that_is_named(
    world: QueueWorld,
):
    request = await world.ask()
    await world.claim(request)

    with pytest.raises(UnknownLabelError, match="'scraped', known: "):
        await world.queue.answer(
            request.request_id,
            ANA,
            claim_epoch=1,
            label="ok",
            view=view_digest(request, world.family),
            once=make_key(),
            first_label="scraped",
        )


async def test_without_a_claim_nobody_answers(world: QueueWorld):
    request = await world.ask()
    with pytest.raises(NotYourClaimError, match="nobody"):
        await world.answer(request, epoch=0)


async def test_a_new_label_changes_what_is_shown(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    labels = (*FAMILY.labels, Label("scraped", Action.REJECT))
    shown = world.family
    world.family = replace(FAMILY, labels=labels)
    with pytest.raises(ViewChangedError):
        await world.answer(request, view=view_digest(request, shown))
    assert (await world.answer(request, label="scraped")).label == "scraped"


async def test_an_answer_after_the_end_says_who_was_faster(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    await world.answer(request, label="ok")

    with pytest.raises(RequestClosedError, match="answered at 12:00:00 by ana as ok"):
        await world.answer(request, BEN)
    with pytest.raises(RequestClosedError):
        await world.claim(request, BEN)
    with pytest.raises(RequestClosedError):
        await world.queue.renew(request.request_id, ANA, 1)


async def test_an_answer_that_loses_the_race_says_so_and_the_mirror_follows(
    world: QueueWorld,
):
    request = await world.ask()
    await world.claim(request)
    ended = events.RequestEnded(
        request.request_id, request.cell_id, Outcome.CANCELLED, "elsewhere"
    )
    await world.store.commit(ended)

    with pytest.raises(RequestClosedError, match="cancelled"):
        await world.answer(request)
    assert world.queue.all_open() == []
    assert world.told[-1].outcome is Outcome.CANCELLED


async def test_a_claim_or_a_pass_that_loses_the_race_says_so(world: QueueWorld):
    one, two = await world.ask(), await world.ask()
    await world.claim(two)
    for request in (one, two):
        ended = events.RequestEnded(
            request.request_id, request.cell_id, Outcome.CANCELLED, "elsewhere"
        )
        await world.store.commit(ended)

    with pytest.raises(RequestClosedError):
        await world.claim(one)
    with pytest.raises(RequestClosedError):
        await world.queue.pass_on(two.request_id, ANA, 1, make_key())
    assert world.queue.all_open() == []


async def test_an_answer_whose_caller_left_is_found_in_the_store(world: QueueWorld):
    # The commit went through; nobody came back to close the mirror.
    request = await world.ask()
    await world.claim(request)
    key = make_key("answer")
    answered = events.RequestAnswered(
        request.request_id, request.cell_id, ANA, 1, "ok", False, make_digest("view")
    )
    await world.store.commit(answered, once=key, reply="ok")
    assert world.open_ids() == {request.request_id}

    world.advance(121)
    ended = await world.queue.expire(world.queue.due()[0])

    assert ended.outcome is Outcome.ANSWERED
    assert world.queue.all_open() == []
    again = await world.answer(request, once=key)
    assert again.label == "ok"


async def test_what_is_not_there_is_not_found(world: QueueWorld):
    with pytest.raises(NotFoundError):
        await world.queue.claim(RequestId("r-none"), ANA, make_key())
    await world.queue.see(RequestId("r-none"), ANA)


async def test_what_is_open_in_the_store_alone_is_not_served(world: QueueWorld):
    request = await world.ask()
    other = await world.restarted()
    other.queue._open.load([])

    with pytest.raises(NotFoundError, match="not served here"):
        await other.claim(request)


# -- deadlines -----------------------------------------------------------------------


async def test_silence_is_never_an_approval_and_asks_one_level_up(world: QueueWorld):
    request = await world.ask()
    world.advance(119)
    assert world.queue.due() == []
    world.advance(1)
    [due] = world.queue.due()
    ended = await world.queue.expire(due)

    assert ended.outcome is Outcome.TIMED_OUT
    [successor] = world.queue.all_open()
    assert (successor.level, successor.priority) == (1, 0)
    assert successor.deadline_ns == 240 * 10**9
    assert successor.window_digest == request.window_digest
    assert successor.decision_id == request.decision_id
    assert (successor.claimed_by, successor.claim_epoch) == ("", 0)
    [event] = await world.of_kind(events.RequestEnded)
    assert event.successor == successor.request_id
    with pytest.raises(RequestClosedError, match="timed out"):
        await world.answer(request)

    world.advance(121)
    again = await world.queue.expire(world.queue.due()[0])
    assert again.outcome is Outcome.TIMED_OUT
    assert world.queue.all_open()[0].level == 1


async def test_an_audit_ends_without_a_successor(world: QueueWorld):
    await world.ask(kind=RequestKind.AUDIT)
    world.advance(121)
    ended = await world.queue.expire(world.queue.due()[0])

    assert ended.outcome is Outcome.TIMED_OUT
    assert world.queue.all_open() == []


@pytest.mark.parametrize("declared", TimeoutOutcome)
async def test_a_part_is_booked_as_was_declared(world: QueueWorld, declared):
    await world.ask(on_timeout=declared)
    world.advance(121)
    await world.queue.expire(world.queue.due()[0])

    booked = await world.of_kind(events.PartRejected)
    assert len(booked) == (declared is TimeoutOutcome.REJECT)


async def test_an_answer_and_a_time_out_at_once_leave_one_outcome(world: QueueWorld):
    for order in (0, 1):
        request = await world.ask()
        await world.claim(request)
        both = [world.answer(request), world.queue.expire(request)]
        results = await asyncio.gather(
            *(both if order else reversed(both)), return_exceptions=True
        )

        stored = await world.store.request(request.request_id)
        assert stored.outcome in {Outcome.ANSWERED, Outcome.TIMED_OUT}
        lost = [r for r in results if isinstance(r, BaseException)]
        assert all(isinstance(r, RequestClosedError) for r in lost)
        assert len(lost) == (stored.outcome is Outcome.TIMED_OUT)


async def test_cannot_tell_goes_one_level_up_once(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    key = make_key("pass")
    call = world.queue.pass_on
    results = [
        *await asyncio.gather(
            call(request.request_id, ANA, 1, key), call(request.request_id, ANA, 1, key)
        ),
        await call(request.request_id, ANA, 1, key),
    ]

    assert {r.outcome for r in results} == {Outcome.SUPERSEDED}
    [successor] = world.queue.all_open()
    assert successor.level == 1
    with pytest.raises(NotYourClaimError):
        await call(successor.request_id, ANA, 1, make_key())


async def test_time_in_which_andon_stood_still_is_given_back(world: QueueWorld):
    free, held = await world.ask(), await world.ask()
    await world.claim(held)
    world.advance(90)
    world.queue.postpone(90 * 10**9)

    by_id = {r.request_id: r for r in world.queue.all_open()}
    assert by_id[free.request_id].deadline_ns == ALLOWED_NS + 90 * 10**9
    assert by_id[free.request_id].claim_expires_ns == 0
    assert by_id[held.request_id].claim_expires_ns == 150 * 10**9
    world.advance(31)
    assert world.queue.due() == []


async def test_after_a_restart_everybody_has_the_whole_time_again(world: QueueWorld):
    request = await world.ask()
    await world.claim(request)
    world.advance(110)
    after = await world.restarted()

    [again] = after.queue.all_open()
    assert again.request_id == request.request_id
    assert again.deadline_ns == 230 * 10**9
    assert (again.claimed_by, again.claim_epoch) == ("ana", 1)
    assert again.claim_expires_ns == 170 * 10**9


async def test_ending_what_has_ended_is_harmless(world: QueueWorld):
    request = await world.ask()
    first = await world.queue.end(request, Outcome.SUPERSEDED, "gone.")
    second = await world.queue.end(request, Outcome.CANCELLED, "gone.")

    assert first.outcome is second.outcome is Outcome.SUPERSEDED


# -- looking -------------------------------------------------------------------------


async def test_the_first_look_is_on_record_once(world: QueueWorld):
    request = await world.ask()
    await world.queue.see(request.request_id, ANA)
    await world.queue.see(request.request_id, BEN)

    [seen] = await world.of_kind(events.RequestSeen)
    assert seen.actor == ANA
    assert world.queue.all_open()[0].seen_at == world.clock.utc_now()


async def test_looking_is_possible_without_a_store(world: QueueWorld):
    request = await world.ask()
    await world.store.close()
    await world.queue.see(request.request_id, ANA)

    assert world.queue.all_open()[0].seen_at is not None
    world.store = (await QueueWorld.open()).store


async def test_the_most_urgent_comes_first(world: QueueWorld):
    audit = await world.ask(kind=RequestKind.AUDIT)
    first = await world.ask()
    world.advance(1)
    second = await world.ask()
    world.queue.add(replace(make_request(), priority=0))

    order = [r.request_id for r in world.queue.all_open()][1:]
    assert order == [first.request_id, second.request_id, audit.request_id]
