"""Where the arm should be at every control step of a cycle.

A cycle is a row of segments: moves through the air in joint space, moves near the part
on straight vertical lines, all without jerks except the insertion, which runs at
constant speed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ros_nodes.twin.kinematics import forward, inverse, minimum_jerk, pointing_down
from ros_nodes.twin.scenario import CyclePlan

Floats = NDArray[np.float64]

CONTROL_PERIOD_S: Final = 0.002
"""Time from one target of the servos to the next."""

OPEN_M: Final = 0.025
"""Travel of each finger when open."""

_GRIP_Z_M: Final = 0.235  # flange height with the pads 20 mm above the part's middle
_LIFTED_Z_M: Final = 0.345
_MOUTH_Z_M: Final = 0.293  # the part's tip is 8 mm above the fixture
_PICK_M: Final = np.array([0.45, -0.22])
_HOLE_M: Final = np.array([0.45, 0.22])
_HOME_M: Final = np.array([[0.38, 0.0, 0.42]])

# kv / kp of each servo: leading the target by this time takes the servo's lag away.
_LEAD_S: Final = np.array([0.06, 0.06, 0.056, 40 / 700, 40 / 700, 0.0625])

PHASES: Final = {
    "recover": "return",
    "settle": "home",
    "approach": "pick",
    "descend": "pick",
    "grip": "pick",
    "lift": "carry",
    "carry": "carry",
    "lower": "insert",
    "insert": "insert",
    "release": "insert",
    "retract": "return",
    "home": "return",
    "rest": "home",
}
"""Segment -> phase as people name it; in the order they run."""

DURATION_S: Final = {
    "settle": 0.10,
    "approach": 0.85,
    "descend": 0.50,
    "grip": 0.35,
    "lift": 0.45,
    "carry": 1.15,
    "lower": 0.45,
    "insert": 1.10,
    "release": 0.22,
    "retract": 0.40,
    "home": 0.85,
    "rest": 0.10,
}
"""Segment -> seconds at nominal speed."""

_AT_HOME_RAD: Final = 0.02
_RECOVERY_RAD_S: Final = 0.6


@dataclass(frozen=True, eq=False, slots=True)
class Motion:
    """The servo targets of one cycle, one row a control step."""

    reference_rad: Floats
    """(n, 6) joint targets."""
    lead_rad: Floats
    """(n, 6) what is added to the targets while the arm moves at full rate."""
    opening_m: Floats
    """(n,) travel wanted of each finger."""
    height_m: Floats
    """(n,) of the flange above the table."""
    heading: Floats
    """(n, 3) direction of travel of the flange, unit vectors."""
    starts: dict[str, int]
    """Segment -> its first row, in the order they run."""

    def row(self, segment: str, share: float = 0.0) -> int:
        """The row at which a share of a segment has passed."""
        names = list(self.starts)
        after = names.index(segment) + 1
        end = self.starts[names[after]] if after < len(names) else len(self.height_m)
        return self.starts[segment] + int(share * (end - self.starts[segment]))

    def phase(self, row: int) -> str:
        """home, pick, carry, insert or return."""
        here = [name for name, start in self.starts.items() if start <= row]
        return PHASES[here[-1]]


def home_joints() -> Floats:
    """(6,) joint angles of the pose in which cycles begin and end."""
    home: Floats = inverse(pointing_down(_HOME_M))[0]
    return home


def plan_motion(plan: CyclePlan, start_rad: Floats) -> Motion:
    """Lay out the servo targets of a cycle.

    Args:
        plan: What was decided about the cycle.
        start_rad: Joint angles now, shape (6,). Away from home, the cycle begins with
            the way back: an arm that was stopped in mid-cycle never jumps.
    """
    segments = dict(_segments(plan, start_rad))
    reference = np.concatenate(list(segments.values()))  # (n, 6)
    starts: dict[str, int] = {}
    rows = 0
    for name, part in segments.items():
        starts[name] = rows
        rows += len(part)
    flange_m = forward(reference)[:, :3, 3]
    velocity = np.gradient(flange_m, axis=0)
    speed = np.linalg.norm(velocity, axis=1, keepdims=True)
    opening = np.full(rows, OPEN_M)
    closed = slice(starts["grip"], starts["release"])
    opening[closed] = 0.0
    closing = np.linspace(OPEN_M, 0.0, (starts["lift"] - starts["grip"]) // 2)
    opening[starts["grip"] : starts["grip"] + len(closing)] = closing
    return Motion(
        reference_rad=reference,
        lead_rad=np.gradient(reference, CONTROL_PERIOD_S, axis=0) * _LEAD_S,
        opening_m=opening,
        height_m=flange_m[:, 2],
        heading=np.divide(
            velocity, speed, out=np.zeros_like(velocity), where=speed > 1e-6
        ),
        starts=starts,
    )


def _segments(plan: CyclePlan, start_rad: Floats) -> Iterator[tuple[str, Floats]]:
    def steps(name: str) -> int:
        return round(DURATION_S[name] / plan.speed / CONTROL_PERIOD_S)

    pick = _PICK_M + plan.pick_offset_m + plan.pick_error_m
    hole = _HOLE_M + plan.insert_offset_m
    down = _vertical(pick, _LIFTED_Z_M, _GRIP_Z_M, _eased(steps("descend")))
    lift = _vertical(pick, _GRIP_Z_M, _LIFTED_Z_M, _eased(steps("lift")))
    lower = _vertical(hole, _LIFTED_Z_M, _MOUTH_Z_M, _eased(steps("lower")))
    insert = _vertical(hole, _MOUTH_Z_M, _GRIP_Z_M, _steady(steps("insert")))
    retract = _vertical(hole, _GRIP_Z_M, _LIFTED_Z_M, _eased(steps("retract")))
    home = home_joints()

    away = float(np.abs(start_rad - home).max())
    if not away <= _AT_HOME_RAD:
        recovery = max(1.0, away / _RECOVERY_RAD_S)
        yield (
            "recover",
            _joint_move(start_rad, home, round(recovery / CONTROL_PERIOD_S)),
        )
    yield "settle", _stand(home, steps("settle"))
    yield "approach", _joint_move(home, down[0], steps("approach"))
    yield "descend", down
    yield "grip", _stand(down[-1], steps("grip"))
    yield "lift", lift
    yield "carry", _joint_move(lift[-1], lower[0], steps("carry"))
    yield "lower", lower
    yield "insert", insert
    yield "release", _stand(insert[-1], steps("release"))
    yield "retract", retract
    yield "home", _joint_move(retract[-1], home, steps("home"))
    yield "rest", _stand(home, steps("rest"))


def _eased(steps: int) -> Floats:
    return minimum_jerk(np.linspace(0.0, 1.0, steps))


def _steady(steps: int) -> Floats:
    """Progress at constant speed, with a tenth of the time to start and to stop."""
    ramp = np.minimum(1.0, np.linspace(0.0, 10.0, steps))
    progress = np.cumsum(np.minimum(ramp, ramp[::-1]))
    share: Floats = progress / progress[-1]
    return share


def _vertical(place_m: Floats, from_m: float, to_m: float, share: Floats) -> Floats:
    """A straight vertical line: (n,) progress -> (n, 6) joint angles."""
    points = np.empty((len(share), 3))
    points[:, :2] = place_m
    points[:, 2] = from_m + (to_m - from_m) * share
    return inverse(pointing_down(points))


def _joint_move(from_rad: Floats, to_rad: Floats, steps: int) -> Floats:
    return from_rad + np.outer(_eased(steps), to_rad - from_rad)


def _stand(joints_rad: Floats, steps: int) -> Floats:
    return np.tile(joints_rad, (steps, 1))
