"""The node's hands: they carry out what follows from an event, in order.

Everything a station wants done to the outside passes here: calls to the robot, messages
to the coordinator, cuts of windows, and a line in the trace about each.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from andon.v1 import cell_pb2
from ros_nodes import convert, effects
from ros_nodes.clip import Clips
from ros_nodes.clock import SECOND_NS, Clock, seconds_to_ns
from ros_nodes.evidence import CutWindow, Evidence, Work
from ros_nodes.permission import Begin
from ros_nodes.station import Station
from ros_nodes.talk import leave_text
from ros_nodes.trace import Trace
from ros_nodes.uplink import Uplink

_log = logging.getLogger(__name__)

HEARTBEAT_S: Final = 0.5
LATE_NS: Final = SECOND_NS // 40
"""Time between two ticks from which the trace says that this process was late."""
LAST_SAMPLE_WITHIN_NS: Final = SECOND_NS // 20
"""Time a step's last samples may arrive after the word that it ended."""
POSITION_AGE_NS: Final = SECOND_NS // 2
"""Age up to which joint positions say where the robot stands."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a robot's own topics show.

    Attributes:
        stands: Whether its program stands; None when no topic shows it.
        safety: Each new word of its safety system, oldest first: what it calls a stop,
            or "" for ordinary work.
    """

    stands: bool | None = None
    safety: tuple[str, ...] = ()


class RobotPort(Protocol):
    """What the conductor can ask of the robot."""

    async def hold(self) -> effects.HoldAnswer:
        """Pause the robot's program, and say what came of it in time."""

    async def resume(self) -> bool:
        """Let a program that andon paused go on; whether it was confirmed in time."""

    def give_leave(self, text: str) -> None:
        """Publish leave for one step."""

    def lift_hold(self) -> None:
        """Ask for no hold any more; the robot works already, by people and leave."""

    def look(self) -> Look:
        """Say what the robot's topics showed since the last look."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the hands reach.

    Attributes:
        clock: The node's clock.
        robot: The robot.
        uplink: The line to the coordinator.
        evidence: What the sensors said.
        clips: What they said at full rate; told where each decision window lies.
        trace: Where each deed is written down.
    """

    clock: Clock
    robot: RobotPort
    uplink: Uplink
    evidence: Evidence
    clips: Clips
    trace: Trace


