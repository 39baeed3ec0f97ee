"""A station whose robot's program comes for its leave, instead of being sent it.

A program that calls `~/decide`, or raises a signal, hears of a permit only while it
waits. A permit that finds nobody waiting is kept until its start window closes and then
dropped, with the scene untouched: the evidence still waits, and its action is not lost.
Nothing here permits anything; it can only begin later than the permit, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from ros_nodes.effects import Effect, TellDropped
from ros_nodes.permission import Begin, Dropped, Hold, Permission
from ros_nodes.station import Station
from ros_nodes.terms import Drop, HoldReason, Purpose, Scene, Stand


class CalledStation(Station):
    """See Station; besides, leave is given only to a program that waits for it.

    Args:
        permission: The node's own authority.
    """

    def __init__(self, permission: Permission) -> None:
        super().__init__(permission)
        self._waits = False
        self._untaken: Begin | None = None

    def program_waits(self, *, waits: bool) -> None:
        """Note whether the robot's program waits for leave; the next tick gives it."""
        self._waits = waits

    def ticked(
        self,
        now_ns: int,
        *,
        heard_ns: int | None,
        positions: Sequence[float] | None = None,
    ) -> list[Effect]:
        """See Station; besides, begin or drop a permit that waits for its program."""
        effects = super().ticked(now_ns, heard_ns=heard_ns, positions=positions)
        return effects + self._look_for_program(now_ns, positions)

    def abandoned(self, text: str, now_ns: int) -> list[Effect]:
        """Give up the step under way: its end will not be told by who began it."""
        self.permission.finished()
        stopped = self._scene.stand is Stand.STOPPED
        cycle = self._scene.cycle + 1 if self._step.begun else self._scene.cycle
        self._scene = Scene(Stand.STOPPED if stopped else Stand.AT_START, cycle)
        self._begun = self._revoked = None
        self._step.forget()
        self._window = None
        return self._hold_robot(self.permission.hold(HoldReason.BAD_DATA, text), now_ns)

    def _start(self, begin: Begin, now_ns: int) -> list[Effect]:
        if begin.permit.purpose is Purpose.RESUME or self._waits:
            return super()._start(begin, now_ns)
        self._untaken = begin
        if begin.permit.purpose is Purpose.START:
            self._pose.renew(None)  # learned at the next tick, then to stay
        return []

    def _hold_robot(self, hold: Hold, now_ns: int) -> list[Effect]:
        effects = self._drop(Drop.HELD, "held before the robot's program came for it")
        return effects + super()._hold_robot(hold, now_ns)

    def _look_for_program(
        self, now_ns: int, positions: Sequence[float] | None
    ) -> list[Effect]:
        begin = self._untaken
        if begin is None:
            return []
        if now_ns > begin.start_by_ns:
            text = "the robot's program did not come to its decision point in time"
            return self._give_up(Drop.EXPIRED, HoldReason.STALE_DATA, text, now_ns)
        if not self._pose.known:
            self._pose.renew(positions)
        if self._pose.comparable(positions) and not self._pose.unmoved(positions):
            text = "the robot moved before its program came for leave"
            return self._give_up(Drop.SCENE_MOVED, HoldReason.IDENTITY, text, now_ns)
        if not (self._waits and self._pose.unmoved(positions)):
            return []
        self._untaken = None
        return super()._start(begin, now_ns)

    def _give_up(
        self, drop: Drop, reason: HoldReason, text: str, now_ns: int
    ) -> list[Effect]:
        effects = self._drop(drop, text)
        return effects + self._hold_robot(self.permission.hold(reason, text), now_ns)

    def _drop(self, drop: Drop, text: str) -> list[Effect]:
        begin, self._untaken = self._untaken, None
        if begin is None:
            return []
        return [TellDropped(Dropped(begin.permit.permit_id, drop, text))]
