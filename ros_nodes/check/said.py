"""What a topic said, against what it should say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ros_nodes.check.elements import missing
from ros_nodes.check.finding import Finding, Weight
from ros_nodes.check.seen import Endpoint, Heard, Seen
from ros_nodes.check.wants import Part, WantedTopic
from ros_nodes.diagnostics import RATE_OFF

LEAST_FOR_A_RATE: Final = 3
"""Messages without which nobody can say how often they come."""
MANY_LOST: Final = 0.001
"""Share of lost messages that is worth a word."""


def what_it_said(
    topic: WantedTopic, publishers: Sequence[Endpoint], heard: Heard, seen: Seen
) -> Iterator[Finding]:
    """Compare what came with what is configured."""
    if not heard.count:
        yield from _silent(topic, publishers, seen)
        return
    if topic.part is Part.SENSOR:
        yield from _rate(topic, heard, seen)
        yield from _age(topic, heard)
        yield from _elements(topic, heard)
    elif topic.part is Part.SAFETY:
        yield from _safety(topic, heard)
    if heard.lost > MANY_LOST * (heard.count + heard.lost):
        yield Finding(
            "LOST",
            Weight.NOTE,
            topic.where,
            f"{heard.lost} of {heard.count + heard.lost} messages on {topic.name} "
            "did not come",
            "look at the network and at what else this machine does",
        )


def _silent(
    topic: WantedTopic, publishers: Sequence[Endpoint], seen: Seen
) -> Iterator[Finding]:
    if topic.part is Part.WORDS:
        return  # it speaks when a step begins
    nodes = ", ".join(one.node for one in publishers)
    never = " (latched: it may never have spoken)" if publishers[0].latched else ""
    yield Finding(
        "SILENT",
        Weight.HOLDS if topic.required else Weight.NOTE,
        topic.where,
        f"{nodes} is there, but nothing came on {topic.name} in "
        f"{seen.seconds:.1f} s{never}",
        "see whether the driver is connected to its robot or sensor",
    )


def _rate(topic: WantedTopic, heard: Heard, seen: Seen) -> Iterator[Finding]:
    if heard.count < LEAST_FOR_A_RATE:
        return
    if not topic.rate_hz:
        yield Finding(
            "RATE_UNKNOWN",
            Weight.NOTE,
            topic.where,
            f"{topic.name} speaks at {heard.rate_hz:.4g} Hz, and no rate is configured",
            f"write rate_hz = {_round(heard.rate_hz)}, so that a slower one is noticed",
        )
    elif not abs(heard.rate_hz / topic.rate_hz - 1.0) <= RATE_OFF:
        # Faster than told loses nothing; slower leaves gaps in windows.
        faster = heard.rate_hz > topic.rate_hz
        yield Finding(
            "RATE_OFF",
            Weight.NOTE if faster else Weight.HOLDS,
            topic.where,
            f"{topic.name} speaks at {heard.rate_hz:.4g} Hz over {seen.seconds:.1f} s, "
            f"configured is {topic.rate_hz:g} Hz",
            "write the rate that it has, or mend the one it should have",
        )


def _round(rate_hz: float) -> int:
    """A rate as people would configure it: 500 for 502.1."""
    step = 25 if rate_hz > 200.0 else 5 if rate_hz > 50.0 else 1
    return max(1, step * round(rate_hz / step))


def _age(topic: WantedTopic, heard: Heard) -> Iterator[Finding]:
    if heard.unstamped:
        yield Finding(
            "NO_STAMP",
            Weight.HOLDS,
            topic.where,
            f"messages on {topic.name} carry no time stamp",
            "let the driver stamp them when they are measured",
        )
    elif heard.age_s is not None and not abs(heard.age_s) <= topic.maximum_age_s:
        way = "old when they come" if heard.age_s > 0.0 else "stamped in the future"
        yield Finding(
            "CLOCK_SKEW",
            Weight.HOLDS,
            topic.where,
            f"messages on {topic.name} are {abs(heard.age_s):.3g} s {way}; at most "
            f"{topic.maximum_age_s:g} s is of use",
            "let both machines follow one clock (chrony, PTP); with simulated time set "
            "use_sim_time",
        )


def _elements(topic: WantedTopic, heard: Heard) -> Iterator[Finding]:
    for source, text, remedy in missing(topic, heard):
        yield Finding(
            "NOT_IN_MESSAGE",
            Weight.HOLDS if topic.required else Weight.NOTE,
            topic.where,
            f'{topic.name}: source "{source}": {text}',
            remedy,
        )


def _safety(topic: WantedTopic, heard: Heard) -> Iterator[Finding]:
    # 1 is 1.0 as a number, but true is no 1.
    usual = any(
        heard.value == value
        and isinstance(heard.value, bool) == isinstance(value, bool)
        for value in topic.values
    )
    if not usual:
        yield Finding(
            "SAFETY_STOP_SEEN",
            Weight.HOLDS,
            topic.where,
            f"the robot's safety system is not in ordinary work: {topic.name} says "
            f"{topic.field} = {heard.value}",
            "end the stop at the robot, in person; if this is ordinary work, write the "
            "value into normal",
        )
