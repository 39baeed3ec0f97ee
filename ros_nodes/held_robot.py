"""The hold on one robot: what its controller was asked, and whether it obeys.

The lower half of a station. Like the station it does no I/O, never waits, and answers
with effects.

andon lets a robot go on only from a hold that andon asked for. One that stood already,
because somebody paused it at the robot, is left to people.

A stop of the robot's own safety system is stronger than andon: andon takes note, ends
whatever was permitted, and gives up the step and its evidence. It asks once for a hold,
in case the program would go on by itself, and never again lets that program go on:
people start it anew at the robot, and it works when it takes new leave.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ros_nodes.clock import SECOND_NS
from ros_nodes.effects import (
    BeatNow,
    CallHold,
    Effect,
    HoldAnswer,
    Robot,
    TellDropped,
    TellHeld,
    TellSafetyStop,
)
from ros_nodes.evidence import CutWindow
from ros_nodes.permission import Begin, Hold, Permission
from ros_nodes.record import Pose, StepRecord
from ros_nodes.terms import HoldReason, Permit, Scene, Stand

HOLD_AGAIN_NS: Final = SECOND_NS
"""Time between attempts to hold a robot that does not obey."""

_ANSWERED: Final = {
    HoldAnswer.HELD: Robot.HELD,
    HoldAnswer.FOUND: Robot.STOPPED,
    HoldAnswer.UNCONFIRMED: Robot.UNCONFIRMED,
}


class HeldRobot:
    """The scene of one cell, and the hold on its robot.

    Args:
        permission: The node's own authority.
    """

    def __init__(self, permission: Permission) -> None:
        self.permission = permission
        self._robot = Robot.FREE
        self._stop = ""
        self._stop_known = False
        self._told_unconfirmed = False
        self._asked_hold_ns = 0
        self._deferred: Permit | None = None
        self._begun: Begin | None = None
        self._revoked: Begin | None = None
        self._scene = Scene()
        self._step = StepRecord()
        self._window: CutWindow | None = None
        self._offer_again = False
        self._pose = Pose()

    @property
    def scene(self) -> Scene:
        """Where the robot stands."""
        return self._scene

    @property
    def robot(self) -> Robot:
        """What the node knows about the robot's program."""
        return self._robot

    # ----------------------------------------------------------------------- the holds

    def hold_at_boot(self, now_ns: int) -> list[Effect]:
        """Hold the robot once its controller is there: a node comes up held."""
        held = self.permission.held
        if held is None:
            return []
        if self._robot is Robot.STOPPED:
            return [CallHold(held)]
        return self._hold_robot(held, now_ns) if self._robot is Robot.FREE else []

    def withdrawn(self, reason: HoldReason, text: str, now_ns: int) -> list[Effect]:
        """The coordinator withdrew permission."""
        hold = self.permission.withdraw(reason, text)
        if reason is HoldReason.SAFETY_STOP_SEEN and self._robot is Robot.STOPPED:
            return []  # an echo: this node said so
        return self._hold_robot(hold, now_ns)

    def hold_answered(self, now_ns: int, answer: HoldAnswer) -> list[Effect]:
        """The hold was confirmed, or was not in time."""
        if self._robot is not Robot.HOLDING:
            return []
        self._robot = _ANSWERED[answer]
        if self._robot is Robot.STOPPED:
            self._step.spoil()  # since when it stood, nobody knows
        if self._scene.stand is Stand.PAUSED:
            self._pose.held(now_ns)
        return self._report()

    def read_back(self, now_ns: int, *, stands: bool) -> list[Effect]:
        """A topic of the robot shows whether its program stands."""
        if stands or self._stop:
            return []
        paused = self._scene.stand is Stand.PAUSED
        if self._robot is Robot.STOPPED and not paused:
            # It runs, and not by andon: people started it again. It waits for leave.
            self._robot = Robot.FREE
            return [BeatNow()]
        if self._robot not in (Robot.HELD, Robot.STOPPED):
            return []
        self._step.spoil()
        hold = self.permission.hold(
            HoldReason.IDENTITY, "the robot went on by itself while andon held it"
        )
        self._robot = Robot.UNCONFIRMED
        return self._report() + self._hold_robot(hold, now_ns)

    def _hold_robot(self, hold: Hold, now_ns: int) -> list[Effect]:
        """Ask the robot to hold, unless it already confirmed that it does."""
        self._revoked, self._begun = self._begun or self._revoked, None
        if self._scene.stand is Stand.IN_STEP:
            if self._step.begun:
                self._scene = replace(self._scene, stand=Stand.PAUSED)
                self._step.pause(now_ns)
                self._pose.renew(None)
            else:  # leave was given, but the step has not begun
                self._scene = replace(self._scene, stand=Stand.AT_START)
        if self._robot is Robot.HOLDING:
            return []
        if self._robot is Robot.HELD or self._stop:
            return self._report()
        if self._robot is Robot.STOPPED:
            # Whether its program runs, only people know: asked, whatever it answers.
            return [CallHold(hold), *self._report()]
        self._robot = Robot.HOLDING
        self._asked_hold_ns = now_ns
        return [CallHold(hold)]

    def _hold_again(self, now_ns: int) -> list[Effect]:
        """Ask a robot that did not obey once more."""
        held = self.permission.held
        if (
            self._robot is not Robot.UNCONFIRMED
            or held is None
            or now_ns - self._asked_hold_ns < HOLD_AGAIN_NS
        ):
            return []
        return self._hold_robot(held, now_ns)

    def _report(self) -> list[Effect]:
        """Tell the coordinator what it does not know about the hold, and where it is.

        It knows of its own withdrawals; an echo of them would be a new hold. It does
        not know why the node held by itself, nor that a robot does not obey.
        """
        confirmed = self._robot in (Robot.HELD, Robot.STOPPED)
        told = self.permission.unreported
        if told is None and (
            confirmed if self._told_unconfirmed else self._robot is Robot.UNCONFIRMED
        ):
            told = self.permission.held
        # The heartbeat behind the message proves that the coordinator knows.
        self.permission.reported()
        if told is None:
            return [BeatNow()]
        self._told_unconfirmed = not confirmed
        return [TellHeld(told, self._scene, confirmed), BeatNow()]

    # ---------------------------------------------------------------- its safety system

    def safety_said(self, kind: str, now_ns: int) -> list[Effect]:
        """The robot's safety system stopped it, or works normally again.

        Args:
            kind: What the controller calls the stop; "" in ordinary work.
            now_ns: Monotonic clock of the node.
        """
        if kind == self._stop:
            return []
        before, self._stop = self._stop, kind
        if not kind:
            self._scene = replace(self._scene, stand=Stand.AT_START)
            return [BeatNow()]
        text = f"the robot's safety system stopped it: {kind}"
        hold = self.permission.hold(HoldReason.SAFETY_STOP_SEEN, text)
        effects: list[Effect] = [TellSafetyStop(kind)]
        if self._deferred is not None:
            effects.append(TellDropped(self.permission.refuse(self._deferred, text)))
        if not before and self._robot is not Robot.HELD:
            effects.append(CallHold(hold))
        self._give_up_scene()
        self._robot, self._stop_known = Robot.STOPPED, True
        return effects + self._hold_robot(hold, now_ns)

    def safety_stop_remembered(self) -> list[Effect]:
        """The coordinator holds the cell for a stop that an earlier node saw."""
        if self._stop_known or self.permission.executing is not None:
            return []
        self._robot, self._stop_known = Robot.STOPPED, True
        return self._report()

    def _give_up_scene(self) -> None:
        """Give up the step and the evidence: neither is true after a stop."""
        scene = self._scene
        under_way = self._step.begun or scene.stand in (Stand.PAUSED, Stand.DECIDING)
        cycle = scene.cycle + 1 if under_way else scene.cycle
        self._scene = Scene(Stand.STOPPED, cycle)
        self._step.forget()
        self._window, self._offer_again, self._deferred = None, False, None
        self._revoked, self._begun = self._begun or self._revoked, None
