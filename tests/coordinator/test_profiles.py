"""Robots' profiles: both sides read them, and they say what upstream says."""

from pathlib import Path

import pytest

from coordinator import config
from coordinator.terms import CellId
from ros_nodes.config import CellConfig, read_cell

PROFILES = config.profiles()
LARGEST_WINDOW = 65_536


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def as_node(profile: str, folder: Path) -> CellConfig:
    path = folder / "andon.toml"
    path.write_text(config.template(profile), encoding="utf-8")
    return read_cell(path, "press-1")


def test_the_simulated_robot_is_the_default() -> None:
    assert PROFILES == ("twin", "franka", "ur")
    assert config.template() == config.template("twin")


def test_both_sides_read_a_profile_and_agree(profile: str, tmp_path: Path) -> None:
    node = as_node(profile, tmp_path)
    settings = config.parse(config.template(profile))
    cell = settings.cells["press-1"]
    family = settings.family_terms()[settings.family_of()[CellId("press-1")]]

    assert node.schema_digest == family.schema_digest
    assert node.rows == family.rows
    assert node.ros.robot.adapter == cell.ros.robot.adapter
    assert node.ros.robot.hold == cell.ros.robot.hold
    assert len(node.ros.safety) == len(cell.ros.safety)


def test_its_windows_fit_into_a_message(profile: str, tmp_path: Path) -> None:
    node = as_node(profile, tmp_path)

    assert node.rows * len(node.channels) * 4 <= LARGEST_WINDOW


def test_every_channel_has_a_unit_and_every_topic_is_used(
    profile: str, tmp_path: Path
) -> None:
    node = as_node(profile, tmp_path)

    assert all(channel.unit for channel in node.channels)
    assert {topic.key for topic in node.topics} == set(node.ros.topics)


def test_a_stop_label_is_never_to_be_missed(profile: str) -> None:
    [family] = config.parse(config.template(profile)).families.values()

    assert any(x.action == "stop" and x.must_never_miss for x in family.labels)


def test_lines_are_short_enough_for_a_terminal(profile: str) -> None:
    long = [
        line
        for line in config.template(profile).splitlines()
        if len(line) > 120 and "source = " not in line
    ]

    assert long == []


def test_a_ur_has_six_joints_currents_and_the_dashboard(tmp_path: Path) -> None:
    node = as_node("ur", tmp_path)
    joints = {c.source.element for c in node.channels if c.source.topic == "joints"}
    efforts = {c.unit for c in node.channels if c.source.field == "effort"}

    assert len(joints) == 6
    assert efforts == {"A"}
    assert node.ros.topics["joints"].name == "/joint_states"
    assert node.ros.topics["joints"].rate_hz == 500.0
    assert node.ros.robot.hold == "/dashboard_client/pause"
    assert node.ros.robot.resume == "/dashboard_client/play"
    assert node.ros.robot.read_back is not None
    assert node.ros.robot.read_back.held == (0.0,)
    assert node.ros.safety[0].type == "ur_dashboard_msgs/msg/SafetyMode"
    assert node.ros.safety[0].normal == (1, 2)


def test_a_franka_has_seven_joints_and_is_held_by_the_cells_own_program(
    tmp_path: Path,
) -> None:
    node = as_node("franka", tmp_path)
    joints = {c.source.element for c in node.channels if c.source.topic == "joints"}

    assert joints == {f"fr3_joint{number}" for number in range(1, 8)}
    assert node.ros.robot.adapter == "set_bool"
    assert node.ros.safety[0].field == "robot_mode"


@pytest.mark.parametrize("robot", ["ur", "franka"])
def test_a_real_robots_profile_names_its_sources(robot: str) -> None:
    text = config.template(robot)

    assert "commit" in text
    assert "not tried on a robot" in text.replace("\n# ", " ")
