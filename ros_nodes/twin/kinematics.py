"""Where the tool is and how it gets somewhere: pure geometry of the six-axis arm.

`_A_M`, `_D_M` and `_TWIST_RAD` are what `cell.xml` is built from; a test compares them.
Poses are of the flange, whose z axis leaves the arm towards the part. The inverse is
the closed form for arms with three parallel middle axes, so a whole path is solved in
one call and a straight line stays straight.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

D1: Final = 0.1625
A2: Final = -0.425
A3: Final = -0.3922
D4: Final = 0.1333
D5: Final = 0.0997
D6: Final = 0.0996

_A_M: Final = (0.0, A2, A3, 0.0, 0.0, 0.0)
_D_M: Final = (D1, 0.0, 0.0, D4, D5, D6)
_TWIST_RAD: Final = (np.pi / 2, 0.0, 0.0, np.pi / 2, -np.pi / 2, 0.0)


class OutOfReachError(ValueError):
    """A pose was asked for that the arm cannot take."""

    def __init__(self, points: int) -> None:
        super().__init__(f"{points} points of the path are out of the arm's reach")


def _link(angle_rad: Floats, joint: int) -> Floats:
    """Pose of one joint's outgoing frame in its incoming one: (n,) -> (n, 4, 4)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    ca, sa = np.cos(_TWIST_RAD[joint]), np.sin(_TWIST_RAD[joint])
    pose = np.zeros((len(angle_rad), 4, 4))
    pose[:, 0] = np.stack([c, -s * ca, s * sa, _A_M[joint] * c], axis=1)
    pose[:, 1] = np.stack([s, c * ca, -c * sa, _A_M[joint] * s], axis=1)
    pose[:, 2] = (0.0, sa, ca, _D_M[joint])
    pose[:, 3, 3] = 1.0
    return pose


def _invert(pose: Floats) -> Floats:
    """Inverse of rigid poses: (n, 4, 4) -> (n, 4, 4)."""
    turned = pose[:, :3, :3].transpose(0, 2, 1)
    inverse = np.zeros_like(pose)
    inverse[:, :3, :3] = turned
    inverse[:, :3, 3] = -np.einsum("nij,nj->ni", turned, pose[:, :3, 3])
    inverse[:, 3, 3] = 1.0
    return inverse


def forward(joints_rad: Floats) -> Floats:
    """Flange pose in the arm's base: (n, 6) -> (n, 4, 4)."""
    pose = _link(joints_rad[:, 0], 0)
    for joint in range(1, 6):
        pose = pose @ _link(joints_rad[:, joint], joint)
    return pose


def pointing_down(position_m: Floats, yaw_rad: float = 0.0) -> Floats:
    """Flange poses that look straight down: (n, 3) -> (n, 4, 4).

    Args:
        position_m: Where the flange is, in the arm's base.
        yaw_rad: Turn of the flange about the vertical.
    """
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    pose = np.zeros((len(position_m), 4, 4))
    pose[:, :3, :3] = np.array([[c, s, 0.0], [s, -c, 0.0], [0.0, 0.0, -1.0]])
    pose[:, :3, 3] = position_m
    pose[:, 3, 3] = 1.0
    return pose


def inverse(pose: Floats) -> Floats:
    """Joint angles with the elbow up and the wrist inside: (n, 4, 4) -> (n, 6).

    The same branch is taken everywhere, and angles are unwrapped along the path, so
    neighbouring poses give neighbouring angles.

    Raises:
        OutOfReachError: at least one pose cannot be taken.
    """
    wrist = pose[:, :3, 3] - D6 * pose[:, :3, 2]  # (n, 3)
    radius = np.hypot(wrist[:, 0], wrist[:, 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        pan = np.arctan2(wrist[:, 1], wrist[:, 0]) + np.pi - np.arcsin(D4 / radius)
    s1, c1 = np.sin(pan), np.cos(pan)

    across = pose[:, 0, 3] * s1 - pose[:, 1, 3] * c1
    with np.errstate(invalid="ignore"):
        wrist_2 = -np.arccos((across - D4) / D6)
    s5 = np.sin(wrist_2)
    x_across = pose[:, 0, 0] * s1 - pose[:, 1, 0] * c1
    y_across = pose[:, 0, 1] * s1 - pose[:, 1, 1] * c1
    wrist_3 = np.arctan2(-y_across / s5, x_across / s5)

    tail = _link(wrist_2, 4) @ _link(wrist_3, 5)
    middle = _invert(_link(pan, 0)) @ pose @ _invert(tail)  # (n, 4, 4) joints 2 to 4
    point = middle[:, :2, 3]  # (n, 2) in the plane of upper arm and forearm
    reach = np.hypot(point[:, 0], point[:, 1])
    with np.errstate(invalid="ignore"):
        elbow = np.arccos((reach**2 - A2**2 - A3**2) / (2 * A2 * A3))
    lift = np.arctan2(point[:, 1], point[:, 0]) - np.arctan2(
        A3 * np.sin(elbow), A2 + A3 * np.cos(elbow)
    )
    upper = _link(lift, 1) @ _link(elbow, 2)
    last = _invert(upper) @ middle
    wrist_1 = np.arctan2(last[:, 1, 0], last[:, 0, 0])

    joints = np.stack([pan, lift, elbow, wrist_1, wrist_2, wrist_3], axis=1)
    unreachable = ~np.isfinite(joints).all(axis=1)
    if unreachable.any():
        raise OutOfReachError(int(unreachable.sum()))
    joints = np.angle(np.exp(1j * joints))  # (-pi, pi]
    joints[:, 0] %= 2 * np.pi  # the arm looks back over its base: pan stays near pi
    return np.unwrap(joints, axis=0)


def minimum_jerk(share: Floats) -> Floats:
    """Progress of a move that starts and stops softly, for shares of its time."""
    return share**3 * (10.0 + share * (-15.0 + 6.0 * share))
