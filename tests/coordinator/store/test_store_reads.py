"""What was committed is what is read, for every method of the reader."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from coordinator import seams
from coordinator.clock import ManualClock
from coordinator.errors import KeyReusedError, NotFoundError
from coordinator.store import Store
from coordinator.terms import (
    Action,
    CellEvent,
    CellState,
    ClipId,
    Decision,
    DecisionId,
    Digest,
    ExampleId,
    FamilyId,
    HoldReason,
    Label,
    ModelState,
    Outcome,
    RequestId,
    RequestKind,
    WindowId,
    WindowKind,
)
from coordinator.terms import events as e
from tests.coordinator.store.store_world import (
    ANA,
    CELL,
    NOON,
    PEG,
    answered,
    claimed,
    clip,
    consumed,
    decided,
    digest,
    ended,
    example,
    make_request,
    make_window,
    once,
    opened,
    permit,
    promoted,
    registered,
    session,
    validated,
)


async def ask(store: Store, number: int = 1) -> None:
    await store.commit(decided(number), opened(number), window=make_window(number))


def test_the_store_is_one_in_the_sense_of_the_seams(in_memory: Store) -> None:
    whole: seams.Store = in_memory

    assert whole is in_memory


async def test_an_empty_store_has_a_head_of_zeros(store: Store) -> None:
    head = await store.head()

    assert (head.seq, head.hash) == (0, "0" * 64)
    assert head.store_id.startswith("store-")


async def test_entries_come_back_in_order_with_the_head_at_their_end(
    store: Store,
) -> None:
    kept = await store.commit(session(1), decided(), window=make_window())
    (last,) = await store.commit(session(2))

    assert [entry.seq for entry in kept] == [1, 2]
    assert [entry.kind for entry in kept] == ["SessionOpened", "WindowDecided"]
    assert tuple(await store.entries(0, 10)) == (*kept, last)
    assert tuple(await store.entries(1, 1)) == kept[1:]
    assert (await store.head()).hash == last.hash
    assert last.recorded_at == NOON


async def test_a_window_comes_back_bit_for_bit(store: Store) -> None:
    window = make_window()
    window.samples[0, 0] = np.float32(np.nan)
    window.samples[1, 0] = np.float32(1e-45)
    await store.commit(decided(), window=window)

    again = await store.window(window.window_id)

    assert again.samples.tobytes() == window.samples.tobytes()
    assert again.samples.dtype == np.float32
    assert again.present.tolist() == window.present.tolist()
    for name in ("cell_id", "kind", "digest", "cut_at", "part_id", "offered_again"):
        assert getattr(again, name) == getattr(window, name)


async def test_the_newest_decision_about_a_window_is_the_one(store: Store) -> None:
    second = replace(decided(), decision_id=DecisionId("d-1-again"))
    await store.commit(decided(), second, window=make_window())

    assert await store.decision(WindowId("w-1")) == second


async def test_cells_remember_epoch_reasons_and_counts(store: Store) -> None:
    monitor = replace(decided(4, epoch=3), kind=WindowKind.MONITOR)
    await store.commit(
        session(3),
        decided(1, Decision.ACT, epoch=3),
        decided(2, Decision.ACT, epoch=3),
        decided(3, Decision.HOLD, epoch=3),
        monitor,
    )
    await store.commit(
        e.CellMoved(
            CELL,
            3,
            CellEvent.HOLD,
            CellState.DECIDING,
            CellState.HELD,
            (HoldReason.BAD_DATA, HoldReason.OPERATOR_HOLD),
        )
    )

    row = (await store.cells())[CELL]

    assert row.epoch == 3
    assert row.reasons == (HoldReason.OPERATOR_HOLD, HoldReason.BAD_DATA)
    assert row.counts == {"act": 2, "ask": 0, "hold": 1}


async def test_a_hold_stays_latched_until_its_reason_is_released(store: Store) -> None:
    await store.commit(
        session(),
        e.HoldPlaced(CELL, HoldReason.OPERATOR_HOLD, "pulled.", ANA),
        e.HoldPlaced(CELL, HoldReason.LINK_LOST, "gone."),
    )
    release = e.HoldReleased(
        decision_id=decided(9).decision_id,
        cell_id=CELL,
        actor=ANA,
        reasons=(HoldReason.LINK_LOST,),
        disposition="start",
    )
    await store.commit(release)

    assert (await store.cells())[CELL].reasons == (HoldReason.OPERATOR_HOLD,)


async def test_a_hold_that_is_not_confirmed_is_remembered_until_it_is(
    store: Store,
) -> None:
    await store.commit(
        session(), e.HoldUnconfirmed(CELL, 1), e.HoldUnconfirmed(CELL, 1)
    )
    assert (await store.cells())[CELL].hold_unconfirmed

    await store.commit(e.HoldConfirmed(CELL, 1), e.HoldConfirmed(CELL, 1))
    assert not (await store.cells())[CELL].hold_unconfirmed


async def test_open_requests_are_armed_in_full_from_now(
    store: Store, clock: ManualClock
) -> None:
    await ask(store, 1)
    await ask(store, 2)
    await store.commit(claimed(2))
    clock.advance(timedelta(hours=9))

    first, second = await store.open_requests()

    assert first.deadline_ns == clock.monotonic_ns() + first.time_allowed_ns
    assert first.claim_expires_ns == 0
    assert second.claimed_by == "ana"
    assert second.claim_epoch == 1
    assert second.claim_expires_ns == clock.monotonic_ns() + 60_000_000_000


async def test_ended_requests_come_newest_first_and_say_how(store: Store) -> None:
    for number in (1, 2, 3):
        await ask(store, number)
    await store.commit(e.RequestSeen(RequestId("r-2"), ANA), claimed(2))
    await store.commit(answered(2))
    await store.commit(ended(1))

    newest, older = await store.ended_requests(10)

    assert (newest.request_id, newest.outcome) == ("r-1", Outcome.TIMED_OUT)
    assert (older.label, older.answered_by, older.resolved_at) == ("slip", "ana", NOON)
    assert older.seen_at == NOON
    assert [one.request_id for one in await store.ended_requests(1)] == ["r-1"]
    assert [one.request_id for one in await store.open_requests()] == ["r-3"]


async def test_an_answer_stands_until_its_step_has_begun(store: Store) -> None:
    evidence = make_window().digest
    await store.commit(session())
    await ask(store)
    assert await store.answered_for(CELL, evidence) is None
    await store.commit(claimed())
    await store.commit(answered(label="ok"))

    standing = await store.answered_for(CELL, evidence)
    await store.commit(permit(), consumed())

    assert standing == await store.request(RequestId("r-1"))
    assert await store.answered_for(CELL, evidence) is None


async def test_a_request_names_the_clip_of_its_window(store: Store) -> None:
    await ask(store, 1)
    await ask(store, 2)
    before = await store.request(RequestId("r-1"))
    await store.commit(clip(1))

    assert before.clip_id == ""
    assert (await store.request(RequestId("r-1"))).clip_id == "c-1"
    assert [r.clip_id for r in await store.open_requests()] == ["c-1", ""]
    await store.commit(ended(1))
    await store.commit(e.ClipRemoved(ClipId("c-1"), WindowId("w-1"), "no room."))
    assert [r.clip_id for r in await store.ended_requests(9)] == [""]


async def test_clips_come_newest_first_and_go_oldest_first(store: Store) -> None:
    for number in (1, 2, 3, 4):
        await ask(store, number)
        await store.commit(clip(number))
    for number in (1, 2, 4):
        await store.commit(ended(number))
    await store.commit(e.ClipRemoved(ClipId("c-2"), WindowId("w-2"), "no room."))

    everything = await store.clips(None, 9)
    given = await store.clips_to_give(9)

    assert [one.clip_id for one in everything] == ["c-4", "c-3", "c-1"]
    assert everything[0] == clip(4).clip
    assert [one.clip_id for one in await store.clips(None, 1)] == ["c-4"]
    assert [one.clip_id for one in await store.clips(RequestId("r-3"), 9)] == ["c-3"]
    assert await store.clips(RequestId("r-2"), 9) == []
    # The one of the open request is not among them.
    assert [one.clip_id for one in given] == ["c-1", "c-4"]
    assert await store.clip_of(WindowId("w-3")) == clip(3).clip
    assert await store.clip_of(WindowId("w-2")) is None


async def test_an_answered_audit_gives_no_permission(store: Store) -> None:
    await store.commit(
        decided(1, Decision.ACT),
        opened(1, kind=RequestKind.AUDIT),
        window=make_window(),
    )
    await store.commit(claimed())
    await store.commit(answered(label="ok"))

    assert await store.answered_for(CELL, make_window().digest) is None


async def test_only_usable_examples_are_learned_from(store: Store) -> None:
    for number in (1, 2, 3):
        await store.commit(example(number), window=make_window(number))
    await store.commit(
        e.ExampleQuarantined(ExampleId("e-1"), "contradiction"),
        e.ExampleRetracted(ExampleId("e-2"), ANA),
    )

    first, second, third = await store.examples(PEG)
    ((usable, window),) = await store.example_windows(PEG)
    tally = await store.example_tally(PEG)

    assert (tally.usable, tally.taken_back) == (1, (second.labelled_at,))
    assert (await store.example_tally(FamilyId("other"))).usable == 0
    assert first.quarantine == "contradiction"
    assert second.retracted
    assert third == usable == example(3).example
    assert window.digest == usable.window_digest
    assert await store.examples(FamilyId("other")) == []


async def test_labels_of_people_keep_their_order(store: Store) -> None:
    zebra = Label("zebra", Action.REWORK, must_never_miss=True, text="striped.")
    await store.commit(e.LabelAdded(PEG, zebra, ANA))
    await store.commit(e.LabelAdded(PEG, Label("ant", Action.STOP), ANA))

    assert list(await store.labels(PEG)) == [zebra, Label("ant", Action.STOP)]


async def test_a_model_is_followed_from_candidate_to_live_and_back(
    store: Store, clock: ManualClock
) -> None:
    await store.commit(registered(1), validated(1), promoted(1))
    await store.commit(registered(2), validated(2))
    clock.advance(timedelta(minutes=1))
    await store.commit(promoted(2, previous=1))

    serving = await store.serving(PEG)
    second, first = await store.models(PEG)

    assert serving == second
    assert second.live_at == NOON + timedelta(minutes=1)
    assert second.promoted_by == "ana"
    assert second.metrics == {"accuracy": 0.95, "ece": 0.02}
    assert (first.state, second.state) == (ModelState.RETIRED, ModelState.LIVE)

    await store.commit(
        e.ModelRolledBack(digest("model 2"), PEG, digest("model 1"), ANA, "worse.")
    )
    second, first = await store.models(PEG)
    assert (first.state, second.state) == (ModelState.LIVE, ModelState.ROLLED_BACK)


async def test_rolling_back_the_only_model_leaves_none(store: Store) -> None:
    await store.commit(registered(1), validated(1), promoted(1))
    await store.commit(e.ModelRolledBack(digest("model 1"), PEG, Digest(""), ANA))

    assert await store.serving(PEG) is None


async def test_a_story_goes_from_a_part_to_the_model_and_leaves_others_out(
    store: Store,
) -> None:
    await store.commit(session())
    trained = e.TrainingStarted(
        registered().model.run_id, PEG, "count", 40, digest("snapshot"), Digest("")
    )
    model = registered(1, digest=digest("model"))
    await store.commit(trained, model)
    await ask(store, 1)
    await ask(store, 2)
    await store.commit(claimed(1))
    await store.commit(answered(1, label="ok"), example(1))
    await store.commit(permit(1))

    kinds = [entry.kind for entry in await store.story("part-1")]

    assert kinds == [
        "TrainingStarted",
        "ModelRegistered",
        "WindowDecided",
        "RequestOpened",
        "RequestClaimed",
        "RequestAnswered",
        "ExampleAdded",
        "PermitIssued",
    ]
    for about in ("w-1", "d-1", "r-1", "p-1", "e-1"):
        assert [entry.kind for entry in await store.story(about)] == kinds
    assert await store.story("nothing-of-this-name") == []


async def test_the_first_reply_to_a_call_is_remembered(store: Store) -> None:
    assert await store.replied(once()) is None
    await store.commit(session(), once=once(), reply="done")

    assert await store.replied(once()) == "done"
    with pytest.raises(KeyReusedError):
        await store.replied(once(content="something else"))


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    for read in (
        store.request(RequestId("r-9")),
        store.window(WindowId("w-9")),
        store.decision(WindowId("w-9")),
    ):
        with pytest.raises(NotFoundError):
            await read


async def test_a_request_keeps_what_it_asked(store: Store) -> None:
    await ask(store)

    request = await store.request(RequestId("r-1"))

    assert request == make_request(deadline_ns=request.deadline_ns)
