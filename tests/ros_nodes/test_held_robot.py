"""What a node does about the hold on its robot, and about its safety system."""

import random

import pytest

from ros_nodes.effects import (
    CallHold,
    CallResume,
    GiveLeave,
    HoldAnswer,
    Robot,
    TellHeld,
    TellStarted,
)
from ros_nodes.permission import Begin
from ros_nodes.terms import Drop, HoldReason, Purpose, Stand, StepMoment
from tests.ros_nodes.node_builders import at, make_permit, step
from tests.ros_nodes.station_rig import HOME, Rig, kinds, make_window

STOP = "PROTECTIVE_STOP"


def stopped(rig: Rig, moment: float = 0.5, kind: str = STOP):
    return rig.station.safety_said(kind, at(moment))


def normal(rig: Rig, moment: float = 0.6):
    return rig.station.safety_said("", at(moment))


def begin(rig: Rig, cycle: int, permit_id: str, moment: float):
    event = step(StepMoment.BEGIN, cycle, stamp_ns=at(moment), permit_id=permit_id)
    return rig.station.began(event, at(moment))


# --------------------------------------------------------------------- a safety stop


def test_a_safety_stop_ends_the_permission_and_is_told_at_once() -> None:
    rig = Rig().working()

    effects = stopped(rig)

    assert kinds(effects) == ["TellSafetyStop", "CallHold", "TellHeld", "BeatNow"]
    assert rig.station.scene.stand is Stand.STOPPED
    assert not rig.station.permission.may_move(at(0.5))
    held = rig.station.permission.held
    assert held is not None
    assert held.reason is HoldReason.SAFETY_STOP_SEEN
    assert STOP in held.text


def test_the_hold_it_asks_for_hangs_on_no_answer() -> None:
    rig = Rig().working()
    stopped(rig)

    rig.beat(1.4)

    assert rig.station.hold_answered(at(1.5), HoldAnswer.UNCONFIRMED) == []
    assert rig.look(3.0) == []
    assert rig.station.robot is Robot.STOPPED


def test_the_same_stop_said_again_is_no_news() -> None:
    rig = Rig().working()
    stopped(rig)

    assert stopped(rig, 0.6) == []
    assert "TellSafetyStop" in kinds(stopped(rig, 0.7, "ROBOT_EMERGENCY_STOP"))


def test_while_it_is_stopped_no_permit_is_used() -> None:
    rig = Rig().working()
    stopped(rig)
    rig.beat(0.6)

    [dropped] = rig.offer(Purpose.START, 0.7)

    assert dropped.dropped.drop is Drop.HELD
    assert STOP in dropped.dropped.text


@pytest.mark.parametrize("purpose", [Purpose.RESUME, Purpose.NEXT_STEP])
def test_the_step_that_was_stopped_is_never_continued(purpose: Purpose) -> None:
    rig = Rig().working()
    stopped(rig)
    normal(rig)
    rig.beat(0.7)

    effects = rig.offer(purpose, 0.8) + rig.look(1.9)

    assert kinds(effects) == ["TellDropped"]


def test_evidence_from_before_the_stop_is_void() -> None:
    rig = Rig().deciding()

    stopped(rig, 1.1)
    normal(rig, 1.2)

    assert rig.station.pending is None
    assert rig.station.reoffer(at(1.3), HOME) == []
    assert rig.station.scene.stand is Stand.AT_START
    assert rig.station.scene.cycle == 1


def test_a_window_that_is_cut_after_the_stop_is_not_sent() -> None:
    rig = Rig().working()
    rig.station.ended(step(StepMoment.END, stamp_ns=at(1.0)), at(1.0))
    stopped(rig, 1.01)
    normal(rig, 1.02)

    assert rig.station.judged(make_window(0), HOME) == []
    assert rig.station.pending is None


def test_a_released_stop_waits_for_a_new_permit_and_never_resumes() -> None:
    rig = Rig().working()
    stopped(rig)
    normal(rig)
    rig.beat(0.7)

    effects = rig.offer(Purpose.START, 0.8)

    assert kinds(effects) == ["GiveLeave", "TellStarted"]
    assert rig.station.scene.cycle == 1


