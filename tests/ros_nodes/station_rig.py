"""A station with its clock, walked from event to event, and what tests say of it."""

from typing import Self

import numpy as np

from ros_nodes.clock import SECOND_NS
from ros_nodes.effects import Effect, HoldAnswer
from ros_nodes.evidence import CutWindow, WindowKind
from ros_nodes.permission import Permission
from ros_nodes.station import Station
from ros_nodes.terms import HoldReason, Purpose, StepMoment
from tests.ros_nodes.node_builders import DIGEST, STORE, T0, at, make_permit, step

HOME = (0.1, -0.2)
MOVED = (0.1, -0.3)


def kinds(effects) -> list[str]:
    return [type(effect).__name__ for effect in effects]


def make_window(cycle: int) -> CutWindow:
    return CutWindow(
        window_id=f"w-{cycle}",
        kind=WindowKind.DECISION,
        cycle=cycle,
        step="insert",
        part_id=f"part-{cycle}",
        start_ns=T0,
        period_ns=1,
        samples=np.zeros((1, 1), dtype=np.float32),
        present=np.ones(1, dtype=np.bool_),
        digest=DIGEST,
        gap_rows=0,
        scene_ns=at(1.0),
        cut_ns=at(1.0),
        cut_utc_ns=0,
    )


class Rig:
    """A station with its clock, walked from event to event."""

    def __init__(self) -> None:
        self.station = Station(Permission(maximum_execution_ns=60 * SECOND_NS))
        self.permits = 0

    def connected(self, moment: float = 0.0, *, epoch: int = 1) -> Self:
        self.station.permission.greet(at(moment))
        self.station.opened(
            epoch=epoch, store_id=STORE, lease_ns=2 * SECOND_NS, now_ns=at(moment)
        )
        self.beat(moment)
        return self

    def beat(self, moment: float) -> None:
        permission = self.station.permission
        seq = permission.heartbeat_sent(at(moment))
        permission.acked(seq=seq, epoch=permission.epoch, now_ns=at(moment))

    def look(self, moment: float, positions=HOME) -> list[Effect]:
        """Let the node's clock tick."""
        return self.station.ticked(at(moment), heard_ns=at(moment), positions=positions)

    def offer(self, purpose: Purpose, moment: float, *, positions=HOME, **facts):
        self.permits += 1
        permission = self.station.permission
        permit = make_permit(
            **{
                "permit_id": f"p-{self.permits}",
                "purpose": purpose,
                "session_epoch": permission.epoch,
                "cycle": self.station.scene.cycle,
                "heartbeat_seq": permission._seq,
                "window_digest": self.station.scene.window_digest,
            }
            | facts
        )
        return self.station.offered(permit, at(moment), positions)

    def started(self, moment: float = 0.1) -> Self:
        self.connected()
        self.offer(Purpose.START, moment)
        return self

    def working(self, moment: float = 0.2) -> Self:
        self.started()
        event = step(StepMoment.BEGIN, stamp_ns=at(moment), permit_id="p-1")
        assert self.station.began(event, at(moment)) == []
        return self

    def deciding(self) -> Self:
        self.working()
        self.beat(0.9)
        self.station.ended(step(StepMoment.END, stamp_ns=at(1.0)), at(1.0))
        self.station.judged(make_window(0), HOME)
        return self

    def paused(self) -> Self:
        self.working()
        self.station.withdrawn(HoldReason.OPERATOR_HOLD, "cord", at(0.5))
        self.station.hold_answered(at(0.6), HoldAnswer.HELD)
        self.look(0.8)
        return self
