"""One robot as its node sees it: what was said to it, what it said, what follows.

The station joins three voices (the coordinator, the robot's program and the clock) and
answers each with effects for the node to carry out. It does no I/O and never waits, so
every order of events can be tried in a test. Not thread-safe: it lives on the event
loop.

    AT_START --permit--> IN_STEP --end--> DECIDING --permit--> IN_STEP ...
                           |   ^
                      hold v   | permit RESUME
                          PAUSED
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ros_nodes.clock import SECOND_NS
from ros_nodes.effects import (
    BeatNow,
    CallHold,
    CallResume,
    CutNow,
    Effect,
    GiveLeave,
    LeaveSession,
    LiftHold,
    Robot,
    SendWindow,
    TellDropped,
    TellStarted,
)
from ros_nodes.evidence import CutWindow, Work
from ros_nodes.held_robot import HeldRobot
from ros_nodes.permission import Begin, Dropped
from ros_nodes.terms import (
    Drop,
    HoldReason,
    Permit,
    Purpose,
    Scene,
    Stand,
    StepEvent,
)

BEGIN_GRACE_NS: Final = SECOND_NS
"""Time a robot's program may take to begin after a permit's last moment."""
SILENCE_NS: Final = 2 * SECOND_NS
"""Silence of the sensors in a step after which the node holds."""


class Station(HeldRobot):
    """The scene of one cell and the permission to change it.

    Args:
        permission: The node's own authority.
    """

    @property
    def pending(self) -> CutWindow | None:
        """The evidence that waits for a decision."""
        return self._window

    def work_so_far(self, *, since_ns: int, until_ns: int) -> Work | None:
        """What a monitor window would be cut of; None while nothing moves."""
        if self._scene.stand is not Stand.IN_STEP:
            return None
        return self._step.so_far(since_ns=since_ns, until_ns=until_ns)

    # ------------------------------------------------------------------ the coordinator

    def opened(
        self, *, epoch: int, store_id: str, lease_ns: int, now_ns: int
    ) -> list[Effect]:
        """A session began; the node stays held until a permit says otherwise."""
        refused = self.permission.open(
            epoch=epoch, store_id=store_id, lease_ns=lease_ns, now_ns=now_ns
        )
        if refused is not None:
            return [LeaveSession(refused.text)]
        self._told_unconfirmed = False
        return self._report()

    def closed(self, text: str, now_ns: int) -> list[Effect]:
        """The session ended."""
        self._deferred, self._offer_again = None, False
        if not self.permission.session_open:
            return []
        return self._hold_robot(self.permission.close(text), now_ns)

    def offered(
        self, permit: Permit, now_ns: int, positions: Sequence[float] | None
    ) -> list[Effect]:
        """A permit arrived.

        Args:
            permit: The permit.
            now_ns: Monotonic clock of the node.
            positions: Where the joints stand now; None when nobody can say.
        """
        if self._robot is Robot.UNCONFIRMED:
            text = "the robot's controller has not confirmed that it holds"
            return [TellDropped(self.permission.refuse(permit, text))]
        if self._stop:
            text = f"the robot's safety system stops it: {self._stop}"
            return [TellDropped(self.permission.refuse(permit, text))]
        if self._must_wait(permit, now_ns, positions):
            replaced, self._deferred = self._deferred, permit
            if replaced is None:
                return []
            text = "another permit followed"
            return [TellDropped(self.permission.refuse(replaced, text))]
        answer = self.permission.offer(
            permit, self._scene, now_ns, joints_unmoved=self._pose.unmoved(positions)
        )
        if isinstance(answer, Dropped):
            if answer.drop is Drop.SCENE_MOVED:
                self._pose.renew(positions)  # what a person sees, and may release
            return [TellDropped(answer)]
        if self._robot is Robot.HELD:
            self._robot = Robot.RESUMING
            return [CallResume(answer)]
        return self._start(answer, now_ns)

    def reoffer(self, now_ns: int, positions: Sequence[float] | None) -> list[Effect]:
        """The coordinator wants the pending evidence again, if it still holds."""
        self._offer_again = self._window is not None
        if self._window is None or not self._pose.comparable(positions):
            return []  # nothing to offer, or nobody can say yet whether it holds
        self._offer_again = False
        if not self._pose.unmoved(positions):
            hold = self.permission.hold(
                HoldReason.IDENTITY,
                "the joints do not stand where the pending window was cut",
            )
            self._scene = Scene(Stand.AT_START, cycle=self._scene.cycle + 1)
            self._window = None
            return self._hold_robot(hold, now_ns)
        return [SendWindow(self._window, scene_ns=now_ns, offered_again=True)]

    # -------------------------------------------------------------- the robot's program

    def began(self, event: StepEvent, now_ns: int) -> list[Effect]:
        """The robot's program says that a step begins."""
        begun, executing = self._begun, self.permission.executing
        revoked = self._revoked
        self._scene = Scene(Stand.IN_STEP, event.cycle, event.step, event.part_id)
        self._step.begin(event)
        self._window = None
        self._begun = self._revoked = None
        if (
            executing is not None
            and begun is executing
            and event.permit_id in ("", executing.permit.permit_id)
            and self.permission.may_move(now_ns)
            and event.stamp_ns <= executing.start_by_ns + BEGIN_GRACE_NS
        ):
            if self._robot is Robot.STOPPED:  # people started it, and it took leave
                self._robot = Robot.FREE
                return [LiftHold()]
            return []
        crossed = (
            revoked is not None and event.permit_id == revoked.permit.permit_id
        )  # it took its leave just before the hold, or the stop, was known here
        if self._robot is Robot.STOPPED:
            self._give_up_scene()
            if not self._stop:
                self._scene = replace(self._scene, stand=Stand.AT_START)
            if crossed:
                return [BeatNow()]
        elif crossed and (
            self._robot is Robot.HOLDING or event.stamp_ns <= self._asked_hold_ns
        ):
            self._scene = replace(self._scene, stand=Stand.PAUSED)
            self._step.pause(now_ns)
            self._pose.held(now_ns)
            return []
        hold = self.permission.hold(
            HoldReason.IDENTITY,
            f"the robot began cycle {event.cycle} without a permit for it",
        )
        return self._hold_robot(hold, now_ns)

    def ended(self, event: StepEvent, now_ns: int) -> list[Effect]:
        """The robot's program says that the step ended; it waits for leave."""
        self.permission.finished()
        waiting, self._begun = self._begun, None
        work = self._step.end(event)
        if work is None:
            stand = Stand.STOPPED if self._stop else Stand.AT_START
            self._scene = Scene(stand, cycle=event.cycle + 1)
            if self._robot is Robot.STOPPED and waiting is None:
                return [BeatNow()]  # people let the step end that was stopped
            text = f"cycle {event.cycle} ended, but the node did not see all of it"
            return self._hold_robot(
                self.permission.hold(HoldReason.BAD_DATA, text), now_ns
            )
        self._scene = Scene(Stand.DECIDING, event.cycle, event.step, event.part_id)
        return [CutNow(work)]

    def judged(
        self, window: CutWindow, positions: Sequence[float] | None
    ) -> list[Effect]:
        """The window of the ended step was cut; the step waits for its decision."""
        if self._scene.stand is not Stand.DECIDING:
            return []  # a safety stop came in between: the scene is gone
        self._window = window
        self._pose.renew(positions)
        self._scene = replace(self._scene, window_digest=window.digest)
        return [SendWindow(window, scene_ns=window.scene_ns, offered_again=False)]

    # ----------------------------------------------------------- the robot's controller

    def resume_answered(
        self,
        begin: Begin,
        now_ns: int,
        positions: Sequence[float] | None,
        *,
        confirmed: bool,
    ) -> list[Effect]:
        """The resume service answered, or did not answer in time."""
        overtaken = self._robot is not Robot.RESUMING
        still_wanted = self.permission.executing is begin
        if confirmed and still_wanted and not overtaken:
            self._robot = Robot.FREE
            return self._start(begin, now_ns)
        effects: list[Effect] = [
            TellDropped(
                Dropped(
                    begin.permit.permit_id,
                    Drop.HELD,
                    "the robot's controller did not go on in time",
                )
            )
        ]
        # A resume that comes late may have undone a hold: hold once more.
        hold = self.permission.held
        if still_wanted or hold is None:
            hold = self.permission.hold(
                HoldReason.BAD_DATA, "the robot's controller did not confirm to go on"
            )
        if self._robot is Robot.STOPPED:
            return [*effects, CallHold(hold), *self._report()]
        self._robot = Robot.FREE
        return effects + self._hold_robot(hold, now_ns)

    # ------------------------------------------------------------------------ the clock

    def ticked(
        self,
        now_ns: int,
        *,
        heard_ns: int | None,
        positions: Sequence[float] | None = None,
    ) -> list[Effect]:
        """Time passed; alone it can only hold, with sight of the robot it can judge.

        Args:
            now_ns: Monotonic clock of the node.
            heard_ns: Stamp up to which every sensor was heard; None before the first.
            positions: Where the joints stand now; None when nobody can say.
        """
        was_open = self.permission.session_open
        hold = self.permission.tick(now_ns)
        if hold is not None:
            effects = self._hold_robot(hold, now_ns)
            if was_open and not self.permission.session_open:
                effects.append(LeaveSession(hold.text))
            return effects
        if (
            self._scene.stand is Stand.IN_STEP
            and self._step.begun
            and not (heard_ns is not None and now_ns - heard_ns <= SILENCE_NS)
        ):
            text = f"sensors silent for over {SILENCE_NS / SECOND_NS:g} s in a step"
            hold = self.permission.hold(HoldReason.BAD_DATA, text)
            return self._hold_robot(hold, now_ns)
        begun = self._begun
        if begun is not None and now_ns > begun.start_by_ns + 2 * BEGIN_GRACE_NS:
            text = "leave was given, but the robot's program did not begin"
            hold = self.permission.hold(HoldReason.STALE_DATA, text)
            return self._hold_robot(hold, now_ns)
        again = self._hold_again(now_ns)
        return again or self._look_again(now_ns, positions, heard_ns)

    # ---------------------------------------------------------------------------- parts

    def _start(self, begin: Begin, now_ns: int) -> list[Effect]:
        permit = begin.permit
        latency_ns = None
        effects: list[Effect] = []
        if permit.purpose is Purpose.RESUME:
            self._robot = Robot.FREE
            self._step.go_on(now_ns)
            self._scene = replace(self._scene, stand=Stand.IN_STEP)
        else:
            if self._window is not None:
                latency_ns = now_ns - self._window.cut_ns
            next_step = permit.purpose is Purpose.NEXT_STEP
            cycle = self._scene.cycle + 1 if next_step else self._scene.cycle
            self._scene = Scene(Stand.IN_STEP, cycle, self._scene.step)
            self._window = None
            self._step.forget()
            self._begun, self._revoked = begin, None
            effects.append(GiveLeave(begin))
        effects.append(TellStarted(permit, self._scene, latency_ns))
        return effects

    def _must_wait(
        self, permit: Permit, now_ns: int, positions: Sequence[float] | None
    ) -> bool:
        """Whether a permit's fate depends on what is about to be known."""
        if self.permission.waits_for_lease:
            return True
        if self._robot in (Robot.HOLDING, Robot.RESUMING):
            return True
        # A sensor that is late is no robot that moved.
        return (
            permit.purpose is not Purpose.START
            and not self._pose.comparable(positions)
            and not self.permission.too_late(permit, now_ns)
        )

    def _look_again(
        self, now_ns: int, positions: Sequence[float] | None, heard_ns: int | None
    ) -> list[Effect]:
        """Judge what waited for somebody to say where the robot stands."""
        standing = self._scene.stand is Stand.DECIDING or (
            self._scene.stand is Stand.PAUSED
            and self._robot in (Robot.HELD, Robot.STOPPED)
        )
        if standing:
            self._pose.look(positions, heard_ns)
        effects = self.reoffer(now_ns, positions) if self._offer_again else []
        permit = self._deferred
        if permit is not None and not self._must_wait(permit, now_ns, positions):
            self._deferred = None
            effects += self.offered(permit, now_ns, positions)
        return effects