def test_a_pause_of_andon_that_a_stop_overtook_is_never_resumed() -> None:
    rig = Rig().paused()
    assert "CallHold" not in kinds(stopped(rig, 1.0))
    normal(rig, 1.1)
    rig.beat(1.2)

    effects = rig.offer(Purpose.START, 1.3)

    assert kinds(effects) == ["GiveLeave", "TellStarted"]


def test_a_standing_hold_is_lifted_when_the_program_begins_under_leave() -> None:
    rig = Rig().paused()
    stopped(rig, 1.0)
    normal(rig, 1.1)
    rig.beat(1.2)
    rig.offer(Purpose.START, 1.3)

    assert kinds(begin(rig, 1, "p-2", 1.4)) == ["LiftHold"]
    assert rig.station.robot is Robot.FREE
    assert rig.station.permission.may_move(at(1.5))


def test_after_a_new_step_andon_pauses_and_resumes_as_ever() -> None:
    rig = Rig().working()
    stopped(rig)
    normal(rig)
    rig.beat(0.7)
    rig.offer(Purpose.START, 0.8)
    begin(rig, 1, "p-2", 0.9)
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(1.0))
    rig.station.hold_answered(at(1.1), HoldAnswer.HELD)
    rig.look(1.4)
    rig.beat(1.4)

    assert kinds(rig.offer(Purpose.RESUME, 1.5)) == ["CallResume"]


def test_a_resume_that_a_stop_overtakes_is_undone() -> None:
    rig = Rig().paused()
    rig.beat(1.0)
    rig.offer(Purpose.RESUME, 1.0)
    stopped(rig, 1.05)
    permit = make_permit(permit_id="p-2", purpose=Purpose.RESUME)
    resume = Begin(permit, at(2.0), at(60.0))
    effects = rig.station.resume_answered(resume, at(1.1), HOME, confirmed=True)

    assert "CallHold" in kinds(effects)
    assert rig.station.robot is Robot.STOPPED


def test_a_begin_that_crosses_the_stop_is_not_accused() -> None:
    rig = Rig().started()
    stopped(rig, 0.15)

    assert kinds(begin(rig, 0, "p-1", 0.14)) == ["BeatNow"]
    assert rig.station.scene.stand is Stand.STOPPED
    assert rig.station.scene.cycle == 1


def test_a_program_that_begins_without_leave_after_a_stop_is_held() -> None:
    rig = Rig().working()
    stopped(rig)
    normal(rig)

    effects = begin(rig, 1, "", 0.7)

    assert isinstance(effects[0], CallHold)
    assert effects[0].hold.reason is HoldReason.IDENTITY
    assert rig.station.scene.stand is Stand.AT_START


def test_a_stopped_step_that_people_let_end_is_not_judged() -> None:
    rig = Rig().working()
    stopped(rig)
    normal(rig)

    effects = rig.station.ended(step(StepMoment.END, stamp_ns=at(2.0)), at(2.0))

    assert kinds(effects) == ["BeatNow"]
    assert rig.station.pending is None
    assert rig.station.scene.cycle == 1


def test_a_hold_after_a_stop_is_asked_for_and_waits_for_nobody() -> None:
    rig = Rig().working()
    stopped(rig)
    normal(rig)

    effects = rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.7))

    assert kinds(effects) == ["CallHold", "BeatNow"]
    assert rig.station.robot is Robot.STOPPED


def test_what_the_coordinator_makes_of_a_stop_is_not_asked_again() -> None:
    rig = Rig().working()
    stopped(rig)
    normal(rig)

    echo = rig.station.withdrawn(HoldReason.SAFETY_STOP_SEEN, "seen", at(0.7))

    assert echo == []


def test_a_permit_that_waited_when_the_stop_came_is_dropped() -> None:
    rig = Rig()
    rig.station.permission.greet(at(0.0))
    rig.station.opened(epoch=1, store_id="store", lease_ns=2 * 10**9, now_ns=at(0.0))
    rig.offer(Purpose.START, 0.01, heartbeat_seq=0)

    effects = stopped(rig, 0.02)
    rig.beat(0.03)
    normal(rig, 0.04)

    assert "TellDropped" in kinds(effects)
    assert rig.look(0.05) == []


