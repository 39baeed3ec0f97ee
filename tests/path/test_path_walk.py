"""From a window to a permit, from a question to an answer: the plain ways."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from coordinator.errors import ModelUnavailableError, ReleaseRefusedError
from coordinator.live.cell import control
from coordinator.live.gate.desk import FixedDesk
from coordinator.live.gate.judge import Gate
from coordinator.terms import (
    Action,
    CellEvent,
    CellState,
    Decision,
    HoldReason,
    Outcome,
    PermitPurpose,
    RequestKind,
    Scene,
    Stand,
    TimeoutOutcome,
    WindowKind,
    events,
)
from tests.builders import ANA, BEN, CELL, make_key, make_prediction, make_samples
from tests.path.path_world import AT_START, World, count, scene_of


async def test_a_cell_that_connects_is_held_until_somebody_starts_it(world: World):
    link = await world.connect()

    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.LINK_LOST}
    await world.tick(3600)
    assert world.state() is CellState.HELD
    assert link.permits == []


async def test_a_named_person_starts_the_cell_with_a_permit(world: World):
    link = await world.connect()
    await world.release(ANA)

    assert world.state() is CellState.WORKING
    [permit] = link.permits
    assert permit.purpose is PermitPurpose.START
    assert permit.window_digest == ""
    released = [e for e in await world.journal() if isinstance(e, events.HoldReleased)]
    assert [(e.actor, e.decision_id) for e in released] == [(ANA, permit.decision_id)]


async def test_a_confident_window_gives_the_permit_of_its_label(world: World):
    await world.start()
    world.prediction = make_prediction("missing_part", 0.99)
    window = await world.offer(world.window())

    assert world.link is not None
    permit = world.link.permits[-1]
    assert permit.action is Action.REJECT
    assert permit.label == "missing_part"
    assert permit.window_digest == window.digest
    assert permit.session_epoch == world.link.session_epoch
    assert permit.cycle == window.cycle
    assert permit.heartbeat_seq == 7
    assert world.state() is CellState.WORKING
    assert count(world, Decision.ACT) == 1
    assert world.link.codes == ["ACT"]


async def test_a_doubtful_window_asks_and_the_answer_moves_the_cell_on(world: World):
    await world.start()
    window = await world.doubt()
    question = world.requests.question_of(CELL)

    assert question is not None
    assert world.link is not None
    assert world.state() is CellState.ASKING
    assert world.path.cell.request_id == question.request_id
    assert len(world.link.permits) == 1  # the start

    await world.answer("misaligned", BEN)

    assert world.state() is CellState.WORKING
    permit = world.link.permits[-1]
    assert (permit.action, permit.label) == (Action.REWORK, "misaligned")
    assert permit.decision_id == question.decision_id
    assert permit.window_digest == window.digest
    assert world.requests.question_of(CELL) is None
    assert len(await world.real.examples(question.family)) == 1


async def test_without_a_model_everything_is_asked(world: World):
    await world.start()
    world.prediction = None
    await world.offer(world.window())

    assert world.state() is CellState.ASKING
    assert world.link is not None
    assert world.link.codes == ["ASK_ALL"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e30])
async def test_a_value_that_cannot_be_holds_the_cell_and_is_never_asked(
    world: World, value: float
):
    await world.start()
    samples = make_samples()
    samples[3, 1] = value
    await world.offer(world.window(samples=samples))

    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.BAD_DATA}
    assert world.requests.all_open() == []
    assert world.link is not None
    assert len(world.link.permits) == 1
    assert world.link.withdrawn == [HoldReason.BAD_DATA]
    [decided] = [
        e for e in await world.journal() if isinstance(e, events.WindowDecided)
    ]
    assert decided.verdict.decision is Decision.HOLD
    stored = await world.real.window(decided.window_id)
    assert np.array_equal(stored.samples, samples, equal_nan=True)


async def test_a_stop_label_never_permits_whoever_says_it(world: World):
    await world.start()
    world.prediction = make_prediction("collision", 0.999)
    await world.offer(world.window())

    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.STOP_LABEL}

    await world.release()
    await world.doubt()
    await world.answer("collision")

    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.STOP_LABEL}
    assert world.link is not None
    assert all(p.purpose is PermitPurpose.START for p in world.link.permits)


async def test_a_model_that_is_late_holds(world: World):
    await world.start()
    world.prediction = ModelUnavailableError("the model did not answer within 0.2 s.")
    await world.offer(world.window())

    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.MODEL_FAULT}
    assert count(world, Decision.HOLD) == 1


async def test_windows_of_a_cell_that_asks_or_is_held_do_not_move_it(world: World):
    await world.start()
    await world.doubt()
    world.prediction = make_prediction()
    await world.offer(world.window())

    assert world.link is not None
    assert world.state() is CellState.ASKING
    assert world.link.codes[-1] == "CELL_HELD"

    world.path.hold(HoldReason.OPERATOR_HOLD, "held by ana.", ANA)
    await world.offer(world.window())

    assert world.state() is CellState.HELD
    assert world.link.codes[-1] == "CELL_HELD"
    assert len(world.link.permits) == 1


async def test_a_newer_window_overtakes_one_that_still_waits(world: World):
    await world.start()
    world.path.offer(world.window())
    await world.offer(world.window())

    assert world.link is not None
    assert world.link.codes == ["OVERTAKEN", "ACT"]
    assert world.path.inbox.dropped["overtaken_decision"] == 1


async def test_nobody_answers_the_cell_is_held_and_the_successor_permits(world: World):
    await world.start()
    await world.doubt()
    first = world.requests.question_of(CELL)
    world.clock.advance(timedelta(seconds=121))
    [ended] = await world.expire()

    assert first is not None
    assert ended.outcome is Outcome.TIMED_OUT
    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.LOW_CONFIDENCE}
    assert world.link is not None
    assert len(world.link.permits) == 1

    successor = world.requests.question_of(CELL)
    assert successor is not None
    assert successor.level == 1
    assert successor.request_id != first.request_id
    await world.answer("ok")

    assert world.state() is CellState.WORKING
    assert len(world.link.permits) == 2
    moved = [e for e in await world.journal() if isinstance(e, events.CellMoved)]
    out = [e for e in moved if e.event is CellEvent.RELEASED][-1]
    assert out.actor == ANA


async def test_an_audit_that_expires_does_not_expire_the_question(world: World):
    # Both have the same deadline; only the question is what the cell waits for.
    await world.start()
    world.gate = world.path._gate = FixedDesk(Gate(threshold=0.9), 1.0)
    await world.offer(world.window())
    world.clock.advance(timedelta(seconds=60))
    await world.doubt()
    world.clock.advance(timedelta(seconds=61))
    [audit] = await world.expire()

    same = replace(audit, window_digest=world.path.cell.scene.window_digest)
    world.path.inbox.post(control.Expired(same))
    await world.settle()

    assert audit.kind is RequestKind.AUDIT
    assert world.state() is CellState.ASKING
    assert world.reasons == frozenset()


async def test_an_audit_never_holds_and_its_answer_moves_nothing(world: World):
    await world.start()
    world.gate = world.path._gate = FixedDesk(Gate(threshold=0.9), 1.0)
    await world.offer(world.window())

    [audit] = world.requests.all_open()
    assert audit.kind is RequestKind.AUDIT
    assert audit.propensity == 1.0
    assert world.state() is CellState.WORKING
    assert not world.path.waits_for(audit)


async def test_a_part_is_booked_as_rejected_only_when_that_was_declared():
    world = await World.open(on_timeout=TimeoutOutcome.REJECT)
    await world.start()
    window = await world.doubt()
    world.clock.advance(timedelta(seconds=121))
    await world.expire()

    booked = [e for e in await world.journal() if isinstance(e, events.PartRejected)]
    assert [e.part_id for e in booked] == [window.part_id]
    assert world.state() is CellState.HELD
    await world.close()


async def test_a_release_with_a_disposition_permits_it_for_that_evidence(world: World):
    await world.start()
    window = await world.doubt()
    await world.answer("collision")
    await world.release(BEN, disposition=Action.REJECT)

    assert world.link is not None
    permit = world.link.permits[-1]
    assert permit.purpose is PermitPurpose.NEXT_STEP
    assert (permit.action, permit.label) == (Action.REJECT, "")
    assert permit.window_digest == window.digest
    assert world.state() is CellState.WORKING


async def test_a_disposition_is_not_carried_over_to_other_evidence(world: World):
    await world.connect(
        Scene(Stand.IN_STEP, 3, window_digest=make_key().payload_digest)
    )
    await world.release(disposition=Action.CONTINUE)
    assert world.state() is CellState.IDLE
    assert world.link is not None
    world.path.cell.scene = Scene(
        Stand.DECIDING, 3, window_digest=make_key("other").payload_digest
    )
    await world.tick()

    assert world.link.permits == []
    assert world.link.reoffers == 1


@pytest.mark.parametrize("disposition", [Action.STOP])
async def test_nobody_releases_with_stop(world: World, disposition: Action):
    await world.connect()

    with pytest.raises(ReleaseRefusedError):
        await world.release(disposition=disposition)
    assert world.state() is CellState.HELD


async def test_a_person_who_saw_less_than_is_wrong_now_looks_again(world: World):
    await world.connect()
    world.path.hold(HoldReason.SAFETY_STOP_SEEN, "the robot stopped.")

    with pytest.raises(ReleaseRefusedError, match="SAFETY_STOP_SEEN"):
        await world.release(seen=HoldReason.LINK_LOST)
    assert world.state() is CellState.HELD


async def test_a_paused_robot_gets_leave_to_resume(world: World):
    link = await world.connect(Scene(Stand.PAUSED, 4, "carry"))
    await world.release()

    [permit] = link.permits
    assert permit.purpose is PermitPurpose.RESUME
    assert permit.cycle == 4


async def test_nobody_releases_a_robot_that_its_safety_system_stops(world: World):
    """A release that waited would start it the moment the stop is ended."""
    link = await world.connect(Scene(Stand.STOPPED))
    with pytest.raises(ReleaseRefusedError):
        await world.release()
    world.path.cell.scene = AT_START
    await world.tick(5)

    assert link.permits == []
    assert world.state() is CellState.HELD


async def test_a_release_waits_until_the_robot_stands(world: World):
    link = await world.connect(Scene(Stand.IN_STEP))
    await world.release()
    await world.tick(5)

    assert link.permits == []
    assert world.state() is CellState.IDLE

    world.path.cell.scene = AT_START
    await world.tick()

    assert [p.purpose for p in link.permits] == [PermitPurpose.START]


async def test_a_monitor_window_can_only_withdraw(world: World):
    await world.start()
    assert world.link is not None
    await world.offer(world.window(kind=WindowKind.MONITOR))

    assert world.state() is CellState.WORKING
    assert len(world.link.permits) == 1

    samples = make_samples(4)
    samples[0, 0] = math.nan
    await world.offer(world.window(kind=WindowKind.MONITOR, samples=samples))

    assert world.state() is CellState.HELD
    assert world.reasons == {HoldReason.BAD_DATA}
    assert count(world, Decision.HOLD) == 0


async def test_a_stale_monitor_window_is_dropped_and_counted(world: World):
    await world.start()
    await world.offer(world.window(kind=WindowKind.MONITOR, age_ns=9 * 10**9))

    assert world.state() is CellState.WORKING
    assert world.path.inbox.dropped["stale_monitor"] == 1


async def test_a_stale_decision_window_holds(world: World):
    await world.start()
    await world.offer(world.window(age_ns=9 * 10**9))

    assert world.reasons == {HoldReason.STALE_DATA}
    assert world.state() is CellState.HELD


async def test_a_permit_that_was_not_used_holds_with_its_reason(world: World):
    await world.start()
    assert world.link is not None
    permit = world.link.permits[0]
    unused = control.PermitUnused(
        permit.permit_id, permit.session_epoch, "SCENE_MOVED", "the joints moved."
    )
    world.path.inbox.post(unused)
    await world.settle()

    assert world.reasons == {HoldReason.IDENTITY}
    assert any(isinstance(e, events.PermitDropped) for e in await world.journal())


async def test_cannot_tell_goes_one_level_up_and_the_cell_points_there(world: World):
    await world.start()
    await world.doubt()
    first = world.requests.question_of(CELL)
    assert first is not None
    claimed = await world.requests.claim(first.request_id, ANA, make_key())
    await world.requests.pass_on(first.request_id, ANA, claimed.claim_epoch, make_key())
    await world.tick()

    second = world.requests.question_of(CELL)
    assert second is not None
    assert second.level == 1
    assert world.state() is CellState.ASKING
    assert world.path.cell.request_id == second.request_id


async def test_a_question_does_not_outlive_its_scene(world: World):
    await world.start()
    await world.doubt()
    old = world.requests.question_of(CELL)
    assert old is not None
    world.path.hold(HoldReason.OPERATOR_HOLD, "held by ana.", ANA)
    world.path.cell.scene = AT_START  # the part was taken away
    world.path.inbox.post(
        control.Release(ANA, HoldReason.INTEGRITY, None, "", make_key(), None)
    )
    await world.settle()
    world.prediction = make_prediction()
    await world.offer(world.window())

    assert world.requests.question_of(CELL) is None
    ended = await world.real.request(old.request_id)
    assert ended.outcome is Outcome.SUPERSEDED


async def test_a_question_ends_when_another_part_is_decided_alone(world: World):
    await world.start()
    window = await world.doubt()
    world.path.hold(HoldReason.OPERATOR_HOLD, "held by ana.", ANA)
    await world.release()
    assert world.link is not None
    assert world.link.reoffers == 1
    world.prediction = make_prediction()
    await world.offer(world.window())  # not the one that was asked about

    assert world.state() is CellState.WORKING
    assert world.requests.question_of(CELL) is None
    assert world.link.permits[-1].window_digest != window.digest


async def test_the_same_evidence_is_never_asked_twice_at_once(world: World):
    await world.start()
    window = await world.doubt()
    world.path.hold(HoldReason.OPERATOR_HOLD, "held by ana.", ANA)
    await world.release()
    again = world.window(samples=window.samples, window_id=window.window_id)
    await world.offer(again)

    assert [r.kind for r in world.requests.all_open()] == [RequestKind.QUESTION]
    assert world.state() is CellState.ASKING


async def test_scene_of_is_where_the_window_waits(world: World):
    await world.start()
    window = await world.doubt()

    assert world.path.cell.scene == scene_of(window)
