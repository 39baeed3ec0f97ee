"""Quality of service, named for its purpose."""

from __future__ import annotations

from typing import Final

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

from ros_nodes.config import IMAGES, TopicSpec

STOOD_STILL_S: Final = 4.0
"""So long may a node stand still without losing samples of a topic of known rate."""

SENSORS: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=2_000,
    reliability=ReliabilityPolicy.BEST_EFFORT,
    durability=DurabilityPolicy.VOLATILE,
)
"""Best effort matches every publisher; the depth covers a node that stood still for
seconds."""

STEPS: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=50,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.VOLATILE,
)
"""Every word of the robot's program arrives."""

PERMITS: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=10,
    reliability=ReliabilityPolicy.RELIABLE,
    # Never latched: a program that comes late must not find an old permit.
    durability=DurabilityPolicy.VOLATILE,
)
"""Leave is for who listens now."""

HOLDS: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""A hold stands until it is lifted: who comes late must find it."""

REPLAYED: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1_000,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.VOLATILE,
)
"""Reliable matches every listener, whatever the recorded publisher offered."""

REPLAYED_LATCHED: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""A late listener finds the newest message, and no older one."""

LATCHED: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=100,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""For listening to topics whose newest message waits for whoever comes late."""

CLOCK: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.VOLATILE,
)
"""Only the newest time is of use; reliable matches every listener."""

DIAGNOSTICS: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=10,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.VOLATILE,
)
"""What everybody offers on /diagnostics."""

CAMERAS: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=5,
    reliability=ReliabilityPolicy.BEST_EFFORT,
    durability=DurabilityPolicy.VOLATILE,
)
"""Images are large, and the newest wins."""

SIM_TIME: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=100,
    reliability=ReliabilityPolicy.BEST_EFFORT,
    durability=DurabilityPolicy.VOLATILE,
)
"""For listening to /clock: each of its words is a point of the line from its time to
ours."""


def sensor_profile(topic: TopicSpec) -> QoSProfile:
    """Return how to listen to a sensor topic."""
    if topic.latched:
        return LATCHED
    if topic.type in IMAGES:
        return CAMERAS
    depth = round(STOOD_STILL_S * topic.rate_hz)
    if depth <= SENSORS.depth:
        return SENSORS
    return QoSProfile(
        history=SENSORS.history,
        depth=min(depth, 20_000),
        reliability=SENSORS.reliability,
        durability=SENSORS.durability,
    )