def test_a_node_that_was_away_tells_the_stop_when_it_is_back() -> None:
    rig = Rig().working()
    rig.station.closed("gone", at(0.5))
    stopped(rig, 0.6)
    # Nobody heard it: there was no session.
    effects = rig.station.opened(
        epoch=2, store_id="store", lease_ns=2 * 10**9, now_ns=at(0.7)
    )

    [told, _] = effects
    assert isinstance(told, TellHeld)
    assert told.hold.reason is HoldReason.SAFETY_STOP_SEEN


def test_a_new_node_does_not_resume_after_a_stop_that_the_coordinator_knows() -> None:
    rig = Rig()
    rig.station.hold_at_boot(at(0.0))
    rig.station.hold_answered(at(0.1), HoldAnswer.HELD)
    rig.connected(0.2)
    rig.station.safety_stop_remembered()
    rig.beat(0.3)

    effects = rig.offer(Purpose.START, 0.4)

    assert kinds(effects) == ["GiveLeave", "TellStarted"]
    assert rig.station.safety_stop_remembered() == []


def test_a_node_that_comes_up_under_a_stop_asks_for_its_hold_all_the_same() -> None:
    rig = Rig()
    stopped(rig, 0.0)

    assert kinds(rig.station.hold_at_boot(at(0.1))) == ["CallHold"]


def test_leave_that_no_program_takes_holds_again() -> None:
    rig = Rig().started()
    rig.beat(1.5)
    rig.beat(2.5)

    effects = rig.look(3.2)

    assert isinstance(effects[0], CallHold)
    assert effects[0].hold.reason is HoldReason.STALE_DATA
    assert rig.station.scene.stand is Stand.AT_START


# ------------------------------------------------------------------------ read back


def test_a_robot_that_goes_on_by_itself_is_held_again_and_told_unconfirmed() -> None:
    rig = Rig().paused()

    effects = rig.station.read_back(at(1.0), stands=False)

    assert kinds(effects) == ["TellHeld", "BeatNow", "CallHold"]
    assert isinstance(effects[0], TellHeld)
    assert not effects[0].confirmed
    assert effects[0].hold.reason is HoldReason.IDENTITY
    assert rig.station.robot is Robot.HOLDING


def test_a_step_that_went_on_unseen_is_not_judged() -> None:
    rig = Rig().paused()
    rig.station.read_back(at(1.0), stands=False)
    rig.station.hold_answered(at(1.1), HoldAnswer.HELD)
    rig.look(1.4)
    rig.beat(1.4)
    [resume] = rig.offer(Purpose.RESUME, 1.5)
    assert isinstance(resume, CallResume)
    rig.station.resume_answered(resume.begin, at(1.6), HOME, confirmed=True)

    effects = rig.station.ended(step(StepMoment.END, stamp_ns=at(2.0)), at(2.0))

    assert isinstance(effects[0], CallHold)
    assert effects[0].hold.reason is HoldReason.BAD_DATA


def test_a_robot_that_somebody_else_paused_is_not_let_go_on_by_andon() -> None:
    rig = Rig().working()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.5))
    rig.station.hold_answered(at(0.6), HoldAnswer.FOUND)
    rig.look(0.9)
    rig.beat(0.9)

    effects = rig.offer(Purpose.RESUME, 1.0)

    assert kinds(effects) == ["TellStarted"]
    ended = rig.station.ended(step(StepMoment.END, stamp_ns=at(2.0)), at(2.0))
    assert "CallHold" in kinds(ended)  # since when it stood, nobody can say


def test_a_step_that_somebody_lets_go_on_without_leave_is_held_again() -> None:
    rig = Rig().working()
    rig.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.5))
    rig.station.hold_answered(at(0.6), HoldAnswer.FOUND)

    effects = rig.station.read_back(at(0.9), stands=False)

    assert kinds(effects) == ["TellHeld", "BeatNow", "CallHold"]


def test_a_robot_that_stands_is_no_news() -> None:
    rig = Rig().paused()

    assert rig.station.read_back(at(1.0), stands=True) == []


