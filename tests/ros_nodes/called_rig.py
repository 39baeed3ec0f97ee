"""A called station with its decision point, walked from event to event; no ROS."""

from dataclasses import dataclass, field

import numpy as np

from ros_nodes.called_station import CalledStation
from ros_nodes.clock import SECOND_NS, ManualClock
from ros_nodes.decide import Answer, Cell, DecisionPoint
from ros_nodes.effects import (
    BeatNow,
    CallHold,
    CallResume,
    CutNow,
    Effect,
    GiveLeave,
    HoldAnswer,
)
from ros_nodes.evidence import CutWindow, WindowKind
from ros_nodes.permission import Permission
from ros_nodes.talk import leave_text
from ros_nodes.terms import Permit, Purpose, StepEvent, StepMoment
from tests.ros_nodes.node_builders import STORE, make_permit

HOME = (0.1, -0.2)


@dataclass(eq=False)
class FakeCall:
    """A program that waits, and what it was told."""

    number: int = 0
    answers: list[Answer] = field(default_factory=list)
    reachable: bool = True

    def answer(self, answer: Answer) -> bool:
        if self.reachable:
            self.answers.append(answer)
        return self.reachable

    @property
    def told(self) -> str | None:
        """The text of the only answer, or None."""
        assert len(self.answers) <= 1
        return self.answers[0].text if self.answers else None

    @property
    def may_go(self) -> bool:
        return any(answer.action is not None for answer in self.answers)


class CalledRig:
    """Carries out effects as the hands would, with a robot that obeys at once."""

    def __init__(self, *, from_one: bool = True) -> None:
        self.clock = ManualClock()
        self.station = CalledStation(Permission(maximum_execution_ns=60 * SECOND_NS))
        self.part = "part-0"
        self.heard_ns: int | None = None
        self.positions: tuple[float, ...] | None = HOME
        self.effects: list[Effect] = []
        self.steps: list[StepEvent] = []
        self.permits: list[Permit] = []
        self.obeys = True
        self.point = DecisionPoint(
            Cell(
                station=self.station,
                step_said=self.step_said,
                carry_out=self.carry_out,
                part_id=lambda: self.part,
                heard_until_ns=lambda: self.heard_ns,
                step="insert",
                from_one=from_one,
            ),
            self.clock,
        )

    @property
    def now_ns(self) -> int:
        return self.clock.monotonic_ns()

    def kinds(self) -> list[str]:
        return [type(effect).__name__ for effect in self.effects]

    def step_said(self, event: StepEvent) -> None:
        self.steps.append(event)
        if event.moment is StepMoment.BEGIN:
            self.carry_out(self.station.began(event, self.now_ns))
        else:
            self.carry_out(self.station.ended(event, self.now_ns))

    def carry_out(self, effects) -> None:
        for effect in effects:
            self.effects.append(effect)
            match effect:
                case GiveLeave(begin):
                    self.point.hear_leave(leave_text(begin))
                case BeatNow():
                    self.beat()
                case CallHold() if self.obeys:
                    self.carry_out(
                        self.station.hold_answered(self.now_ns, HoldAnswer.HELD)
                    )
                case CallResume(begin):
                    self.carry_out(
                        self.station.resume_answered(
                            begin, self.now_ns, self.positions, confirmed=self.obeys
                        )
                    )
                case CutNow(work):
                    self.carry_out(
                        self.station.judged(_window(work.cycle), self.positions)
                    )
                case _:
                    pass

    def connect(self, *, epoch: int = 1) -> None:
        self.station.permission.greet(self.now_ns)
        self.carry_out(
            self.station.opened(
                epoch=epoch,
                store_id=STORE,
                lease_ns=2 * SECOND_NS,
                now_ns=self.now_ns,
            )
        )
        self.beat()

    def beat(self) -> None:
        permission = self.station.permission
        seq = permission.heartbeat_sent(self.now_ns)
        permission.acked(seq=seq, epoch=permission.epoch, now_ns=self.now_ns)

    def wait(self, seconds: float, *, beating: bool = True) -> None:
        """Let time pass, with a heartbeat and a tick every 0.1 s."""
        for _ in range(max(1, round(seconds / 0.1))):
            self.clock.advance(seconds / max(1, round(seconds / 0.1)))
            if beating and self.station.permission.session_open:
                self.beat()
            self.tick()

    def tick(self) -> None:
        self.carry_out(
            self.station.ticked(
                self.now_ns, heard_ns=self.now_ns, positions=self.positions
            )
        )
        self.point.look()

    def permit(self, purpose: Purpose, **facts) -> Permit:
        """Let a permit of a good coordinator arrive, except for the facts named."""
        permission, scene = self.station.permission, self.station.scene
        permit = make_permit(
            **{
                "permit_id": f"p-{len(self.permits) + 1}",
                "purpose": purpose,
                "session_epoch": permission.epoch,
                "cycle": scene.cycle,
                "heartbeat_seq": permission._seq,
                "window_digest": scene.window_digest,
            }
            | facts
        )
        self.permits.append(permit)
        self.carry_out(self.station.offered(permit, self.now_ns, self.positions))
        return permit

    def call(self, number: int = 0, *, reachable: bool = True) -> FakeCall:
        call = FakeCall(number, reachable=reachable)
        self.point.called(call)
        return call

    def working(self, number: int = 1) -> FakeCall:
        """A program that was given leave for its first step."""
        self.connect()
        call = self.call(number)
        self.permit(Purpose.START)
        assert call.may_go
        return call

    def deciding(self, number: int = 2) -> FakeCall:
        """A program that ended its first step and waits."""
        self.working()
        self.wait(1.0)
        return self.call(number)


def _window(cycle: int) -> CutWindow:
    return CutWindow(
        window_id=f"w-{cycle}",
        kind=WindowKind.DECISION,
        cycle=cycle,
        step="insert",
        part_id=f"part-{cycle}",
        start_ns=0,
        period_ns=1,
        samples=np.zeros((1, 1), dtype=np.float32),
        present=np.ones(1, dtype=np.bool_),
        digest=f"{cycle:064x}",
        gap_rows=0,
        scene_ns=0,
        cut_ns=0,
        cut_utc_ns=0,
    )
