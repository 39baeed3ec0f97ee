"""A decision point: calls of the robot's program become steps, leave becomes an answer.

The program calls at the end of each step and before its first one, and moves only
after an answer that says so. So an answer begins a step, and the next call ends it:

    call, waits, "continue" ... works ... call, waits, "rework" ... works ... call

To the rest of the node this is a robot's program like any other: it hears leave as
`talk` words it and says steps the same way. It permits nothing by itself. A hold that
begins while a call waits answers it with its reason, except a lost link: then the call
waits on, for healing brings its question back. A call that comes while the node holds
waits for the release.

Not thread-safe: it lives on the event loop, and nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ros_nodes.called_station import CalledStation
from ros_nodes.clock import SECOND_NS, Clock
from ros_nodes.effects import Effect
from ros_nodes.permission import Hold
from ros_nodes.talk import Leave, read_leave
from ros_nodes.terms import Action, HoldReason, Stand, StepEvent, StepMoment

UNCOUNTED: Final = 0
"""Number of a call whose client does not count its calls."""

SHORTEST_STEP_NS: Final = SECOND_NS // 5
"""A call that comes sooner after an answer crossed it on the way: no step ended."""

FRESH_NS: Final = SECOND_NS // 20
"""Age up to which the newest samples are where the evidence of a step ends."""

_IN_STEP: Final = (Stand.IN_STEP, Stand.PAUSED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a waiting call is told.

    Attributes:
        action: What to do with the part, and leave to go on; None: stay where you are.
        text: The action's word, or the reason and one sentence.
    """

    action: Action | None
    text: str


class Call(Protocol):
    """The robot's program waits."""

    @property
    def number(self) -> int:
        """Rises with each call of one client, from 1; UNCOUNTED: nobody counts."""

    def answer(self, answer: Answer) -> bool:
        """Answer now; whether the answer could be sent."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a decision point reaches of its node.

    Attributes:
        station: The scene and the permission.
        step_said: Takes what the program says about a step.
        carry_out: Carries out what follows.
        part_id: Serial number of the part, as it is known now.
        heard_until_ns: Stamp up to which every sensor was heard; None before the first.
        step: Id of the step.
        from_one: Whether the first call of every client has the number 1.
    """

    station: CalledStation
    step_said: Callable[[StepEvent], None]
    carry_out: Callable[[Sequence[Effect]], None]
    part_id: Callable[[], str]
    heard_until_ns: Callable[[], int | None]
    step: str
    from_one: bool = True


