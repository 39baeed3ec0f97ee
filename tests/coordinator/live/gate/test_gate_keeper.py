"""The keeper: durable before it opens, shut before it is durable, the same again."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import ConflictError, InputError, StoreDegradedError
from coordinator.live.gate.audit import AuditPlan
from coordinator.live.gate.desk import FixedDesk
from coordinator.live.gate.judge import Gate
from coordinator.live.gate.keeper import READING
from coordinator.live.gate.plan import Mode, Word
from coordinator.model.risk.spending import Promise
from coordinator.store import Store
from coordinator.store.verify import verify
from coordinator.terms import (
    NO_DIGEST,
    AuditCoin,
    Decision,
    DecisionId,
    FamilyId,
    GateState,
    Judged,
    PersonId,
    Verdict,
)
from tests.builders import ANA, MODEL, NOON, PEG, make_digest, make_key, make_window
from tests.coordinator.live.gate.keeper_world import KeeperWorld
from tests.coordinator.live.gate.standing_world import OTHER_MODEL, PLAN

EVA = Word(PersonId("eva"), 0.9, timedelta(hours=8))
PROVISIONAL = replace(PLAN, mode=Mode.PROVISIONAL, word=EVA)
ALWAYS = replace(PLAN, audits=AuditPlan(provisional_share=1.0))


async def certified(world: KeeperWorld) -> None:
    await world.run(200)
    assert world.keeper.state() is GateState.CERTIFIED


async def test_evidence_certifies_and_it_is_on_record() -> None:
    world = await KeeperWorld.open()
    assert world.keeper.text() == "not yet certified: 0 of about 144 audited cases."

    await certified(world)

    assert await world.happened() == ["GateCertified"]
    verdict, _ = await world.window()
    assert verdict.decision is Decision.ACT
    line = world.keeper.line()
    assert line.until == world.clock.utc_now() + PLAN.life
    assert world.changes > 100


async def test_before_it_has_read_the_store_a_person_is_asked() -> None:
    world = await KeeperWorld.open()
    await certified(world)
    keeper = world.new_keeper()

    assert keeper.judge().ask_all
    assert keeper.state() is GateState.ASK_ALL
    assert keeper.text() == READING
    keeper.tick()

    await keeper.begin()
    assert keeper.state() is GateState.CERTIFIED


async def test_after_a_restart_everything_is_as_before(tmp_path: Path) -> None:
    world = await KeeperWorld.open(tmp_path / "store")
    await certified(world)
    for number in range(60):
        truth = "misaligned" if number % 20 == 0 else "ok"
        await world.window(drawn=number % 2 == 0, truth=truth)
    await world.window(drawn=True, answered=False)
    await world.carry()

    again = await world.restarted()

    before, after = world.keeper.status(), again.keeper.status()
    assert replace(before, audit_share=0.0) == replace(after, audit_share=0.0)
    assert after.error.audited == 30
    assert (
        world.keeper._standing._alarm._all.log_capital
        == again.keeper._standing._alarm._all.log_capital
    )
    await world.real.close()
    assert verify(tmp_path / "store").ok


async def test_a_restart_in_the_middle_of_the_evidence_loses_none_of_it() -> None:
    world = await KeeperWorld.open()
    await world.run(90)
    again = await world.restarted()

    assert again.keeper.status().audited == world.keeper.status().audited > 50
    await again.run(110)
    assert again.keeper.state() is GateState.CERTIFIED


async def test_a_restart_during_a_renewal_goes_on_with_it() -> None:
    world = await KeeperWorld.open()
    await certified(world)
    await world.run(10)
    world.pass_time(hours=84)
    await world.carry()
    assert (await world.happened())[-1] == "EvidenceRestarted"
    await world.run(40, drawn=True)

    again = await world.restarted()

    assert again.keeper.status().audited == 40
    assert again.keeper.state() is GateState.CERTIFIED


async def test_a_restart_right_after_the_evidence_began_anew_finds_none() -> None:
    world = await KeeperWorld.open()
    await certified(world)
    await world.run(10)
    world.pass_time(hours=84)
    await world.carry()

    again = await world.restarted()

    assert again.keeper.status().audited == 0
    assert again.keeper.state() is GateState.CERTIFIED


async def test_errors_shut_the_gate_though_nothing_can_be_recorded() -> None:
    world = await KeeperWorld.open(plan=ALWAYS)
    await certified(world)
    world.store.failure = StoreDegradedError("the disk is full.")
    for _ in range(60):
        await world.window(drawn=True, truth="misaligned")
        if world.keeper.state() is GateState.CLOSED:
            break

    assert world.keeper.judge().ask_all
    with pytest.raises(StoreDegradedError):
        await world.carry()
    assert await world.happened() == ["GateCertified"]
    world.store.failure = None
    await world.carry()
    assert (await world.happened())[1:] == ["GateClosed", "EvidenceRestarted"]
    assert (await world.restarted()).keeper.state() is GateState.CLOSED


async def test_a_crash_before_an_alarm_was_recorded_rings_again() -> None:
    world = await KeeperWorld.open(plan=ALWAYS)
    await certified(world)
    while world.keeper.state() is GateState.CERTIFIED:
        await world.window(drawn=True, truth="misaligned")

    again = await world.restarted()

    assert again.keeper.state() is GateState.CLOSED
    await again.carry()
    assert "GateClosed" in await again.happened()


async def test_a_certificate_on_its_way_when_another_model_is_promoted_is_refused():
    world = await KeeperWorld.open()
    await world.run(150)
    while not world.keeper._standing.due(world.clock.utc_now()):
        await world.window()
    await world.promote(OTHER_MODEL, 2, MODEL)
    world.model = MODEL  # the slot has not changed yet
    await world.carry()

    assert await world.happened() == []
    assert world.keeper.state() is GateState.ASK_ALL
    world.model = OTHER_MODEL
    world.keeper.tick()
    assert world.keeper.status().audited == 0


async def test_another_model_starts_from_nothing_and_so_does_its_restart() -> None:
    world = await KeeperWorld.open()
    await certified(world)
    await world.promote(OTHER_MODEL, 2, MODEL)
    await world.run(30)

    assert world.keeper.state() is GateState.ASK_ALL
    again = await world.restarted()
    assert again.keeper.state() is GateState.ASK_ALL
    assert again.keeper.status().audited == world.keeper.status().audited > 10


async def test_what_happens_while_the_store_is_read_is_not_lost() -> None:
    world = await KeeperWorld.open()
    await world.run(20)
    audited = world.keeper.status().audited
    world.keeper = world.new_keeper()
    read = world.real.gate_cases

    async def slowly(*asked: object) -> object:
        found = await read(*asked)  # type: ignore[arg-type]
        await world.window(drawn=True)
        return found

    world.store.gate_cases = slowly  # type: ignore[attr-defined]
    await world.keeper.begin()

    assert world.keeper.status().audited == audited + 1


async def test_it_waits_for_the_model_that_is_on_record() -> None:
    world = await KeeperWorld.open()
    world.model = NO_DIGEST
    keeper = world.new_keeper()
    begun = asyncio.create_task(keeper.begin())
    await settled(lambda: bool(keeper._woken._waiters))
    keeper.tick()
    await settled(lambda: bool(keeper._woken._waiters))
    assert not begun.done()

    world.model = MODEL
    keeper.tick()
    await begun

    assert keeper.status().model_digest == MODEL


async def test_windows_that_are_not_kept_are_not_missed() -> None:
    world = await KeeperWorld.open()
    await certified(world)

    async def nothing_kept(window_id: object) -> object:
        return await world.real.window(make_window().window_id)

    world.store.window = nothing_kept  # type: ignore[attr-defined]
    keeper = world.new_keeper()
    await keeper.begin()

    assert keeper.state() is GateState.CERTIFIED


# -- people --------------------------------------------------------------------------


async def test_a_person_grants_and_shuts_and_a_repeated_call_does_it_once() -> None:
    world = await KeeperWorld.open()
    once, later = make_key("grant"), make_key("close")
    hours = timedelta(hours=8)
    for _ in range(2):
        await world.keeper.grant(
            ANA, threshold=0.9, duration=hours, note="a trial.", once=once
        )
    status = world.keeper.status()
    assert status.state is GateState.PROVISIONAL
    assert status.permission is not None
    assert status.permission.person == "ana"
    assert world.keeper.line().until == world.clock.utc_now() + hours

    for _ in range(2):
        await world.keeper.close(ANA, note="odd.", once=later)
    status = world.keeper.status()
    assert status.state is GateState.CLOSED
    assert "closed by ana: odd." in status.text
    assert await world.happened() == [
        "ProvisionalGranted",
        "GateClosed",
        "EvidenceRestarted",
    ]


async def test_of_two_calls_with_one_key_one_is_carried_out() -> None:
    world = await KeeperWorld.open()
    once = make_key("grant")

    await asyncio.gather(
        *(
            world.keeper.grant(
                ANA, threshold=0.9, duration=timedelta(hours=1), once=once
            )
            for _ in range(2)
        )
    )

    assert await world.happened() == ["ProvisionalGranted"]


@pytest.mark.parametrize(
    ("threshold", "hours", "code"),
    [
        (0.4, 1.0, "BAD_THRESHOLD"),
        (float("nan"), 1.0, "BAD_THRESHOLD"),
        (0.9, 0.0, "BAD_DURATION"),
        (0.9, -1.0, "BAD_DURATION"),
        (0.9, 24.0 * 32, "BAD_DURATION"),
    ],
)
async def test_a_word_without_sense_is_refused(threshold, hours, code) -> None:
    world = await KeeperWorld.open()

    with pytest.raises(InputError) as refused:
        await world.keeper.grant(
            ANA, threshold=threshold, duration=timedelta(hours=hours)
        )
    assert refused.value.code == code
    assert await world.happened() == []


async def test_nobody_opens_a_gate_that_is_set_to_ask() -> None:
    world = await KeeperWorld.open(plan=replace(PLAN, mode=Mode.ASK_ALL))

    with pytest.raises(ConflictError) as refused:
        await world.keeper.grant(ANA, threshold=0.9, duration=timedelta(hours=1))
    assert refused.value.code == "GATE_ASKS_ALL"


async def test_a_word_that_cannot_be_recorded_opens_nothing() -> None:
    world = await KeeperWorld.open()
    world.store.failure = StoreDegradedError("the disk is full.")

    with pytest.raises(StoreDegradedError):
        await world.keeper.grant(ANA, threshold=0.9, duration=timedelta(hours=1))
    assert world.keeper.state() is GateState.ASK_ALL


async def test_the_word_of_the_configuration_is_given_once_and_ends() -> None:
    world = await KeeperWorld.open(plan=PROVISIONAL)
    assert world.keeper.state() is GateState.PROVISIONAL
    world.pass_time(hours=5)
    again = await world.restarted()
    assert again.keeper.state() is GateState.PROVISIONAL

    again.pass_time(hours=3)
    assert again.keeper.state() is GateState.CLOSED
    await again.carry()
    ended = await again.restarted()
    assert ended.keeper.state() is GateState.CLOSED

    other = await ended.restarted(word=replace(EVA, person=PersonId("max")))
    assert other.keeper.state() is GateState.PROVISIONAL
    assert (await other.happened()).count("ProvisionalGranted") == 2


async def test_a_wall_clock_that_is_set_back_prolongs_nothing() -> None:
    world = await KeeperWorld.open(plan=PROVISIONAL)
    world.clock.advance(timedelta(hours=8))
    world.clock._start -= timedelta(days=30)

    assert world.keeper.state() is GateState.CLOSED


async def test_a_stricter_promise_shuts_what_was_certified() -> None:
    world = await KeeperWorld.open()
    await certified(world)
    stricter = await world.restarted(promise=Promise(0.02, 0.05, 0.02))

    assert stricter.keeper.state() is GateState.CLOSED
    assert "configured anew" in stricter.keeper.text()


# -- answers -------------------------------------------------------------------------


async def test_a_label_that_is_taken_back_is_no_evidence_any_more() -> None:
    world = await KeeperWorld.open()
    for _ in range(60):
        _, request = await world.window(drawn=True)
        assert request is not None
        world.keeper.taken_back(request.window_id)
    await world.run(160)

    assert world.keeper.state() is GateState.ASK_ALL


async def test_a_question_of_another_family_is_none_of_its_business() -> None:
    world = await KeeperWorld.open()
    _, request = await world.window(drawn=True, answered=False)
    assert request is not None
    world.keeper.heard(replace(request, family=FamilyId("other")))
    world.keeper.heard(request)

    assert world.keeper.status().audited == 0


async def test_a_question_that_goes_one_level_up_is_waited_for() -> None:
    world = await KeeperWorld.open()
    _, request = await world.window(drawn=True, answered=False)
    assert request is not None
    await world.answer(request, "")
    assert world.keeper.status().audited == 1

    world.keeper.heard(replace(request, level=1))
    assert world.keeper.status().audited == 0


async def test_a_window_no_model_judged_is_no_case() -> None:
    world = await KeeperWorld.open()
    verdict = Verdict(Decision.HOLD, "NONFINITE", "row 3.")
    judged = Judged(
        DecisionId("d-x"), verdict, AuditCoin(0.8, True), make_digest("gate")
    )
    world.keeper.judged(make_window(), judged)

    assert world.keeper.status().audited == 0


# -- the loop ------------------------------------------------------------------------


async def test_its_loop_records_what_is_due_and_tries_again_on_a_bad_disk() -> None:
    world = await KeeperWorld.open(plan=ALWAYS)
    keeper = world.keeper = world.new_keeper()
    loop = asyncio.create_task(keeper.run())
    await settled(lambda: keeper.text() != READING)
    world.store.failure = StoreDegradedError("the disk is full.")
    while not keeper._standing.due(world.clock.utc_now()):
        await world.window()
    attempts = world.store.attempts
    await settled(lambda: world.store.attempts > attempts)
    assert keeper.state() is GateState.ASK_ALL

    world.store.failure = None
    world.clock.advance(timedelta(seconds=2))
    await settled(lambda: keeper.state() is GateState.CERTIFIED)

    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop


async def settled(holds) -> None:
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never happens")


def test_a_fixed_desk_has_one_rule_and_takes_no_notes() -> None:
    gate = Gate(threshold=0.9)
    desk = FixedDesk(gate, 0.3)
    verdict = Verdict(Decision.HOLD, "NONFINITE", "row 3.")
    judged = Judged(DecisionId("d"), verdict, AuditCoin(0.3, False), gate.digest)
    desk.judged(make_window(), judged)

    assert desk.judge() is gate
    assert desk.audit_share() == 0.3


async def test_a_family_without_a_model_needs_nothing_to_begin() -> None:
    clock = ManualClock(NOON)
    store = await Store.open(None, clock=clock, commit_deadline_s=30)
    world = KeeperWorld(store, clock, PLAN)
    world.model = NO_DIGEST
    await world.keeper.begin()

    assert world.keeper.state() is GateState.ASK_ALL
    assert "no model serves" in world.keeper.text()
    assert world.keeper.status().family == PEG


async def test_the_learning_is_told_when_to_wait_and_that_the_world_moved() -> None:
    world = await KeeperWorld.open()
    await world.run(20)
    assert (world.keeper.stays(), world.keeper.moved()) == ("", 0)
    await world.run(120)
    assert "audited cases for a certificate" in world.keeper.stays()
    await world.run(120)
    assert world.keeper.state() is GateState.CERTIFIED
    assert "certified" in world.keeper.stays()

    await world.run(60, drawn=True, truth="misaligned")

    assert world.keeper.moved() == 1
    assert world.keeper.stays() == ""
    await world.keeper.catch_up()
    assert world.keeper.moved() == 1


async def test_a_gate_that_failed_while_it_read_takes_nothing_from_the_record() -> None:
    world = await KeeperWorld.open()
    await world.run(260)
    assert world.keeper.state() is GateState.CERTIFIED
    world.keeper = world.new_keeper()
    read = world.real.gate_cases

    async def meanwhile(*asked: object) -> object:
        found = await read(*asked)  # type: ignore[arg-type]
        world.keeper.fail()
        return found

    world.store.gate_cases = meanwhile  # type: ignore[attr-defined]
    await world.keeper.begin()

    assert world.keeper.state() is GateState.ASK_ALL
    verdict, _ = await world.window()
    assert verdict.decision is Decision.ASK
