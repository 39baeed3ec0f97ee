"""Quality of service, named for its purpose."""

from __future__ import annotations

from typing import Final

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

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