class DecisionPoint:
    """The robot's program at its decision point.

    Args:
        cell: What it reaches of its node.
        clock: The node's clock.
    """

    def __init__(self, cell: Cell, clock: Clock) -> None:
        self._cell = cell
        self._station = cell.station
        self._clock = clock
        self._waiting: Call | None = None
        self._known: Hold | None = None
        self._number = UNCOUNTED
        self._step: StepEvent | None = None
        self._closed = ""
        self.superseded = 0
        """Calls that came while another one waited."""

    @property
    def waiting(self) -> bool:
        """Whether a call waits."""
        return self._waiting is not None

    @property
    def working(self) -> bool:
        """Whether the program was given leave and has not called since."""
        return self._step is not None and self._station.scene.stand in _IN_STEP

    # ---------------------------------------------------------------- what it is told

    def called(self, call: Call) -> None:
        """The program came to its decision point."""
        if self._waiting is not None:
            self.superseded += 1
            self._answer(Answer(None, "superseded: another call waits now"))
        foreign = call.number != UNCOUNTED and call.number <= self._number
        unseen = self._cell.from_one and self._number == UNCOUNTED and call.number > 1
        working, step, self._step = self.working, self._step, None
        self._number = call.number
        self._wait(call)
        if working and foreign:
            self._abandon("the robot's program began again in the middle of a step")
        elif working and step is not None:
            self._end(step)
        elif unseen:
            self._abandon(
                "the robot's program was at work before this node began: "
                "nobody judged its part"
            )
        if self._closed:
            self._answer(Answer(None, self._closed))

    def forgotten(self) -> None:
        """The program does not wait any more, and nobody is there to be answered."""
        self._waiting = None
        self._station.program_waits(waits=False)

    def gone(self) -> None:
        """The program is not there any more."""
        working, self._step = self.working, None
        self.forgotten()
        if working:
            self._abandon("the robot's program ended in the middle of a step")

    def hear_leave(self, text: str) -> None:
        """A permit was consumed: begin the step, then let the program know.

        The answer leaves last. If anything holds by then, it says so, and the part's
        action is named in the hold: people carry it out.
        """
        leave = read_leave(text)
        if self._waiting is None or self._clock.monotonic_ns() > leave.start_by_ns:
            self._abandon(_unheard(leave, "leave came too late for its program"))
            return
        scene = self._station.scene
        begin_ns = self._clock.monotonic_ns()
        self._step = self._say(StepMoment.BEGIN, scene.cycle, leave.permit_id, begin_ns)
        if not self._station.permission.may_move(self._clock.monotonic_ns()):
            self._step = None
            self._abandon(_unheard(leave, "held before its program had leave"))
        elif not self._answer(Answer(leave.action, leave.action.value)):
            self._step = None
            self._abandon(_unheard(leave, "its program could not be answered"))

    def look(self) -> None:
        """Answer a waiting call when a hold began that it should know about."""
        held = self._station.permission.held
        if held is self._known:
            return
        self._known = held
        if held is not None and held.reason is not HoldReason.LINK_LOST:
            self._answer(Answer(None, f"{held.reason.value}: {held.text}"))

    def close(self, text: str) -> None:
        """Answer whoever waits, and everybody who calls from now on."""
        self._closed = text
        self._answer(Answer(None, text))

    def open(self) -> None:
        """Let calls wait again."""
        self._closed = ""

    # ---------------------------------------------------------------------------- parts

    def _end(self, step: StepEvent) -> None:
        now_ns, heard_ns = self._clock.monotonic_ns(), self._cell.heard_until_ns()
        if now_ns - step.stamp_ns >= SHORTEST_STEP_NS:
            # The robot stands already: what is still on its way would add nothing.
            fresh = heard_ns is not None and 0 <= now_ns - heard_ns <= FRESH_NS
            end_ns = heard_ns if heard_ns is not None and fresh else now_ns
            self._say(StepMoment.END, step.cycle, step.permit_id, end_ns)
            return
        # It gave up waiting and called again while its answer was under way. Whether it
        # heard that answer nobody knows: no leave is given twice.
        self._abandon("the robot's program called again before it could have worked")

    def _wait(self, call: Call) -> None:
        # A hold that is there already is no news to the one who calls into it.
        self._known = self._station.permission.held
        self._waiting = call
        self._station.program_waits(waits=True)

    def _answer(self, answer: Answer) -> bool:
        call = self._waiting
        self.forgotten()
        return call is not None and call.answer(answer)

    def _say(
        self, moment: StepMoment, cycle: int, permit_id: str, stamp_ns: int
    ) -> StepEvent:
        event = StepEvent(
            moment,
            cycle,
            self._cell.part_id(),
            self._cell.step,
            stamp_ns,
            permit_id,
        )
        self._cell.step_said(event)
        return event

    def _abandon(self, text: str) -> None:
        now_ns = self._clock.monotonic_ns()
        self._cell.carry_out(self._station.abandoned(text, now_ns))
        # Said here: a more severe hold, a lost link perhaps, may hide this one.
        self._answer(Answer(None, f"{HoldReason.BAD_DATA.value}: {text}"))


def _unheard(leave: Leave, text: str) -> str:
    return f"{text}; the part of cycle {leave.cycle} was to {leave.action.value}"
