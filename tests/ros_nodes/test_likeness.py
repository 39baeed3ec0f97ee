"""The twin looks like the robot that a cell's configuration describes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coordinator import config
from ros_nodes.config import CellConfig, read_cell
from ros_nodes.likeness import TORQUE_PER_A, Seen, likeness_of
from ros_nodes.twin.cell import Twin


def cell_of(profile: str, folder: Path) -> CellConfig:
    path = folder / "andon.toml"
    path.write_text(config.template(profile), encoding="utf-8")
    return read_cell(path, "press-1")


def test_its_own_profile_shows_all_of_it(tmp_path: Path) -> None:
    seen = likeness_of(cell_of("twin", tmp_path), Twin.JOINT_NAMES)

    assert seen.joints == Twin.JOINT_NAMES
    assert (seen.effort_scale, seen.rate_hz, seen.steady) == (1.0, 50.0, False)


def test_a_ur_has_six_joints_and_tells_currents_all_the_time(tmp_path: Path) -> None:
    seen = likeness_of(cell_of("ur", tmp_path), Twin.JOINT_NAMES)

    assert seen.joints == Twin.JOINT_NAMES[:6]
    assert seen.effort_scale == 1.0 / TORQUE_PER_A
    assert (seen.rate_hz, seen.steady) == (500.0, True)


def test_a_franka_has_seven_joints_of_its_own_names(tmp_path: Path) -> None:
    seen = likeness_of(cell_of("franka", tmp_path), Twin.JOINT_NAMES)

    assert seen.joints == tuple(f"fr3_joint{number}" for number in range(1, 8))
    assert seen.rate_hz == 500.0  # the fastest that the twin measures


@pytest.mark.parametrize(
    ("wanted", "possible"), [(500.0, 500.0), (125.0, 125.0), (98.6, 50.0), (1.0, 1.0)]
)
def test_it_publishes_at_the_rate_it_can_that_is_nearest_below(
    tmp_path: Path, wanted: float, possible: float
) -> None:
    cell = cell_of("ur", tmp_path)
    topics = dict(cell.ros.topics)
    topics["joints"] = replace(topics["joints"], rate_hz=wanted)
    cell = replace(cell, ros=replace(cell.ros, topics=topics))

    assert likeness_of(cell, Twin.JOINT_NAMES).rate_hz == possible


def test_a_sample_is_shown_as_the_robot_would_tell_it(tmp_path: Path) -> None:
    seen = likeness_of(cell_of("ur", tmp_path), Twin.JOINT_NAMES)
    position, velocity, effort = (np.full(7, value) for value in (1.0, 2.0, 24.0))
    sample = Seen(
        position,
        velocity,
        effort,
        np.arange(6.0),
        joints_sent=True,
        wrench_sent=False,
    )

    shown = seen.of(sample)

    assert shown.position.tolist() == [1.0] * 6
    assert shown.effort.tolist() == [2.0] * 6
    assert shown.wrench.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert (shown.joints_sent, shown.wrench_sent) == (True, False)
