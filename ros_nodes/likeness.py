"""How the twin looks like the robot that is configured: its joints, units and rate.

The twin moves six joints and a gripper, named as a UR names them. A configuration may
know them by other names, fewer of them, or tell currents instead of torques.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ros_nodes.config import CellConfig, RosNames
from ros_nodes.simulated_robot import Sample

JOINTS: Final = "sensor_msgs/msg/JointState"
WRENCH: Final = "geometry_msgs/msg/WrenchStamped"

TORQUE_PER_A: Final = 12.0
"""Torque at a joint per ampere of its motor, N*m/A: about that of a small UR."""
FASTEST_HZ: Final = 500.0
"""Readings of the twin a simulated second; it publishes averages of whole numbers."""
USUAL_HZ: Final = 50.0


@dataclass(frozen=True, slots=True)
class Likeness:
    """What of the twin is shown, and how.

    Attributes:
        joints: Names of its joints, as many as are shown.
        effort_scale: What its efforts are multiplied with.
        rate_hz: Samples a simulated second.
        steady: It publishes at that rate also while it stands, as drivers do.
    """

    joints: tuple[str, ...]
    effort_scale: float = 1.0
    rate_hz: float = USUAL_HZ
    steady: bool = False

    def of(self, sample: Sample) -> Seen:
        """Return a sample of the twin as it is shown."""
        count = len(self.joints)
        return Seen(
            sample.position[:count],
            sample.velocity[:count],
            sample.effort[:count] * self.effort_scale,
            sample.wrench,
            sample.joints_sent,
            sample.wrench_sent,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """See simulated_robot.Sample."""

    position: NDArray[np.float64]
    velocity: NDArray[np.float64]
    effort: NDArray[np.float64]
    wrench: NDArray[np.float64]
    joints_sent: bool
    wrench_sent: bool


def likeness_of(config: CellConfig, own_joints: Sequence[str]) -> Likeness:
    """Return how the twin is to look to this cell.

    Args:
        config: The cell.
        own_joints: What the twin calls its joints, in its order.
    """
    key = topic_of(config.ros, JOINTS)
    sources = [c for c in config.channels if c.source.topic == key]
    wanted = list(dict.fromkeys(c.source.element for c in sources))
    known = [name for name in own_joints if name in wanted]
    if len(known) == len(wanted):
        # Up to the last one that somebody wants: a driver knows nothing of a gripper.
        last = max((own_joints.index(name) for name in known), default=-1)
        names = tuple(own_joints[: last + 1])
    else:
        names = tuple(wanted[: len(own_joints)])
    ampere = any(c.source.field == "effort" and c.unit == "A" for c in sources)
    rate_hz = config.ros.topics[key].rate_hz if key in config.ros.topics else 0.0
    return Likeness(
        joints=names or tuple(own_joints),
        effort_scale=1.0 / TORQUE_PER_A if ampere else 1.0,
        rate_hz=_possible(rate_hz) if rate_hz else USUAL_HZ,
        steady=rate_hz > 0.0,
    )


def topic_of(names: RosNames, kind: str) -> str:
    """Key of the first topic of a type; "" when there is none."""
    return next((key for key, spec in names.topics.items() if spec.type == kind), "")


def _possible(rate_hz: float) -> float:
    """The rate that the twin can publish at, nearest below the one wanted."""
    readings = 1
    while FASTEST_HZ / readings > rate_hz or FASTEST_HZ % readings:
        readings += 1
    return FASTEST_HZ / readings
