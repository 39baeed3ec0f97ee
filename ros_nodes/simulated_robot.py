"""The program of a simulated robot: it waits for leave, works one cycle, says so.

What a real robot's program would do, on a body that is not there: before each cycle it
waits for a permit that it has not used, says when the step begins and ends, and stops
when it is told to hold. It writes the truth about each cycle, and a trace of its own
motions that no other part of andon can influence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ros_nodes.cdr import JointWriter, write_wrench
from ros_nodes.clock import SECOND_NS, Clock
from ros_nodes.talk import Leave, TalkError, read_leave, step_text
from ros_nodes.terms import Action, StepEvent, StepMoment
from ros_nodes.trace import Trace

STEP: Final = "insert"
"""Id of the one step of a cycle."""
LONGEST_LAG_NS: Final = 10 * SECOND_NS
"""Lag behind the wall clock above which the robot leaves a gap and goes on from now."""
MOST_SAMPLES: Final = 60
"""Samples a tick: a robot that lags catches up without flooding anybody."""
STOPPING_S: Final = 0.12
"""Time in which the twin comes to a stand, simulated s."""


class Sample(Protocol):
    """What the program publishes of a twin's sample."""

    @property
    def position(self) -> NDArray[np.float64]:
        """Joint positions, rad or m."""

    @property
    def velocity(self) -> NDArray[np.float64]:
        """Joint velocities."""

    @property
    def effort(self) -> NDArray[np.float64]:
        """Joint efforts."""

    @property
    def wrench(self) -> NDArray[np.float64]:
        """Force and torque at the wrist, shape (6,)."""

    @property
    def joints_sent(self) -> bool:
        """False while the joint driver is silent."""

    @property
    def wrench_sent(self) -> bool:
        """False while the wrench driver is silent."""


@runtime_checkable
class RawSample(Protocol):
    """Messages of any type instead of a twin's sample: a recording, said again."""

    def said(self, stamp_ns: int) -> Iterator[Say]:
        """What to publish, under this stamp."""


class Truth(Protocol):
    """What really happens in a cycle; for scoring only."""

    @property
    def part_id(self) -> str:
        """Serial number of the part."""

    @property
    def label(self) -> str:
        """What an honest person calls it."""

    @property
    def fault(self) -> str:
        """What was done to the cycle."""

    @property
    def severity(self) -> float:
        """How badly, in [0, 1]."""

    @property
    def sensor_fault(self) -> str:
        """Which sensor failure, or empty."""

    @property
    def ambiguous(self) -> bool:
        """Whether honest people disagree."""


class Body(Protocol):
    """What moves: the twin of a station, or a recording of a real one."""

    @property
    def period_s(self) -> float:
        """Time from the newest sample to the next one, in the body's own time, s."""

    def begin_cycle(self, cycle: int) -> Truth:
        """Start a cycle with a new part."""

    def advance(self) -> Sample | RawSample | None:
        """Simulate up to the next sample; None when the cycle has ended."""

    def idle(self) -> Sample | RawSample:
        """Simulate one sample of an arm that stands."""

    def pause(self) -> None:
        """Come to a stand."""

    def resume(self) -> None:
        """Go on."""


