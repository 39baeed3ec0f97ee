"""What /diagnostics says about a cell's node: plain values, judged here.

OK is what needs nobody. WARN is what a person should know at the end of the shift or
before starting: held, not connected on purpose, a rate that is off. ERROR is what keeps
the cell from working, or could hurt what it decides. STALE is what was heard before and
has fallen silent, where the cell can do without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from ros_nodes.clip import Ring
from ros_nodes.clock import SECOND_NS
from ros_nodes.effects import Robot
from ros_nodes.permission import Permission
from ros_nodes.station import Station

RATE_OFF: Final = 0.2
"""Share by which a rate may differ from what is configured."""


class Level(IntEnum):
    """As in diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    """Needs nobody."""
    WARN = 1
    """Somebody should know."""
    ERROR = 2
    """Keeps the cell from working."""
    STALE = 3
    """Was heard before, and is silent."""


@dataclass(frozen=True, slots=True)
class Status:
    """One line of /diagnostics.

    Attributes:
        name: What it is about.
        level: How bad it is.
        text: One sentence or less.
        values: Facts behind it, by name.
    """

    name: str
    level: Level
    text: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """One sensor topic since the last report.

    Attributes:
        key: What the configuration calls it.
        name: Its full name.
        required: Whether a channel that must be there comes from it.
        rate_hz: How often it should speak, Hz; 0: unknown.
        maximum_age_s: Age of its newest sample above which it is silent, s.
        received: Messages since the last report; None in the first one: it began in
            the middle of a period.
        lost: Messages lost since the last report.
        age_s: Age of the newest sample, s; None before the first.
    """

    key: str
    name: str
    required: bool
    rate_hz: float
    maximum_age_s: float
    received: int | None
    lost: int
    age_s: float | None


def about_link(
    permission: Permission, now_ns: int, *, why_not: str, wanted: bool, target: str
) -> Status:
    """Whether the node has a session with the coordinator."""
    until_ns = permission.lease_until_ns
    left_s = 0.0 if until_ns is None else max(0, until_ns - now_ns) / SECOND_NS
    values = {
        "session": "open" if permission.session_open else "none",
        "epoch": str(permission.epoch),
        "lease_left_s": f"{left_s:.2f}",
        "coordinator": target,
    }
    if permission.leased(now_ns):
        return Status("link", Level.OK, "session open", values)
    if permission.session_open:
        text = "session open, no heartbeat acknowledged yet"
        return Status("link", Level.WARN, text, values)
    if not wanted:
        return Status("link", Level.WARN, "not connected: not active", values)
    return Status("link", Level.ERROR, f"no session: {why_not}", values)


def about_hold(station: Station) -> Status:
    """Whether the cell is held, and whether its robot obeys."""
    held, scene = station.permission.held, station.scene
    values = {
        "reason": "" if held is None else held.reason.value,
        "text": "" if held is None else held.text,
        "robot": station.robot.value,
        "hold_unconfirmed": str(station.robot is Robot.UNCONFIRMED).lower(),
        "stand": scene.stand.value,
        "cycle": str(scene.cycle),
        "part_id": scene.part_id,
    }
    if station.robot is Robot.UNCONFIRMED:
        text = "HOLD_UNCONFIRMED: the robot's controller does not confirm that it holds"
        return Status("hold", Level.ERROR, text, values)
    if held is not None:
        return Status("hold", Level.WARN, f"held: {held.reason.value}", values)
    return Status("hold", Level.OK, "not held", values)


def about_topic(topic: TopicFacts, period_s: float) -> Status:
    """Whether a sensor topic speaks, and as often as it should.

    Args:
        topic: The topic.
        period_s: Time since the last report, above 0, s.
    """
    measured_hz = None if topic.received is None else topic.received / period_s
    values = {
        "topic": topic.name,
        "rate_hz": "" if measured_hz is None else f"{measured_hz:.1f}",
        "configured_hz": f"{topic.rate_hz:g}",
        "age_s": "" if topic.age_s is None else f"{topic.age_s:.3f}",
        "lost": str(topic.lost),
    }
    level, text = _about_topic(topic, measured_hz)
    return Status(f"topic {topic.key}", level, text, values)


def _about_topic(topic: TopicFacts, measured_hz: float | None) -> tuple[Level, str]:
    if topic.age_s is None:
        return (Level.ERROR if topic.required else Level.WARN), "never heard"
    if not topic.age_s <= topic.maximum_age_s:
        level = Level.ERROR if topic.required else Level.STALE
        return level, f"silent for {topic.age_s:.1f} s"
    if topic.lost:
        return Level.WARN, f"{topic.lost} messages lost"
    if measured_hz is None:
        return Level.OK, "heard"
    if topic.rate_hz and not abs(measured_hz / topic.rate_hz - 1.0) <= RATE_OFF:
        return Level.WARN, f"{measured_hz:.1f} Hz, configured {topic.rate_hz:g} Hz"
    return Level.OK, f"{measured_hz:.1f} Hz"


def about_program(
    *, adapter: str, waiting: bool, working: bool, values: Mapping[str, str]
) -> Status:
    """Whether the robot's program is where andon can speak with it."""
    facts = {"adapter": adapter, **values}
    if waiting:
        return Status("program", Level.OK, "waits at its decision point", facts)
    if working:
        return Status("program", Level.OK, "works", facts)
    return Status("program", Level.WARN, "has not come to its decision point", facts)


def about_drops(dropped: Mapping[str, int], before: Mapping[str, int]) -> Status:
    """What was lost, refused or left out since the node began.

    Args:
        dropped: Counts by reason.
        before: The same at the last report.
    """
    values = {reason: str(count) for reason, count in sorted(dropped.items())}
    new = sorted(r for r, count in dropped.items() if count > before.get(r, 0))
    if new:
        return Status("drops", Level.WARN, f"rising: {', '.join(new)}", values)
    return Status("drops", Level.OK, "none since the last report", values)


def about_clips(
    ring: Ring, dropped: Mapping[str, int], before: Mapping[str, int]
) -> Status:
    """What is kept at full rate, and whether any of it was lost.

    Args:
        ring: The newest messages.
        dropped: Counts by reason.
        before: The same at the last report.
    """
    values = {"messages": str(len(ring)), "megabytes": f"{ring.bytes / 1e6:.1f}"}
    lost = [
        reason
        for reason in ("clip_lost", "clip_overrun")
        if dropped.get(reason, 0) > before.get(reason, 0)
    ]
    if lost:
        return Status("clips", Level.WARN, f"rising: {', '.join(lost)}", values)
    return Status("clips", Level.OK, f"{values['megabytes']} MB kept", values)


def about_missing(missing: Sequence[str]) -> Status:
    """What the node waits for before it asks for a session."""
    values = {str(place): what for place, what in enumerate(missing, 1)}
    if not missing:
        return Status("robot", Level.OK, "its services and sensors are there")
    text = f"waiting for {', '.join(missing)}"
    return Status("robot", Level.ERROR, text, values)


def about_lifecycle(state: str, refusal: str) -> Status:
    """Where the node is in its life.

    Args:
        state: The lifecycle's own word: unconfigured, inactive, active, finalized.
        refusal: Why it could not be configured; "" when it could.
    """
    if refusal:
        return Status("lifecycle", Level.ERROR, refusal, {"state": state})
    level = Level.OK if state == "active" else Level.WARN
    return Status("lifecycle", level, state, {"state": state})
