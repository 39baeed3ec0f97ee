from importlib import resources

import mujoco
import numpy as np
import pytest

from ros_nodes.twin.kinematics import (
    OutOfReachError,
    forward,
    inverse,
    minimum_jerk,
    pointing_down,
)

PLACES_M = np.array([[0.45, -0.22, 0.235], [0.45, 0.22, 0.345], [0.38, 0.0, 0.42]])


def test_the_arm_reaches_the_pose_it_was_asked_for() -> None:
    wanted = pointing_down(PLACES_M, yaw_rad=0.3)

    assert np.allclose(forward(inverse(wanted)), wanted, atol=1e-9)


def test_the_geometry_is_that_of_the_simulated_arm() -> None:
    source = resources.files("ros_nodes.twin").joinpath("cell.xml")
    model = mujoco.MjModel.from_xml_string(source.read_text("utf-8"))
    data = mujoco.MjData(model)
    joints = np.array([[0.3, -1.2, 1.4, -0.7, -1.1, 0.5]])
    data.qpos[:6] = joints[0]
    mujoco.mj_kinematics(model, data)

    flange = forward(joints)[0]

    assert np.allclose(data.body("tool").xpos, flange[:3, 3], atol=1e-6)
    assert np.allclose(data.body("tool").xmat.reshape(3, 3), flange[:3, :3], atol=1e-6)


def test_a_straight_line_has_no_jumps() -> None:
    points = np.linspace(PLACES_M[0], PLACES_M[0] + [0.0, 0.0, 0.11], 200)

    joints = inverse(pointing_down(points))

    assert np.abs(np.diff(joints, axis=0)).max() < 0.01


def test_a_pose_out_of_reach_is_refused_not_bent() -> None:
    with pytest.raises(OutOfReachError, match="1 points"):
        inverse(pointing_down(np.array([[0.45, 0.0, 0.3], [2.0, 0.0, 0.3]])))


def test_a_move_starts_and_ends_at_rest() -> None:
    share = np.linspace(0.0, 1.0, 1001)

    progress = minimum_jerk(share)
    speed = np.gradient(progress, share)

    assert (progress[0], progress[-1]) == (0.0, pytest.approx(1.0))
    assert np.diff(progress).min() >= 0.0
    assert abs(speed[0]) < 0.01
    assert abs(speed[-1]) < 0.01
