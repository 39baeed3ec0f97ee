"""The plan: which processes a cell needs, with what words."""

from dataclasses import replace
from pathlib import Path

import pytest

from ros_nodes.adapters.forbidden import ForbiddenServiceError, allowed_service
from ros_nodes.config import (
    DEFAULT_TOPICS,
    ConfigRefusedError,
    ProgramSpec,
    RobotSpec,
    RosNames,
)
from ros_nodes.loopback import PROFILE
from ros_nodes.plan import Simulation, plan
from tests.ros_nodes.node_builders import make_config

CONFIG = Path("andon.toml")


def test_a_real_robot_needs_the_cells_node_alone() -> None:
    [spec] = plan(make_config(), CONFIG)

    assert spec.executable == "cell_node"
    assert spec.namespace == "/press_1"
    assert spec.env == {"ROS_DOMAIN_ID": "42"}
    assert spec.parameters["config"] == str(CONFIG.resolve())


@pytest.mark.parametrize("autostart", [True, False])
def test_a_node_starts_by_itself_unless_somebody_else_starts_it(autostart) -> None:
    [spec] = plan(make_config(), CONFIG, autostart=autostart)

    assert spec.parameters["autostart"] is autostart


def test_a_simulated_robot_stays_on_this_machine() -> None:
    robot, cell = plan(make_config(), CONFIG, simulation=Simulation())

    for spec in (robot, cell):
        assert spec.env["FASTDDS_DEFAULT_PROFILES_FILE"] == str(PROFILE)
        assert spec.env["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SYSTEM_DEFAULT"
    assert "127.0.0.1" in PROFILE.read_text(encoding="utf-8")


def test_older_releases_know_the_profile_by_its_older_name() -> None:
    [robot, _] = plan(
        make_config(), CONFIG, simulation=Simulation(), ros_distro="jazzy"
    )

    assert robot.env["FASTRTPS_DEFAULT_PROFILES_FILE"] == str(PROFILE)


@pytest.mark.parametrize(
    ("version", "variable"),
    [
        ("7.1.5", "FASTRTPS_DEFAULT_PROFILES_FILE"),
        ("9.1.2", "FASTDDS_DEFAULT_PROFILES_FILE"),
        ("unreleased", "FASTDDS_DEFAULT_PROFILES_FILE"),
    ],
)
def test_wheels_that_do_not_say_their_release_are_known_by_their_version(
    monkeypatch: pytest.MonkeyPatch, version: str, variable: str
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: version)

    [robot, _] = plan(make_config(), CONFIG, simulation=Simulation())

    assert robot.env[variable] == str(PROFILE)


def test_both_nodes_of_a_cell_use_the_same_names() -> None:
    joints = replace(DEFAULT_TOPICS["joints"], name="/driver/joints")
    names = RosNames(
        topics={**DEFAULT_TOPICS, "joints": joints},
        robot=RobotSpec(hold="stop_now"),
        domain_id=7,
    )
    robot, cell = plan(make_config(ros=names), CONFIG, simulation=Simulation())

    assert robot.parameters["joints"] == "/driver/joints"
    assert robot.parameters["hold_service"] == "stop_now"
    assert robot.env["ROS_DOMAIN_ID"] == cell.env["ROS_DOMAIN_ID"] == "7"


def test_records_are_named_after_the_cell(tmp_path: Path) -> None:
    robot, cell = plan(
        make_config(),
        CONFIG,
        simulation=Simulation(truth=tmp_path),
        trace=tmp_path,
    )

    assert cell.parameters["trace"] == str(tmp_path / "press-1.node.jsonl")
    assert robot.parameters["trace"] == str(tmp_path / "press-1.motions.jsonl")
    assert robot.parameters["truth"] == str(tmp_path / "truth-press-1.jsonl")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "x:=true"),
        (3, "x:=3"),
        (5.0, "x:=5.0"),
        (1e-9, "x:=0.0"),
        ("42", "x:='42'"),
        ("it's", "x:='it''s'"),
        ("", "x:=''"),
    ],
)
def test_parameters_keep_their_type_on_the_command_line(value, written) -> None:
    [spec] = plan(make_config(), CONFIG)

    words = replace(spec, parameters={"x": value}).ros_arguments

    assert words[-2:] == ("-p", written)


def test_names_can_be_remapped() -> None:
    [spec] = plan(make_config(), CONFIG)

    words = replace(spec, remaps=(("wrench", "/ft/wrench"),)).ros_arguments

    assert "wrench:=/ft/wrench" in words


@pytest.mark.parametrize(
    "service",
    [
        "/dashboard_client/unlock_protective_stop",
        "/dashboard_client/restart_safety",
        "/dashboard_client/power_on",
        "brake_release",
        "/x/close_safety_popup",
        "/x/Close-Safety-Popup",
        "/x/powerOn",
    ],
)
def test_no_configuration_makes_andon_end_a_safety_stop(service) -> None:
    for robot in (RobotSpec(resume=service), RobotSpec(hold=service)):
        names = RosNames(robot=robot)
        with pytest.raises(ConfigRefusedError, match="never calls"):
            plan(make_config(ros=names), CONFIG)
    with pytest.raises(ForbiddenServiceError):
        allowed_service(service)


@pytest.mark.parametrize(
    "service", ["hold", "/dashboard_client/pause", "/dashboard_client/play"]
)
def test_ordinary_services_are_allowed(service) -> None:
    assert allowed_service(service) == service


def test_a_program_that_raises_signals_is_not_simulated() -> None:
    program = ProgramSpec(adapter="signals")
    config = make_config(ros=RosNames(program=program))

    assert len(plan(config, CONFIG)) == 1
    with pytest.raises(ConfigRefusedError, match="a simulated robot raises no signals"):
        plan(config, CONFIG, simulation=Simulation())
