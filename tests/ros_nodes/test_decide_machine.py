"""Calls, permits, holds, lost links and deaths in any order: no leave by itself."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from ros_nodes.decide import Answer
from ros_nodes.terms import Action, HoldReason, Purpose, Stand, StepMoment
from tests.ros_nodes.called_rig import HOME, CalledRig, FakeCall

mostly = st.sampled_from([True] * 5 + [False])
MOVED = (0.4, 0.4)
_WANTED = {Stand.DECIDING: Purpose.NEXT_STEP, Stand.PAUSED: Purpose.RESUME}


class Witness(FakeCall):
    """A call that looks at the node in the moment it is answered."""

    def __init__(self, machine: "Decisions", number: int) -> None:
        super().__init__(number)
        self._machine = machine

    def answer(self, answer: Answer) -> bool:
        sent = super().answer(answer)
        if answer.action is not None:
            self._machine.answered(answer.action)
        return sent


class Decisions(RuleBasedStateMachine):
    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.rig = CalledRig()
        self.epoch = 0
        self.number = 0
        self.leaves = 0

    def answered(self, action: Action) -> None:
        """Somebody was told to go on: everything must speak for it."""
        rig = self.rig
        permission, now_ns = rig.station.permission, rig.now_ns
        begun = permission.executing
        assert begun is not None
        assert permission.may_move(now_ns)
        assert now_ns <= begun.start_by_ns
        assert begun.permit.action is action
        assert rig.steps[-1].moment is StepMoment.BEGIN
        assert rig.steps[-1].permit_id == begun.permit.permit_id
        self.leaves += 1

    @initialize()
    def begin(self) -> None:
        self.connect()

    @rule()
    def connect(self) -> None:
        if not self.rig.station.permission.session_open:
            self.epoch += 1
            self.rig.connect(epoch=self.epoch)

    @rule(target=calls, again=mostly, reachable=mostly)
    def call(self, again: bool, reachable: bool) -> FakeCall:
        """The program calls, or one that began anew."""
        self.number = self.number + 1 if again else 1
        call = Witness(self, self.number)
        call.reachable = reachable
        self.rig.point.called(call)
        return call

    @rule(seconds=st.sampled_from([0.05, 0.3, 1.2, 3.0]), beating=mostly)
    def wait(self, seconds: float, beating: bool) -> None:
        self.rig.wait(seconds, beating=beating)

    @rule(action=st.sampled_from(Action))
    def good_permit(self, action: Action) -> None:
        """A permit arrives as the scene wants it."""
        purpose = _WANTED.get(self.rig.station.scene.stand, Purpose.START)
        self.rig.permit(purpose, action=action)

    @rule(
        purpose=st.sampled_from(Purpose),
        facts=st.sampled_from([{}, {"start_within_ns": 0}, {"session_epoch": 0}]),
    )
    def odd_permit(self, purpose: Purpose, facts: dict[str, int]) -> None:
        """A permit arrives for any purpose, too late, or of another session."""
        self.rig.permit(purpose, **facts)

    @rule(reason=st.sampled_from([HoldReason.OPERATOR_HOLD, HoldReason.STOP_LABEL]))
    def withdraw(self, reason: HoldReason) -> None:
        rig = self.rig
        rig.carry_out(rig.station.withdrawn(reason, "cord", rig.now_ns))

    @rule()
    def lose_link(self) -> None:
        rig = self.rig
        rig.carry_out(rig.station.closed("gone", rig.now_ns))

    @rule()
    def reoffer(self) -> None:
        rig = self.rig
        rig.carry_out(rig.station.reoffer(rig.now_ns, rig.positions))

    @rule(obeys=mostly)
    def obey(self, obeys: bool) -> None:
        self.rig.obeys = obeys

    @rule(home=mostly)
    def move(self, home: bool) -> None:
        self.rig.positions = HOME if home else MOVED

    @rule()
    def program_ends(self) -> None:
        self.rig.point.gone()

    @rule()
    def program_gives_up(self) -> None:
        self.rig.point.forgotten()

    @rule(opened=mostly)
    def close(self, opened: bool) -> None:
        if opened:
            self.rig.point.open()
        else:
            self.rig.point.close("link_lost: not active")

    @rule(call=calls)
    def nobody_is_answered_twice(self, call: FakeCall) -> None:
        assert len(call.answers) <= 1

    @invariant()
    def every_leave_began_one_step_under_a_permit_of_its_own(self) -> None:
        begun = [e.permit_id for e in self.rig.steps if e.moment is StepMoment.BEGIN]

        assert len(set(begun)) == len(begun)
        assert self.leaves <= len(begun)
        assert set(begun) <= {permit.permit_id for permit in self.rig.permits}

    @invariant()
    def a_step_ends_at_most_once_and_only_after_it_began(self) -> None:
        open_permit = ""
        for event in self.rig.steps:
            if event.moment is StepMoment.BEGIN:
                open_permit = event.permit_id
            else:
                assert event.permit_id == open_permit != ""
                open_permit = ""

    @invariant()
    def a_program_at_work_is_at_work_for_the_station_too(self) -> None:
        if self.rig.point.working:
            assert self.rig.station.scene.stand in (Stand.IN_STEP, Stand.PAUSED)


Decisions.TestCase.settings = settings(max_examples=200, stateful_step_count=60)
TestDecisions = Decisions.TestCase
