"""A station that only watches: the robot works, whatever is permitted or held.

For `adapter = "none"`. What the coordinator decides is information for people here. A
permit means that andon would have let the robot go on; a hold, that it would have held
it. The robot is asked for nothing, given nothing and accused of nothing: a step that
begins without leave is a step to be judged.

One step is judged at a time. While one waits for its decision, or while the cell is
held, the robot's further steps pass unseen; the first one that begins after a permit is
judged next. So the coordinator's own rules, one permit a step and a named release from
every hold, stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ros_nodes.effects import (
    CallHold,
    CutNow,
    Effect,
    SendWindow,
    TellDropped,
    TellStarted,
)
from ros_nodes.permission import Dropped, Hold
from ros_nodes.station import Station
from ros_nodes.terms import Permit, Purpose, Scene, Stand, StepEvent


class Onlooker(Station):
    """See Station; here nothing moves by leave, and nothing is held.

    Args:
        permission: The node's own authority: over what is judged next.
    """

    def offered(
        self, permit: Permit, now_ns: int, positions: Sequence[float] | None
    ) -> list[Effect]:
        """A permit arrived: the next step that begins is judged."""
        del positions  # the robot need not stand where it stood
        if self.permission.waits_for_lease:
            replaced, self._deferred = self._deferred, permit
            if replaced is None:
                return []
            text = "another permit followed"
            return [TellDropped(self.permission.refuse(replaced, text))]
        answer = self.permission.offer(permit, self._scene, now_ns, joints_unmoved=True)
        if isinstance(answer, Dropped):
            return [TellDropped(answer)]
        latency_ns = None if self._window is None else now_ns - self._window.cut_ns
        next_step = permit.purpose is Purpose.NEXT_STEP
        cycle = self._scene.cycle + 1 if next_step else self._scene.cycle
        self._scene = Scene(Stand.IN_STEP, cycle, self._scene.step)
        self._window = None
        self._step.forget()
        # A permit bounds no time: the robot begins when it does.
        self.permission.finished()
        return [TellStarted(permit, self._scene, latency_ns)]

    def reoffer(self, now_ns: int, positions: Sequence[float] | None) -> list[Effect]:
        """The coordinator wants the pending evidence again: it holds all the same."""
        del positions
        if self._window is None:
            return []
        return [SendWindow(self._window, scene_ns=now_ns, offered_again=True)]

    def began(self, event: StepEvent, now_ns: int) -> list[Effect]:
        """The robot's program begins a step: watched, if a permit waits for one."""
        del now_ns
        if self._scene.stand is not Stand.IN_STEP:
            return []
        self._scene = Scene(Stand.IN_STEP, event.cycle, event.step, event.part_id)
        self._step.begin(event)
        return []

    def ended(self, event: StepEvent, now_ns: int) -> list[Effect]:
        """The step ended: judged, if it was watched from its beginning."""
        del now_ns
        if self._scene.stand is not Stand.IN_STEP:
            return []
        work = self._step.end(event)
        if work is None:
            return []
        self._scene = Scene(Stand.DECIDING, event.cycle, event.step, event.part_id)
        return [CutNow(work)]

    def safety_said(self, kind: str, now_ns: int) -> list[Effect]:
        """See HeldRobot; the robot's safety system is told of, here as everywhere."""
        effects = super().safety_said(kind, now_ns)
        return [effect for effect in effects if not isinstance(effect, CallHold)]

    def hold_at_boot(self, now_ns: int) -> list[Effect]:
        """Nobody holds this robot."""
        del now_ns
        return []

    def _hold_robot(self, hold: Hold, now_ns: int) -> list[Effect]:
        """Stop watching until a permit; the robot goes on."""
        del hold, now_ns
        if self._scene.stand is Stand.IN_STEP:
            self._scene = replace(self._scene, stand=Stand.AT_START)
            self._step.forget()
        return self._report()