def test_a_program_seen_to_run_after_a_stop_was_started_by_people() -> None:
    rig = Rig().working()
    stopped(rig)
    assert rig.station.read_back(at(0.55), stands=False) == []  # still stopped
    normal(rig)

    assert kinds(rig.station.read_back(at(0.7), stands=False)) == ["BeatNow"]
    assert rig.station.robot is Robot.FREE
    assert rig.station.permission.held is not None


# ------------------------------------------------------------------ I1, in any order


class Storm:
    """Permits fly, the safety system toggles, people and services answer late."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a test's own
        self.rig = Rig().connected()
        self.moment = 0.0
        self.epoch = 1
        self.stop = ""
        self.since_stop = False
        self.resumes: list[Begin] = []
        self.given: list[str] = []
        self.resumed: list[str] = []

    @property
    def now_ns(self) -> int:
        return at(self.moment)

    def safety(self):
        self.stop = self.chance.choice(["", STOP, "FAULT"])
        self.since_stop = self.since_stop or bool(self.stop)
        return self.rig.station.safety_said(self.stop, self.now_ns)

    def permit(self):
        return self.rig.offer(self.chance.choice(list(Purpose)), self.moment)

    def begin(self):
        permit_id = self.chance.choice(["", f"p-{self.rig.permits}"])
        cycle = self.rig.station.scene.cycle
        effects = begin(self.rig, cycle, permit_id, self.moment)
        if self.rig.station.permission.may_move(self.now_ns):
            self.since_stop = False
        return effects

    def end(self):
        cycle = self.rig.station.scene.cycle
        event = step(StepMoment.END, cycle, stamp_ns=self.now_ns)
        effects = self.rig.station.ended(event, self.now_ns)
        return effects + self.rig.station.judged(make_window(cycle), HOME)

    def withdraw(self):
        reason = self.chance.choice(list(HoldReason))
        return self.rig.station.withdrawn(reason, "hold", self.now_ns)

    def hold_answer(self):
        answer = self.chance.choice(
            [*[HoldAnswer.HELD] * 4, HoldAnswer.FOUND, HoldAnswer.UNCONFIRMED]
        )
        effects = self.rig.station.hold_answered(self.now_ns, answer)
        self.since_stop |= self.rig.station.robot is Robot.STOPPED
        return effects

    def resume_answer(self):
        if not self.resumes:
            return []
        return self.rig.station.resume_answered(
            self.resumes.pop(),
            self.now_ns,
            HOME,
            confirmed=self.chance.random() < 0.8,
        )

    def session(self):
        self.epoch += 1
        effects = self.rig.station.closed("gone", self.now_ns)
        self.rig.connected(self.moment, epoch=self.epoch)
        return effects

    def time(self):
        self.rig.beat(self.moment)
        return self.rig.look(self.moment)

    def blow(self) -> None:
        """Let one thing happen, and look whether anything was allowed that may not."""
        self.moment += self.chance.choice([0.001, 0.01, 0.1, 0.4])
        happens = self.chance.choice(
            [
                *(self.safety, self.begin, self.end, self.withdraw),
                *(self.hold_answer, self.resume_answer, self.session),
                *[self.permit, self.time] * 3,
            ]
        )
        for effect in happens():
            match effect:
                case GiveLeave(one):
                    assert not self.stop
                    self.given.append(one.permit.permit_id)
                case CallResume(one):
                    assert not self.since_stop
                    self.resumes.append(one)
                    self.resumed.append(one.permit.permit_id)
                case TellStarted(permit) if permit.purpose is Purpose.RESUME:
                    self.since_stop = False
                case _:
                    pass
        if self.stop:
            assert not self.rig.station.permission.may_move(self.now_ns)
            assert self.rig.station.scene.stand is Stand.STOPPED


@pytest.mark.parametrize("seed", range(40))
def test_in_any_order_nothing_is_permitted_under_a_stop_or_resumed_after_one(
    seed: int,
) -> None:
    storm = Storm(seed)
    for _ in range(600):
        storm.blow()

    assert storm.given
    assert len(set(storm.given)) == len(storm.given)
    assert len(set(storm.resumed)) == len(storm.resumed)
