"""A recording of messages as a robot's body: cycle by cycle, each under a permit.

Where the recording has the topic on which the robot's program spoke about its steps,
each step is a cycle. Elsewhere it is cut into pieces of equal length.
"""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ros_nodes.bags.stamps import restamped
from ros_nodes.bags.terms import Bag, Recorded, RecordingRefusedError
from ros_nodes.cdr import CdrError, read_text
from ros_nodes.clock import SECOND_NS
from ros_nodes.recording import USUAL_PERIOD_S, RecordedTruth
from ros_nodes.simulated_robot import RawSample, Say
from ros_nodes.talk import TalkError, read_step
from ros_nodes.terms import StepMoment

LARGEST_BYTES: Final = 1 << 30
"""A body lives in memory."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where cycles begin and end.

    Attributes:
        steps: Topic of the recording that says so; "": none does.
        cycle_s: Length of a cycle without such a topic, s; 0: all of it is one.
    """

    steps: str = ""
    cycle_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BagCycle:
    """The messages of one cycle, in the order they were received."""

    part_id: str
    messages: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    part_id: str
    begin_ns: int
    end_ns: int


def read_cycles(
    bag: Bag,
    topics: Collection[str],
    cuts: Cuts,
    *,
    from_ns: int | None = None,
    until_ns: int | None = None,
) -> tuple[BagCycle, ...]:
    """Read the cycles of a recording into memory.

    Args:
        bag: The recording.
        topics: Topics to play.
        cuts: Where cycles begin and end.
        from_ns: First moment, UTC ns; None: from the beginning.
        until_ns: First moment that is left out; None: to the end.

    Raises:
        RecordingRefusedError: It is damaged, too large, or has no whole cycle.
    """
    wanted = {*topics, cuts.steps} - {""}
    size = 0
    messages: list[Recorded] = []
    steps: list[Recorded] = []
    for message in bag.messages(wanted, from_ns=from_ns, until_ns=until_ns):
        size += len(message.data)
        if size > LARGEST_BYTES:
            raise RecordingRefusedError(
                f"{bag.name} is too large to be played as a robot: take a part of it "
                "with --from and --to, or fewer topics"
            )
        (steps if message.topic == cuts.steps else messages).append(message)
    messages.sort(key=lambda one: one.log_ns)
    spans = _by_steps(steps) if cuts.steps else _by_time(messages, cuts.cycle_s)
    cycles = tuple(_filled(messages, spans))
    if not cycles:
        raise RecordingRefusedError(f"{bag.name} has no whole cycle to play")
    return cycles


def _by_steps(steps: Iterable[Recorded]) -> list[_Span]:
    spans: list[_Span] = []
    begun: tuple[str, int] | None = None
    for message in steps:
        try:
            said = read_step(read_text(message.data))
        except (CdrError, TalkError):
            continue  # a node would not have understood it either
        if said.moment is StepMoment.BEGIN:
            begun = (said.part_id, message.log_ns)
        elif begun is not None:
            spans.append(_Span(*begun, message.log_ns + 1))
            begun = None
    return spans


def _by_time(messages: Sequence[Recorded], cycle_s: float) -> list[_Span]:
    if not messages:
        return []
    begin_ns, end_ns = messages[0].log_ns, messages[-1].log_ns + 1
    if not cycle_s:
        return [_Span("part-0", begin_ns, end_ns)]
    length_ns = max(1, round(cycle_s * SECOND_NS))
    # A last piece that is shorter than the others is left out: it is no whole cycle.
    return [
        _Span(f"part-{number}", start_ns, start_ns + length_ns)
        for number, start_ns in enumerate(range(begin_ns, end_ns, length_ns))
        if start_ns + length_ns <= end_ns or not number
    ]


def _filled(messages: Sequence[Recorded], spans: Iterable[_Span]) -> Iterator[BagCycle]:
    received_ns = [message.log_ns for message in messages]
    for span in spans:
        first = bisect.bisect_left(received_ns, span.begin_ns)
        last = bisect.bisect_left(received_ns, span.end_ns)
        if first < last:
            yield BagCycle(span.part_id, tuple(messages[first:last]))


class BagBody:
    """Plays cycles of messages. See simulated_robot.Body.

    It begins anew after the last cycle; who wants each cycle once says so in the pace.

    Args:
        cycles: At least one.
        stamped: Topics whose messages begin with a header.
    """

    def __init__(self, cycles: Sequence[BagCycle], stamped: Collection[str]) -> None:
        self._cycles = cycles
        self._stamped = frozenset(stamped)
        self._cycle = cycles[0]
        self._row = 0
        self._paused = False
        self._newest: dict[str, bytes] = {}
        for message in cycles[0].messages:
            self._newest.setdefault(message.topic, message.data)

    @property
    def period_s(self) -> float:
        """Time from the newest message to the next one, s."""
        messages, row = self._cycle.messages, self._row
        if self._paused or not 0 < row < len(messages):
            return USUAL_PERIOD_S
        return max(0, messages[row].log_ns - messages[row - 1].log_ns) / SECOND_NS

    def begin_cycle(self, cycle: int) -> RecordedTruth:
        """Go to the beginning of a recorded cycle."""
        self._cycle = self._cycles[cycle % len(self._cycles)]
        self._row = 0
        return RecordedTruth(self._cycle.part_id)

    def advance(self) -> RawSample | None:
        """Return the next message; what stands while paused; None after the last."""
        if self._paused:
            return self.idle()
        if self._row >= len(self._cycle.messages):
            return None
        message = self._cycle.messages[self._row]
        self._row += 1
        self._newest[message.topic] = message.data
        return self._sample({message.topic: message.data})

    def idle(self) -> RawSample:
        """Return where the robot stands: the newest message of each topic once more."""
        return self._sample(self._newest)

    def _sample(self, messages: Mapping[str, bytes]) -> RawSample:
        return _Stamping(dict(messages), self._stamped)

    def pause(self) -> None:
        """Stand still."""
        self._paused = True

    def resume(self) -> None:
        """Go on."""
        self._paused = False


@dataclass(frozen=True, slots=True)
class _Stamping:
    """Messages that get the stamp of the moment at which they are said."""

    messages: Mapping[str, bytes]
    stamped: frozenset[str]

    def said(self, stamp_ns: int) -> Iterator[Say]:
        """See simulated_robot.RawSample."""
        for topic, message in self.messages.items():
            again = restamped(message, stamp_ns) if topic in self.stamped else message
            yield Say(topic, again)