class Hands:
    """Carries out effects; answers of the robot go back to the station.

    Args:
        station: Whose effects these are.
        around: What the hands reach.
    """

    def __init__(self, station: Station, around: Surroundings) -> None:
        self._station = station
        self._clock = around.clock
        self._robot = around.robot
        self._uplink = around.uplink
        self._evidence = around.evidence
        self._clips = around.clips
        self._trace = around.trace
        self._ticked_ns = 0
        self._tasks: asyncio.TaskGroup | None = None
        self._cut_due: Work | None = None
        self._cut_by_ns = 0
        self._hold_calls = 0
        self._beat_ns = seconds_to_ns(HEARTBEAT_S)
        self._beat_due_ns: int | None = None

    async def run(self) -> None:
        """Hold the robot, then keep the line to the coordinator until cancelled.

        A node comes up held, whatever its robot was doing before.
        """
        async with asyncio.TaskGroup() as self._tasks:
            now_ns = self._clock.monotonic_ns()
            self.carry_out(self._station.hold_at_boot(now_ns))
            await self._uplink.run()

    def positions(self) -> Sequence[float] | None:
        """Where the joints stand now; None when nobody can say."""
        return self._evidence.positions(maximum_age_ns=POSITION_AGE_NS)

    def look(self) -> None:
        """Hear what the robot's own topics show; before anything is permitted."""
        look, now_ns = self._robot.look(), self._clock.monotonic_ns()
        for kind in look.safety:
            self._trace.write("safety", kind=kind)
            self.carry_out(self._station.safety_said(kind, now_ns))
        if look.stands is not None:
            self.carry_out(self._station.read_back(now_ns, stands=look.stands))

    # ------------------------------------------------------------------ heartbeats

    def beat_every(self, period_ns: int) -> None:
        """Set the time between heartbeats, to at most the longest allowed."""
        longest_ns = seconds_to_ns(HEARTBEAT_S)
        self._beat_ns = min(period_ns, longest_ns) if period_ns > 0 else longest_ns

    def stop_beating(self) -> None:
        """Send no more heartbeats: there is no session."""
        self._beat_due_ns = None

    def beat_if_due(self, now_ns: int) -> None:
        """Send a heartbeat when its time has come."""
        if self._beat_due_ns is not None and now_ns >= self._beat_due_ns:
            self.beat(now_ns)

    def beat(self, now_ns: int) -> None:
        """Send a heartbeat now."""
        # Sent, by the book, before it leaves: that makes the lease shorter, not longer.
        seq = self._station.permission.heartbeat_sent(now_ns)
        self._beat_due_ns = now_ns + self._beat_ns
        self._trace.write("beat", seq=seq, sent_ns=now_ns)
        self._uplink.say(
            convert.heartbeat_message(
                seq,
                self._station.scene,
                robot=self._station.robot,
                held=self._station.permission.held is not None,
                dropped=self._evidence.dropped + self._uplink.dropped,
            )
        )

    def ticked(self, now_ns: int) -> None:
        """Note that the node looks at its clock, and when it comes late to it."""
        if self._ticked_ns and now_ns - self._ticked_ns > LATE_NS:
            self._trace.write("late", gap_ns=now_ns - self._ticked_ns)
        self._ticked_ns = now_ns

    # ----------------------------------------------------------------- what follows

    def carry_out(self, following: Sequence[effects.Effect]) -> None:
        """Do what follows, in order."""
        for effect in following:
            self._carry_out_one(effect)

    def _carry_out_one(self, effect: effects.Effect) -> None:  # noqa: C901 - a table
        match effect:
            case effects.CallHold(hold):
                self._trace.write("hold", reason=hold.reason.value, text=hold.text)
                _log.warning("hold: %s: %s", hold.reason.value, hold.text)
                self._start(self._call_hold(), "hold")
            case effects.CallResume(begin):
                self._trace.write(
                    "resume",
                    permit_id=begin.permit.permit_id,
                    start_by_ns=begin.start_by_ns,
                )
                self._start(self._call_resume(begin), "resume")
            case effects.LiftHold():
                self._robot.lift_hold()
            case effects.GiveLeave(begin):
                self._trace.write(
                    "permit_started",
                    permit_id=begin.permit.permit_id,
                    purpose=begin.permit.purpose.value,
                    cycle=begin.permit.cycle,
                    action=begin.permit.action.value,
                    start_by_ns=begin.start_by_ns,
                )
                self._robot.give_leave(leave_text(begin))
            case effects.TellStarted(permit, scene, latency_ns):
                self._trace.write(
                    "started_told", permit_id=permit.permit_id, latency_ns=latency_ns
                )
                self._uplink.say(
                    convert.started_message(permit.permit_id, scene, latency_ns)
                )
            case effects.TellDropped(dropped):
                self._trace.write(
                    "permit_dropped",
                    permit_id=dropped.permit_id,
                    token=dropped.drop.value,
                    text=dropped.text,
                )
                _log.warning("permit dropped: %s", dropped.text)
                self._uplink.say(convert.dropped_message(dropped))
            case effects.TellHeld(hold, scene, confirmed):
                self._trace.write(
                    "held_told", reason=hold.reason.value, confirmed=confirmed
                )
                self._uplink.say(convert.held_message(hold, scene, confirmed=confirmed))
            case effects.TellSafetyStop(kind):
                _log.warning("safety stop seen: %s", kind)
                self._uplink.say(convert.safety_message(kind))
            case effects.BeatNow():
                if self._station.permission.session_open:
                    self.beat(self._clock.monotonic_ns())
            case effects.CutNow(work):
                self._cut_due = work
                self._cut_by_ns = self._clock.monotonic_ns() + LAST_SAMPLE_WITHIN_NS
                self.cut_if_due(self._clock.monotonic_ns())
            case effects.SendWindow(window, scene_ns, offered_again):
                self._send(window, scene_ns, offered_again=offered_again)
            case effects.LeaveSession(text):
                self._uplink.leave(text)

    def _start(self, coroutine: Coroutine[object, object, None], name: str) -> None:
        if self._tasks is None:
            coroutine.close()
        else:
            self._tasks.create_task(coroutine, name=f"conductor:{name}")

    async def _call_hold(self) -> None:
        self._hold_calls += 1
        call = self._hold_calls
        answer = await self._robot.hold()
        self._trace.write("hold_answered", answer=answer.value)
        if call == self._hold_calls:  # a newer call will say how it stands
            now_ns = self._clock.monotonic_ns()
            self.carry_out(self._station.hold_answered(now_ns, answer))

    async def _call_resume(self, begin: Begin) -> None:
        confirmed = await self._robot.resume()
        self._trace.write("resume_answered", confirmed=confirmed)
        now_ns = self._clock.monotonic_ns()
        self.carry_out(
            self._station.resume_answered(
                begin, now_ns, self.positions(), confirmed=confirmed
            )
        )

    def cut_if_due(self, now_ns: int) -> None:
        """Cut the window of an ended step once its last samples have been heard."""
        work = self._cut_due
        if work is None:
            return
        heard_ns = self._evidence.heard_until_ns
        complete = heard_ns is not None and heard_ns >= work.span.end_ns
        if complete or now_ns >= self._cut_by_ns:
            self._cut_due = None
            window = self._evidence.cut(work)
            self._clips.remember(window.window_id, work.span)
            self._trace.write(
                "window_cut",
                window_id=window.window_id,
                digest=window.digest,
                cycle=window.cycle,
                gap_rows=window.gap_rows,
                complete=complete,
            )
            self.carry_out(self._station.judged(window, self.positions()))

    def _send(self, window: CutWindow, scene_ns: int, *, offered_again: bool) -> None:
        self._uplink.offer_decision(
            WindowMessage(self._clock, self._trace, window, scene_ns, offered_again)
        )


@dataclass(frozen=True, slots=True)
class WindowMessage:
    """A window that is numbered and aged at the moment it leaves."""

    clock: Clock
    trace: Trace
    window: CutWindow
    scene_ns: int
    offered_again: bool

    def __call__(self, seq: int) -> cell_pb2.NodeMessage:
        """Make the message; see uplink.Message."""
        window = self.window
        self.trace.write(
            "window_sent",
            window_id=window.window_id,
            kind=window.kind.value,
            digest=window.digest,
            seq=seq,
            offered_again=self.offered_again,
        )
        return convert.windows_message(
            window,
            seq=seq,
            age_ns=self.clock.monotonic_ns() - self.scene_ns,
            offered_again=self.offered_again,
        )