@dataclass(frozen=True, slots=True)
class Say:
    """One message to publish: a serialised sample, or a text about a step."""

    topic: str
    content: bytes | str


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the simulated robot lives.

    Attributes:
        time_factor: Seconds of the body's own time a second.
        cycles: Cycles to work; 0: without end.
        steady: Samples of an arm that stands come at full rate, as drivers send them.
    """

    time_factor: float = 1.0
    cycles: int = 0
    steady: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.time_factor < math.inf:
            raise ValueError(f"time_factor is {self.time_factor}, and must be above 0")

    def on_the_wall_ns(self, seconds: float) -> int:
        """How long a time of the body takes on the wall, at least 1 ns."""
        return max(1, round(SECOND_NS * seconds / self.time_factor))


@dataclass(frozen=True, slots=True)
class Records:
    """What is written about a simulated robot.

    Attributes:
        truth: The truth about each cycle, written before the cycle ends.
        motions: Each motion, with the permit under which it began.
    """

    truth: Trace
    motions: Trace


class SimulatedRobot:
    """Works cycle after cycle, each under a permit of its own. Not thread-safe.

    Args:
        cell_id: The cell, for the record of the truth.
        joint_names: Names of the body's joints.
        body: What moves.
        pace: How fast.
        clock: Whose time the stamps carry: the monotonic clock.
        records: What is written about it.
    """

    def __init__(
        self,
        cell_id: str,
        joint_names: tuple[str, ...],
        body: Body,
        pace: Pace,
        *,
        clock: Clock,
        records: Records,
    ) -> None:
        self._cell_id = cell_id
        self._body = body
        self._pace = pace
        self._clock = clock
        self._truth = records.truth
        self._motions = records.motions
        self._joints = JointWriter(joint_names)
        self._cycle = -1
        self._part_id = ""
        self._permit_id = ""
        self._used: set[str] = set()
        self._working = False
        self._paused = False
        self._ended = False
        self._leave: Leave | None = None
        self._due_ns = clock.monotonic_ns()
        self._last_ns = self._due_ns

    @property
    def busy(self) -> bool:
        """Whether leave would be of no use now."""
        held = self._paused or self._ended
        return self._working or held or self._leave is not None or self.done

    @property
    def cycle(self) -> int:
        """The newest cycle; -1 before the first."""
        return self._cycle

    @property
    def paused(self) -> bool:
        """Whether its program is paused."""
        return self._paused

    @property
    def ended(self) -> bool:
        """Whether a safety stop ended its program, and nobody started it again."""
        return self._ended

    @property
    def done(self) -> bool:
        """Whether the last cycle has been worked."""
        cycles = self._pace.cycles
        return not self._working and cycles > 0 and self._cycle >= cycles - 1

    # ------------------------------------------------------------------ what it hears

    def hear_leave(self, text: str) -> None:
        """Somebody published leave for one step."""
        now_ns = self._clock.monotonic_ns()
        try:
            leave = read_leave(text)
        except TalkError as error:
            self._motions.write("leave_refused", text=str(error))
            return
        refusal = self._objection(leave, now_ns)
        if refusal:
            self._motions.write(
                "leave_refused", permit_id=leave.permit_id, text=refusal
            )
            return
        self._leave = leave

    def _objection(self, leave: Leave, now_ns: int) -> str:
        if self._working:
            return "a cycle is under way"
        if self._paused or self._ended:
            return "held" if self._paused else "its program does not run"
        if leave.permit_id in self._used:
            return "used before"
        if now_ns > leave.start_by_ns:
            return "too late"
        return "the last cycle has been worked" if self.done else ""

    def hold(self) -> Iterator[Say]:
        """Come to a stand; answers once it stands, with the samples of stopping."""
        if not self._paused:
            self._paused = True
            self._leave = None
            self._body.pause()
            self._motions.write("pause", cycle=self._cycle)
            yield from self._stop()

    def safety_stop(self) -> Iterator[Say]:
        """Be stopped by its own safety system: the step and the program are over."""
        self._ended = True
        self._leave = None
        self._body.pause()
        self._motions.write("safety_stop", cycle=self._cycle)
        yield from self._stop()
        self._working = False

    def start_anew(self) -> None:
        """Somebody starts its program from the beginning: it waits for leave."""
        if not self._working:
            self._paused = self._ended = False
            self._body.resume()
            self._motions.write("start", cycle=self._cycle)

    def _stop(self) -> Iterator[Say]:
        if self._working:
            for _ in range(math.ceil(STOPPING_S / self._body.period_s)):
                sample = self._body.advance()
                if sample is None:
                    yield self._end()
                    break
                yield from self._sample(sample)
            self._motions.write("stands", cycle=self._cycle)

    def resume(self) -> None:
        """Go on from where it was held."""
        if self._paused and not self._ended:
            self._paused = False
            self._body.resume()
            self._due_ns = max(self._due_ns, self._clock.monotonic_ns())
            self._motions.write("resume", cycle=self._cycle)

    # ------------------------------------------------------------------- what it does

    def tick(self) -> Iterator[Say]:
        """Live up to now: whatever was measured and said since the last tick."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._due_ns > LONGEST_LAG_NS:
            self._motions.write("lag", lag_ns=now_ns - self._due_ns)
            self._due_ns = now_ns
        stands = self._paused or self._ended
        if self._leave is not None and not stands:
            leave, self._leave = self._leave, None
            if self._pace.steady:
                yield from self._stand(now_ns)  # no hole before the step
            yield from self._begin(leave, now_ns)
        if not self._working or stands:
            yield from self._stand(now_ns)
            return
        for _ in range(MOST_SAMPLES):
            if self._due_ns > now_ns:
                return
            sample = self._body.advance()
            if sample is None:
                yield self._end()
                return
            yield from self._sample(sample)

    def _stand(self, now_ns: int) -> Iterator[Say]:
        if not self._pace.steady:
            self._due_ns = max(self._due_ns, now_ns)
            yield from self._sample(self._body.idle())
            return
        for _ in range(MOST_SAMPLES):
            if self._due_ns > now_ns:
                return
            yield from self._sample(self._body.idle())

    def _begin(self, leave: Leave, now_ns: int) -> Iterator[Say]:
        self._used.add(leave.permit_id)
        self._permit_id = leave.permit_id
        self._cycle += 1
        truth = self._body.begin_cycle(self._cycle)
        # The operation is done again on the same part, whatever the twin drew.
        if leave.action is not Action.REWORK or not self._part_id:
            self._part_id = truth.part_id
        self._truth.write(
            "truth",
            cell=self._cell_id,
            cycle=self._cycle,
            part_id=self._part_id,
            label=truth.label,
            fault=truth.fault,
            severity=truth.severity,
            sensor_fault=truth.sensor_fault,
            ambiguous=truth.ambiguous,
        )
        self._working = True
        self._due_ns = max(now_ns, self._last_ns + 1)
        self._motions.write("begin", cycle=self._cycle, permit_id=leave.permit_id)
        yield self._say(StepMoment.BEGIN, self._due_ns)

    def _end(self) -> Say:
        self._working = False
        self._motions.write("end", cycle=self._cycle)
        return self._say(StepMoment.END, self._last_ns)

    def _say(self, moment: StepMoment, stamp_ns: int) -> Say:
        event = StepEvent(
            moment, self._cycle, self._part_id, STEP, stamp_ns, self._permit_id
        )
        return Say("steps", step_text(event))

    def _sample(self, sample: Sample | RawSample) -> Iterator[Say]:
        """Stamp one sample with the moment at which it was due."""
        stamp_ns = max(self._due_ns, self._last_ns + 1)
        self._last_ns = stamp_ns
        self._due_ns = stamp_ns + self._pace.on_the_wall_ns(self._body.period_s)
        if isinstance(sample, RawSample):
            yield from sample.said(stamp_ns)
            return
        if sample.joints_sent:
            content = self._joints.write(
                stamp_ns, sample.position, sample.velocity, sample.effort
            )
            yield Say("joints", content)
        if sample.wrench_sent:
            yield Say("wrench", write_wrench(stamp_ns, sample.wrench))
