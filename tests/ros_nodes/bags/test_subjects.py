"""What is recorded is what the configuration names, or what somebody asked for."""

import pytest

from ros_nodes.bags.subjects import Subject, subjects
from ros_nodes.bags.terms import RecordingRefusedError
from ros_nodes.config import ReadBack, RobotSpec, RosNames, SafetySpec, TopicSpec
from ros_nodes.config.program import ProgramSpec
from tests.ros_nodes.bags.bag_builders import JOINTS, TEXT, WRENCH
from tests.ros_nodes.node_builders import make_config

BOOL = "std_msgs/msg/Bool"


def test_all_topics_of_a_cell_are_recorded() -> None:
    topics = {
        "joints": TopicSpec("joints", "joint_states", JOINTS),
        "running": TopicSpec("running", "/io/running", BOOL, latched=True),
    }
    back = ReadBack("/io/running", BOOL, "data", (False,))
    ros = RosNames(
        topics=topics,
        robot=RobotSpec(adapter="topic", hold="pause", read_back=back),
        safety=(SafetySpec("/io/safety", BOOL, "data", (False,)),),
        program=ProgramSpec(adapter="signals"),
    )

    chosen = subjects(make_config(ros=ros), ())

    assert {subject.name: subject.role for subject in chosen} == {
        "/press_1/joint_states": "sensor",
        "/io/running": "latched",
        "/press_1/steps": "words",
        "/press_1/permits": "words",
        "/press_1/part": "latched",
        "/press_1/step_done": "words",
        "/press_1/action": "words",
        "/press_1/pause": "latched",
        "/io/safety": "sensor",
    }


def test_topics_are_chosen_by_key_or_name_and_others_by_name_and_type() -> None:
    words = ["joints", "/press_1/wrench", "steps", "/tf=a/msg/B", "/free"]

    chosen = subjects(make_config(), words)

    assert chosen == (
        Subject("/press_1/joint_states", JOINTS),
        Subject("/press_1/wrench", WRENCH),
        Subject("/press_1/steps", TEXT, "words"),
        Subject("/tf", "a/msg/B"),
        Subject("/free", ""),
    )


def test_a_word_that_is_no_topic_is_refused() -> None:
    with pytest.raises(RecordingRefusedError, match="'elbow' is no topic of cell"):
        subjects(make_config(), ["elbow"])
