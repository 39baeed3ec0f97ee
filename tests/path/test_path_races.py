"""What comes in between: holds, lost links and failures at every await."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.errors import (
    IllegalTransitionError,
    LiveError,
    ReleaseRefusedError,
    StoreDegradedError,
)
from coordinator.live.cell import control
from coordinator.live.gate.desk import FixedDesk
from coordinator.terms import (
    Action,
    CellEvent,
    CellState,
    Decision,
    Digest,
    Family,
    Finding,
    HoldReason,
    PermitId,
    PermitPurpose,
    Prediction,
    Scene,
    Stand,
    Verdict,
    events,
)
from tests.builders import ANA, BEN, CELL, make_key, make_prediction
from tests.path.path_world import AT_START, World, count, scene_of

Happen = Callable[[World], Awaitable[None]]


async def hold(world: World) -> None:
    world.path.hold(HoldReason.OPERATOR_HOLD, "held by ben.", BEN)


async def cut(world: World) -> None:
    # What the loop will find when it looks again: the session is another one.
    world.path._lose_link("cut.")


async def renew(world: World) -> None:
    assert world.link is not None
    world.path._lose_link("cut.")
    other = type(world.link)(world.link.session_epoch + 1, world.store.durable)
    world.path._connected(other, AT_START)


BETWEEN = [pytest.param(what, id=what.__name__) for what in (hold, cut, renew)]


def sent(world: World) -> list[PermitPurpose]:
    assert world.link is not None
    return [permit.purpose for permit in world.link.permits]


@pytest.mark.parametrize("happen", BETWEEN)
async def test_nothing_is_permitted_when_it_comes_during_inference(
    world: World, happen: Happen
):
    await world.start()
    world.thinking = lambda: happen(world)
    await world.offer(world.window())

    assert sent(world) == [PermitPurpose.START]
    assert world.state() in {CellState.HELD, CellState.OFFLINE}
    assert HoldReason.MODEL_FAULT not in world.reasons
    decided = [e for e in await world.journal() if isinstance(e, events.WindowDecided)]
    assert decided == []  # what was overtaken was not decided


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("happen", BETWEEN)
@pytest.mark.parametrize("confidence", [0.99, 0.5])
async def test_nothing_is_permitted_when_it_comes_during_the_commit(
    world: World, happen: Happen, when: str, confidence: float
):
    await world.start()
    world.prediction = make_prediction(confidence=confidence)

    async def around(happened: tuple[events.Event, ...]) -> None:
        if any(isinstance(e, events.WindowDecided) for e in happened):
            setattr(world.store, when, None)
            await happen(world)

    setattr(world.store, when, around)
    await world.offer(world.window())

    assert sent(world) == [PermitPurpose.START]
    assert world.state() in {CellState.HELD, CellState.OFFLINE}
    assert HoldReason.MODEL_FAULT not in world.reasons


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("happen", BETWEEN)
async def test_an_answer_is_not_carried_out_when_it_comes_during_its_commit(
    world: World, happen: Happen, when: str
):
    await world.start()
    await world.doubt()

    async def around(happened: tuple[events.Event, ...]) -> None:
        if any(isinstance(e, events.PermitIssued) for e in happened):
            setattr(world.store, when, None)
            await happen(world)

    setattr(world.store, when, around)
    await world.answer("ok")

    assert sent(world) == [PermitPurpose.START]
    assert world.state() in {CellState.HELD, CellState.OFFLINE}
    assert HoldReason.MODEL_FAULT not in world.reasons


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_late_answer_does_not_undo_a_cord_pulled_during_its_commit(
    world: World, when: str
):
    await world.start()
    await world.doubt()
    world.clock.advance(timedelta(seconds=121))
    await world.expire()
    assert world.reasons == {HoldReason.LOW_CONFIDENCE}

    async def around(happened: tuple[events.Event, ...]) -> None:
        if any(isinstance(e, events.PermitIssued) for e in happened):
            setattr(world.store, when, None)
            await hold(world)

    setattr(world.store, when, around)
    await world.answer("ok")

    assert world.state() is CellState.HELD
    assert HoldReason.OPERATOR_HOLD in world.reasons
    assert sent(world) == [PermitPurpose.START]


@pytest.mark.parametrize("kind", [events.HoldReleased, events.PermitIssued])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_cord_pulled_while_a_release_is_written_down_holds_on(
    world: World, kind: type[events.Event], when: str
):
    # Also when the cell was held by a person before: the second pull is another one.
    await world.connect()
    await hold(world)
    await world.settle()

    async def around(happened: tuple[events.Event, ...]) -> None:
        if any(isinstance(e, kind) for e in happened):
            setattr(world.store, when, None)
            await hold(world)

    setattr(world.store, when, around)
    await world.release()

    assert world.state() is CellState.HELD
    assert HoldReason.OPERATOR_HOLD in world.reasons
    assert sent(world) == []
    assert await world.stored_reasons() == world.reasons


async def test_a_scene_that_moves_while_asked_holds_instead_of_waiting_for_ever(
    world: World,
):
    await world.start()
    await world.doubt()
    world.path.cell.scene = Scene(Stand.AT_START, 9)
    await world.answer("ok")

    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.IDENTITY}
    assert sent(world) == [PermitPurpose.START]


async def test_an_answer_twice_permits_once(world: World):
    await world.start()
    await world.doubt()
    answered = await world.answer("ok")
    world.path.inbox.post(control.Answered(answered, ANA))
    await world.settle()

    assert sent(world) == [PermitPurpose.START, PermitPurpose.NEXT_STEP]
    assert world.state() is CellState.WORKING


# -- the store -------------------------------------------------------------------------


async def test_a_decision_that_cannot_be_kept_holds_and_moves_nothing(world: World):
    await world.start()
    world.store.failure = StoreDegradedError("the disk is full; nothing was kept.")
    await world.offer(world.window())

    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.STORE_DEGRADED}
    assert sent(world) == [PermitPurpose.START]


async def test_a_store_that_stays_away_is_not_asked_without_pause(world: World):
    await world.start()
    world.store.failure = StoreDegradedError("the disk is full; nothing was kept.")
    await world.offer(world.window())
    tried = world.store.attempts
    for _ in range(10):
        await world.tick(0.25)  # settle() fails when the loop never comes to rest

    assert world.store.attempts - tried <= 10
    assert world.link is not None
    assert len(world.link.withdrawn) == 1
    assert len(world.path.cell.unrecorded) < 10


async def test_what_was_held_without_a_store_is_written_down_later(world: World):
    await world.start()
    world.store.failure = StoreDegradedError("the disk is full; nothing was kept.")
    await world.offer(world.window())
    world.path.hold(HoldReason.OPERATOR_HOLD, "held by ben.", BEN)
    await world.settle()
    world.store.failure = None
    await world.tick(0.25)

    assert world.path.cell.unrecorded == []
    held = [e for e in await world.journal() if isinstance(e, events.HoldPlaced)]
    assert [e.reason for e in held] == [
        HoldReason.STORE_DEGRADED,
        HoldReason.OPERATOR_HOLD,
    ]
    assert await world.stored_reasons() == world.reasons
    with pytest.raises(ReleaseRefusedError):
        await world.release(seen=HoldReason.STORE_DEGRADED)


async def test_a_new_session_after_a_store_failure_bars_nothing(world: World):
    # Moves of the old session wait for the disk while the node connects again.
    await world.start()
    world.store.failure = StoreDegradedError("the disk is full; nothing was kept.")
    await world.offer(world.window())
    await world.lose_link()
    world.store.failure = None
    link = await world.connect()
    await world.release()
    await world.tick()

    assert link.session_epoch == 2
    assert [p.purpose for p in link.permits] == [PermitPurpose.START]
    assert world.path.cell.unrecorded == []


async def test_one_refused_event_does_not_bar_the_way_for_ever(world: World):
    await world.start()
    bogus = events.PermitConsumed(PermitId("p-bogus"), CELL, 1)
    world.path.cell.unrecorded.append(bogus)
    await world.offer(world.window())

    assert sent(world) == [PermitPurpose.START, PermitPurpose.NEXT_STEP]
    assert bogus not in await world.journal()


async def test_a_step_that_began_without_leave_holds_the_cell(world: World):
    await world.start()
    assert world.link is not None
    used = control.PermitUsed(world.link.permits[0].permit_id, 1)
    world.path.inbox.post(used)
    await world.settle()
    assert world.state() is CellState.WORKING

    world.path.inbox.post(used)  # the same leave, once more
    await world.settle()

    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.IDENTITY}


async def test_a_begun_step_is_remembered_when_the_store_is_away(world: World):
    await world.start()
    assert world.link is not None
    world.store.failure = StoreDegradedError("the disk is full; nothing was kept.")
    used = control.PermitUsed(world.link.permits[0].permit_id, 1)
    world.path.inbox.post(used)
    await world.settle()
    world.store.failure = None
    await world.tick(0.25)

    assert any(isinstance(e, events.PermitConsumed) for e in await world.journal())


async def test_a_window_overtaken_by_a_session_on_record_is_no_model_fault(
    world: World,
):
    await world.start()
    opened = events.SessionOpened(CELL, 2, "node-2", "boot", "test")

    async def another(happened: tuple[events.Event, ...]) -> None:
        if any(isinstance(e, events.WindowDecided) for e in happened):
            world.store.before = None
            await world.real.commit(opened)

    world.store.before = another
    await world.offer(world.window())

    assert world.reasons == {HoldReason.LINK_LOST}
    assert sent(world) == [PermitPurpose.START]


# -- links -----------------------------------------------------------------------------


async def test_a_lost_link_is_held_until_released_by_name(world: World):
    await world.start()
    await world.lose_link()
    assert world.state() is CellState.OFFLINE

    link = await world.connect()

    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.LINK_LOST}
    await world.tick(3600)
    assert link.permits == []


async def test_an_end_of_an_older_session_is_only_written_down(world: World):
    await world.start()
    await world.connect()
    world.path.inbox.post(control.LinkEnded(1, "late news."))
    await world.settle()

    assert world.state() is CellState.HELD
    assert world.path.link is world.link
    closed = [e for e in await world.journal() if isinstance(e, events.SessionClosed)]
    assert [e.epoch for e in closed] == [1]


async def test_windows_of_an_old_session_are_counted_and_not_judged(world: World):
    await world.start()
    old = world.window()
    await world.connect()
    await world.offer(old)

    assert count(world, Decision.ACT) == 0
    assert world.path.inbox.dropped["session_over"] == 1


async def test_an_open_question_stays_the_question_after_a_lost_link(world: World):
    await world.start()
    window = await world.doubt()
    before = world.requests.question_of(CELL)
    await world.lose_link()
    link = await world.connect(scene_of(window))
    await world.release()
    assert link.reoffers == 1

    await world.offer(world.again(window))

    assert world.state() is CellState.ASKING
    assert world.requests.question_of(CELL) == before
    assert before is not None
    assert world.path.cell.request_id == before.request_id
    await world.answer("ok")
    [permit] = link.permits
    assert permit.session_epoch == 2
    assert permit.window_digest == window.digest


async def test_an_answer_given_while_offline_permits_without_asking_again(
    world: World,
):
    await world.start()
    window = await world.doubt()
    await world.lose_link()
    await world.answer("misaligned", BEN)
    assert sent(world) == [PermitPurpose.START]

    link = await world.connect(scene_of(window))
    await world.release()
    await world.offer(world.again(window))

    assert world.requests.all_open() == []
    [permit] = link.permits
    assert (permit.action, permit.label) == (Action.REWORK, "misaligned")
    assert world.state() is CellState.WORKING


async def test_an_answer_whose_step_has_begun_is_not_used_again(world: World):
    await world.start()
    window = await world.doubt()
    await world.answer("ok")
    assert world.link is not None
    used = control.PermitUsed(world.link.permits[-1].permit_id, 1)
    world.path.inbox.post(used)
    await world.lose_link()
    await world.connect(scene_of(window))
    await world.release()
    await world.offer(world.again(window))

    assert world.state() is CellState.ASKING  # judged afresh, and still doubtful
    assert sent(world) == []


async def test_everything_open_survives_a_restart(world: World):
    await world.start()
    window = await world.doubt()
    before = world.requests.question_of(CELL)
    assert before is not None
    world.path.hold(HoldReason.OPERATOR_HOLD, "held by ben.", BEN)
    await world.settle()

    after = await world.restarted(autostart=True)
    question = after.requests.question_of(CELL)
    assert question is not None
    assert question.request_id == before.request_id
    assert HoldReason.OPERATOR_HOLD in after.reasons

    link = await after.connect(scene_of(window))
    await after.tick(5)
    assert link.session_epoch == 2
    assert after.state() is CellState.HELD
    assert link.reoffers == 0  # the policy may not clear what a person held

    await after.release()
    await after.offer(after.again(window))
    await after.answer("ok")

    assert [p.session_epoch for p in link.permits] == [2]


# -- the policy ------------------------------------------------------------------------


async def test_autostart_starts_a_cell_that_connects_and_says_so(auto: World):
    link = await auto.connect()

    assert auto.state() is CellState.WORKING
    assert [p.purpose for p in link.permits] == [PermitPurpose.START]
    moved = [e for e in await auto.journal() if isinstance(e, events.CellMoved)]
    out = [e for e in moved if e.event is CellEvent.RELEASED]
    assert [e.actor.person for e in out if e.actor] == ["policy:autostart"]


@pytest.mark.parametrize("reason", list(HoldReason))
async def test_autostart_clears_only_what_it_may(auto: World, reason: HoldReason):
    await auto.connect()
    await auto.tick(10)
    auto.path.hold(reason, "something.")
    await auto.settle()
    await auto.tick(10)

    released = auto.state() is not CellState.HELD
    assert released == (reason in {HoldReason.STALE_DATA, HoldReason.LINK_LOST})


async def test_autostart_does_not_flap(auto: World):
    link = await auto.connect()
    for _ in range(48):
        auto.path.hold(HoldReason.STALE_DATA, "old.")
        await auto.settle()
        await auto.tick(0.25)

    assert len(link.permits) == 3  # at once, then at most one in five seconds


async def test_a_link_that_comes_and_goes_does_not_flap(auto: World):
    released = 0
    for _ in range(12):
        link = await auto.connect()
        await auto.tick(0.5)
        released += len(link.permits)
        await auto.lose_link()
        await auto.tick(0.5)

    assert released == 3


async def test_after_a_persons_release_the_policy_waits_as_well(auto: World):
    await auto.connect()
    auto.path.hold(HoldReason.BAD_DATA, "a sensor is silent.")
    await auto.tick(60)
    await auto.release()
    auto.path.hold(HoldReason.STALE_DATA, "old.")
    await auto.tick(4.5)
    assert auto.state() is CellState.HELD

    await auto.tick(0.5)
    assert auto.state() is CellState.WORKING


async def test_a_cell_taken_out_of_work_stays_out_when_its_node_returns(auto: World):
    await auto.connect()
    await auto.maintain(on=True)
    assert auto.state() is CellState.MAINTENANCE
    await auto.lose_link()
    link = await auto.connect()
    await auto.tick(10)

    assert auto.state() is CellState.HELD
    assert HoldReason.OPERATOR_HOLD in auto.reasons
    assert link.permits == []


# -- what people wait for --------------------------------------------------------------


async def test_maintenance_and_back_leaves_the_cell_held(world: World):
    await world.start()
    await world.maintain(on=True)
    await world.maintain(on=True)
    assert world.state() is CellState.MAINTENANCE
    assert world.link is not None
    assert world.link.withdrawn == [HoldReason.OPERATOR_HOLD]

    key = make_key("off")
    await world.maintain(on=False, once=key)
    assert world.state() is CellState.HELD
    await world.release()
    await world.maintain(on=False, once=key)  # a retry of the same call

    assert world.state() is CellState.WORKING


async def test_what_makes_no_sense_leaves_no_trace(world: World):
    await world.start()
    await world.tick()
    before = (await world.journal(), world.reasons)
    with pytest.raises(IllegalTransitionError):
        await world.maintain(on=False)

    assert (await world.journal(), world.reasons) == before
    assert world.state() is CellState.WORKING


async def test_the_same_release_twice_is_one_release(world: World):
    await world.connect()
    key = make_key("release")
    await world.release(once=key)
    await world.release(once=key)

    released = [e for e in await world.journal() if isinstance(e, events.HoldReleased)]
    assert len(released) == 1
    assert sent(world) == [PermitPurpose.START]


async def test_whoever_waits_is_told_even_when_the_loop_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    await world.connect()

    def bug(*_args: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(world.path.cell.holds, "clearance", bug)
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    world.path.inbox.post(control.Release(ANA, None, None, "", None, done))
    with pytest.raises(KeyError):
        await world.settle()

    with pytest.raises(LiveError):
        await done


async def test_a_caller_that_left_does_not_stop_the_loop(world: World):
    await world.connect()
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.cancel()
    world.path.inbox.post(control.Maintenance(ANA, True, "", make_key(), done))
    world.path.inbox.post(control.Release(ANA, None, None, "", make_key(), done))
    await world.settle()

    assert world.state() is CellState.MAINTENANCE


async def test_a_hold_by_a_person_is_always_on_record(world: World):
    await world.start()
    for actor in (ANA, BEN, ANA):
        world.path.hold(HoldReason.OPERATOR_HOLD, f"held by {actor.person}.", actor)
        done = world.path.recorded()
        await world.settle()
        await done

    held = [e for e in await world.journal() if isinstance(e, events.HoldPlaced)]
    assert [e.actor for e in held] == [ANA, BEN, ANA]


async def test_recorded_says_when_it_was_not(world: World):
    await world.start()
    world.store.failure = StoreDegradedError("the disk is full; nothing was kept.")
    world.path.hold(HoldReason.OPERATOR_HOLD, "held by ana.", ANA)
    done = world.path.recorded()
    await world.settle()

    with pytest.raises(StoreDegradedError):
        await done
    assert world.state() is CellState.HELD


async def test_the_loop_carries_until_it_is_cancelled(world: World):
    loop = asyncio.create_task(world.path.run())
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    world.path.inbox.post(control.Opening("node-1", "boot", "test", done))

    assert await done == 1
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop


async def test_a_gate_that_acts_on_an_unknown_label_permits_nothing(world: World):
    # No gate of ours does; the path does not rest on that.
    await world.start()
    judged = replace(make_prediction(), labels=("a", "b", "c", "d"))
    world.prediction = judged

    class Acts:
        @property
        def digest(self) -> Digest:
            return Digest("ff" * 32)

        def __call__(
            self,
            prediction: Prediction | None,
            findings: Sequence[Finding],
            family: Family,
        ) -> Verdict:
            return Verdict(Decision.ACT, "ACT", "sure.", judged)

    world.path._gate = FixedDesk(Acts(), 0.0)
    await world.offer(world.window())

    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.MODEL_FAULT}
    assert sent(world) == [PermitPurpose.START]
